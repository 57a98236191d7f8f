"""delete and delete_many."""

from typing import Any

import pytest

from simstore.domain.errors import InvalidArgumentError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Specimen


class DeletingContract(Binding):
    """What was deleted is gone from every answer, and nothing else is."""

    @pytest.fixture
    def five(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """a to e; a, c and e are tagged "odd"."""
        specimens.save_many(
            specimen(pk, tag="odd" if pk in "ace" else "even", plain_number=n, labels=[pk])
            for n, pk in enumerate("abcde")
        )
        return specimens

    def test_delete_removes_the_record_and_its_index_entries(
        self, five: Repository[Specimen]
    ) -> None:
        five.delete("c")
        assert pks_of(contents(five)) == ["a", "b", "d", "e"]
        assert pks_of(five.find(tag="odd")) == ["a", "e"]
        assert five.find(field("labels").contains("c")) == []
        with pytest.raises(NotFoundError):
            five.get("c")

    def test_delete_of_a_missing_record(self, five: Repository[Specimen]) -> None:
        with pytest.raises(NotFoundError) as caught:
            five.delete("z")
        assert caught.value.pks == ("z",)
        assert five.count() == 5

    def test_a_second_delete_finds_nothing(self, five: Repository[Specimen]) -> None:
        five.delete("a")
        with pytest.raises(NotFoundError):
            five.delete("a")

    def test_delete_many_by_pks_counts_what_was_there(self, five: Repository[Specimen]) -> None:
        assert five.delete_many(["a", "z", "b"]) == 2
        assert pks_of(contents(five)) == ["c", "d", "e"]

    def test_delete_many_counts_a_pk_once(self, five: Repository[Specimen]) -> None:
        assert five.delete_many(["a", "a", "z", "a"]) == 1
        assert five.count() == 4

    def test_delete_many_takes_an_iterator_of_pks(self, five: Repository[Specimen]) -> None:
        assert five.delete_many(pk for pk in "ab") == 2
        assert pks_of(contents(five)) == ["c", "d", "e"]

    def test_delete_many_of_no_pks_deletes_nothing(self, five: Repository[Specimen]) -> None:
        assert five.delete_many([]) == 0
        assert five.count() == 5

    @pytest.mark.parametrize(
        ("where", "equals"),
        [
            ((field("tag") == "odd",), {}),
            ((), {"tag": "odd"}),
            ((field("plain_number").in_([0, 2, 4]),), {}),
            ((field("tag") != "even",), {}),
            ((field("plain_number") >= 0,), {"tag": "odd"}),
        ],
    )
    def test_delete_many_by_conditions(
        self, five: Repository[Specimen], where: Any, equals: Any
    ) -> None:
        assert five.delete_many(*where, **equals) == 3
        assert pks_of(contents(five)) == ["b", "d"]
        assert five.find(tag="odd") == []

    def test_delete_many_where_nothing_fits(self, five: Repository[Specimen]) -> None:
        assert five.delete_many(tag="none") == 0
        assert five.count() == 5

    def test_delete_many_refuses_to_delete_everything_by_accident(
        self, five: Repository[Specimen]
    ) -> None:
        with pytest.raises(InvalidArgumentError):
            five.delete_many()
        assert five.count() == 5

    def test_delete_many_takes_more_than_one_batch(self, specimens: Repository[Specimen]) -> None:
        specimens.save_many(specimen(f"{n:04}", tag=f"t{n % 2}") for n in range(1_100))
        assert specimens.delete_many(tag="t0") == 550
        assert specimens.count() == 550
        assert specimens.delete_many([f"{n:04}" for n in range(1_100)]) == 550
        assert contents(specimens) == []
