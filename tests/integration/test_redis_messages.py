"""What the broker asks of a Redis server: round trips, keys, ways to connect, users, bounds."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import BaseModel

import simstore
from simstore import BackendError, Channel, InvalidArgumentError, Store
from simstore.adapters.messages.log import Address
from simstore.adapters.redis_connection import link
from simstore.adapters.redis_connection.link import Call
from simstore.adapters.redis_streams import log
from simstore.adapters.redis_streams.layout import ChannelKeys
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer

SOON = 20.0


class Move(BaseModel):
    number: int
    text: str = ""


MOVES: Channel[Move] = Channel("moves", Move)


def moves(number: int) -> list[Move]:
    return [Move(number=each) for each in range(number)]


@pytest.fixture
def store(valkey_server: RedisServer) -> Iterator[Store]:
    with simstore.connect(own_database(valkey_server.url)) as store:
        yield store


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The round trips that are made, each as the commands that it sent."""
    made: list[list[str]] = []
    exchange = link.ServerLink._exchange

    def _exchange(self: link.ServerLink, calls: Sequence[Call]) -> list[Any]:
        made.append([str(words[0]) for call in calls for words in call.commands()])
        return exchange(self, calls)

    monkeypatch.setattr(link.ServerLink, "_exchange", _exchange)
    return made


def test_every_quick_call_is_one_round_trip(store: Store, trips: list[list[str]]) -> None:
    broker = store.broker
    broker.publish(MOVES, Move(number=0))  # from here on the server knows the scripts, but these
    with broker.consume(MOVES, "g", "c") as consumer:
        delivery = consumer.receive(timeout=0)
        assert delivery is not None
        consumer.acknowledge(delivery)
        trips.clear()
        ids = broker.publish_many(MOVES, moves(1_000), ttl=60)
        broker.publish(MOVES, Move(number=1))
        assert trips == [["EVALSHA"]] * 2
        trips.clear()
        broker.history(MOVES, limit=5)
        broker.trim(MOVES, before=ids[0])
        assert trips == [["XRANGE"], ["XTRIM"]]
        delivery = consumer.receive(timeout=0)
        assert delivery is not None
        trips.clear()
        assert consumer.acknowledge(delivery)
        assert trips == [["EVALSHA"]]


def test_a_thousand_messages_are_read_in_a_few_round_trips(
    store: Store, valkey_server: RedisServer
) -> None:
    store.broker.publish_many(MOVES, moves(1_000))
    with valkey_server.client() as client, store.broker.subscribe(MOVES, timeout=0) as subscription:
        before = client.info("commandstats").get("cmdstat_xread", {"calls": 0})["calls"]
        assert len(list(subscription)) == 1_000
        assert client.info("commandstats")["cmdstat_xread"]["calls"] - before <= 12


def test_who_waits_takes_no_connection_of_the_pool(valkey_server: RedisServer) -> None:
    with (
        simstore.connect(f"{own_database(valkey_server.url)}&pool_size=1") as store,
        ThreadPoolExecutor(4) as threads,
    ):
        waiting = [threads.submit(next, store.broker.subscribe(MOVES)) for _ in range(4)]
        store.broker.publish(MOVES, Move(number=7))
        assert [each.result(SOON).message.number for each in waiting] == [7] * 4


def test_the_keys_are_those_that_are_documented(valkey_server: RedisServer, namespace: str) -> None:
    with simstore.connect(f"{valkey_server.url}?namespace={namespace}") as store:
        broker = store.broker
        channel: Channel[Move] = Channel("ä:{b} c", Move)
        broker.publish(channel, Move(number=1))
        with broker.consume(channel, "g:1", "c", retry_after=0.01, max_tries=1) as consumer:
            assert consumer.receive(timeout=0) is not None
            while not broker.history(channel.dead_letters("g:1")):
                consumer.receive(timeout=0.01)
        base = f"simstore:broker:{{{namespace}:%C3%A4%3A%7Bb%7D%20c}}:"
        with valkey_server.client(decode_responses=True) as client:
            keys = set(client.scan_iter(match=f"*{namespace}*", count=10_000))
            assert keys == {f"{base}messages", f"{base}dead:g%3A1"}
            [[_, dead]] = client.xrange(f"{base}dead:g%3A1")
            assert set(dead) == {"message", "original"}
        assert store.collections() == []
        assert broker.delete(channel)


