"""What a caller holds and what is stored share nothing."""

from collections.abc import Callable

import pytest

from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import assert_identical, specimen
from simstore.testing.models import Part, Specimen

Read = Callable[[Repository[Specimen]], Specimen]

READS: dict[str, Read] = {
    "get": lambda repository: repository.get("a"),
    "get_many": lambda repository: repository.get_many(["a"])[0],
    "get_versioned": lambda repository: repository.get_versioned("a")[0],
    "find": lambda repository: repository.find()[0],
    "find by index": lambda repository: repository.find(tag="old")[0],
    "find in order": lambda repository: repository.find(order_by="number")[0],
    "iterate": lambda repository: next(repository.iterate()),
    "first": lambda repository: repository.first() or specimen("none"),
    "one": lambda repository: repository.one(tag="old"),
}
"""Every call that returns a record."""


def _item() -> Specimen:
    return specimen(
        "a",
        tag="old",
        labels=["x"],
        marks=[1],
        home=Part(label="den"),
        parts=[Part(label="p")],
        extra={"list": [1, [2]], "object": {"k": {"deep": []}}},
    )


def _spoil(item: Specimen) -> None:
    """Change everything in `item` that can be changed, deep down first."""
    item.extra["list"][1].append(3)  # type: ignore[index,union-attr]  # it is a list in a list
    item.extra["object"]["k"]["deep"].append(3)  # type: ignore[index,union-attr,call-overload]  # as above
    item.extra["new"] = 1
    item.labels.append("y")
    item.labels[0] = "z"
    assert item.marks is not None
    item.marks.clear()
    assert item.home is not None
    item.home.label = "changed"
    item.parts[0].label = "changed"
    item.parts.append(Part())
    item.tag = "new"


class IsolationContract(Binding):
    """To change an object after save, or one that a call returned, changes nothing stored."""

    def _check(self, specimens: Repository[Specimen]) -> None:
        for name, read in READS.items():
            assert_identical((name, read(specimens)), (name, _item()))
        assert specimens.pks(tag="new") == []

    @pytest.mark.parametrize("call", ["save", "save_many", "add", "update", "update in place"])
    def test_a_change_after_a_write(self, specimens: Repository[Specimen], call: str) -> None:
        item = _item()
        if call == "save":
            item = specimens.save(item)
        elif call == "save_many":
            specimens.save_many([item])
        elif call == "add":
            item = specimens.add(item)
        else:
            specimens.save(specimen("a"))

            def change(stored: Specimen) -> Specimen | None:
                if call == "update":
                    return item
                for name in Specimen.model_fields:
                    setattr(stored, name, getattr(item, name))
                return None

            _spoil(specimens.update("a", change).model_copy(deep=True))
            returned = specimens.update("a", change)
            _spoil(returned)
            self._check(specimens)
            return
        _spoil(item)
        self._check(specimens)

    @pytest.mark.parametrize("read", READS)
    def test_a_change_of_what_was_read(self, specimens: Repository[Specimen], read: str) -> None:
        specimens.save(_item())
        _spoil(READS[read](specimens))
        self._check(specimens)

    def test_two_reads_share_nothing(self, specimens: Repository[Specimen]) -> None:
        specimens.save(_item())
        one, two = specimens.get_many(["a", "a"])
        _spoil(one)
        assert_identical(two, _item())

    def test_a_change_within_update_that_fails(self, specimens: Repository[Specimen]) -> None:
        specimens.save(_item())

        def change(item: Specimen) -> None:
            _spoil(item)
            raise KeyError

        with pytest.raises(KeyError):
            specimens.update("a", change)
        self._check(specimens)

    def test_a_change_after_a_write_in_a_transaction(self, store: Store) -> None:
        specimens = store.repository(Specimen)
        with store.transaction() as transaction:
            item = transaction.repository(Specimen).save(_item())
            _spoil(item)
            _spoil(transaction.repository(Specimen).get("a"))
            assert_identical(transaction.repository(Specimen).get("a"), _item())
        self._check(specimens)
