"""What a server lost, or somebody wrote past simstore, is found in the Redis indexes and mended."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import simstore
from simstore import Store
from simstore.adapters.redis_pipeline.layout import Layout, document_key
from simstore.adapters.redis_pipeline.writing import LARGEST_ARGUMENT
from simstore.domain.maintenance import IndexFault
from simstore.testing.contract.helpers import contents, specimen
from simstore.testing.models import Specimen
from tests.redis_keys import indexes_at
from tests.servers.redis_server import RedisServer


class Database:
    """A store with the records a to d, and a raw client of its server."""

    def __init__(self, store: Store, client: Any, namespace: str) -> None:
        self.store = store
        self.specimens = store.repository(Specimen)
        self.client = client
        self.base = Layout(namespace).base("Specimen", 0)
        self.indexes = indexes_at(self.base)
        self.specimens.save_many(
            specimen(pk, tag="x", number=number, bio="two words")
            for number, pk in enumerate("abcd")
        )
        self.specimens.save(specimen("d", tag="x", number=3), ttl=3_600)

    def document(self, pk: str) -> str:
        return document_key(self.base, pk)

    def faults(self, *, repair: bool = False) -> list[tuple[str, str, str]]:
        found: list[IndexFault] = list(self.specimens.index_faults(repair=repair))
        assert all(fault.collection == "Specimen" for fault in found)
        return sorted((fault.kind, fault.pk, fault.index) for fault in found)


@pytest.fixture
def database(redis_server: RedisServer, namespace: str) -> Iterator[Database]:
    with simstore.connect(f"{redis_server.url}?namespace={namespace}") as store:
        yield Database(store, redis_server.client(), namespace)


def evict(database: Database) -> None:
    """As a server does whose memory is full."""
    database.client.delete(database.document("b"))


def unlist(database: Database) -> None:
    database.client.zrem(f"{database.base}:pks", "b")


def forget_entries(database: Database) -> None:
    database.client.hdel(f"{database.indexes}:entries", "b")


def forget_values(database: Database) -> None:
    database.client.hdel(f"{database.indexes}:values", "b")


def take_the_time(database: Database) -> None:
    database.client.zrem(f"{database.base}:expiry", "d")


def make_immortal(database: Database) -> None:
    database.client.persist(database.document("d"))


def write_past(database: Database) -> None:
    """As a program does that knows the documents and not the indexes."""
    text = database.client.get(database.document("b")).replace(b'"tag":"x"', b'"tag":"y"')
    database.client.set(database.document("b"), text)


def leave_entries(database: Database) -> None:
    packed = database.client.hget(f"{database.indexes}:entries", "a")
    database.client.hset(f"{database.indexes}:entries", "ghost", packed)


FAULTS: dict[Callable[[Database], None], list[tuple[str, str, str]]] = {
    evict: [("orphaned", "b", "pk")],
    unlist: [("missing", "b", "pk")],
    forget_values: [("stale", "b", "pk")],
    take_the_time: [("missing", "d", "ttl")],
    make_immortal: [("stale", "d", "ttl")],
    write_past: [("missing", "b", "tag"), ("stale", "b", "tag")],
    leave_entries: [("orphaned", "ghost", "pk")],
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_a_fault_is_named_and_mended(database: Database, spoil: Callable[[Database], None]) -> None:
    spoil(database)
    assert database.faults() == FAULTS[spoil]
    assert database.faults() == FAULTS[spoil], "a check alone mended it"
    assert database.faults(repair=True) == FAULTS[spoil]
    assert database.faults() == []
    check_found(database)


def test_entries_that_nobody_remembers_are_stale(database: Database) -> None:
    forget_entries(database)
    found = database.faults()
    assert {kind for kind, _, _ in found} == {"stale"}
    assert ("stale", "b", "tag") in found
    database.faults(repair=True)
    assert database.faults() == []
    check_found(database)


def check_found(database: Database) -> None:
    """The indexes answer as the records do."""
    records = contents(database.specimens)
    assert database.specimens.pks() == [item.pk for item in records]
    for tag in ("x", "y"):
        expected = [item.pk for item in records if item.tag == tag]
        assert database.specimens.pks(tag=tag) == expected
        assert database.specimens.project(["pk"], tag=tag) == [{"pk": pk} for pk in expected]
    assert [row["number"] for row in database.specimens.project(["number"])] == [
        item.number for item in records
    ]


def test_a_repair_keeps_the_time_that_is_left(database: Database) -> None:
    take_the_time(database)
    before = database.client.pttl(database.document("d"))
    database.faults(repair=True)
    assert before - 10_000 < database.client.pttl(database.document("d")) <= before
    moment = database.client.zscore(f"{database.base}:expiry", "d")
    assert abs(moment - database.client.pexpiretime(database.document("d"))) < 1_000


def test_everything_is_found_again_from_the_documents_alone(database: Database) -> None:
    records = contents(database.specimens)
    for key in database.client.scan_iter(f"{database.base}:*"):
        if b":docs:" not in key:
            database.client.delete(key)
    assert len(database.faults(repair=True)) >= len(records)
    assert database.faults() == []
    assert contents(database.specimens) == records
    check_found(database)


def test_records_of_other_namespaces_are_left_alone(
    redis_server: RedisServer, database: Database, namespace: str
) -> None:
    with simstore.connect(f"{redis_server.url}?namespace={namespace}2") as other:
        other.repository(Specimen).save(specimen("b", tag="x"))
        unlist(database)
        assert database.faults(repair=True) == [("missing", "b", "pk")]
        assert other.repository(Specimen).pks() == ["b"]
        assert list(other.repository(Specimen).index_faults()) == []


def test_a_server_that_threw_records_away_is_told_of_by_count(database: Database) -> None:
    """Until it is repaired, an index may count what is gone; a find never returns it."""
    evict(database)
    assert [item.pk for item in database.specimens.find(tag="x")] == ["a", "c", "d"]
    assert database.specimens.count(tag="x") == 4
    database.faults(repair=True)
    assert database.specimens.count(tag="x") == 3


def test_what_is_no_document_is_an_error_and_can_be_deleted(database: Database) -> None:
    """An outage or damage never looks like a record that is missing."""
    database.client.delete(database.document("b"))
    database.client.rpush(database.document("b"), "a list")
    for call in (
        lambda: database.specimens.get("b"),
        lambda: database.specimens.find(tag="x"),
        lambda: list(database.specimens.iterate()),
        lambda: database.specimens.get_many(["a", "b"]),
        lambda: database.specimens.save(specimen("b", tag="y")),
    ):
        with pytest.raises(simstore.BackendError, match="overwritten by something else"):
            call()
    assert database.faults() == [("orphaned", "b", "pk")]
    assert database.faults(repair=True) == [("orphaned", "b", "pk")]
    assert database.client.type(database.document("b")) == b"list"
    assert len(database.specimens.find(tag="x")) == 3
    database.specimens.delete("b")
    database.specimens.save(specimen("b", tag="x"))
    assert database.faults() == []


def test_junk_in_the_lists_is_found_and_removed(database: Database) -> None:
    database.client.zadd(f"{database.base}:pks", {b"\xff\xfe": 0, b"y\0z": 0})
    for junk in (b"", b"\xff", b"3x\0\0\xfd"):
        database.client.zadd(f"{database.indexes}:index:tag", {junk: 0})
    assert len(database.specimens.find()) == len(database.specimens.find(tag="x")) == 4
    assert len(database.faults()) == 5
    assert len(database.faults(repair=True)) == 5
    assert database.faults() == []
    assert database.specimens.pks() == list("abcd")


def test_an_update_keeps_the_time_that_the_document_has(database: Database) -> None:
    take_the_time(database)
    database.specimens.update("d", lambda item: item.model_copy(update={"tag": "y"}))
    assert database.client.pttl(database.document("d")) > 3_000_000
    assert database.faults() == []


def test_a_write_whose_index_fails_changes_no_record(database: Database) -> None:
    key = f"{database.indexes}:index:tag"
    kept = database.client.dump(key)
    database.client.delete(key)
    database.client.rpush(key, "no index")
    before = contents(database.specimens)
    with pytest.raises(simstore.BackendError):
        database.specimens.save(specimen("a", tag="new"))
    with pytest.raises(simstore.BackendError):
        database.specimens.add(specimen("z", tag="new"))
    with pytest.raises(simstore.BackendError):
        database.specimens.save(specimen("a", tag="new", plain_text="x" * LARGEST_ARGUMENT))
    database.client.restore(key, 0, kept, replace=True)
    assert [item for item in before if database.specimens.get(item.pk) == item] == before
    database.faults(repair=True)
    assert database.faults() == []
    assert contents(database.specimens) == before
    check_found(database)
