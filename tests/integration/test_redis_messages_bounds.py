"""Many messages, and large ones: none is lost, and little is held."""

import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel

import simstore
from simstore import Channel, Store
from tests.faults.aftermath import WAIT
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer


class Move(BaseModel):
    number: int
    text: str = ""


MOVES: Channel[Move] = Channel("moves", Move)


def moves(number: int, first: int = 0) -> list[Move]:
    return [Move(number=each) for each in range(first, first + number)]


@pytest.fixture
def store(valkey_server: RedisServer) -> Iterator[Store]:
    with simstore.connect(own_database(valkey_server.url)) as store:
        yield store


def test_a_slow_subscriber_holds_little(store: Store) -> None:
    text = "x" * 20_000
    for first in range(0, 5_000, 500):
        store.broker.publish_many(
            MOVES, [Move(number=first + each, text=text) for each in range(500)]
        )
    tracemalloc.start()
    try:
        with store.broker.subscribe(MOVES, timeout=0) as subscription:
            count = sum(len(received.message.text) == 20_000 for received in subscription)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 5_000
    assert peak < 12_000_000  # of 100 MB


def test_many_producers_and_consumers_lose_and_double_nothing(store: Store) -> None:
    producers, consumers, each = 8, 8, 1_250
    done: Counter[int] = Counter()
    lock, all_done = threading.Lock(), threading.Event()

    def produce(producer: int) -> None:
        mine = moves(each, first=producer * each)
        for start in range(0, each, 25):
            store.broker.publish_many(MOVES, mine[start : start + 25])

    def consume(name: int) -> None:
        with store.broker.consume(MOVES, "g", f"c{name}", retry_after=WAIT) as consumer:
            while not all_done.is_set():
                delivery = consumer.receive(timeout=0.1)
                if delivery is None:
                    continue
                assert consumer.acknowledge(delivery)
                with lock:
                    done[delivery.message.number] += 1
                    if done.total() >= producers * each:
                        all_done.set()

    with ThreadPoolExecutor(producers + consumers) as threads:
        working = [threads.submit(consume, name) for name in range(consumers)]
        working += [threads.submit(produce, producer) for producer in range(producers)]
        for one in working:
            one.result(4 * WAIT)
    assert done == Counter(range(producers * each))
    with store.broker.consume(MOVES, "g", "late", retry_after=0.001, timeout=0) as consumer:
        assert list(consumer) == []
