"""The upkeep of a store: faults of its indexes, and what it says of itself."""

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import pytest

from simstore.domain.errors import CorruptRecordError
from simstore.domain.maintenance import FaultKind, IndexFault
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, need
from simstore.testing.contract.definitions import NUMBER, TEXT, TEXTS, WORDS, defined
from simstore.testing.contract.expiry import AFTERWARDS, SHORT
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Specimen, Ticket

KINDS: tuple[FaultKind, ...] = ("missing", "stale", "orphaned")


class MaintenanceContract(Binding):
    """What is written through the port leaves no fault; one that was made past it is mended."""

    @pytest.fixture
    def three_more(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """a, b and c, each with words and lists."""
        specimens.save_many(
            specimen(pk, tag="x", number=n, labels=["l", pk], bio="two words", motto="my words")
            for n, pk in enumerate("abc")
        )
        return specimens

    def _faults(
        self, repository: Repository[Specimen], *, repair: bool = False
    ) -> Sequence[IndexFault]:
        return sorted(
            repository.index_faults(repair=repair), key=lambda fault: (fault.pk, fault.index)
        )

    def test_what_is_written_leaves_no_index_fault(
        self, store: Store, three_more: Repository[Specimen]
    ) -> None:
        assert self._faults(three_more) == []
        three_more.save(specimen("a", tag="y", labels=["l", "m"], motto=None, mixed=1))
        three_more.save(specimen("d", tag="", score=1.0, mixed=True), ttl=3_600)
        three_more.add(specimen("e", mixed="1", labels=["l", "l"]))
        three_more.update("b", lambda item: item.model_copy(update={"labels": [], "bio": ""}))
        three_more.delete("c")
        with store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("e", mixed=1.5, marks=[1]))
        assert self._faults(three_more) == []
        three_more.delete_many(tag="y")
        assert pks_of(contents(three_more)) == ["b", "d", "e"]
        assert self._faults(three_more) == []

    def test_a_record_that_has_expired_is_no_fault(self, three_more: Repository[Specimen]) -> None:
        three_more.save(specimen("a", tag="mortal", labels=["l"]), ttl=SHORT)
        three_more.add(specimen("m", tag="mortal"), ttl=SHORT)
        self.advance(AFTERWARDS)
        assert self._faults(three_more) == []
        assert self._faults(three_more, repair=True) == []
        assert pks_of(contents(three_more)) == ["b", "c"]
        three_more.save(specimen("a", tag="mortal", labels=["l"]))
        assert three_more.pks(tag="mortal") == three_more.pks(field("number") <= 0) == ["a"]
        assert self._faults(three_more) == []

    def test_a_record_that_cannot_be_read_is_no_fault(
        self, store: Store, three_more: Repository[Specimen]
    ) -> None:
        self.write_raw(store, three_more.collection, "b", '{"pk": "b", "number": "many"}')
        assert self._faults(three_more) == []
        assert self._faults(three_more, repair=True) == []
        with pytest.raises(CorruptRecordError):
            three_more.find(tag="x")  # it was there, and is not left out in silence
        assert three_more.find(number=0) == [three_more.get("a")]

    def test_indexes_that_were_made_for_another_definition_are_no_fault(self, store: Store) -> None:
        old = defined({"x": (TEXT, ""), "n": (int, 0), "l": (TEXTS, []), "w": (str, "")})
        new = defined({"x": (str, ""), "n": (NUMBER, 0), "l": (TEXTS, []), "w": (WORDS, "")})
        store.repository(old).save(old(pk="a", x="one", n=2, l=["l"], w="two words"))
        changed = store.repository(new)
        assert list(changed.index_faults()) == []
        assert list(changed.index_faults(repair=True)) == []
        assert changed.pks(n=2) == changed.pks(field("w").matches("words")) == ["a"]

    def test_to_repair_what_has_no_fault_changes_nothing(
        self, three_more: Repository[Specimen]
    ) -> None:
        before = [three_more.get_versioned(pk) for pk in "abc"]
        assert self._faults(three_more, repair=True) == []
        assert [three_more.get_versioned(pk) for pk in "abc"] == before
        self._check_found(three_more)

    def test_a_collection_without_records_has_no_faults(
        self, specimens: Repository[Specimen]
    ) -> None:
        assert self._faults(specimens) == []
        assert self._faults(specimens, repair=True) == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_fault_is_named_and_mended(
        self, store: Store, three_more: Repository[Specimen], kind: FaultKind
    ) -> None:
        records = contents(three_more)
        versions = [three_more.get_versioned(pk)[1] for pk in "abc"]
        at = "z" if kind == "orphaned" else "b"
        self.spoil_index(store, three_more.collection, at, kind)
        fault = IndexFault(kind, three_more.collection, at, "tag")
        assert self._faults(three_more) == [fault]
        assert self._faults(three_more) == [fault], "a check alone mended it"
        assert self._faults(three_more, repair=True) == [fault]
        assert self._faults(three_more) == []
        assert contents(three_more) == records
        assert [three_more.get_versioned(pk)[1] for pk in "abc"] == versions
        self._check_found(three_more)

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_time_that_is_left_outlives_a_repair(
        self, store: Store, three_more: Repository[Specimen], kind: FaultKind
    ) -> None:
        # Long enough for slow machines: it must not have expired before it is mended.
        three_more.save(specimen("m", tag="x"), ttl=1)
        self.spoil_index(store, three_more.collection, "z" if kind == "orphaned" else "m", kind)
        assert len(self._faults(three_more, repair=True)) == 1
        self.advance(1.1)
        self._check_found(three_more)

    def test_a_repair_is_of_one_collection(
        self, store: Store, three_more: Repository[Specimen]
    ) -> None:
        tickets = store.repository(Ticket)
        tickets.save_many(Ticket(pk=pk, owner="me", expire_time=3_600) for pk in "bz")
        self.spoil_index(store, three_more.collection, "b", "missing")
        self.spoil_index(store, three_more.collection, "z", "orphaned")
        assert list(tickets.index_faults(repair=True)) == []
        assert len(self._faults(three_more, repair=True)) == 2
        assert self._faults(three_more) == list(tickets.index_faults()) == []
        assert tickets.pks(owner="me") == ["b", "z"]
        self._check_found(three_more)

    def test_many_faults_are_all_mended(
        self, store: Store, specimens: Repository[Specimen]
    ) -> None:
        pks = [f"{n:04}" for n in range(450)]
        specimens.save_many(specimen(pk, tag="x") for pk in pks)
        wrong = pks[::15]
        for pk in wrong:
            self.spoil_index(store, specimens.collection, pk, "missing")
            self.spoil_index(store, specimens.collection, f"z{pk}", "orphaned")
        assert [fault.pk for fault in self._faults(specimens, repair=True)] == [
            *wrong,
            *(f"z{pk}" for pk in wrong),
        ]
        assert self._faults(specimens) == []
        assert specimens.pks(tag="x") == pks

    def _check_found(self, repository: Repository[Specimen]) -> None:
        """Each of a, b and c is found by its values, and nothing else is."""
        assert repository.pks(tag="x") == repository.pks(field("tag") > "") == list("abc")
        assert repository.pks(field("tag") != "x") == []
        assert repository.count() == repository.count(field("tag").startswith("")) == 3
        assert repository.pks(number=1) == repository.pks(field("labels").contains("b")) == ["b"]
        assert repository.count(field("bio").matches("WORDS two")) == 3
        assert repository.project(["pk", "tag"], field("number") > 0) == [
            {"pk": pk, "tag": "x"} for pk in "bc"
        ]

    def test_an_inspection_is_of_texts(self, store: Store) -> None:
        inspection = store.inspect()
        for name, fact in inspection.facts.items():
            assert isinstance(name, str)
            assert isinstance(fact, str)
            assert name
            assert fact
        assert isinstance(inspection.warnings, tuple)
        assert all(isinstance(warning, str) for warning in inspection.warnings)
        assert all(inspection.warnings)

    def test_an_inspection_does_not_tell_the_password(self, store: Store) -> None:
        password = urlsplit(self.full_url(store)).password
        if password is None:
            pytest.skip("the store's URL has no password")
        inspection = store.inspect()
        assert password not in repr(inspection)
        assert unquote(password) not in repr(inspection)

    def test_what_outlives_the_process_says_what_it_is(self, store: Store) -> None:
        need(store, Capability.PERSISTENCE)
        assert store.inspect().facts
