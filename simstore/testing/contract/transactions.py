"""Transactions."""

# ruff: noqa: PT012 — a transaction fails as a whole: here or there in its block

from collections.abc import Callable

import pytest

from simstore.domain.errors import (
    ConflictError,
    DuplicateError,
    NotFoundError,
    TransactionError,
)
from simstore.domain.messaging import NO_ACTION
from simstore.domain.profiles import AgentProfile
from simstore.domain.repository import TransactionRepository
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, OpenStore, need
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.examples import example_records
from simstore.testing.models import Specimen
from simstore.testing.records import REPOSITORIES


def _agent(pk: str) -> AgentProfile:
    return AgentProfile(pk=pk, first_name="Ada", last_name="Osei")


def _fail(really: bool) -> None:
    if really:
        raise KeyError


Act = Callable[[TransactionRepository[Specimen]], object]


class TransactionContract(Binding):
    """All or nothing, and only if nobody changed what the transaction relied on."""

    def test_its_writes_appear_together_at_its_end(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        specimens = store.repository(Specimen)
        specimens.save_many([specimen("gone", tag="x"), specimen("changed", tag="x")])
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            saved = specimen("saved", tag="y")
            assert repository.save(saved) is saved
            assert repository.add(specimen("added", tag="y")).pk == "added"
            repository.save(specimen("changed", tag="y"))
            repository.delete("gone")
            assert pks_of(contents(specimens)) == ["changed", "gone"]
            assert specimens.pks(tag="y") == []
        assert pks_of(contents(specimens)) == ["added", "changed", "saved"]
        assert specimens.pks(tag="y") == ["added", "changed", "saved"]
        assert specimens.pks(tag="x") == []

    def test_it_spans_repositories(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        with store.transaction() as transaction:
            for name, model in REPOSITORIES.items():
                item = next(item for item in example_records() if type(item) is model)
                getattr(transaction, name).save(item)
        assert all(getattr(store, name).count() == 1 for name in REPOSITORIES)
        assert store.sessions.get("example").client_action_lock == NO_ACTION

    def test_an_exception_discards_it(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        specimens = store.repository(Specimen)
        specimens.save(specimen("kept", tag="x"))
        with pytest.raises(KeyError), store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            repository.save(specimen("new"))
            repository.add(specimen("newer"))
            repository.delete("kept")
            raise KeyError
        assert contents(specimens) == [specimen("kept", tag="x")]

    def test_an_exception_discards_the_writes_to_every_repository(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        with pytest.raises(KeyError), store.transaction() as transaction:
            transaction.agents.save(_agent("a"))
            transaction.repository(Specimen).save(specimen("a"))
            raise KeyError
        assert store.agents.count() == 0
        assert store.repository(Specimen).count() == 0

    def test_an_empty_transaction(self, store: Store) -> None:
        with store.transaction():
            pass
        assert store.repository(Specimen).count() == 0

    def test_get_sees_what_is_stored_and_its_own_writes(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        store.repository(Specimen).save_many([specimen("a", number=1), specimen("b")])
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            assert repository.get("a") == specimen("a", number=1)
            repository.save(specimen("a", number=2))
            assert repository.get("a") == specimen("a", number=2)
            repository.add(specimen("c"))
            assert repository.get("c") == specimen("c")
            repository.delete("b")
            with pytest.raises(NotFoundError):
                repository.get("b")
            repository.add(specimen("b", number=9))
            assert repository.get("b").number == 9
            assert transaction.repository(Specimen).get("b").number == 9
        assert [item.number for item in contents(store.repository(Specimen))] == [2, 9, 0]

    def test_delete_and_save_of_the_same_record(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        specimens = store.repository(Specimen)
        specimens.save_many([specimen("a", tag="x"), specimen("b", tag="x")])
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            repository.delete("a")
            repository.save(specimen("a", tag="y"))
            repository.save(specimen("b", tag="y"))
            repository.delete("b")
            repository.save(specimen("c"))
            repository.delete("c")
        assert contents(specimens) == [specimen("a", tag="y")]
        assert specimens.pks(tag="x") == []

    def test_a_missing_record_is_not_found(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            with pytest.raises(NotFoundError) as caught:
                repository.get("z")
            assert caught.value.pks == ("z",)
        with pytest.raises(NotFoundError), store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("a"))
            transaction.repository(Specimen).delete("z")
        assert store.repository(Specimen).count() == 0

    def test_add_of_a_pk_that_is_taken(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        specimens = store.repository(Specimen)
        specimens.save(specimen("a", tag="first"))
        with pytest.raises(DuplicateError), store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("b"))
            transaction.repository(Specimen).add(specimen("a"))
        with pytest.raises(DuplicateError), store.transaction() as transaction:
            transaction.repository(Specimen).add(specimen("c"))
            transaction.repository(Specimen).add(specimen("c"))
        assert contents(specimens) == [specimen("a", tag="first")]

    def _conflict(self, open_store: OpenStore, read: Act, change: Act) -> None:
        """`change`, by another store, of what `read` relied on makes the transaction fail."""
        with open_store() as mine, open_store() as theirs:
            need(mine, Capability.WIDE_TRANSACTIONS)
            specimens = mine.repository(Specimen)
            specimens.save(specimen("a", number=1))
            with pytest.raises(ConflictError), mine.transaction() as transaction:
                repository = transaction.repository(Specimen)
                read(repository)
                repository.save(specimen("new"))
                with theirs.transaction() as other:
                    change(other.repository(Specimen))
                after = contents(specimens)
            assert contents(specimens) == after
            assert not specimens.exists(pk="new")

    @pytest.mark.parametrize(
        "change",
        [
            lambda repository: repository.save(specimen("a", number=5)),
            lambda repository: repository.delete("a"),
        ],
        ids=("save", "delete"),
    )
    @pytest.mark.parametrize(
        "read",
        [
            lambda repository: repository.get("a"),
            lambda repository: repository.delete("a"),
            lambda repository: repository.save(repository.get("a")),
        ],
        ids=("get", "delete", "get and save"),
    )
    def test_a_change_of_what_it_read_is_a_conflict(
        self, open_store: OpenStore, read: Act, change: Act
    ) -> None:
        self._conflict(open_store, read, change)

    def test_the_arrival_of_what_it_found_absent_is_a_conflict(self, open_store: OpenStore) -> None:
        def look_for(repository: TransactionRepository[Specimen]) -> None:
            with pytest.raises(NotFoundError):
                repository.get("b")

        self._conflict(open_store, look_for, lambda other: other.save(specimen("b")))

    def test_the_arrival_of_what_it_adds_fails_it(self, open_store: OpenStore) -> None:
        with open_store() as mine, open_store() as theirs:
            need(mine, Capability.WIDE_TRANSACTIONS)
            with (
                pytest.raises((ConflictError, DuplicateError)),
                mine.transaction() as transaction,
            ):
                transaction.repository(Specimen).save(specimen("new"))
                transaction.repository(Specimen).add(specimen("a", tag="mine"))
                theirs.repository(Specimen).add(specimen("a", tag="theirs"))
            assert contents(mine.repository(Specimen)) == [specimen("a", tag="theirs")]

    def test_what_it_did_not_read_may_change(self, open_store: OpenStore) -> None:
        with open_store() as mine, open_store() as theirs:
            need(mine, Capability.WIDE_TRANSACTIONS)
            specimens = theirs.repository(Specimen)
            specimens.save_many([specimen("a"), specimen("b")])
            with mine.transaction() as transaction:
                repository = transaction.repository(Specimen)
                repository.get("a")
                repository.save(specimen("c", tag="mine"))
                specimens.save(specimen("b", tag="theirs"))
                specimens.save(specimen("c", tag="theirs"))
            assert [item.tag for item in contents(specimens)] == ["", "theirs", "mine"]

    @pytest.mark.parametrize("fails", [False, True])
    def test_a_transaction_of_one_record(self, store: Store, fails: bool) -> None:
        specimens = store.repository(Specimen)
        specimens.save(specimen("a", number=1, tag="x"))
        try:
            with store.transaction() as transaction:
                repository = transaction.repository(Specimen)
                item = repository.get("a")
                repository.delete("a")
                with pytest.raises(NotFoundError):
                    repository.get("a")
                repository.add(specimen("a", number=item.number + 1, tag="y"))
                assert specimens.get("a").number == 1
                _fail(fails)
        except KeyError:
            pass
        expected = specimen("a", number=1, tag="x") if fails else specimen("a", number=2, tag="y")
        assert contents(specimens) == [expected]
        assert specimens.count(tag="x") == (1 if fails else 0)

    def test_a_conflict_on_one_record(self, open_store: OpenStore) -> None:
        with open_store() as mine, open_store() as theirs:
            mine.repository(Specimen).save(specimen("a", number=1))
            with pytest.raises(ConflictError), mine.transaction() as transaction:
                repository = transaction.repository(Specimen)
                repository.save(specimen("a", number=repository.get("a").number + 1))
                theirs.repository(Specimen).save(specimen("a", number=10))
            assert contents(mine.repository(Specimen)) == [specimen("a", number=10)]

    def test_a_conflict_can_be_tried_again(self, store: Store) -> None:
        specimens = store.repository(Specimen)
        specimens.save(specimen("a", number=1))
        attempts = 0
        while True:
            attempts += 1
            try:
                with store.transaction() as transaction:
                    item = transaction.repository(Specimen).get("a")
                    if attempts == 1:
                        specimens.save(specimen("a", number=10))
                    item.number += 1
                    transaction.repository(Specimen).save(item)
                break
            except ConflictError:
                continue
        assert attempts == 2
        assert specimens.get("a").number == 11

    @pytest.mark.parametrize("fails", [False, True])
    def test_it_cannot_be_used_after_its_end(self, store: Store, fails: bool) -> None:
        try:
            with store.transaction() as transaction:
                repository = transaction.repository(Specimen)
                repository.save(specimen("a"))
                _fail(fails)
        except KeyError:
            pass
        calls: list[Callable[[], object]] = [
            lambda: repository.get("a"),
            lambda: repository.save(specimen("b")),
            lambda: repository.add(specimen("b")),
            lambda: repository.delete("a"),
            lambda: transaction.agents,
        ]
        for call in calls:
            with pytest.raises(TransactionError):
                call()
        assert store.repository(Specimen).count() == (0 if fails else 1)

    def test_it_may_go_on_after_an_error_that_was_caught(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        specimens = store.repository(Specimen)
        specimens.save(specimen("a"))
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            with pytest.raises(DuplicateError):
                repository.add(specimen("a"))
            with pytest.raises(NotFoundError):
                repository.get("z")
            repository.save(specimen("b"))
        assert pks_of(contents(specimens)) == ["a", "b"]

    def test_two_transactions_one_after_the_other(self, store: Store) -> None:
        for number in (1, 2):
            with store.transaction() as transaction:
                transaction.repository(Specimen).save(specimen("a", number=number))
        assert contents(store.repository(Specimen)) == [specimen("a", number=2)]
