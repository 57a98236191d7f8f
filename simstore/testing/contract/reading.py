"""get, get_many, iterate, first, one, count, exists and pks."""

import pytest

from simstore.domain.errors import MultipleFoundError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import pks_of, specimen
from simstore.testing.models import Specimen


class ReadingContract(Binding):
    """Each way to read gives the same records."""

    @pytest.fixture
    def ten(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """Records 0 to 9, saved in another order; the even ones tagged so."""
        specimens.save_many(
            specimen(str(n), number=n, tag="odd" if n % 2 else "even", plain_number=n)
            for n in (3, 1, 4, 5, 9, 2, 6, 8, 7, 0)
        )
        return specimens

    def test_the_repository_says_whose_records_it_has(
        self, specimens: Repository[Specimen]
    ) -> None:
        assert specimens.model is Specimen
        assert specimens.collection == "Specimen"

    def test_get_of_a_missing_record(self, ten: Repository[Specimen]) -> None:
        with pytest.raises(NotFoundError) as caught:
            ten.get("z")
        assert caught.value.pks == ("z",)
        assert caught.value.collection == "Specimen"

    def test_get_many_keeps_the_order_and_duplicates(self, ten: Repository[Specimen]) -> None:
        assert pks_of(ten.get_many(["7", "2", "7", "0"])) == ["7", "2", "7", "0"]

    def test_get_many_takes_an_iterator(self, ten: Repository[Specimen]) -> None:
        assert pks_of(ten.get_many(pk for pk in "31")) == ["3", "1"]

    def test_get_many_of_nothing(self, ten: Repository[Specimen]) -> None:
        assert ten.get_many([]) == []

    def test_get_many_names_every_missing_pk(self, ten: Repository[Specimen]) -> None:
        missing = [f"z{n}" for n in range(12)]
        with pytest.raises(NotFoundError) as caught:
            ten.get_many(["1", *missing, "2"])
        assert caught.value.pks == tuple(missing)

    def test_get_many_skips_what_is_missing_when_told_to(self, ten: Repository[Specimen]) -> None:
        found = ten.get_many(["z", "5", "y", "3", "5"], missing="skip")
        assert pks_of(found) == ["5", "3", "5"]

    def test_get_many_beyond_one_batch(self, specimens: Repository[Specimen]) -> None:
        pks = [f"{n:04}" for n in range(1_100)]
        specimens.save_many(specimen(pk) for pk in pks)
        assert pks_of(specimens.get_many(reversed(pks))) == pks[::-1]

    @pytest.mark.parametrize("batch_size", [1, 2, 3, 9, 10, 11, 1_000])
    def test_iterate_gives_every_record_once_whatever_the_batch(
        self, ten: Repository[Specimen], batch_size: int
    ) -> None:
        assert pks_of(ten.iterate(batch_size=batch_size)) == list("0123456789")

    @pytest.mark.parametrize("batch_size", [1, 2, 4, 5, 6])
    def test_iterate_takes_conditions(self, ten: Repository[Specimen], batch_size: int) -> None:
        assert pks_of(ten.iterate(batch_size=batch_size, tag="even")) == list("02468")
        few = field("plain_number").in_([1, 8, 9])
        assert pks_of(ten.iterate(few, batch_size=batch_size)) == list("189")

    def test_iterate_goes_on_when_read_records_are_deleted(self, ten: Repository[Specimen]) -> None:
        seen = []
        for item in ten.iterate(batch_size=2):
            seen.append(item.pk)
            ten.delete(item.pk)
        assert seen == list("0123456789")
        assert ten.count() == 0

    def test_iterate_survives_deletes_and_inserts_ahead(self, ten: Repository[Specimen]) -> None:
        running = ten.iterate(batch_size=2)
        seen = [next(running).pk, next(running).pk]
        ten.delete_many(["0", "7"])
        ten.save(specimen("00"))
        ten.save(specimen("5.5"))
        seen += pks_of(running)
        stayed = [pk for pk in "0123456789" if pk not in "07"]
        assert [pk for pk in seen if pk in stayed] == stayed
        assert len(seen) == len(set(seen))

    def test_iterate_is_lazy(self, ten: Repository[Specimen]) -> None:
        running = ten.iterate(batch_size=2)
        first = next(running)
        ten.delete_many(["8", "9"])
        assert pks_of([first, *running]) == list("01234567")

    def test_first_is_the_first_that_find_returns(self, ten: Repository[Specimen]) -> None:
        found = ten.first()
        assert found is not None
        assert found.pk == "0"
        found = ten.first(field("number") < 8, order_by="-number", tag="odd")
        assert found is not None
        assert found.pk == "7"

    def test_first_of_nothing_is_none(self, ten: Repository[Specimen]) -> None:
        assert ten.first(tag="none") is None

    def test_one_is_the_only_one(self, ten: Repository[Specimen]) -> None:
        assert ten.one(number=4).pk == "4"
        assert ten.one(field("number") > 6, tag="even").pk == "8"

    def test_one_of_none(self, ten: Repository[Specimen]) -> None:
        with pytest.raises(NotFoundError):
            ten.one(tag="none")

    def test_one_of_several(self, ten: Repository[Specimen]) -> None:
        with pytest.raises(MultipleFoundError):
            ten.one(tag="even")

    def test_count(self, ten: Repository[Specimen]) -> None:
        assert ten.count() == 10
        assert ten.count(tag="even") == 5
        assert ten.count(field("plain_number") >= 7) == 3
        assert ten.count(field("plain_number") >= 7, tag="even") == 1
        assert ten.count(tag="none") == 0

    def test_exists(self, ten: Repository[Specimen]) -> None:
        assert ten.exists()
        assert ten.exists(pk="3")
        assert not ten.exists(pk="33")
        assert ten.exists(field("plain_number") == 3, tag="odd")
        assert not ten.exists(field("plain_number") == 3, tag="even")

    def test_nothing_exists_in_an_empty_repository(self, specimens: Repository[Specimen]) -> None:
        assert not specimens.exists()
        assert specimens.first() is None

    def test_pks_are_those_of_find(self, ten: Repository[Specimen]) -> None:
        assert ten.pks() == list("0123456789")
        assert ten.pks(tag="even") == list("02468")
        assert ten.pks(field("plain_number") > 6) == list("789")

    def test_pks_come_in_pages(self, ten: Repository[Specimen]) -> None:
        assert ten.pks(limit=3) == list("012")
        assert ten.pks(limit=3, after="2") == list("345")
        assert ten.pks(limit=0) == []
        assert ten.pks(after="9") == []
        assert ten.pks(tag="odd", after="4", limit=2) == list("57")
        assert ten.pks(field("plain_number") > 1, after="4", limit=2) == list("56")

    def test_the_page_after_a_pk_that_is_gone(self, ten: Repository[Specimen]) -> None:
        ten.delete("4")
        assert ten.pks(after="4", limit=2) == list("56")
        assert pks_of(ten.find(after="4", limit=2)) == list("56")
