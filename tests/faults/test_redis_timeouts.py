"""A server or a network that stops answering: timeouts, not hangs, and no stale reply after."""

import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore import BackendTimeoutError, SaveManyError, Store
from simstore.testing.models import Specimen
from tests.faults.aftermath import WAIT, assert_sound, specimen, specimens
from tests.servers.binaries import valkey_binary
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer

TIMEOUT = 1.5
"""Seconds: longer than an answer takes of a server that is there, however busy the machine is.

So the calls that are to wait for it in vain do so at once, each in a thread of its own.
"""


def _save_two(store: Store) -> None:
    with store.transaction() as transaction:
        transaction.repository(Specimen).save(specimen(60))
        transaction.repository(Specimen).save(specimen(61))


CALLS: dict[str, Callable[[Store], Any]] = {
    "save": lambda store: store.repository(Specimen).save(specimen(5, tag="late")),
    "add": lambda store: store.repository(Specimen).add(specimen(50)),
    "save_many": lambda store: store.repository(Specimen).save_many(specimens(100, 250)),
    "update": lambda store: store.repository(Specimen).update(
        specimen(1).pk, lambda item: item.model_copy()
    ),
    "delete": lambda store: store.repository(Specimen).delete(specimen(6).pk),
    "delete_many": lambda store: store.repository(Specimen).delete_many(tag="tag 6"),
    "get": lambda store: store.repository(Specimen).get(specimen(1).pk),
    "get_many": lambda store: store.repository(Specimen).get_many([specimen(1).pk]),
    "find": lambda store: store.repository(Specimen).find(tag="tag 1"),
    "iterate": lambda store: list(store.repository(Specimen).iterate()),
    "count": lambda store: store.repository(Specimen).count(),
    "exists": lambda store: store.repository(Specimen).exists(tag="tag 1"),
    "pks": lambda store: store.repository(Specimen).pks(),
    "project": lambda store: store.repository(Specimen).project(["tag"]),
    "collections": lambda store: store.collections(),
    "inspect": lambda store: store.inspect(),
    "index_faults": lambda store: list(store.repository(Specimen).index_faults()),
    "transaction": _save_two,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(valkey_binary(), {}, tmp_path) as server:
        yield server


def connected_ids(client: Any) -> set[str]:
    """The ids that the server gave to connections of stores."""
    return {each["id"] for each in client.client_list() if each["name"] == "simstore"}


def hold_connections(store: Store, number: int) -> None:
    """Let the store's pool have so many connections, so that as many calls need make none."""
    pool = store._storage._link._pool  # type: ignore[attr-defined]  # within
    for connection in [pool.get_connection() for _ in range(number)]:
        pool.release(connection)


def settle(client: Any, ended: set[str]) -> None:
    """Wait until the server has done what connections sent it that their store has given up."""
    deadline = time.monotonic() + WAIT
    while connected_ids(client) & ended:
        assert time.monotonic() < deadline, "a call that had no answer kept its connection"
        time.sleep(0.01)


def assert_time_out(store: Store, names: Collection[str]) -> None:
    """Some calls wait as long as they should for an answer, all of them at once."""
    with ThreadPoolExecutor(len(names)) as threads:
        for each in [threads.submit(_assert_times_out, store, name) for name in names]:
            each.result()


def _assert_times_out(store: Store, name: str) -> None:
    start = time.monotonic()
    with pytest.raises((BackendTimeoutError, SaveManyError)) as raised:
        CALLS[name](store)
    took = time.monotonic() - start
    cause = raised.value.__cause__ if raised.type is SaveManyError else raised.value
    assert isinstance(cause, BackendTimeoutError), (name, cause)
    assert "no answer in time" in str(cause)
    assert TIMEOUT * 0.9 < took < TIMEOUT * 4, name


def assert_answers(store: Store, client: Any) -> None:
    """Each call gets its own answer, not one that was still on its way to another."""
    repository = store.repository(Specimen)
    for number in (1, 2, 3):
        assert repository.get(specimen(number).pk).number == specimen(number).number
        assert repository.pks(limit=1, after=specimen(number - 1).pk) == [specimen(number).pk]
    assert store.collections() == ["Specimen"]
    repository.save_many(specimens(1_000, 250))
    assert_sound(store, client, [*specimens(1, 4), *specimens(1_000, 250)])


@pytest.mark.parametrize("connected", [True, False])
def test_a_server_that_stops_answers_no_call_in_time(server: RedisServer, connected: bool) -> None:
    with simstore.connect(f"{server.url}?timeout=10") as other:
        other.repository(Specimen).save_many(specimens(0, 20))
    with (
        simstore.connect(f"{server.url}?timeout={TIMEOUT}") as store,
        server.client() as client,
    ):
        if connected:
            assert store.repository(Specimen).count() == 20
            hold_connections(store, len(CALLS))
        ids = connected_ids(client)
        assert len(ids) == (len(CALLS) if connected else 0)
        server.pause()
        try:
            assert_time_out(store, CALLS if connected else ["save", "save_many", "get", "count"])
        finally:
            server.resume()
        settle(client, ids)
        # What it took in while it was paused, it does now: of each write, all or nothing.
        assert_answers(store, client)


def test_a_network_that_stalls_gives_no_stale_reply_to_another_call(server: RedisServer) -> None:
    with (
        Proxy(server) as proxy,
        simstore.connect(f"{proxy.url}?timeout={TIMEOUT}") as store,
        server.client() as client,
    ):
        store.repository(Specimen).save_many(specimens(0, 20))
        names = ["get", "find", "save_many"]
        hold_connections(store, len(names))
        ids = connected_ids(client)
        assert len(ids) == len(names)
        proxy.stall()
        assert_time_out(store, names)
        proxy.go_on()
        settle(client, ids)
        assert_answers(store, client)


def test_the_timeout_is_for_an_answer_not_for_the_whole_call(server: RedisServer) -> None:
    with Proxy(server) as proxy, simstore.connect(f"{proxy.url}?timeout={TIMEOUT}") as store:
        store.repository(Specimen).save_many(specimens(0, 400))
        proxy.delay = 0.06
        start = time.monotonic()
        assert len(list(store.repository(Specimen).iterate(batch_size=20))) == 400
        assert time.monotonic() - start > TIMEOUT
