"""Writes that fail in the middle."""

# ruff: noqa: PT012 — a transaction fails as a whole: here or there in its block

import pytest

from simstore.domain.errors import BackendError, SaveManyError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, need
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Specimen


class FailingContract(Binding):
    """A write that fails says what it did, and nothing is half done."""

    @pytest.fixture
    def three(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """b, d and f."""
        specimens.save_many(specimen(pk, tag="old", labels=["old"]) for pk in "bdf")
        return specimens

    def _save_all(self, store: Store, specimens: Repository[Specimen]) -> SaveManyError:
        """Save a to f anew, while d cannot be written."""
        items = [specimen(pk, tag="new", labels=["new"]) for pk in "abcdef"]
        with (
            self.failing_at(store, specimens.collection, "d"),
            pytest.raises(SaveManyError) as caught,
        ):
            specimens.save_many(items)
        assert isinstance(caught.value.__cause__, BackendError)
        assert caught.value.collection == specimens.collection
        return caught.value

    def test_save_many_says_what_it_stored(self, store: Store, three: Repository[Specimen]) -> None:
        error = self._save_all(store, three)
        assert sorted([*error.stored, *error.not_stored]) == list("abcdef")
        assert "d" in error.not_stored
        assert all(three.get(pk).tag == "new" for pk in error.stored)
        items = contents(three)
        for tag in ("old", "new"):
            expected = [item.pk for item in items if item.tag == tag]
            assert three.pks(tag=tag) == expected
            assert three.pks(field("labels").contains(tag)) == expected

    def test_save_many_is_all_or_nothing(self, store: Store, three: Repository[Specimen]) -> None:
        need(store, Capability.ATOMIC_SAVE_MANY)
        error = self._save_all(store, three)
        assert error.stored == ()
        assert sorted(error.not_stored) == list("abcdef")
        assert pks_of(contents(three)) == three.pks(tag="old") == list("bdf")
        assert three.count(field("labels").contains("new")) == 0

    def test_what_was_not_stored_can_be_saved_again(
        self, store: Store, three: Repository[Specimen]
    ) -> None:
        error = self._save_all(store, three)
        three.save_many(specimen(pk, tag="new") for pk in error.not_stored)
        assert three.pks(tag="new") == list("abcdef")
        assert three.count(tag="old") == 0

    def test_a_transaction_that_cannot_be_written_is_none(
        self, store: Store, three: Repository[Specimen]
    ) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        with (
            self.failing_at(store, three.collection, "d"),
            pytest.raises(BackendError),
            store.transaction() as transaction,
        ):
            repository = transaction.repository(Specimen)
            for pk in "acd":
                repository.save(specimen(pk, tag="new"))
            repository.delete("b")
            repository.save(specimen("e", tag="new"))
        assert pks_of(contents(three)) == three.pks(tag="old") == list("bdf")
        assert three.count(tag="new") == 0

    def test_a_save_that_fails_changes_nothing(
        self, store: Store, three: Repository[Specimen]
    ) -> None:
        with self.failing_at(store, three.collection, "d"):
            with pytest.raises(BackendError):
                three.save(specimen("d", tag="new", labels=["new"]))
            with pytest.raises(BackendError):
                three.update("d", lambda item: item.model_copy(update={"tag": "new"}))
        assert three.get("d") == specimen("d", tag="old", labels=["old"])
        assert three.pks(tag="old") == three.pks(field("labels").contains("old")) == list("bdf")
        assert three.count(field("labels").contains("new")) == 0
