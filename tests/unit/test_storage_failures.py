"""A storage that fails, and what the shared repository says of it."""

from collections.abc import Callable
from typing import Any

import pytest

from simstore.adapters import attempts as attempting
from simstore.adapters import reading
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.domain.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConflictError,
    SaveManyError,
)
from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.domain.store import Transaction
from simstore.testing import Specimen
from tests.unit.storages import Contended, HalfWriter, Unreachable, store_on


@pytest.mark.parametrize("written", [0, 1, 3])
def test_a_save_many_that_breaks_off_says_what_it_stored(written: int) -> None:
    storage = HalfWriter()
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        storage.written = written
        with pytest.raises(SaveManyError) as caught:
            specimens.save_many(Specimen(pk=pk) for pk in "dbac")
        assert caught.value.stored == tuple("dbac"[:written])
        assert caught.value.not_stored == tuple("dbac"[written:])
        assert caught.value.collection == "Specimen"
        assert caught.value.__cause__ is storage.cause
        assert specimens.pks() == sorted("dbac"[:written])


def test_a_pk_that_is_saved_twice_is_told_of_once() -> None:
    storage = HalfWriter()
    with store_on(storage) as store:
        storage.written = 1
        with pytest.raises(SaveManyError) as caught:
            store.repository(Specimen).save_many(Specimen(pk=pk) for pk in "abacb")
        assert len(caught.value.stored) == 1
        assert sorted(caught.value.stored + caught.value.not_stored) == list("abc")


def test_a_delete_many_that_breaks_off_is_no_success() -> None:
    storage = HalfWriter()
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        specimens.save_many(Specimen(pk=pk) for pk in "abc")
        storage.written = 1
        with pytest.raises(BackendError) as caught:
            specimens.delete_many(["a", "b", "c"])
        assert storage.cause in {caught.value, caught.value.__cause__}


def _tag(item: Specimen) -> None:
    item.tag = "x"


IN_BULK: dict[str, tuple[Callable[[Repository[Specimen]], int], int, str]] = {
    "of pks": (lambda r: r.delete_many(r.pks()), 0, "30 records of Specimen were deleted"),
    "delete_many": (lambda r: r.delete_many(tag=""), 1, "130 records of Specimen were deleted"),
    "update_many": (lambda r: r.update_many(_tag), 1, "130 records of Specimen were changed"),
}
"""Calls, how many of their writes succeed, and what they say when the next breaks off."""


@pytest.mark.parametrize("name", IN_BULK)
def test_a_call_in_bulk_that_breaks_off_says_how_many_records_it_wrote(name: str) -> None:
    call, sound, told = IN_BULK[name]
    storage = HalfWriter()
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        specimens.save_many(Specimen(pk=f"{n:03}") for n in range(250))
        storage.written, storage.sound = 30, sound
        with pytest.raises(BackendError, match=f"^{told} before this: the plug") as caught:
            call(specimens)
        assert caught.value.__cause__ is storage.cause


@pytest.mark.parametrize("name", ["search", "fetch", "write"])
def test_an_update_many_that_loses_its_backend_says_how_many_records_it_changed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PKS_AT_A_TIME", 100)
    storage = Unreachable()
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        specimens.save_many(Specimen(pk=f"{n:03}") for n in range(250))
        storage.down_at = (name, 3)
        told = "^200 records of Specimen were changed before this: nobody answers"
        with pytest.raises(BackendUnavailableError, match=told):
            specimens.update_many(_tag)
        storage.down = False
        assert specimens.count(tag="x") == 200


def test_an_error_of_a_change_is_passed_on_as_it_is() -> None:
    error = BackendUnavailableError("of another store")
    with store_on(HalfWriter()) as store:
        specimens = store.repository(Specimen)
        specimens.save_many(Specimen(pk=f"{n:03}") for n in range(250))

        def change(item: Specimen) -> None:
            if item.pk == "249":
                raise error

        with pytest.raises(BackendUnavailableError) as caught:
            specimens.update_many(change)
        assert caught.value is error


@pytest.mark.parametrize("error", [BackendUnavailableError, BackendTimeoutError])
def test_a_call_in_bulk_that_breaks_off_says_why(error: type[BackendError]) -> None:
    storage = HalfWriter()
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        specimens.save_many(Specimen(pk=pk) for pk in "abc")
        storage.written = 1
        storage.cause = error("nobody answers")
        with pytest.raises(error, match=r"^1 record of Specimen was deleted before this: nobody"):
            specimens.delete_many(specimens.pks())


