"""The query engine's indexes on real servers: made, whole, and never believed beyond that."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import pytest
import redis
from pydantic import Field

import simstore
from simstore.adapters.redis_om import database, indexes
from simstore.domain.errors import BackendError, BackendUnavailableError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.profiles import AgentProfile
from simstore.domain.query import field
from simstore.domain.record import Record
from simstore.testing.texts import HOSTILE_TEXTS
from tests.contract.redis_om_databases import forget
from tests.servers.binaries import both_modules, json_module, redis_binary
from tests.servers.redis_server import RedisServer


class Note(Record):
    """A record with an index of each kind."""

    tag: Annotated[str, Indexed()] = ""
    size: Annotated[int, Indexed()] = 0
    labels: Annotated[list[str], Indexed()] = Field(default_factory=list)
    text: Annotated[str, FullText()] = ""


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client


@pytest.fixture
def url(redis_server: RedisServer, client: redis.Redis, namespace: str) -> Iterator[str]:
    yield f"{redis_server.url_for(scheme='redis+om')}?namespace={namespace}"
    forget(client, namespace)


@pytest.fixture
def store(url: str) -> Iterator[simstore.Store]:
    with simstore.connect(url) as store:
        yield store


def ours(client: redis.Redis, namespace: str) -> list[str]:
    """The names of the namespace's indexes."""
    names = [name.decode() for name in client.execute_command("FT._LIST")]
    return sorted(name for name in names if name.startswith(f"simstore-om:{namespace}:"))


def test_an_index_is_made_when_it_is_first_asked(
    client: redis.Redis, store: simstore.Store, namespace: str
) -> None:
    notes = store.repository(Note)
    notes.save_many(Note(pk=f"{n}", tag="x") for n in range(10))
    notes.find()
    notes.pks(pk="3")
    assert ours(client, namespace) == []
    assert notes.count(tag="x") == 10
    [name] = ours(client, namespace)
    assert name.startswith(f"simstore-om:{namespace}:Note:")


def test_an_index_that_was_dropped_is_made_anew(
    client: redis.Redis, store: simstore.Store, namespace: str
) -> None:
    notes = store.repository(Note)
    notes.save_many(Note(pk=f"{n}", tag="x") for n in range(300))
    assert notes.count(tag="x") == 300
    for name in ours(client, namespace):
        client.execute_command("FT.DROPINDEX", name)
    assert notes.count(tag="x") == 300
    assert len(ours(client, namespace)) == 1


def test_the_index_of_another_definition_is_dropped_and_the_records_are_kept(
    client: redis.Redis, url: str, namespace: str
) -> None:
    class Old(Record):
        __collection__ = "Note"
        text: Annotated[str, Indexed()] = ""

    with simstore.connect(url) as first:
        first.repository(Old).save_many(Old(pk=f"{n}", text=f"w{n % 3} word") for n in range(300))
        assert first.repository(Old).count(text="w1 word") == 100
        before = ours(client, namespace)
        with simstore.connect(url) as second:
            notes = second.repository(Note)
            assert notes.count(field("text").matches("W1")) == 100
            assert len(ours(client, namespace)) == 1
            assert ours(client, namespace) != before
            # Now the entries are those of the new definition, and the old one finds all the same.
            key = f"simstore-om:{namespace}:Note:1"
            entries = orjson.loads(client.execute_command("JSON.GET", key, ".entries"))
            assert set(entries["f3_text_w"]) == {"sw1", "sword"}
        assert first.repository(Old).count(text="w1 word") == 100


def test_indexes_of_others_are_left_alone(
    client: redis.Redis, store: simstore.Store, namespace: str
) -> None:
    other = f"other:{namespace}"
    on = ("ON", "JSON", "PREFIX", 1, f"simstore-om:{namespace}:Note:", "SCHEMA", "$.pk", "AS", "pk")
    client.execute_command("FT.CREATE", other, *on, "TAG")
    store.repository(Note).save(Note(pk="a", tag="x"))
    assert store.repository(Note).pks(tag="x") == ["a"]
    assert other.encode() in client.execute_command("FT._LIST")
    client.execute_command("FT.DROPINDEX", other)


