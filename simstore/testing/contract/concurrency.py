"""Several threads and several stores on one database at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TypeVar

from simstore.domain.errors import ConflictError, DuplicateError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, OpenStore, need
from simstore.testing.contract.helpers import contents, specimen
from simstore.testing.models import Specimen

STORES = 2
THREADS = 3
"""For each store."""
ROUNDS = 10

R = TypeVar("R")
Work = Callable[[Store, int], R]


def race(open_store: OpenStore, work: Work[R]) -> list[R]:
    """What `work` returns in each of several threads of several stores that start together."""
    workers = STORES * THREADS
    start = Barrier(workers)

    def run(store: Store, number: int) -> R:
        store.repository(Specimen).count()
        start.wait(timeout=30)
        return work(store, number)

    with ExitStack() as stack:
        stores = [stack.enter_context(open_store()) for _ in range(STORES)]
        with ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(run, stores[n % STORES], n) for n in range(workers)]
            return [future.result(timeout=60) for future in futures]


class ConcurrencyContract(Binding):
    """Nothing is lost, doubled or half done, whoever writes at the same time."""

    def test_no_update_is_lost(self, open_store: OpenStore, store: Store) -> None:
        specimens = store.repository(Specimen)
        specimens.save(specimen("a", number=0, tag="0"))

        def increment(item: Specimen) -> None:
            item.number += 1
            item.tag = str(item.number)

        def work(mine: Store, _: int) -> None:
            for _ in range(ROUNDS):
                mine.repository(Specimen).update("a", increment)

        race(open_store, work)
        total = STORES * THREADS * ROUNDS
        assert contents(specimens) == [specimen("a", number=total, tag=str(total))]
        assert specimens.pks(tag=str(total)) == ["a"]
        assert specimens.count(field("tag") != str(total)) == 0

    def test_no_update_of_many_is_lost(self, open_store: OpenStore, store: Store) -> None:
        specimens = store.repository(Specimen)
        specimens.save_many(specimen(str(n), tag=f"t{n % 2}") for n in range(ROUNDS))

        def increment(item: Specimen) -> None:
            item.number += 1

        def work(mine: Store, number: int) -> int:
            repository = mine.repository(Specimen)
            tag = f"t{number % 2}"
            return sum(repository.update_many(increment, tag=tag) for _ in range(ROUNDS))

        workers = STORES * THREADS
        assert race(open_store, work) == [ROUNDS * ROUNDS // 2] * workers
        total = workers // 2 * ROUNDS
        assert [item.number for item in contents(specimens)] == [total] * ROUNDS
        assert specimens.count(number=total) == ROUNDS

    def test_of_all_who_save_one_version_one_wins(
        self, open_store: OpenStore, store: Store
    ) -> None:
        specimens = store.repository(Specimen)
        for attempt in range(ROUNDS):
            specimens.save(specimen("a", tag=f"start {attempt}"))
            _, version = specimens.get_versioned("a")

            def work(mine: Store, number: int, version: str = version) -> str | None:
                item = specimen("a", tag=f"winner {number}")
                try:
                    mine.repository(Specimen).save(item, if_version=version)
                except ConflictError:
                    return None
                return item.tag

            winners = [tag for tag in race(open_store, work) if tag is not None]
            assert len(winners) == 1
            assert specimens.get("a").tag == winners[0]

    def test_of_all_who_add_one_pk_one_wins(self, open_store: OpenStore, store: Store) -> None:
        specimens = store.repository(Specimen)

        def work(mine: Store, number: int) -> list[str]:
            won = []
            for attempt in range(ROUNDS):
                try:
                    mine.repository(Specimen).add(specimen(str(attempt), number=number))
                except DuplicateError:
                    continue
                won.append(f"{attempt} by {number}")
            return won

        won = sorted(pk for pks in race(open_store, work) for pk in pks)
        assert won == sorted(f"{item.pk} by {item.number}" for item in contents(specimens))
        assert len(won) == ROUNDS

    def test_of_all_who_delete_one_record_one_succeeds(
        self, open_store: OpenStore, store: Store
    ) -> None:
        specimens = store.repository(Specimen)
        specimens.save_many(specimen(str(n)) for n in range(ROUNDS))

        def work(mine: Store, _: int) -> int:
            deleted = 0
            for n in range(ROUNDS):
                try:
                    mine.repository(Specimen).delete(str(n))
                except NotFoundError:
                    continue
                deleted += 1
            return deleted

        assert sum(race(open_store, work)) == ROUNDS
        assert contents(specimens) == []

    def test_the_index_stays_true_to_the_documents(
        self, open_store: OpenStore, store: Store
    ) -> None:
        tags = [f"t{n}" for n in range(4)]

        def work(mine: Store, number: int) -> None:
            specimens = mine.repository(Specimen)
            for n in range(ROUNDS * 3):
                pk, tag = str((n * 7 + number) % 5), tags[(n + number) % 4]
                if (n + number) % 4 == 0:
                    specimens.delete_many([pk])
                elif n % 5 == 0:
                    with mine.transaction() as transaction:
                        transaction.repository(Specimen).save(_tagged(pk, tag))
                elif n % 7 == 0:
                    specimens.save_many([_tagged(pk, tag), _tagged(f"{pk}0", tag)])
                else:
                    specimens.save(_tagged(pk, tag))

        race(open_store, work)
        self._check_index(store.repository(Specimen), tags)

    def _check_index(self, specimens: Repository[Specimen], tags: list[str]) -> None:
        everything = contents(specimens)
        assert specimens.pks() == [item.pk for item in everything]
        for tag in tags:
            expected = [item for item in everything if item.tag == tag]
            assert specimens.find(tag=tag) == expected
            assert specimens.find(plain_text=tag) == expected
            assert specimens.find(field("labels").contains(tag)) == expected
            assert specimens.find(field("bio").matches(tag)) == expected
            assert specimens.count(tag=tag) == len(expected)

    def test_a_transaction_is_seen_whole_or_not_at_all(
        self, open_store: OpenStore, store: Store
    ) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        pair = ("a", "b")
        store.repository(Specimen).save_many(specimen(pk, number=0) for pk in pair)

        def work(mine: Store, number: int) -> None:
            for n in range(ROUNDS):
                value = number * ROUNDS + n
                while True:
                    try:
                        with mine.transaction() as transaction:
                            repository = transaction.repository(Specimen)
                            seen = {repository.get(pk).number for pk in pair}
                            for pk in pair:
                                repository.save(specimen(pk, number=value))
                        break
                    except ConflictError:
                        continue
                # What was read passed the check at the end, so it was of one moment.
                assert len(seen) == 1

        race(open_store, work)
        first, second = contents(store.repository(Specimen))
        assert first.number == second.number

    def test_records_are_read_while_others_write(self, open_store: OpenStore, store: Store) -> None:
        specimens = store.repository(Specimen)
        specimens.save_many(specimen(f"stays {n}", tag="stays") for n in range(20))
        expected = specimens.pks(tag="stays")

        def work(mine: Store, number: int) -> None:
            repository = mine.repository(Specimen)
            for n in range(ROUNDS):
                if number % 2:
                    repository.save(specimen(f"comes {number}", tag=f"comes {n}"))
                    repository.delete(f"comes {number}")
                else:
                    assert repository.pks(tag="stays") == expected
                    seen = [i.pk for i in repository.iterate(batch_size=3) if i.tag == "stays"]
                    assert seen == expected

        race(open_store, work)


def _tagged(pk: str, tag: str) -> Specimen:
    return specimen(pk, tag=tag, plain_text=tag, labels=[tag, "all"], bio=f"word {tag}")
