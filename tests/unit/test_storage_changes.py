"""Somebody else writes between a repository's calls of its storage."""

# ruff: noqa: PT012 — a transaction fails as a whole: here or there in its block

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from simstore.domain.errors import ConflictError
from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.testing import Specimen
from tests.unit.storages import Meddler, store_on


@pytest.fixture
def meddler() -> Meddler:
    return Meddler()


@pytest.fixture
def specimens(meddler: Meddler) -> Iterator[Repository[Specimen]]:
    """a to e, all of them as they are asked for below."""
    with store_on(meddler) as store:
        repository = store.repository(Specimen)
        repository.save_many(
            Specimen(pk=pk, tag="x", plain_text="x", number=n) for n, pk in enumerate("abcde")
        )
        yield repository


CONDITIONS = [
    field("tag") == "x",
    field("tag").startswith("x"),
    field("plain_text") == "x",
    (field("tag") == "x") & (field("plain_text") == "x"),
    ~(field("tag") == "y"),
]

READS: dict[str, Callable[[Repository[Specimen], Condition], Any]] = {
    "find": lambda r, where: [item.pk for item in r.find(where)],
    "find in order": lambda r, where: [item.pk for item in r.find(where, order_by="number")],
    "find in another order": lambda r, where: [
        item.pk for item in r.find(where, order_by="plain_number")
    ],
    "iterate": lambda r, where: [item.pk for item in r.iterate(where)],
    "iterate one by one": lambda r, where: [item.pk for item in r.iterate(where, batch_size=1)],
    "project": lambda r, where: [row["pk"] for row in r.project(["pk", "plain_text"], where)],
}
"""Calls that read documents, as the pks that they return."""


def other(pk: str) -> Specimen:
    return Specimen(pk=pk, tag="y", plain_text="y")


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
@pytest.mark.parametrize("name", READS)
def test_a_record_that_changed_since_the_search_is_left_out(
    meddler: Meddler, specimens: Repository[Specimen], name: str, where: Condition
) -> None:
    meddler.before_fetch.append(lambda: specimens.save(other("c")))
    assert READS[name](specimens, where) == list("abde")
    assert meddler.before_fetch == []


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
@pytest.mark.parametrize("name", READS)
def test_a_record_that_was_deleted_since_the_search_is_left_out(
    meddler: Meddler, specimens: Repository[Specimen], name: str, where: Condition
) -> None:
    meddler.before_fetch.append(lambda: specimens.delete("c"))
    assert READS[name](specimens, where) == list("abde")


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
@pytest.mark.parametrize("spoil", [lambda r: r.save(other("a")), lambda r: r.delete("a")])
def test_first_goes_on_to_the_next(
    meddler: Meddler,
    specimens: Repository[Specimen],
    where: Condition,
    spoil: Callable[[Repository[Specimen]], object],
) -> None:
    meddler.before_fetch.append(lambda: spoil(specimens))
    found = specimens.first(where)
    assert found is not None
    assert found.pk == "b"


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
def test_a_limit_is_filled_although_a_record_changed(
    meddler: Meddler, specimens: Repository[Specimen], where: Condition
) -> None:
    meddler.before_fetch.append(lambda: specimens.save(other("b")))
    assert [item.pk for item in specimens.find(where, limit=3)] == list("acd")


def test_first_in_the_order_of_a_field_does_not_return_what_changed(
    meddler: Meddler, specimens: Repository[Specimen]
) -> None:
    meddler.before_fetch.append(lambda: specimens.save(other("e")))
    found = specimens.first(field("tag") == "x", order_by="-number")
    assert found is None or found.tag == "x"


def test_a_count_by_a_scan_leaves_out_what_changed(
    meddler: Meddler, specimens: Repository[Specimen]
) -> None:
    meddler.before_fetch.append(lambda: specimens.save(other("c")))
    assert specimens.count(plain_text="x") == 4
    meddler.before_fetch.append(lambda: specimens.delete("a"))
    assert specimens.pks(plain_text="x") == list("bde")
    meddler.before_fetch.append(lambda: specimens.delete_many(list("bde")))
    assert not specimens.exists(plain_text="x")


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
def test_delete_many_leaves_what_changed_before_it_was_read(
    meddler: Meddler, specimens: Repository[Specimen], where: Condition
) -> None:
    meddler.before_fetch.append(lambda: specimens.save(other("c")))
    assert specimens.delete_many(where) == 4
    assert specimens.find() == [other("c")]


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
def test_delete_many_leaves_what_changed_after_it_was_read(
    meddler: Meddler, specimens: Repository[Specimen], where: Condition
) -> None:
    def change(pk: str) -> Callable[[], object]:
        return lambda: specimens.save(other(pk))

    # Each change is a commit too, and lets the one that follows it happen before it.
    meddler.before_commit.append(change("c"))
    assert specimens.delete_many(where) == 4
    assert specimens.find() == [other("c")]


def test_delete_many_tries_again_until_nobody_meddles(
    meddler: Meddler, specimens: Repository[Specimen]
) -> None:
    def change(pk: str, then: str) -> None:
        specimens.save(other(pk))
        if then:
            meddler.before_commit.append(lambda: change(then[0], then[1:]))

    meddler.before_commit.append(lambda: change("b", "da"))
    assert specimens.delete_many(tag="x") == 2
    assert specimens.find() == [other("a"), other("b"), other("d")]


def test_delete_many_deletes_what_changed_and_still_fulfils(
    meddler: Meddler, specimens: Repository[Specimen]
) -> None:
    meddler.before_commit.append(
        lambda: specimens.save(Specimen(pk="c", tag="x", plain_text="changed"))
    )
    assert specimens.delete_many(tag="x") == 5
    assert specimens.find() == []


def test_delete_many_does_not_count_what_others_deleted(
    meddler: Meddler, specimens: Repository[Specimen]
) -> None:
    meddler.before_commit.append(lambda: specimens.delete("c"))
    assert specimens.delete_many(tag="x") == 4
    assert specimens.find() == []


def grow(item: Specimen) -> None:
    item.number += 10


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
@pytest.mark.parametrize("moment", ["before_fetch", "before_commit"])
def test_update_many_passes_over_what_changed_or_is_gone(
    meddler: Meddler, specimens: Repository[Specimen], moment: str, where: Condition
) -> None:
    def meddle() -> None:
        specimens.save(other("b"))
        specimens.delete("d")

    getattr(meddler, moment).append(meddle)
    assert specimens.update_many(grow, where) == 3
    assert {item.pk: item.number for item in specimens.find()} == {
        "a": 10,
        "b": 0,
        "c": 12,
        "e": 14,
    }


@pytest.mark.parametrize("where", CONDITIONS, ids=str)
def test_update_many_changes_what_others_changed_if_it_still_fulfils(
    meddler: Meddler, specimens: Repository[Specimen], where: Condition
) -> None:
    theirs = Specimen(pk="c", tag="x", plain_text="x", number=500)
    meddler.before_commit.append(lambda: specimens.save(theirs))
    assert specimens.update_many(grow, where) == 5
    assert [item.number for item in specimens.find()] == [10, 11, 510, 13, 14]


def test_a_transaction_fails_if_what_it_read_changed_just_before_its_commit(
    meddler: Meddler,
) -> None:
    with store_on(meddler) as store:
        specimens = store.repository(Specimen)
        specimens.save(Specimen(pk="a"))
        with pytest.raises(ConflictError), store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            repository.save(repository.get("a").model_copy(update={"number": 1}))
            meddler.before_commit.append(lambda: specimens.save(other("a")))
        assert specimens.find() == [other("a")]
