"""Servers, connections and processes that fail while messages are under way: none is lost."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import BaseModel

import simstore
from simstore import BackendUnavailableError, Channel, Delivery, Store
from tests.faults.aftermath import WAIT
from tests.servers.binaries import redis_binary, valkey_binary
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database
from tests.servers.proxy import Proxy
from tests.servers.redis_server import APPEND_ONLY, RedisServer

NEVER = 3_600.0


class Move(BaseModel):
    number: int
    text: str = ""


MOVES: Channel[Move] = Channel("moves", Move)


def moves(number: int, first: int = 0) -> list[Move]:
    return [Move(number=each) for each in range(first, first + number)]


def numbers(store: Store) -> list[int]:
    return [received.message.number for received in store.broker.history(MOVES)]


@pytest.fixture
def store(valkey_server: RedisServer) -> Iterator[Store]:
    with simstore.connect(own_database(valkey_server.url)) as store:
        yield store


@pytest.fixture
def proxy(valkey_server: RedisServer) -> Iterator[Proxy]:
    with Proxy(valkey_server) as proxy:
        yield proxy


@pytest.fixture
def through(proxy: Proxy, store: Store) -> Iterator[Store]:
    """The same database, by way of the proxy."""
    namespace = store.url.partition("?")[2]
    with simstore.connect(f"{proxy.url}?{namespace}") as through:
        yield through


@pytest.fixture(params=["redis"])
def durable_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """One of the test's own that writes what it answers to the disk first."""
    binary = {"redis": redis_binary, "valkey": valkey_binary}[request.param]()
    with RedisServer(binary, APPEND_ONLY, tmp_path) as server:
        yield server


def publish_through_outages(store: Store, message: Move) -> None:
    """Publish once: not knowing is not known here, since it is asked whether it is there."""
    deadline = time.monotonic() + WAIT
    while True:
        try:
            if message.number not in numbers(store):
                store.broker.publish(MOVES, message)
        except simstore.BackendError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


class Listening:
    """A thread and a task that subscribe, and note what they hear."""

    def __init__(self, store: Store, until: int) -> None:
        self._store = store
        self._until = until
        self.heard: dict[str, list[int]] = {"thread": [], "task": []}

    def in_a_thread(self) -> None:
        with self._store.broker.subscribe(MOVES, timeout=WAIT) as subscription:
            for received in subscription:
                self.heard["thread"].append(received.message.number)
                if received.message.number == self._until:
                    return

    def in_a_task(self) -> None:
        async def main() -> None:
            async with self._store.broker.asubscribe(MOVES, timeout=WAIT) as subscription:
                async for received in subscription:
                    self.heard["task"].append(received.message.number)
                    if received.message.number == self._until:
                        return

        asyncio.run(main())


@pytest.mark.parametrize("durable_server", ["redis", "valkey"], indirect=True)
def test_subscriptions_outlive_restarts_of_the_server(durable_server: RedisServer) -> None:
    number = 60
    with simstore.connect(f"{durable_server.url}?timeout=20") as store:
        listening = Listening(store, until=number - 1)
        with ThreadPoolExecutor(2) as threads:
            ends = [threads.submit(listening.in_a_thread), threads.submit(listening.in_a_task)]
            for move in moves(number):
                publish_through_outages(store, move)
                if move.number in {20, 40}:
                    durable_server.restart(kill=move.number == 40)
            for end in ends:
                end.result(WAIT)
    assert listening.heard == {"thread": [*range(number)], "task": [*range(number)]}


def test_a_server_that_stays_away_is_an_outage_and_the_next_call_tries_anew(
    durable_server: RedisServer,
) -> None:
    with simstore.connect(f"{durable_server.url}?timeout=0.5") as store:
        subscription = store.broker.subscribe(MOVES)
        store.broker.publish(MOVES, Move(number=1))
        assert next(subscription).message.number == 1

        async def listen() -> None:
            async with store.broker.asubscribe(MOVES) as other:
                assert await other.receive() is not None
                durable_server.kill()
                for _ in range(2):
                    with pytest.raises(BackendUnavailableError, match=r"longer than 0\.5 s"):
                        await other.receive()
                durable_server.start()
                store.broker.publish(MOVES, Move(number=2))
                received = await other.receive()
                assert received is not None
                assert received.message.number == 2

        asyncio.run(listen())
        assert next(subscription).message.number == 2
        durable_server.kill()
        with pytest.raises(BackendUnavailableError, match=r"longer than 0\.5 s"):
            next(subscription)
        durable_server.start()
        store.broker.publish(MOVES, Move(number=3))
        assert next(subscription).message.number == 3


