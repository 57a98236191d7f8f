"""Time to live."""

from datetime import timedelta

import pytest

from simstore.domain.errors import InvalidArgumentError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository, Ttl
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, need
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Specimen, Ticket

SHORT = 0.05
"""Seconds that a mortal record lives."""

AFTERWARDS = 0.08
"""Seconds after which it is gone."""

LONG = 3_600


class ExpiryContract(Binding):
    """An expired record is gone from every answer; one that has not expired is in all of them."""

    @pytest.fixture
    def expired(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """b, d and e have expired; a never will, and c will in an hour."""
        specimens.save(specimen("a", tag="x", number=1, labels=["l"], bio="word"))
        specimens.save(specimen("c", tag="x", number=3, labels=["l"], bio="word"), ttl=LONG)
        mortal = [
            specimen(pk, tag="x", number=2, labels=["l"], bio="word", plain_number=7) for pk in "bd"
        ]
        last = specimen("e", tag="x", number=2, plain_number=7)
        specimens.save_many(mortal, ttl=SHORT)
        specimens.add(last, ttl=timedelta(seconds=SHORT))
        self.advance(AFTERWARDS)
        return specimens

    def test_an_expired_record_is_in_no_answer(self, expired: Repository[Specimen]) -> None:
        assert pks_of(contents(expired)) == list("ac")
        assert expired.count() == 2
        assert expired.pks() == list("ac")
        assert pks_of(expired.iterate(batch_size=1)) == list("ac")
        assert not expired.exists(pk="b")
        assert pks_of(expired.find(order_by="-number")) == list("ca")
        assert pks_of(expired.find(order_by="plain_number")) == list("ac")
        assert pks_of(expired.find(limit=1, offset=1)) == ["c"]
        assert pks_of(expired.find(after="a", limit=1)) == ["c"]
        assert expired.project(["pk"]) == [{"pk": "a"}, {"pk": "c"}]
        assert expired.project(["number"]) == [{"number": 1}, {"number": 3}]
        assert expired.project(["plain_number"]) == [{"plain_number": 0}] * 2

    def test_an_expired_record_is_in_no_index(self, expired: Repository[Specimen]) -> None:
        for condition in (
            field("tag") == "x",
            field("labels").contains("l"),
            field("number") > 0,
            field("bio").matches("word"),
            field("tag").startswith("x"),
            field("tag") != "y",
        ):
            assert pks_of(expired.find(condition)) == list("ac")
            assert expired.pks(condition) == list("ac")
            assert expired.count(condition) == 2
            assert pks_of(expired.iterate(condition)) == list("ac")
            assert [row["pk"] for row in expired.project(["pk", "tag"], condition)] == list("ac")
        assert expired.count(number=2) == 0
        assert not expired.exists(number=2)
        assert expired.first(number=2) is None
        assert expired.find(plain_number=7) == []

    def test_an_expired_record_is_not_found_by_its_pk(self, expired: Repository[Specimen]) -> None:
        with pytest.raises(NotFoundError):
            expired.get("b")
        with pytest.raises(NotFoundError):
            expired.get_versioned("b")
        with pytest.raises(NotFoundError) as caught:
            expired.get_many(["a", "b", "d"])
        assert caught.value.pks == ("b", "d")
        assert pks_of(expired.get_many(["d", "c", "b"], missing="skip")) == ["c"]
        with pytest.raises(NotFoundError):
            expired.update("b", lambda item: item)
        with pytest.raises(NotFoundError):
            expired.delete("b")
        with pytest.raises(NotFoundError):
            expired.one(number=2)

    def test_delete_many_does_not_count_what_has_expired(
        self, expired: Repository[Specimen]
    ) -> None:
        assert expired.delete_many(["b", "c", "e"]) == 1
        assert expired.delete_many(tag="x") == 1
        assert contents(expired) == []

    def test_add_takes_the_pk_of_an_expired_record(self, expired: Repository[Specimen]) -> None:
        expired.add(specimen("b", tag="new"))
        assert expired.get("b") == specimen("b", tag="new")
        assert expired.pks(tag="x") == list("ac")

    def test_a_record_saved_anew_after_its_end_lives_on(
        self, expired: Repository[Specimen]
    ) -> None:
        expired.save(specimen("d", tag="x"))
        assert expired.pks(tag="x") == list("acd")
        self.advance(AFTERWARDS)
        assert expired.pks(tag="x") == list("acd")

    def test_a_transaction_does_not_see_it(
        self, store: Store, expired: Repository[Specimen]
    ) -> None:
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            with pytest.raises(NotFoundError):
                repository.get("b")
            repository.add(specimen("b", tag="new"))
        assert expired.get("b").tag == "new"

    def test_saving_without_a_ttl_makes_it_immortal(self, specimens: Repository[Specimen]) -> None:
        for pk in "abc":
            specimens.save(specimen(pk, tag="x"), ttl=SHORT * 4)
        specimens.save(specimen("a", tag="x"))
        specimens.save_many([specimen("b", tag="x")])
        specimens.save(specimen("c", tag="x"), ttl=LONG)
        self.advance(AFTERWARDS * 3)
        assert pks_of(contents(specimens)) == list("abc")
        assert specimens.count(tag="x") == 3

    def test_saving_with_a_ttl_makes_it_mortal(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="x"))
        specimens.save(specimen("a", tag="x"), ttl=SHORT)
        self.advance(AFTERWARDS)
        assert contents(specimens) == []
        assert specimens.count(tag="x") == 0

    def test_update_keeps_the_time_that_is_left(self, specimens: Repository[Specimen]) -> None:
        # Long enough for slow machines: the record must not have expired before its update.
        specimens.save(specimen("mortal"), ttl=1)
        specimens.save(specimen("immortal"))
        for pk in ("mortal", "immortal"):
            specimens.update(pk, lambda item: item.model_copy(update={"tag": "x"}))
        self.advance(1.1)
        assert pks_of(contents(specimens)) == ["immortal"]
        assert specimens.pks(tag="x") == ["immortal"]

    def test_update_with_a_ttl_counts_from_then(self, store: Store) -> None:
        specimens = store.repository(Specimen)
        tickets = store.repository(Ticket)
        specimens.save(specimen("immortal"))
        specimens.save(specimen("longer"), ttl=1)
        tickets.save(Ticket(pk="shorter"))
        specimens.update("immortal", lambda item: item, ttl=SHORT)
        specimens.update("longer", lambda item: item, ttl=LONG)
        tickets.update("shorter", lambda item: item, ttl=timedelta(seconds=SHORT))
        self.advance(1.1)
        assert pks_of(contents(specimens)) == ["longer"]
        assert tickets.pks() == []

    def test_a_ttl_within_a_transaction(self, store: Store) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        specimens = store.repository(Specimen)
        with store.transaction() as transaction:
            repository = transaction.repository(Specimen)
            repository.save(specimen("saved"), ttl=SHORT)
            repository.add(specimen("added"), ttl=timedelta(seconds=SHORT))
            repository.save(specimen("immortal"))
            repository.save(specimen("long"), ttl=LONG)
        self.advance(AFTERWARDS)
        assert pks_of(contents(specimens)) == ["immortal", "long"]

    def test_expire_time_counts_from_the_last_save(self, store: Store) -> None:
        tickets = store.repository(Ticket)
        tickets.save(Ticket(pk="short", expire_time=3))
        tickets.save(Ticket(pk="updated", expire_time=3))
        tickets.save(Ticket(pk="updated with others", expire_time=3, owner="them"))
        tickets.save(Ticket(pk="longer", expire_time=3), ttl=LONG)
        tickets.save(Ticket(pk="default"))
        # The middle of the three seconds, then of what is left of the next: room for slow machines.
        self.advance(1.7)
        tickets.update("updated", lambda item: item.model_copy(update={"owner": "me"}))
        assert tickets.update_many(lambda item: item, owner="them") == 1
        self.advance(1.6)
        assert tickets.pks() == ["default", "longer", "updated", "updated with others"]
        assert tickets.pks(owner="me") == ["updated"]

    def test_a_record_may_live_for_ages(self, store: Store) -> None:
        tickets = store.repository(Ticket)
        tickets.save(Ticket(pk="model", expire_time=2**62))
        tickets.save(Ticket(pk="float"), ttl=1e18)
        tickets.save(Ticket(pk="timedelta"), ttl=timedelta.max)
        tickets.update("model", lambda item: item.model_copy(update={"owner": "me"}))
        assert tickets.pks() == ["float", "model", "timedelta"]
        assert tickets.get("model").expire_time == 2**62

    @pytest.mark.parametrize(
        "ttl",
        [0, 0.0, -1, -0.5, timedelta(0), timedelta(seconds=-1), float("nan"), float("inf")],
        ids=repr,
    )
    def test_a_ttl_is_positive(self, store: Store, ttl: Ttl) -> None:
        specimens = store.repository(Specimen)
        specimens.save(specimen("a", tag="old"))
        with pytest.raises(InvalidArgumentError):
            specimens.save(specimen("a"), ttl=ttl)
        with pytest.raises(InvalidArgumentError):
            specimens.add(specimen("b"), ttl=ttl)
        with pytest.raises(InvalidArgumentError):
            specimens.save_many([specimen("b"), specimen("c")], ttl=ttl)
        with pytest.raises(InvalidArgumentError):
            specimens.update("a", lambda item: item.model_copy(update={"tag": "new"}), ttl=ttl)
        with pytest.raises(InvalidArgumentError), store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("b"), ttl=ttl)
        assert contents(specimens) == [specimen("a", tag="old")]