def test_a_record_that_the_query_engine_refuses_is_found_reported_and_mended(
    client: redis.Redis, store: simstore.Store, namespace: str
) -> None:
    notes = store.repository(Note)
    notes.save_many([Note(pk="a", tag="x", size=5), Note(pk="b", tag="x"), Note(pk="c", tag="y")])
    assert notes.pks(tag="x") == ["a", "b"]
    key = f"simstore-om:{namespace}:Note:a"
    client.execute_command("JSON.SET", key, "$.entries.f1_size_n", '"five"')
    assert notes.pks(tag="x") == ["a", "b"]
    assert notes.pks(field("size") > 4) == ["a"]
    assert notes.pks(field("labels") == []) == ["a", "b", "c"]
    faults = {(fault.kind, fault.pk, fault.index) for fault in notes.index_faults(repair=True)}
    assert faults == {("missing", "a", "size"), ("stale", "a", "size")}
    assert list(notes.index_faults()) == []
    assert notes.pks(field("size") > 4) == ["a"]


def test_while_an_index_is_being_built_every_record_is_looked_at(
    store: simstore.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = store.repository(Note)
    notes.save_many(Note(pk=f"{n:05}", tag=f"t{n % 2}") for n in range(20_000))
    monkeypatch.setattr(indexes, "BUILD_SECONDS", 0.0)
    for _ in range(3):
        assert notes.count(tag="t1") == 10_000  # a few of them, if the index were believed


def test_a_query_that_finds_too_many_is_not_believed(
    store: simstore.Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "MOST_FOUND", 7)
    notes = store.repository(Note)
    notes.save_many(Note(pk=f"{n}", tag="x") for n in range(10))
    with simstore.connect(store.url) as other:
        assert other.repository(Note).count(tag="x") == 10


def test_no_text_is_taken_for_a_query(store: simstore.Store) -> None:
    hostile = [
        *HOSTILE_TEXTS, "x} | @entries_f0_tag:{*", "*", "w'*'", "$v0", "-@x:{y}", "=>[KNN 1 @v $b]",
        "\\} *", "x|y", "(x)", '"x"', "%%x%%", "ismissing(@x)", "@entries_f1_size_n:[0 1]",
    ]  # fmt: skip
    notes = store.repository(Note)
    notes.save_many(
        Note(pk=f"{n:04}", tag=text, labels=[text], text=text) for n, text in enumerate(hostile)
    )
    notes.save(Note(pk="victim", tag="victim", labels=["victim"], text="victim"))
    for number, text in enumerate(hostile):
        assert notes.pks(tag=text) == [f"{n:04}" for n, t in enumerate(hostile) if t == text]
        assert f"{number:04}" in notes.pks(field("labels").contains(text))
        assert "victim" not in notes.pks(field("tag").in_([text, "none"]))


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server whose settings may be changed; it gives a query a millisecond, and 5,000 results."""
    folder = tmp_path_factory.mktemp("redis-om")
    search = both_modules()["loadmodule"][1]
    limits = f"{search} TIMEOUT 1 MAXSEARCHRESULTS 5000"
    modules = [str(json_module()), limits]
    with RedisServer(redis_binary(), {"loadmodule": modules}, folder) as server:
        yield server


def test_a_query_is_not_cut_short_by_the_servers_limits(own_server: RedisServer) -> None:
    with simstore.connect(own_server.url_for(scheme="redis+om")) as store:
        notes = store.repository(Note)
        notes.save_many(Note(pk=f"{n:05}", tag=f"t{n % 2}", size=n) for n in range(20_000))
        assert notes.count(field("size") < 4_000) == 4_000
        assert notes.count(field("size") >= 0) == 20_000
        assert notes.count(tag="t1") == 10_000


def test_a_transaction_that_fails_on_the_way_is_undone(own_server: RedisServer) -> None:
    """The user may write documents, but neither delete keys nor let them expire."""
    with own_server.client() as client:
        client.execute_command(
            "ACL", "SETUSER", "half", "on", ">pw", "~*", "&*", "+@all", "-del", "-pexpire"
        )
        with simstore.connect(own_server.url_for(scheme="redis+om")) as root:
            root.agents.save_many(
                [AgentProfile(pk=pk, first_name="old", last_name="x") for pk in "bd"]
            )
            root.agents.save(AgentProfile(pk="c", first_name="old", last_name="x"), ttl=600)
            before = {pk: root.agents.get_versioned(pk) for pk in "bcd"}
            with simstore.connect(own_server.url_for("half:pw", scheme="redis+om")) as store:
                with pytest.raises(BackendError, match=r"no permissions|may not"):
                    _save_and_delete(store)
                with pytest.raises(BackendError, match=r"no permissions|may not"):
                    store.agents.save(AgentProfile(pk="e", first_name="x", last_name="x"), ttl=5)
                with pytest.raises(BackendError, match=r"no permissions|may not"):
                    store.agents.save(AgentProfile(pk="b", first_name="x", last_name="x"), ttl=5)
            assert root.agents.pks() == ["b", "c", "d"]
            assert {pk: root.agents.get_versioned(pk) for pk in "bcd"} == before
            assert root.agents.pks(first_name="old") == ["b", "c", "d"]
            assert root.agents.count(first_name="new") == 0


def _save_and_delete(store: simstore.Store) -> None:
    with store.transaction() as transaction:
        for pk in "abc":
            transaction.agents.save(AgentProfile(pk=pk, first_name="new", last_name="x"))
        transaction.agents.delete("d")


def test_a_server_without_the_modules_is_told_apart(valkey_server: RedisServer) -> None:
    with simstore.connect(valkey_server.url_for(scheme="redis+om")) as store:
        calls: list[Any] = [
            lambda: store.agents.get("a"),
            lambda: store.agents.save(AgentProfile(first_name="a", last_name="b")),
            lambda: store.agents.find(tag="x"),
        ]
        for call in calls:
            with pytest.raises(BackendUnavailableError, match="needs a server with RedisJSON"):
                call()


def test_a_valkey_server_with_the_modules_will_do(
    valkey_modules_server: RedisServer, namespace: str
) -> None:
    url = f"{valkey_modules_server.url_for(scheme='redis+om')}?namespace={namespace}"
    with simstore.connect(url) as store:
        notes = store.repository(Note)
        notes.save_many(Note(pk=f"{n}", tag=f"t{n % 2}", size=n) for n in range(10))
        assert notes.pks(field("size") > 5, tag="t1") == ["7", "9"]
        assert store.collections() == ["Note"]


def test_namespaces_do_not_run_into_each_other(redis_server: RedisServer, namespace: str) -> None:
    names = ["", ":", ":Note", "*", "a:b", "a%3Ab", "[x]", "é", "Note:"]
    base = redis_server.url_for(scheme="redis+om")
    escaped = [f"{namespace}{name}".encode().hex() for name in names]
    stores = [simstore.connect(f"{base}?namespace={namespace}{_quoted(name)}") for name in names]
    for text, store in zip(escaped, stores, strict=True):
        store.repository(Note).save(Note(pk="a", tag=text))
    for text, store in zip(escaped, stores, strict=True):
        assert [note.tag for note in store.repository(Note).find()] == [text]
        assert store.repository(Note).count(tag=text) == 1
        assert store.collections() == ["Note"]
        store.close()


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


def test_prefixes_are_no_patterns() -> None:
    assert database.prefix_pattern("a*[b]?\\^-c:") == r"a\*\[b\]\?\\\^\-c:?*"


def test_a_database_on_another_port_cannot_be_reached(tmp_path: Path) -> None:
    with RedisServer(redis_binary(), {}, tmp_path) as server:
        url = server.url_for(scheme="redis+om")
    with (
        simstore.connect(url) as store,
        pytest.raises(BackendUnavailableError, match="cannot be reached"),
    ):
        store.agents.find()