def test_no_two_names_meet_in_a_key() -> None:
    texts = ["", "a", ":a", "a:", "a}", "{a", "a:messages", "a:dead:b", "%3A", "last", "a:last"]
    named = [text for text in texts if text]
    keys = [
        ChannelKeys(namespace).log(Address(channel, group))
        for namespace in texts
        for channel in named
        for group in [None, *named]
    ]
    assert len({*keys, *(f"{key}:last" for key in keys)}) == 2 * len(keys)
    assert all(key.startswith("simstore:broker:{") for key in keys)
    assert {key.count("{") + key.count("}") for key in keys} == {2}


def test_what_is_deleted_and_published_anew_has_later_ids(store: Store) -> None:
    previous: tuple[int, ...] = ()
    for _ in range(200):  # several in one millisecond
        id_ = store.broker.publish(MOVES, Move(number=0))
        ordered = tuple(map(int, id_.split("-")))
        assert ordered > previous
        previous = ordered
        assert store.broker.delete(MOVES)


def test_a_clock_that_went_back_over_a_delete_lets_ids_grow(
    store: Store, valkey_server: RedisServer
) -> None:
    key = f"simstore:broker:{{{store.url.partition('namespace=')[2]}:moves}}:messages"
    with valkey_server.client() as client:
        client.xadd(key, {"message": b'{"number":1}'}, id="99999999999999-7")
    assert store.broker.delete(MOVES)
    ids = store.broker.publish_many(MOVES, moves(2))
    assert ids == ["99999999999999-8", "99999999999999-9"]


def test_what_others_wrote_into_a_stream_is_corrupt_and_is_passed(
    store: Store, valkey_server: RedisServer
) -> None:
    key = f"simstore:broker:{{{store.url.partition('namespace=')[2]}:moves}}:messages"
    with valkey_server.client() as client:
        client.xadd(key, {"other": "field", "original": "no id"})
    store.broker.publish(MOVES, Move(number=1))
    with store.broker.subscribe(MOVES, timeout=0) as subscription:
        with pytest.raises(simstore.CorruptMessageError):
            next(subscription)
        assert [each.message.number for each in subscription] == [1]


def test_a_key_of_another_type_is_an_error_and_stays(
    store: Store, valkey_server: RedisServer
) -> None:
    key = f"simstore:broker:{{{store.url.partition('namespace=')[2]}:moves}}:messages"
    with valkey_server.client() as client:
        client.set(key, "what is no stream")
        for call in (
            lambda: store.broker.publish(MOVES, Move(number=1)),
            lambda: store.broker.history(MOVES),
            lambda: store.broker.subscribe(MOVES, after="new"),
            lambda: next(store.broker.subscribe(MOVES)),
            lambda: store.broker.consume(MOVES, "g", "c"),
            lambda: store.broker.trim(MOVES, keep=0),
            lambda: store.broker.delete(MOVES),
        ):
            with pytest.raises(BackendError, match="overwritten by something else"):
                call()
        assert client.get(key) == b"what is no stream"


def test_closing_wakes_a_thread_at_once(store: Store, valkey_server: RedisServer) -> None:
    broker = store.broker
    with ThreadPoolExecutor(2) as threads:
        for reader in (broker.subscribe(MOVES), broker.consume(MOVES, "g", "c")):
            waiting = threads.submit(reader.receive)
            wait_until_one_waits(valkey_server)
            started = time.monotonic()
            reader.close()
            assert waiting.result(SOON) is None
            assert time.monotonic() - started < 1  # the server was asked to wait for longer


def wait_until_one_waits(server: RedisServer) -> None:
    deadline = time.monotonic() + SOON
    with server.client() as client:
        while client.info("clients")["blocked_clients"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.005)


def test_more_than_a_server_takes_at_once_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MOST_AT_ONCE", 3)
    assert len(store.broker.publish_many(MOVES, moves(3))) == 3
    with pytest.raises(InvalidArgumentError, match="4 messages are too many"):
        store.broker.publish_many(MOVES, moves(4))
    assert len(store.broker.history(MOVES)) == 3


def test_publish_many_is_fast(store: Store) -> None:
    number, batch = 20, moves(100)
    store.broker.publish_many(MOVES, batch)
    rates = []
    for _ in range(3):  # of which one may be disturbed
        started = time.perf_counter()
        for _ in range(number):
            store.broker.publish_many(MOVES, batch)
        rates.append(number * len(batch) / (time.perf_counter() - started))
    assert max(rates) > 20_000
