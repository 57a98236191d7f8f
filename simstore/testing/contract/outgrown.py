"""Records that a new definition of their model cannot read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from simstore.domain.errors import CorruptRecordError, DuplicateError
from simstore.domain.fields import Indexed
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.definitions import NUMBER, TEXT, TEXTS, Definition, defined
from simstore.testing.contract.helpers import pks_of


@dataclass(frozen=True)
class Change:
    """Two definitions, and a value of the field ``x`` that only one of them can read."""

    old: Definition
    new: Definition
    unreadable: dict[str, Any]
    readable: dict[str, Any]


_ALWAYS: Definition = {"tag": (TEXT, ""), "plain": (str, "")}

OUTGROWN: dict[str, Change] = {
    "a required field, indexed": Change(_ALWAYS, {**_ALWAYS, "x": (TEXT, ...)}, {}, {"x": "given"}),
    "a required field": Change(_ALWAYS, {**_ALWAYS, "x": (str, ...)}, {}, {"x": "given"}),
    "a list that became a text": Change(
        {**_ALWAYS, "x": (TEXTS, [])}, {**_ALWAYS, "x": (TEXT, "")}, {"x": ["l"]}, {"x": "l"}
    ),
    "a text that became a number": Change(
        {**_ALWAYS, "x": (TEXT, "")}, {**_ALWAYS, "x": (NUMBER, 0)}, {"x": "many"}, {"x": 5}
    ),
    "fewer choices": Change(
        {**_ALWAYS, "x": (Annotated[Literal["old", "new"], Indexed()], "new")},
        {**_ALWAYS, "x": (Annotated[Literal["new"], Indexed()], "new")},
        {"x": "old"},
        {"x": "new"},
    ),
    "a new bound": Change(
        {**_ALWAYS, "x": (NUMBER, 10)},
        {**_ALWAYS, "x": (Annotated[int, Indexed(), Field(ge=10)], 10)},
        {"x": 5},
        {"x": 15},
    ),
}


class OutgrownContract(Binding):
    """Reading such a record says which one it is; nothing else is hindered by it."""

    @pytest.fixture(params=OUTGROWN)
    def outgrown(
        self, request: pytest.FixtureRequest, store: Store
    ) -> tuple[Repository[Any], type[BaseModel], dict[str, Any]]:
        """Records a, b and c, b of an old definition; the new one, and a value that it reads."""
        change = OUTGROWN[request.param]
        old, new = defined(change.old), defined(change.new)
        store.repository(old).save(old(pk="b", tag="t", **change.unreadable))
        assert store.repository(old).pks(tag="t") == ["b"]
        repository = store.repository(new)
        repository.save_many(new(pk=pk, tag="t", **change.readable) for pk in "ac")
        return repository, new, change.readable

    def test_reading_an_outgrown_record(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository = outgrown[0]
        calls: dict[str, Callable[[], object]] = {
            "get": lambda: repository.get("b"),
            "get_versioned": lambda: repository.get_versioned("b"),
            "get_many": lambda: repository.get_many(["a", "b"]),
            "find": repository.find,
            "find by pk": lambda: repository.find(pk="b"),
            "find by a scan": lambda: repository.find(plain=""),
            "count by a scan": lambda: repository.count(plain=""),
            "iterate": lambda: list(repository.iterate()),
            "order_by": lambda: repository.find(order_by="tag"),
            "order_by a plain field": lambda: repository.find(order_by="plain"),
            "order_by the changed field": lambda: repository.find(order_by="x"),
            "project the changed field": lambda: repository.project(["x"]),
            "project it, by pk": lambda: repository.project(["x"], pk="b"),
            "project a plain field": lambda: repository.project(["plain"]),
            "update": lambda: repository.update("b", lambda item: item),
            "update_many": lambda: repository.update_many(lambda item: item),
            "update_many by pk": lambda: repository.update_many(lambda item: item, pk="b"),
        }
        for name, call in calls.items():
            with pytest.raises(CorruptRecordError) as caught:
                call()
            assert caught.value.pk == "b", name
            assert caught.value.field == "x", name
        with pytest.raises(DuplicateError):
            repository.add(repository.get("a").model_copy(update={"pk": "b"}))

    def test_the_others_are_found_beside_an_outgrown_record(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository, new, readable = outgrown
        others = [new(pk=pk, tag="t", **readable) for pk in "ac"]
        if not repository.explain(**readable).reads_all:
            assert repository.find(**readable) == others
            assert repository.find(**readable, order_by="tag") == others
            assert repository.pks(**readable) == ["a", "c"]
            assert repository.count(**readable) == 2
            assert repository.project(["pk", *readable], **readable) == [
                {"pk": pk, **readable} for pk in "ac"
            ]
        assert repository.get_many(["c", "a"]) == others[::-1]
        assert repository.find(pk="c") == others[1:]
        assert repository.pks() == ["a", "b", "c"]
        assert repository.count() == 3
        assert repository.exists(pk="b")

    def test_an_outgrown_record_is_no_index_fault(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository = outgrown[0]
        assert list(repository.index_faults()) == []
        assert list(repository.index_faults(repair=True)) == []
        assert repository.pks() == ["a", "b", "c"]

    def test_an_outgrown_record_can_be_deleted(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository = outgrown[0]
        repository.delete("b")
        self._check_left(repository, "ac")

    def test_outgrown_records_can_be_deleted_by_their_pks(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository = outgrown[0]
        assert repository.delete_many(["b", "a", "z"]) == 2
        self._check_left(repository, "c")

    def test_an_outgrown_record_can_be_deleted_in_a_transaction(
        self, store: Store, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository, new, _ = outgrown
        with store.transaction() as transaction:
            transaction.repository(new).delete("b")
        self._check_left(repository, "ac")

    def test_an_outgrown_record_can_be_replaced(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository, new, readable = outgrown
        repository.save(new(pk="b", tag="t", **readable))
        self._check_left(repository, "abc")

    def test_all_records_can_be_deleted_although_one_is_outgrown(
        self, outgrown: tuple[Repository[Any], type[BaseModel], dict[str, Any]]
    ) -> None:
        repository = outgrown[0]
        assert repository.delete_many(repository.pks()) == 3
        self._check_left(repository, "")

    def _check_left(self, repository: Repository[Any], pks: str) -> None:
        assert pks_of(repository.find()) == list(pks)
        assert repository.pks(tag="t") == list(pks)
        assert repository.count(tag="t") == repository.count(plain="") == len(pks)
        assert [row["pk"] for row in repository.project(["pk", "x"])] == list(pks)