@pytest.mark.parametrize("attempts", [1, 4])
def test_an_update_gives_up_after_its_attempts(
    monkeypatch: pytest.MonkeyPatch, attempts: int
) -> None:
    monkeypatch.setattr(attempting, "UPDATE_ATTEMPTS", attempts)
    storage = Contended()
    calls: list[Specimen] = []
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        specimens.save(Specimen(pk="a"))
        storage.contended = True
        with pytest.raises(ConflictError) as caught:
            specimens.update("a", calls.append)
        assert caught.value.pk == "a"
        assert caught.value.collection == "Specimen"
        assert storage.refused == len(calls) == attempts
        storage.contended = False
        assert specimens.find() == [Specimen(pk="a")]


def test_an_update_many_gives_up_after_its_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempting, "UPDATE_ATTEMPTS", 4)
    seen: list[str] = []
    with store_on(MemoryStorage(MemoryDatabase())) as store:
        specimens = store.repository(Specimen)
        specimens.save_many(Specimen(pk=pk) for pk in "abc")

        def change(item: Specimen) -> None:
            seen.append(item.pk)
            if item.pk == "b":
                specimens.save(item.model_copy(update={"number": len(seen)}))
            _tag(item)

        with pytest.raises(ConflictError) as caught:
            specimens.update_many(change)
        assert caught.value.pk == "b"
        assert seen == ["a", "b", "c", "b", "b", "b"]
        assert specimens.pks(tag="x") == ["a", "c"]


ITEM = Specimen(pk="a", tag="x")


def _asking(name: str, where: Condition) -> Callable[[Repository[Specimen]], Any]:
    return lambda repository: getattr(repository, name)(where)


CALLS: dict[str, Callable[[Repository[Specimen]], Any]] = {
    "save": lambda r: r.save(ITEM),
    "save, if_version": lambda r: r.save(ITEM, if_version="x"),
    "add": lambda r: r.add(ITEM),
    "get": lambda r: r.get("a"),
    "get_versioned": lambda r: r.get_versioned("a"),
    "get_many": lambda r: r.get_many(["a", "b"]),
    "get_many, skip": lambda r: r.get_many(["a", "b"], missing="skip"),
    "update": lambda r: r.update("a", lambda item: item),
    "update_many": lambda r: r.update_many(_tag),
    "update_many, condition": lambda r: r.update_many(_tag, tag="x"),
    "update_many, scan": lambda r: r.update_many(_tag, plain_text="x"),
    "delete": lambda r: r.delete("a"),
    "delete_many, pks": lambda r: r.delete_many(["a"]),
    "delete_many, condition": lambda r: r.delete_many(tag="x"),
    "delete_many, scan": lambda r: r.delete_many(plain_text="x"),
    "project": lambda r: r.project(["tag"]),
    "project, scan": lambda r: r.project(["plain_text"]),
    "order_by": lambda r: r.find(order_by="number"),
    "order_by, scan": lambda r: r.find(order_by="plain_number"),
    "first, order_by": lambda r: r.first(order_by="number"),
    "iterate": lambda r: list(r.iterate()),
    "iterate, index": lambda r: list(r.iterate(tag="x", batch_size=1)),
    **{
        f"{name}, {kind}": _asking(name, where)
        for name in ("find", "first", "one", "count", "exists", "pks")
        for kind, where in (
            ("pk", field("pk") == "a"),
            ("index", field("tag") == "x"),
            ("scan", field("plain_text") == "x"),
        )
    },
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("stored", [True, False])
def test_an_outage_is_never_missing(name: str, stored: bool) -> None:
    storage = Unreachable()
    with store_on(storage) as store:
        specimens = store.repository(Specimen)
        if stored:
            specimens.save(ITEM)
        storage.down = True
        with pytest.raises(BackendUnavailableError):
            CALLS[name](specimens)


def test_an_outage_is_no_empty_store() -> None:
    storage = Unreachable()
    with store_on(storage) as store:
        storage.down = True
        with pytest.raises(BackendUnavailableError):
            store.collections()


def test_an_outage_in_save_many_is_the_cause_of_its_error() -> None:
    storage = Unreachable()
    with store_on(storage) as store:
        storage.down = True
        with pytest.raises(SaveManyError) as caught:
            store.repository(Specimen).save_many([ITEM, Specimen(pk="b")])
        assert isinstance(caught.value.__cause__, BackendUnavailableError)
        assert caught.value.stored == ()
        assert caught.value.not_stored == ("a", "b")


@pytest.mark.parametrize(
    "act",
    [
        lambda tx: tx.repository(Specimen).get("a"),
        lambda tx: tx.repository(Specimen).add(ITEM),
        lambda tx: tx.repository(Specimen).delete("a"),
        lambda tx: tx.repository(Specimen).save(ITEM),
    ],
    ids=("get", "add", "delete", "save"),
)
def test_an_outage_in_a_transaction(act: Callable[[Transaction], object]) -> None:
    storage = Unreachable()
    with store_on(storage) as store:
        storage.down = True
        with pytest.raises(BackendUnavailableError), store.transaction() as transaction:
            act(transaction)
        storage.down = False
        assert store.repository(Specimen).count() == 0
