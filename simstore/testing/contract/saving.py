"""save, save_many and add."""

from typing import Any

import pytest
from pydantic import BaseModel

from simstore.domain.errors import DuplicateError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import assert_identical, contents, pks_of, specimen
from simstore.testing.examples import example_records
from simstore.testing.models import Colour, Level, Part, Specimen


class SavingContract(Binding):
    """What was written is there, as it was, and nothing else."""

    def test_a_new_repository_is_empty(self, specimens: Repository[Specimen]) -> None:
        assert contents(specimens) == []

    def test_save_inserts_and_returns_the_item(self, specimens: Repository[Specimen]) -> None:
        item = specimen("a", tag="pilot")
        assert specimens.save(item) is item
        assert specimens.get("a") == item

    def test_save_replaces_the_whole_record(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="old", labels=["x", "y"], bio="gone words"))
        specimens.save(specimen("a", number=7, tag="new"))
        assert contents(specimens) == [specimen("a", number=7, tag="new")]
        assert specimens.find(tag="old") == []
        assert specimens.count(field("bio").matches("gone")) == 0
        assert specimens.pks(tag="new") == specimens.pks(number=7) == ["a"]

    def test_every_shape_of_field_comes_back_as_it_was(
        self, specimens: Repository[Specimen]
    ) -> None:
        full = specimen(
            "full", tag="t", nickname="n", number=-5, score=-0.0, ratio=float("-inf"), active=True,
            level=Level.high, colour=Colour.blue, status="used", mixed=1.0, labels=["b", "a", "b"],
            marks=[2**63 - 1, -1], home=Part(label="h", weight=0.1, remark=None),
            parts=[Part(), Part(label="p", remark="")], bio="some words", motto="",
            plain_score=-0.0,
            extra={"": None, "deep": [1, 1.0, True, {"k": [[]]}], "nul\x00key": "\ue000",
            "b": -0.0},
        )  # fmt: skip
        specimens.save(full)
        assert_identical(specimens.get("full"), full)

    @pytest.mark.parametrize("value", [True, 1, 1.0, "1", False, 0, 0.0, "0", None, ""])
    def test_values_of_a_union_keep_their_type(
        self, specimens: Repository[Specimen], value: Any
    ) -> None:
        item = specimen("a", mixed=value)
        specimens.save(item)
        assert_identical(specimens.get("a"), item)

    def test_every_record_of_simstore_comes_back_as_it_was(self, store: Store) -> None:
        for item in example_records():
            repository: Repository[BaseModel] = store.repository(type(item))
            repository.save(item)
            assert_identical(repository.find(), [item])

    def test_a_pk_is_assigned_where_none_is_given(self, specimens: Repository[Specimen]) -> None:
        saved = specimens.save(Specimen(tag="pilot"))
        assert saved.pk
        assert specimens.get(saved.pk) == saved

    def test_a_pk_belongs_to_one_collection_alone(self, store: Store) -> None:
        store.repository(Specimen).save(specimen("a"))
        assert not store.annotators.exists(pk="a")
        assert store.annotators.count() == 0

    def test_save_many_stores_all_and_returns_their_pks(
        self, specimens: Repository[Specimen]
    ) -> None:
        items = [specimen(pk, number=n) for n, pk in enumerate("cab")]
        assert specimens.save_many(items) == ["c", "a", "b"]
        assert contents(specimens) == sorted(items, key=lambda item: item.pk)

    def test_save_many_takes_an_iterator(self, specimens: Repository[Specimen]) -> None:
        assert specimens.save_many(specimen(pk) for pk in "ab") == ["a", "b"]
        assert pks_of(contents(specimens)) == ["a", "b"]

    def test_save_many_of_nothing_does_nothing(self, specimens: Repository[Specimen]) -> None:
        assert specimens.save_many([]) == []
        assert contents(specimens) == []

    def test_save_many_keeps_the_last_of_two_with_one_pk(
        self, specimens: Repository[Specimen]
    ) -> None:
        pks = specimens.save_many(
            [specimen("a", tag="first"), specimen("b"), specimen("a", tag="last")]
        )
        assert set(pks) == {"a", "b"}
        assert contents(specimens) == [specimen("a", tag="last"), specimen("b")]
        assert specimens.find(tag="first") == []

    def test_save_many_replaces_what_is_there(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="old"))
        specimens.save_many([specimen("a", tag="new"), specimen("b", tag="new")])
        assert pks_of(specimens.find(tag="new")) == ["a", "b"]
        assert specimens.find(tag="old") == []

    def test_save_many_takes_more_than_one_batch(self, specimens: Repository[Specimen]) -> None:
        items = [specimen(f"{n:04}", tag=f"t{n % 7}", number=n) for n in range(1_234)]
        specimens.save_many(items)
        assert specimens.count() == 1_234
        assert specimens.count(tag="t3") == sum(n % 7 == 3 for n in range(1_234))
        assert specimens.get_many([item.pk for item in items]) == items

    def test_add_inserts_and_returns_the_item(self, specimens: Repository[Specimen]) -> None:
        item = specimen("a", tag="pilot")
        assert specimens.add(item) is item
        assert specimens.find(tag="pilot") == [item]

    def test_add_refuses_a_pk_that_is_taken(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="first"))
        with pytest.raises(DuplicateError) as caught:
            specimens.add(specimen("a", tag="second"))
        assert caught.value.pk == "a"
        assert contents(specimens) == [specimen("a", tag="first")]
        assert specimens.find(tag="second") == []

    def test_add_after_delete_works(self, specimens: Repository[Specimen]) -> None:
        specimens.add(specimen("a", tag="first"))
        specimens.delete("a")
        specimens.add(specimen("a", tag="second"))
        assert contents(specimens) == [specimen("a", tag="second")]
