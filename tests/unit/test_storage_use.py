"""How often the shared repository asks its storage, and for how much."""

from collections.abc import Callable, Iterator

import pytest

from simstore.adapters.reading import DOCUMENTS_AT_A_TIME
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.testing import Specimen
from tests.unit.storages import Spy, store_on

MANY = 250


@pytest.fixture
def spy() -> Spy:
    return Spy()


@pytest.fixture
def specimens(spy: Spy) -> Iterator[Repository[Specimen]]:
    """250 records; their numbers fall as their pks rise, and every tenth is tagged "ten"."""
    with store_on(spy) as store:
        repository = store.repository(Specimen)
        repository.save_many(
            Specimen(
                pk=f"{n:03}", number=MANY - n, plain_number=n, tag="ten" if n % 10 == 0 else "x"
            )
            for n in range(MANY)
        )
        spy.forget()
        yield repository


@pytest.mark.parametrize(
    "call",
    [
        lambda r: r.pks(),
        lambda r: r.pks(tag="ten"),
        lambda r: r.pks(tag="ten", limit=3, after="020"),
        lambda r: r.pks((field("number") > 5) & ~(field("tag") == "ten")),
        lambda r: r.pks(pk="001"),
        lambda r: r.count(),
        lambda r: r.count(tag="ten"),
        lambda r: r.count(field("tag") != "ten", number=7),
        lambda r: r.exists(),
        lambda r: r.exists(tag="ten"),
        lambda r: r.exists(pk="001"),
        lambda r: r.project(["tag"]),
        lambda r: r.project(["pk"]),
        lambda r: r.project(["pk", "number", "level", "labels"], tag="ten"),
        lambda r: r.project(["tag"], pk="001"),
        lambda r: r.explain(plain_number=3),
        lambda r: r.find(tag="none"),
        lambda r: r.find(tag="ten", limit=0),
        lambda r: r.delete_many(["001", "002"]),
    ],
)
def test_what_fetches_no_document(
    spy: Spy, specimens: Repository[Specimen], call: Callable[[Repository[Specimen]], object]
) -> None:
    call(specimens)
    assert sum(spy.fetched) == 0
    assert len(spy.found) + len(spy.written) + spy.counts + spy.projections <= 1


def test_an_existence_asks_for_one_pk(spy: Spy, specimens: Repository[Specimen]) -> None:
    assert specimens.exists(tag="ten")
    assert spy.found == [1]


def test_a_find_of_ten_is_one_search_and_one_fetch(
    spy: Spy, specimens: Repository[Specimen]
) -> None:
    assert len(specimens.find(tag="ten", limit=10)) == 10
    assert (spy.found, spy.fetched) == ([10], [10])
    spy.forget()
    assert len(specimens.find(limit=10, after="100")) == 10
    assert (spy.found, spy.fetched) == ([10], [10])
    spy.forget()
    assert len(specimens.find(tag="ten")) == 25
    assert (spy.found, spy.fetched) == ([25], [25])


def test_what_is_skipped_is_not_fetched(spy: Spy, specimens: Repository[Specimen]) -> None:
    assert len(specimens.find(tag="ten", offset=20, limit=2)) == 2
    assert (spy.found, spy.fetched) == ([22], [2])


def test_first_and_one_fetch_no_more_than_they_need(
    spy: Spy, specimens: Repository[Specimen]
) -> None:
    assert specimens.first(tag="ten") is not None
    assert (spy.found, spy.fetched) == ([1], [1])
    spy.forget()
    assert specimens.one(number=7).number == 7
    assert (spy.found, spy.fetched) == ([1], [1])


def test_a_get_is_one_fetch(spy: Spy, specimens: Repository[Specimen]) -> None:
    specimens.get("001")
    specimens.get_versioned("001")
    assert (spy.found, spy.fetched) == ([], [1, 1])


def test_get_many_fetches_in_batches(spy: Spy, specimens: Repository[Specimen]) -> None:
    assert DOCUMENTS_AT_A_TIME == 100
    assert len(specimens.get_many([f"{n:03}" for n in range(MANY)])) == MANY
    assert (spy.found, spy.fetched) == ([], [100, 100, 50])


@pytest.mark.parametrize("batch_size", [1, 7, 100, 1_000])
def test_iterate_holds_no_more_than_a_batch(
    spy: Spy, specimens: Repository[Specimen], batch_size: int
) -> None:
    for where in ({}, {"tag": "x"}, {"plain_level": 0}):
        spy.forget()
        iterator = specimens.iterate(batch_size=batch_size, **where)
        assert spy.fetched == []
        next(iterator)
        assert len(spy.fetched) == 1
        rest = sum(1 for _ in iterator)
        assert max(spy.fetched) <= batch_size
        assert sum(spy.fetched) == rest + 1
        assert len(spy.fetched) == -(-(rest + 1) // batch_size)


def test_a_scan_that_is_cut_short_reads_no_further(
    spy: Spy, specimens: Repository[Specimen]
) -> None:
    assert specimens.first(plain_number=50) is not None
    assert spy.fetched == [100]
    spy.forget()
    assert len(specimens.find(field("plain_number") >= 90, limit=15)) == 15
    assert spy.fetched == [100, 100]


@pytest.mark.parametrize("number", [1, 10, 1_234])
def test_a_save_many_is_one_write(spy: Spy, number: int) -> None:
    with store_on(spy) as store:
        store.repository(Specimen).save_many(Specimen(pk=f"{n}") for n in range(number))
    assert spy.written == [number]
    assert (spy.found, spy.fetched) == ([], [])


def test_a_delete_many_of_pks_is_one_write(spy: Spy, specimens: Repository[Specimen]) -> None:
    assert specimens.delete_many([f"{n:03}" for n in range(MANY)]) == MANY
    assert (spy.written, spy.found, spy.fetched) == ([MANY], [], [])


def test_an_update_is_a_fetch_and_a_write(spy: Spy, specimens: Repository[Specimen]) -> None:
    specimens.update("001", lambda item: item.model_copy(update={"tag": "new"}))
    assert (spy.found, spy.fetched, spy.written) == ([], [1], [1])


def test_a_transaction_is_one_write(spy: Spy) -> None:
    with store_on(spy) as store:
        with store.transaction() as transaction:
            for n in range(5):
                transaction.repository(Specimen).save(Specimen(pk=f"{n}"))
        assert (spy.written, spy.fetched) == ([5], [])


@pytest.mark.parametrize("order_by", ["number", "-number", "tag", "-score"])
def test_a_page_in_the_order_of_an_indexed_field_fetches_that_page(
    spy: Spy, specimens: Repository[Specimen], order_by: str
) -> None:
    assert len(specimens.find(order_by=order_by, limit=5, offset=10)) == 5
    assert (spy.projections, spy.fetched) == (1, [5])
    spy.forget()
    assert specimens.first(order_by=order_by) is not None
    assert (spy.projections, spy.fetched) == (1, [1])
    spy.forget()
    assert len(specimens.find(order_by=order_by, limit=3, tag="ten")) == 3
    assert spy.fetched == [3]


def test_a_projection_of_other_fields_fetches_what_fulfils(
    spy: Spy, specimens: Repository[Specimen]
) -> None:
    assert len(specimens.project(["plain_number", "tag"], tag="ten")) == 25
    assert spy.fetched == [25]
