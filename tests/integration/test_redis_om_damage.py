"""What took a record's place, and what writers do meanwhile: never missing, never a false fault."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis

import simstore
from simstore.domain.errors import (
    BackendError,
    BackendUnavailableError,
    ConflictError,
    CorruptRecordError,
    DuplicateError,
    NotFoundError,
    SimstoreError,
    StoreURLError,
)
from simstore.domain.maintenance import IndexFault
from simstore.domain.profiles import AgentProfile
from simstore.domain.query import field
from tests.contract.redis_om_databases import forget
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.redis_server import RedisServer
from tests.unit.cli_runs import cli

HERE = [f"p{n}" for n in range(1, 5)]

DAMAGE: dict[str, list[str]] = {
    "a string": ["SET", "x"],
    "a list": ["RPUSH", "x"],
    "a hash": ["HSET", "a", "b"],
    "a document that is a list": ["JSON.SET", "$", "[1,2]"],
    "a document that is a number": ["JSON.SET", "$", "7"],
    "a document of something else": ["JSON.SET", "$", '{"pk":"p1","first_name":"a"}'],
}


def agent(pk: str, tag: str = "q") -> AgentProfile:
    return AgentProfile(pk=pk, first_name="A", last_name="B", age=30, tag=tag)


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client


@pytest.fixture
def store(
    redis_server: RedisServer, client: redis.Redis, namespace: str
) -> Iterator[simstore.Store]:
    url = f"{redis_server.url_for(scheme='redis+om')}?namespace={namespace}"
    with simstore.connect(url) as store:
        store.agents.save_many(map(agent, HERE))
        assert store.agents.count(tag="q") == 4
        yield store
    forget(client, namespace)


def damage(client: redis.Redis, key: str, kind: str) -> None:
    command, *words = DAMAGE[kind]
    client.delete(key)
    client.execute_command(command, key, *words)


@pytest.fixture(params=DAMAGE)
def spoilt(request: pytest.FixtureRequest, client: redis.Redis, namespace: str) -> str:
    """The key of p1, which holds something else."""
    request.getfixturevalue("store")
    key = f"simstore-om:{namespace}:AgentProfile:p1"
    damage(client, key, request.param)
    return key


WRONG = (BackendError, CorruptRecordError)


@pytest.mark.usefixtures("spoilt")
def test_a_record_that_something_took_the_place_of_is_never_missing(store: simstore.Store) -> None:
    agents = store.agents
    assert agents.pks() == HERE
    assert agents.count() == 4
    assert agents.exists(pk="p1")
    for reading in (
        lambda: agents.get("p1"),
        lambda: agents.get_many(HERE),
        agents.find,
        lambda: list(agents.iterate()),
        lambda: agents.project(["age"]),
        lambda: agents.project(["public_info"]),
        lambda: agents.find(field("tag") != "z"),
        lambda: agents.update("p1", lambda found: setattr(found, "age", 5)),
    ):
        with pytest.raises(WRONG, match="p1"):
            reading()


@pytest.mark.usefixtures("spoilt")
def test_it_is_found_by_no_value_and_the_others_are(store: simstore.Store) -> None:
    assert store.agents.pks(tag="q") == HERE[1:]
    assert [found.pk for found in store.agents.find(tag="q")] == HERE[1:]
    assert store.agents.count(field("age") > 3) == 3
    assert store.agents.get_many(HERE[1:]) == [agent(pk) for pk in HERE[1:]]


def test_it_is_named_and_no_repair_deletes_it(
    client: redis.Redis, store: simstore.Store, spoilt: str
) -> None:
    fault = IndexFault("orphaned", "AgentProfile", "p1", "pk")
    assert list(store.agents.index_faults()) == [fault]
    before = client.dump(spoilt)
    assert list(store.agents.index_faults(repair=True)) == [fault]
    assert client.dump(spoilt) == before
    assert list(store.agents.index_faults()) == [fault]


@pytest.mark.parametrize("ttl", [None, 600])
def test_to_delete_it_removes_it(
    client: redis.Redis, store: simstore.Store, spoilt: str, ttl: int | None
) -> None:
    if ttl:
        client.expire(spoilt, ttl)
    store.agents.delete("p1")
    assert not client.exists(spoilt)
    with pytest.raises(NotFoundError):
        store.agents.delete("p1")
    assert [found.pk for found in store.agents.find()] == HERE[1:]
    assert list(store.agents.index_faults()) == []
    store.agents.save(agent("p1"))
    assert store.agents.count(tag="q") == 4


def test_to_delete_many_by_pk_removes_it(
    client: redis.Redis, store: simstore.Store, spoilt: str
) -> None:
    assert store.agents.delete_many(["p1", "p2", "p9"]) == 2
    assert not client.exists(spoilt)
    assert store.agents.pks() == ["p3", "p4"]


def test_what_expects_a_record_or_none_leaves_it_alone(
    client: redis.Redis, store: simstore.Store, spoilt: str
) -> None:
    before = client.dump(spoilt)
    _, version = store.agents.get_versioned("p2")
    with pytest.raises((BackendError, ConflictError)):
        store.agents.save(agent("p1"), if_version=version)
    with pytest.raises((BackendError, DuplicateError)):
        store.agents.add(agent("p1"))
    assert client.dump(spoilt) == before


def test_a_transaction_does_not_remove_it(
    client: redis.Redis, store: simstore.Store, spoilt: str
) -> None:
    """It could not always be put back if another part of it failed."""
    before = client.dump(spoilt)
    with pytest.raises((BackendError, ConflictError)):
        _save_and_delete(store)
    assert client.dump(spoilt) == before
    assert store.agents.pks() == HERE


def _save_and_delete(store: simstore.Store) -> None:
    with store.transaction() as transaction:
        transaction.agents.save(agent("p5"))
        transaction.agents.delete("p1")


def test_in_sotopias_layout_it_is_an_error_too_and_stays(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("damage")
    with (
        RedisServer(redis_binary(), both_modules(), folder) as server,
        server.client() as client,
        simstore.connect(f"{server.url_for(scheme='redis+om')}?layout=sotopia") as store,
    ):
        prefix = ":sotopia.database.persistent_profile.AgentProfile:"
        store.agents.save_many(map(agent, HERE))
        client.set(f"{prefix}index:hash", "x")
        assert list(store.agents.index_faults()) == []
        assert store.agents.pks() == HERE
        damage(client, f"{prefix}p1", "a string")
        before = client.dump(f"{prefix}p1")
        assert store.agents.count() == 4
        for call in (
            store.agents.find,
            lambda: list(store.agents.iterate()),
            lambda: store.agents.get("p1"),
            lambda: store.agents.delete("p1"),
            lambda: store.agents.delete_many(["p1"]),
        ):
            with pytest.raises(SimstoreError):
                call()
        assert store.agents.pks(tag="q") == HERE[1:]
        fault = IndexFault("orphaned", "AgentProfile", "p1", "pk")
        assert list(store.agents.index_faults(repair=True)) == [fault]
        assert client.dump(f"{prefix}p1") == before
        store.agents.delete_many(HERE[1:])
        store.agents.save(agent("index:hash2"))
        assert store.agents.pks() == ["index:hash2", "p1"]


def test_no_faults_are_found_that_writers_make(store: simstore.Store) -> None:
    """They delete records and save them again, with other values, while faults are looked for."""
    stop = threading.Event()
    pks = [f"w{n:03}" for n in range(60)]
    store.agents.save_many(map(agent, pks))

    def write() -> None:
        with simstore.connect(store.url) as other:
            turn = 0
            while not stop.is_set():
                turn += 1
                pk = pks[turn % len(pks)]
                with suppress(NotFoundError):
                    other.agents.delete(pk)
                other.agents.save(agent(pk, tag=f"t{turn}"), ttl=0.02 if turn % 5 == 0 else None)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    found: list[IndexFault] = []
    try:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            found += store.agents.index_faults(repair=True)
    finally:
        stop.set()
        for writer in writers:
            writer.join(30)
    assert found == []


@pytest.mark.parametrize("where", ["/1", "?db=3", "/2?layout=sotopia"])
def test_a_database_that_the_query_engine_does_not_have_is_refused(where: str) -> None:
    with pytest.raises(StoreURLError, match="only database 0"):
        simstore.connect(f"redis+om://localhost{where}")


@pytest.mark.parametrize("where", ["/0", "?db=0", "/"])
def test_database_0_is_taken(where: str) -> None:
    simstore.connect(f"redis+om://localhost{where}").close()


def test_every_call_says_what_a_server_without_the_modules_lacks(
    valkey_server: RedisServer,
) -> None:
    url = valkey_server.url_for(scheme="redis+om")
    with simstore.connect(url) as store:
        for call in (
            store.collections,
            store.agents.find,
            store.agents.pks,
            store.agents.count,
            lambda: store.agents.exists(pk="a"),
            lambda: list(store.agents.iterate()),
            lambda: list(store.agents.index_faults()),
            lambda: store.agents.delete("a"),
        ):
            with pytest.raises(BackendUnavailableError, match="needs a server with RedisJSON"):
                call()
    doctor = cli("doctor", "--store", url)
    assert doctor.code != 0
    assert "needs a server with RedisJSON and the query engine" in doctor.err
