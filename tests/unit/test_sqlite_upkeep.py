"""What SQLite's check of its indexes finds, beyond the contract, and what a file says of itself."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import pytest

import simstore
from simstore import FullText, Indexed, Record, field
from simstore.adapters.sqlite.checking import CHECKED_AT_A_TIME, Checked, check_records
from simstore.adapters.sqlite.inspection import inspection_of
from simstore.domain.maintenance import IndexFault
from simstore.domain.repository import Repository


class Leaf(Record):
    tag: Annotated[str, Indexed()] = ""
    size: Annotated[int | float, Indexed()] = 0
    text: Annotated[str, Indexed(), FullText()] = ""


class Bare(Record):
    plain: str = ""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leaves.db"


@pytest.fixture
def store(path: Path) -> Iterator[simstore.Store]:
    with simstore.connect(f"sqlite:///{path}") as store:
        yield store


@pytest.fixture
def leaves(store: simstore.Store) -> Repository[Leaf]:
    leaves = store.repository(Leaf)
    leaves.save_many(Leaf(pk=pk, tag="x", size=n, text="Two words") for n, pk in enumerate("abc"))
    return leaves


def spoil(path: Path, statement: str, *parameters: object) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        assert file.execute(statement, parameters).rowcount > 0


def faults(repository: Repository[Leaf], *, repair: bool = False) -> set[tuple[str, str, str]]:
    found = list(repository.index_faults(repair=repair))
    assert {fault.collection for fault in found} <= {"Leaf"}
    named: set[tuple[str, str, str]] = {(fault.kind, fault.pk, fault.index) for fault in found}
    assert len(named) == len(found), "a fault was named twice"
    return named


def test_every_kind_of_index_is_checked(path: Path, leaves: Repository[Leaf]) -> None:
    spoil(path, "DELETE FROM simstore_entries WHERE pk = 'b'")
    expected = {("missing", "b", name) for name in ("tag", "size", "text", "text:words")}
    assert faults(leaves) == expected
    assert leaves.pks(size=1) == []
    assert faults(leaves, repair=True) == expected
    assert faults(leaves) == set()
    assert leaves.pks(size=1) == leaves.pks(field("text").matches("words"), size=1) == ["b"]


def test_an_entry_that_was_changed_is_missing_and_stale(
    path: Path, leaves: Repository[Leaf]
) -> None:
    spoil(path, "UPDATE simstore_entries SET value = 7 WHERE pk = 'b' AND value = 1")
    assert faults(leaves, repair=True) == {("missing", "b", "size"), ("stale", "b", "size")}
    assert faults(leaves) == set()
    assert (leaves.pks(size=7), leaves.pks(size=1)) == ([], ["b"])


@pytest.mark.parametrize("indexed", [b'["x",7,"Two words"]', b"spoilt", None, b"[]", b"7"])
def test_the_values_that_projections_read_are_checked(
    path: Path, leaves: Repository[Leaf], indexed: bytes | None
) -> None:
    spoil(path, "UPDATE simstore_records SET indexed = ? WHERE pk = 'b'", indexed)
    found = faults(leaves, repair=True)
    assert ("stale", "b", "size") in found
    assert (len(found) == 1) == (indexed == b'["x",7,"Two words"]')
    assert faults(leaves) == set()
    assert leaves.project(["size"], pk="b") == [{"size": 1}]


def test_a_document_that_was_changed_by_others_is_indexed_anew(
    path: Path, leaves: Repository[Leaf]
) -> None:
    document = b'{"pk":"b","tag":"y","size":1,"text":"Two words"}'
    spoil(path, "UPDATE simstore_records SET document = ? WHERE pk = 'b'", document)
    assert leaves.pks(tag="y") == []
    assert faults(leaves, repair=True) == {("missing", "b", "tag"), ("stale", "b", "tag")}
    assert (leaves.pks(tag="y"), leaves.pks(tag="x")) == (["b"], ["a", "c"])
    assert faults(leaves) == set()


def test_a_document_that_cannot_be_read_keeps_its_entries(
    path: Path, leaves: Repository[Leaf]
) -> None:
    spoil(path, "UPDATE simstore_records SET document = '{' WHERE pk = 'b'")
    assert faults(leaves, repair=True) == faults(leaves) == set()
    assert leaves.pks(tag="x") == ["a", "b", "c"]
    with pytest.raises(simstore.CorruptRecordError):
        leaves.find(tag="x")


def test_a_model_without_indexes_names_the_list_of_records(
    path: Path, store: simstore.Store
) -> None:
    bare = store.repository(Bare)
    bare.save(Bare(pk="a"))
    assert list(bare.index_faults()) == []
    spoil(path, "UPDATE simstore_records SET indexed = NULL")
    fault = IndexFault("stale", "Bare", "a", "pk")
    assert list(bare.index_faults(repair=True)) == [fault]
    assert list(bare.index_faults()) == []


def test_a_record_that_expired_with_a_spoilt_index_is_mended_before_its_pk_is_used_again(
    path: Path, leaves: Repository[Leaf]
) -> None:
    spoil(path, "UPDATE simstore_records SET expires_at = 1 WHERE pk = 'b'")
    spoil(path, "DELETE FROM simstore_entries WHERE pk = 'b' AND value = 'x'")
    assert faults(leaves, repair=True) == {("missing", "b", "tag")}
    leaves.save(Leaf(pk="b", tag="x", size=1, text="Two words"))
    assert leaves.pks(tag="x") == ["a", "b", "c"]


def test_others_may_write_while_faults_are_looked_for(path: Path, leaves: Repository[Leaf]) -> None:
    pks = [f"{n:05}" for n in range(2 * CHECKED_AT_A_TIME)]
    leaves.save_many(Leaf(pk=pk, tag="y") for pk in pks)
    spoil(path, "DELETE FROM simstore_entries WHERE value = 'y' AND pk IN (?, ?)", pks[0], pks[-1])
    with simstore.connect(f"sqlite:///{path}?timeout=0") as others:
        looking = leaves.index_faults(repair=True)
        assert next(looking) == IndexFault("missing", "Leaf", pks[0], "tag")
        others.repository(Leaf).delete_many(["a", "b"])
        others.repository(Leaf).save(Leaf(pk="d", tag="new"))
        assert [fault.pk for fault in looking] == [pks[-1]]
    assert list(leaves.index_faults()) == []


@pytest.mark.parametrize("repair", [False, True], ids=["check", "repair"])
def test_a_page_is_mended_under_the_write_lock_and_checked_without(
    path: Path, leaves: Repository[Leaf], monkeypatch: pytest.MonkeyPatch, repair: bool
) -> None:
    refused: list[bool] = []

    def while_others_write(*arguments: Any, **options: Any) -> Checked:
        page = check_records(*arguments, **options)
        with simstore.connect(f"sqlite:///{path}?timeout=0") as others:
            try:
                others.repository(Leaf).save(Leaf(pk="d"))
            except simstore.BackendTimeoutError:
                refused.append(True)
            else:
                refused.append(False)
        return page

    monkeypatch.setattr("simstore.adapters.sqlite.storage.check_records", while_others_write)
    assert list(leaves.index_faults(repair=repair)) == []
    assert refused == [repair]


def test_namespaces_have_faults_of_their_own(path: Path, leaves: Repository[Leaf]) -> None:
    with simstore.connect(f"sqlite:///{path}?namespace=other") as other:
        theirs = other.repository(Leaf)
        theirs.save(Leaf(pk="b", tag="x"))
        spoil(path, "DELETE FROM simstore_records WHERE pk = 'b' AND collection = 1")
        assert list(theirs.index_faults(repair=True)) == []
        assert {kind for kind, _, _ in faults(leaves, repair=True)} == {"orphaned"}
        assert theirs.pks(tag="x") == ["b"]
        assert list(theirs.index_faults()) == []


def test_what_a_file_says_of_itself(path: Path, store: simstore.Store) -> None:
    inspection = store.inspect()
    assert inspection.warnings == ()
    assert dict(inspection.facts) | {"size": ""} == {
        "database": f"SQLite {sqlite3.sqlite_version}",
        "file": str(path),
        "size": "",
        "journal": "wal",
        "synchronous": "full",
        "quick check": "ok",
    }
    assert inspection.facts["size"].endswith(" bytes")
    assert int(inspection.facts["size"].removesuffix(" bytes").replace(",", "")) > 16_384


def test_synchronous_normal_may_lose_writes(path: Path) -> None:
    with simstore.connect(f"sqlite:///{path}?synchronous=normal") as store:
        (warning,) = store.inspect().warnings
    assert "power cut" in warning
    assert "Leave synchronous=normal out" in warning


def test_a_damaged_file_is_named(path: Path) -> None:
    with simstore.connect(f"sqlite:///{path}") as store:
        leaves = store.repository(Leaf)
        leaves.save_many(Leaf(pk=f"{n:05}", text="x" * 100) for n in range(2_000))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size - 3 * 16_384)
        file.write(b"\xff" * 16_384)
    with simstore.connect(f"sqlite:///{path}") as store:
        inspection = store.inspect()
    assert inspection.facts["quick check"] != "ok"
    assert [warning for warning in inspection.warnings if "damaged" in warning]


def test_settings_that_others_made_are_warned_of() -> None:
    inspection = inspection_of(
        path="a.db", size=1, mode="delete", synchronous="off", quick_check="row 1 missing"
    )
    journal, synchronous, damage = inspection.warnings
    assert "journal mode is delete" in journal
    assert "synchronous is off" in synchronous
    assert "row 1 missing" in damage
