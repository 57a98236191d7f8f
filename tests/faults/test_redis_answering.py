"""A server that refuses, in each of its ways: the errors are ours, and nothing is half done."""

import re
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import simstore
from simstore import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    SaveManyError,
    Store,
)
from simstore.adapters.redis_pipeline import store_on
from simstore.testing.models import Specimen
from tests.faults.aftermath import WAIT, assert_sound, specimen, specimens, stored_of
from tests.servers.binaries import redis62_binary, redis_binary, valkey_binary
from tests.servers.redis_server import APPEND_ONLY, RedisServer

BINARIES = {"redis": redis_binary, "valkey": valkey_binary, "redis62": redis62_binary}


@pytest.fixture(params=["redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """One of the test's own; `on_all` makes it one of each kind."""
    with RedisServer(BINARIES[request.param](), {}, tmp_path) as server:
        yield server


on_all = pytest.mark.parametrize("server", BINARIES, indirect=True)


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    with server.client() as client:
        yield client


@pytest.fixture
def store(server: RedisServer) -> Iterator[Store]:
    with simstore.connect(f"{server.url}?timeout=10") as store:
        store.repository(Specimen).save_many(specimens(0, 60))
        yield store


def cause_of(error: BaseException) -> BaseException:
    """The backend's error: of a save_many, it is the cause."""
    cause = error.__cause__ if isinstance(error, SaveManyError) else error
    assert cause is not None
    return cause


def assert_refused(
    call: Callable[[], Any], match: str, kind: type[BackendError] = BackendError
) -> BackendError:
    """`call` is refused with just this kind of error, which says what to do."""
    with pytest.raises((BackendError, SaveManyError)) as raised:
        call()
    cause = cause_of(raised.value)
    assert type(cause) is kind, cause
    assert re.search(match, str(cause)), cause
    assert isinstance(cause.__cause__, redis.RedisError)
    return cause


def writes_of(store: Store) -> list[Callable[[], Any]]:
    repository = store.repository(Specimen)
    return [
        lambda: repository.save(specimen(900)),
        lambda: repository.add(specimen(901)),
        lambda: repository.save_many(specimens(902, 250)),
        lambda: repository.update(specimen(1).pk, lambda item: item.model_copy()),
    ]


def reads_of(store: Store) -> list[Callable[[], Any]]:
    repository = store.repository(Specimen)
    return [
        lambda: repository.get(specimen(1).pk),
        lambda: repository.get_many([specimen(1).pk, specimen(2).pk]),
        repository.find,
        repository.count,
        lambda: repository.pks(tag="tag 1"),
        lambda: repository.project(["tag"]),
        store.collections,
    ]


@on_all
def test_a_full_server_takes_no_writes_but_answers_and_deletes(store: Store, client: Any) -> None:
    repository = store.repository(Specimen)
    client.config_set("maxmemory", 1)
    for write in writes_of(store):
        assert_refused(write, "memory is full: delete records, or raise maxmemory")
    for read in reads_of(store):
        read()
    repository.delete(specimen(59).pk)
    assert repository.delete_many(tag="tag 6") > 0
    client.config_set("maxmemory", 0)
    assert_sound(store, client, [])
    repository.save(specimen(900))
    assert_sound(store, client, [specimen(900)])


def test_a_server_that_becomes_full_in_mid_save_many(store: Store, client: Any) -> None:
    limit = client.info("memory")["used_memory"] + 1_500_000
    client.config_set("maxmemory", limit)
    items = [specimen(number, plain_text="x" * 10_000) for number in range(1_000, 1_500)]
    with pytest.raises(SaveManyError) as raised:
        store.repository(Specimen).save_many(items)
    assert "memory is full" in str(cause_of(raised.value))
    assert 0 < len(raised.value.stored) < len(items)
    client.config_set("maxmemory", 0)
    stored = assert_sound(store, client, [*specimens(0, 60), *stored_of(raised.value, items)])
    # The server answered, so that not one is unknown.
    assert {item.pk for item in items} & set(stored) == set(raised.value.stored)


@on_all
def test_a_replica_takes_no_writes_but_answers(store: Store, client: Any) -> None:
    client.replicaof("127.0.0.1", "1")
    for write in writes_of(store):
        assert_refused(write, "is a replica that takes no writes", BackendUnavailableError)
    for read in reads_of(store):
        read()
    client.replicaof("NO", "ONE")
    for write in writes_of(store):
        write()
    assert_sound(store, client, specimens(902, 250))


def test_a_replica_that_lost_its_primary(store: Store, client: Any) -> None:
    client.config_set("replica-serve-stale-data", "no")
    client.replicaof("127.0.0.1", "1")
    meant = "is a replica that takes no writes|has lost its primary; try again soon"
    for write in writes_of(store):
        assert_refused(write, meant, BackendUnavailableError)
    for read in reads_of(store):
        assert_refused(read, "has lost its primary; try again soon", BackendUnavailableError)
    client.replicaof("NO", "ONE")
    assert_sound(store, client, specimens(0, 60))


@on_all
def test_a_server_that_lacks_replicas(store: Store, client: Any) -> None:
    client.config_set("min-replicas-to-write", 1)
    for write in writes_of(store):
        assert_refused(write, "takes no writes, since it lacks replicas")
    for read in reads_of(store):
        read()
    client.config_set("min-replicas-to-write", 0)
    assert_sound(store, client, specimens(0, 60))


def test_a_server_that_is_busy_with_a_script(
    store: Store, client: Any, server: RedisServer
) -> None:
    client.config_set("lua-time-limit", 20)

    def loop() -> None:
        with server.client() as other, pytest.raises(redis.ResponseError, match="killed"):
            other.eval("while true do end", 0)

    looping = threading.Thread(target=loop)
    looping.start()
    try:
        deadline = time.monotonic() + WAIT
        while True:  # until it is so late that the server answers
            try:
                client.ping()
            except redis.ResponseError:
                break
            assert time.monotonic() < deadline
        for call in writes_of(store) + reads_of(store):
            assert_refused(call, "busy with a script; try again soon", BackendUnavailableError)
    finally:
        client.script_kill()
        looping.join(WAIT)
    assert_sound(store, client, specimens(0, 60))


def test_a_server_with_too_many_clients(store: Store, client: Any, server: RedisServer) -> None:
    client.config_set("maxclients", 2)  # this client, and the store's connection
    with simstore.connect(server.url) as other:
        for call in writes_of(other) + reads_of(other):
            assert_refused(call, "max number of clients reached", BackendUnavailableError)
    assert_sound(store, client, specimens(0, 60))


@pytest.fixture(params=["hiredis", "python"])
def loading(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RedisServer, Store]]:
    """A server that takes a second or so to load, and a store by either of redis-py's parsers."""
    slowly = {"key-load-delay": "4000", "loading-process-events-interval-bytes": "1024"}
    with RedisServer(redis_binary(), {**APPEND_ONLY, **slowly}, tmp_path) as server:
        with simstore.connect(server.url) as store:
            store.repository(Specimen).save_many(specimens(0, 200))
        with server.client() as client:
            client.bgrewriteaof()
            deadline = time.monotonic() + WAIT
            while (
                client.info("persistence")["aof_rewrite_in_progress"]
                or client.info("persistence")["aof_rewrite_scheduled"]
            ):
                assert time.monotonic() < deadline
                time.sleep(0.02)
        if request.param == "python":
            parser: Any = redis._parsers._RESP2Parser
        else:
            parser = pytest.importorskip("redis._parsers")._HiredisParser
        pool = redis.BlockingConnectionPool(
            host=server.host, port=server.port, parser_class=parser, protocol=2
        )
        with store_on(redis.Redis.from_pool(pool)) as store:
            yield server, store


def test_a_server_that_is_still_loading(loading: tuple[RedisServer, Store]) -> None:
    server, store = loading
    server.restart(kill=True, loaded=False)
    with server.client() as client:
        assert client.info("persistence")["loading"]
        for call in writes_of(store) + reads_of(store):
            assert_refused(call, "still loading its data; try again soon", BackendUnavailableError)
        assert client.info("persistence")["loading"], "it was too fast for this test"
        deadline = time.monotonic() + WAIT
        while client.info("persistence")["loading"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert_sound(store, client, specimens(0, 200))


def test_a_wrong_password_is_refused_and_said_to_be_one(tmp_path: Path) -> None:
    with RedisServer(redis_binary(), {}, tmp_path, password="right") as server:
        for credentials in (":wrong", "default:wrong", "nobody:right"):
            with simstore.connect(server.url_for(credentials)) as store:
                for call in [store.agents.count, *writes_of(store)]:
                    assert_refused(
                        call, "refused the user name or the password", BackendUnavailableError
                    )
        with simstore.connect(server.url_for()) as store:
            for call in writes_of(store) + reads_of(store):
                assert_refused(
                    call, "wants a password; put it into the URL", BackendUnavailableError
                )
        with server.client() as client:
            refused = sum(entry["count"] for entry in client.acl_log())
            # Some systems lock a user out: a wrong password is not tried again and again.
            with (
                simstore.connect(server.url_for(":wrong")) as store,
                pytest.raises(BackendUnavailableError),
            ):
                store.agents.count()
            assert sum(entry["count"] for entry in client.acl_log()) == refused + 1
        with simstore.connect(server.url_for(":right")) as store:
            store.repository(Specimen).save(specimen(1))


def test_more_threads_than_connections_wait_for_one(server: RedisServer) -> None:
    with simstore.connect(f"{server.url}?pool_size=2&timeout=10") as store:
        failures: list[BaseException] = []

        def work(first: int) -> None:
            try:
                for number in range(first, first + 20):
                    store.repository(Specimen).save(specimen(number))
            except BaseException as error:  # noqa: BLE001 — none is expected
                failures.append(error)

        threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        assert failures == []
        with server.client() as client:
            assert len(assert_sound(store, client, [])) == 160
            assert sum(each["name"] == "simstore" for each in client.client_list()) <= 2


def test_no_connection_that_becomes_free_is_a_timeout(server: RedisServer, client: Any) -> None:
    with simstore.connect(f"{server.url}?pool_size=1&timeout=1.5") as store:
        store.repository(Specimen).save(specimen(1))
        client.config_set("lua-time-limit", 60_000)
        [connection] = [store._storage._link._pool.get_connection()]  # type: ignore[attr-defined]
        try:
            start = time.monotonic()
            with pytest.raises(BackendTimeoutError, match="in time: no connection became free"):
                store.repository(Specimen).get(specimen(1).pk)
            assert 1.3 < time.monotonic() - start < 6
        finally:
            store._storage._link._pool.release(connection)  # type: ignore[attr-defined]
        assert store.repository(Specimen).get(specimen(1).pk) == specimen(1)


@pytest.mark.parametrize("user", ["hush", "hush%20hush"])
@pytest.mark.parametrize("scheme", ["redis", "redis+cluster"])
def test_a_password_in_the_place_of_the_user_name_is_told_its_own(
    tmp_path: Path, scheme: str, user: str
) -> None:
    with RedisServer(valkey_binary(), {}, tmp_path, password="hush") as server:
        place = f"127.0.0.1:{server.port}"
        with (
            simstore.connect(f"{scheme}://{user}@{place}?timeout=9") as store,
            pytest.raises(BackendUnavailableError) as raised,
        ):
            store.agents.count()
    said = str(raised.value)
    assert said.endswith(f"; a password alone is written {scheme}://:PASSWORD@{place}")
    assert "hush" not in said + repr(store)


def test_a_server_that_is_no_cluster_is_told_so(server: RedisServer) -> None:
    with (
        simstore.connect(f"redis+cluster://127.0.0.1:{server.port}") as store,
        pytest.raises(BackendUnavailableError, match=r"is no cluster; write redis://$"),
    ):
        store.agents.count()


class Greeting(socketserver.BaseRequestHandler):
    """Answers whatever it is sent as a server of web pages does."""

    def handle(self) -> None:
        self.request.recv(65_536)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "redis+om"])
def test_a_server_of_something_else_is_told_to_be_no_redis_server(scheme: str) -> None:
    if scheme == "redis+om":
        pytest.importorskip("redis_om", reason="redis+om:// needs redis-om")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greeting) as other:
        serving = threading.Thread(target=other.serve_forever)
        serving.start()
        try:
            with (
                simstore.connect(f"{scheme}://127.0.0.1:{other.server_address[1]}") as store,
                pytest.raises(BackendUnavailableError, match="what answers there is no Redis"),
            ):
                store.agents.count()
        finally:
            other.shutdown()
            serving.join(WAIT)
