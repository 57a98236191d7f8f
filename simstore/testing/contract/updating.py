"""get_versioned, save with if_version, and update."""

import pytest

from simstore.domain.errors import ConflictError, InvalidRecordError, NotFoundError, SimstoreError
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import contents, specimen
from simstore.testing.models import Specimen


class UpdatingContract(Binding):
    """A write that relies on a read happens only if nobody wrote in between."""

    def test_get_versioned_returns_the_record(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="pilot"))
        item, version = specimens.get_versioned("a")
        assert item == specimen("a", tag="pilot")
        assert isinstance(version, str)

    def test_get_versioned_of_a_missing_record(self, specimens: Repository[Specimen]) -> None:
        with pytest.raises(NotFoundError) as caught:
            specimens.get_versioned("a")
        assert caught.value.pks == ("a",)

    def test_the_current_version_lets_a_save_pass(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="old"))
        item, version = specimens.get_versioned("a")
        item.tag = "new"
        specimens.save(item, if_version=version)
        assert contents(specimens) == [specimen("a", tag="new")]
        assert specimens.find(tag="old") == []

    def test_a_stale_version_is_a_conflict(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="old"))
        item, version = specimens.get_versioned("a")
        specimens.save(specimen("a", tag="theirs"))
        item.tag = "mine"
        with pytest.raises(ConflictError) as caught:
            specimens.save(item, if_version=version)
        assert caught.value.pk == "a"
        assert contents(specimens) == [specimen("a", tag="theirs")]
        assert specimens.find(tag="mine") == []

    def test_the_version_of_a_deleted_record_is_a_conflict(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a"))
        item, version = specimens.get_versioned("a")
        specimens.delete("a")
        with pytest.raises(ConflictError):
            specimens.save(item, if_version=version)
        assert contents(specimens) == []

    def test_the_version_of_another_record_is_a_conflict(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a", tag="one"))
        specimens.save(specimen("b", tag="two"))
        _, version = specimens.get_versioned("a")
        with pytest.raises(ConflictError):
            specimens.save(specimen("b", tag="three"), if_version=version)
        assert specimens.get("b").tag == "two"

    def test_a_version_works_once(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", number=0))
        _, version = specimens.get_versioned("a")
        specimens.save(specimen("a", number=1), if_version=version)
        with pytest.raises(ConflictError):
            specimens.save(specimen("a", number=2), if_version=version)
        assert specimens.get("a").number == 1

    def test_zero_and_minus_zero_are_of_different_versions(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a", score=0.0))
        _, version = specimens.get_versioned("a")
        specimens.save(specimen("a", score=-0.0))
        with pytest.raises(ConflictError):
            specimens.save(specimen("a", score=1.0), if_version=version)

    def test_update_changes_in_place(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", number=1, tag="old"))

        def change(item: Specimen) -> None:
            item.number += 1
            item.tag = "new"

        assert specimens.update("a", change) == specimen("a", number=2, tag="new")
        assert contents(specimens) == [specimen("a", number=2, tag="new")]
        assert specimens.find(tag="old") == []

    def test_update_takes_a_returned_record(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", number=1))
        new = specimen("a", number=5)
        assert specimens.update("a", lambda _: new) == new
        assert specimens.get("a") == new

    def test_update_that_changes_nothing(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", number=1))
        assert specimens.update("a", lambda _: None) == specimen("a", number=1)
        assert contents(specimens) == [specimen("a", number=1)]

    def test_update_of_a_missing_record(self, specimens: Repository[Specimen]) -> None:
        with pytest.raises(NotFoundError) as caught:
            specimens.update("a", lambda item: item)
        assert caught.value.pks == ("a",)
        assert contents(specimens) == []

    def test_update_refuses_another_pk(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="pilot"))
        with pytest.raises(SimstoreError):
            specimens.update("a", lambda item: item.model_copy(update={"pk": "b"}))
        assert contents(specimens) == [specimen("a", tag="pilot")]

    def test_update_that_raises_changes_nothing(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", number=1))

        def change(item: Specimen) -> None:
            item.number = 2
            raise KeyError("the change's own error")

        with pytest.raises(KeyError, match="the change's own error"):
            specimens.update("a", change)
        assert contents(specimens) == [specimen("a", number=1)]

    def test_update_to_an_invalid_record_changes_nothing(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a", number=1, score=1.0))

        def change(item: Specimen) -> None:
            item.number = 2
            item.score = float("nan")

        with pytest.raises(InvalidRecordError):
            specimens.update("a", change)
        assert contents(specimens) == [specimen("a", number=1, score=1.0)]

    def test_update_begins_anew_when_somebody_else_writes(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a", number=1))
        seen: list[int] = []

        def change(item: Specimen) -> None:
            seen.append(item.number)
            if len(seen) == 1:
                specimens.save(specimen("a", number=10, tag="theirs"))
            item.number += 1

        assert specimens.update("a", change) == specimen("a", number=11, tag="theirs")
        assert seen == [1, 10]
        assert contents(specimens) == [specimen("a", number=11, tag="theirs")]

    def test_update_does_not_bring_back_what_was_deleted_meanwhile(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a"))

        def change(item: Specimen) -> None:
            specimens.delete("a")
            item.number = 1

        with pytest.raises(NotFoundError):
            specimens.update("a", change)
        assert contents(specimens) == []