def test_a_server_that_answers_no_more_is_an_outage(durable_server: RedisServer) -> None:
    with simstore.connect(f"{durable_server.url}?timeout=0.5") as store:
        subscription = store.broker.subscribe(MOVES)
        store.broker.publish(MOVES, Move(number=1))
        assert next(subscription).message.number == 1
        durable_server.pause()
        try:
            started = time.monotonic()
            with pytest.raises(BackendUnavailableError, match=r"longer than 0\.5 s"):
                next(subscription)
            assert time.monotonic() - started < WAIT / 2
        finally:
            durable_server.resume()
        store.broker.publish(MOVES, Move(number=2))
        assert next(subscription).message.number == 2


CONSUMER = """
import sys, time, simstore
from tests.faults.test_redis_messages import MOVES
broker = simstore.connect(sys.argv[1]).broker
for delivery in broker.consume(MOVES, "g", sys.argv[2], retry_after=0.5):
    print(delivery.message.number, flush=True)
"""


def test_what_a_killed_consumer_left_is_given_to_another_once(store: Store) -> None:
    store.broker.publish_many(MOVES, moves(10))
    with subprocess.Popen(
        [sys.executable, "-c", CONSUMER, store.url, "a"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        seen += [int(line) for line in process.stdout]
        assert process.wait(WAIT) == -signal.SIGKILL
    left, tries = Counter[int](), Counter[int]()
    with store.broker.consume(MOVES, "g", "b", retry_after=0.5, timeout=1) as consumer:
        for delivery in consumer:
            left[delivery.message.number] += 1
            tries[delivery.tries] += 1
            assert consumer.acknowledge(delivery)
    assert left == Counter(range(10))
    assert tries[1] <= 10 - len(seen)


def test_an_answer_that_is_lost_brings_its_message_again_at_once(
    store: Store, through: Store, proxy: Proxy, valkey_server: RedisServer
) -> None:
    with through.broker.consume(MOVES, "g", "c", retry_after=NEVER, timeout=WAIT) as consumer:
        store.broker.publish_many(MOVES, moves(3))
        assert next(consumer).message.number == 0
        proxy.cut_after("replies", 0)
        again = next(consumer)  # by the look for what is due or new
        assert (again.message.number, again.tries) == (1, 1)
        assert not proxy.is_to_cut
        assert next(consumer).message.number == 2
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(next, consumer)
            wait_until(lambda: blocked_at(valkey_server) > 0)
            proxy.cut_after("replies", 0)
            store.broker.publish(MOVES, Move(number=3))
            assert waiting.result(WAIT).message.number == 3
        assert consumer.receive(timeout=0) is None  # the first two are not yet due


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_task_that_is_cancelled_loses_no_message_that_was_under_way(
    store: Store, through: Store, proxy: Proxy, valkey_server: RedisServer
) -> None:
    async def main() -> None:
        async with (
            through.broker.aconsume(MOVES, "g", "c", retry_after=NEVER) as consumer,
            through.broker.asubscribe(MOVES) as subscription,
        ):
            taking = asyncio.create_task(consumer.receive())
            reading = asyncio.create_task(subscription.receive())
            await asyncio.to_thread(wait_until, lambda: blocked_at(valkey_server) == 2)
            proxy.stall()
            await store.broker.apublish(MOVES, Move(number=1))  # which the server gives out
            await asyncio.to_thread(wait_until, lambda: blocked_at(valkey_server) == 0)
            for task in (taking, reading):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            proxy.go_on()
            received = await subscription.receive(timeout=WAIT)
            delivery = await consumer.receive(timeout=WAIT)
            assert received is not None
            assert received.message.number == 1
            assert isinstance(delivery, Delivery)
            assert (delivery.message.number, delivery.tries) == (1, 1)
            assert await consumer.acknowledge(delivery)
            assert await consumer.receive(timeout=0) is None

    asyncio.run(main())


def test_tasks_that_are_cancelled_at_any_moment_lose_nothing(store: Store) -> None:
    number = 300

    async def publish() -> None:
        for move in moves(number):
            await store.broker.apublish(MOVES, move)

    async def main() -> list[int]:
        taken: list[int] = []
        publishing = asyncio.create_task(publish())
        async with (
            asyncio.timeout(2 * WAIT),
            store.broker.aconsume(MOVES, "g", "c", retry_after=NEVER) as consumer,
        ):
            attempt = 0
            while len(taken) < number:
                attempt += 1
                try:
                    async with asyncio.timeout(attempt % 7 / 2_000):
                        delivery = await consumer.receive()
                except TimeoutError:
                    continue
                assert delivery is not None
                assert delivery.tries == 1
                taken.append(delivery.message.number)
                await consumer.acknowledge(delivery)
        await publishing
        return taken

    assert sorted(asyncio.run(main())) == [*range(number)]


def test_a_group_that_a_server_forgot_is_made_again(tmp_path: Path) -> None:
    with (
        RedisServer(valkey_binary(), {}, tmp_path) as server,  # which keeps nothing
        simstore.connect(server.url) as store,
        store.broker.consume(MOVES, "g", "c", timeout=WAIT) as consumer,
    ):
        store.broker.publish(MOVES, Move(number=1))
        assert next(consumer).message.number == 1
        server.restart(kill=True)
        store.broker.publish(MOVES, Move(number=2))
        assert next(consumer).message.number == 2
        store.broker.delete(MOVES)
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(next, consumer)
            wait_until(lambda: blocked_at(server) > 0)
            store.broker.delete(MOVES)  # while it waits
            store.broker.publish(MOVES, Move(number=3))
            assert waiting.result(WAIT).message.number == 3


def test_a_failover_of_a_cluster_skips_nothing(tmp_path: Path) -> None:
    with (
        RedisCluster(valkey_binary(), tmp_path, replicas=1) as cluster,
        simstore.connect(f"{cluster.cluster_url}?timeout=30") as store,
        simstore.connect(f"{cluster.cluster_url}?timeout=30") as publisher,
    ):
        owner, replica = owner_and_replica(cluster, "simstore:broker:{:moves}:messages")
        listening = Listening(store, until=3)
        consumer = store.broker.consume(MOVES, "g", "c", timeout=WAIT)
        with ThreadPoolExecutor(3) as threads:
            ends = [threads.submit(listening.in_a_thread), threads.submit(listening.in_a_task)]
            store.broker.publish_many(MOVES, moves(2))
            assert [next(consumer).message.number for _ in range(2)] == [0, 1]
            waiting = threads.submit(consumer.receive)
            wait_until(lambda: blocked_at(owner) == 3)
            with replica.client() as client:
                client.execute_command("CLUSTER", "FAILOVER")
                wait_until(lambda: client.role()[0] == b"master")
            for move in moves(2, first=2):
                publish_through_outages(publisher, move)
            for end in ends:
                end.result(WAIT)
            delivery = waiting.result(WAIT)
        assert listening.heard == {"thread": [0, 1, 2, 3], "task": [0, 1, 2, 3]}
        assert delivery is not None
        assert delivery.message.number == 2
        consumer.close()


def owner_and_replica(cluster: RedisCluster, key: str) -> tuple[RedisServer, RedisServer]:
    with cluster.client() as client:
        port = client.get_node_from_key(key).port
    [place] = [at for at, each in enumerate(cluster.primaries) if each.port == port]
    return cluster.primaries[place], cluster.servers[cluster.nodes + place]


def blocked_at(server: RedisServer) -> int:
    with server.client() as client:
        blocked: int = client.info("clients")["blocked_clients"]
        return blocked
