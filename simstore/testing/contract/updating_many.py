"""update_many."""

from typing import Any

import pytest

from simstore.domain.errors import (
    BackendError,
    InvalidArgumentError,
    InvalidRecordError,
    SimstoreError,
    WrongModelError,
)
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Span, Specimen, Ticket

MANY = 250
"""More than two batches."""

LONG = 3_600


def grow(item: Specimen) -> None:
    """Add 1, everywhere that a number is kept."""
    item.number += 1
    item.plain_number += 1
    item.tag = f"n{item.number}"
    item.labels = [item.tag]


def grown(pk: str, number: int, **fields: Any) -> Specimen:
    """What `grow` makes of a specimen with one less."""
    tag = f"n{number}"
    return specimen(pk, number=number, plain_number=number, tag=tag, labels=[tag], **fields)


def was_changed(specimens: Repository[Specimen], pk: str) -> bool:
    """Whether one of a to e was changed, and written: that depends on how long batches are."""
    return specimens.get(pk).number == "abcde".index(pk) + 1


def check_index(specimens: Repository[Specimen]) -> None:
    """Every record is found by just the values that it has."""
    assert list(specimens.index_faults()) == []
    items = contents(specimens)
    for number in {0, 1, *(item.number for item in items)}:
        pks = [item.pk for item in items if item.number == number]
        tagged = [item.pk for item in items if item.tag == f"n{number}"]
        labelled = [item.pk for item in items if f"n{number}" in item.labels]
        assert specimens.pks(number=number) == specimens.pks(plain_number=number) == pks
        assert specimens.pks(tag=f"n{number}") == tagged
        assert specimens.pks(field("labels").contains(f"n{number}")) == labelled


def check_all(specimens: Repository[Specimen], expected: list[Specimen]) -> None:
    """Many records are `expected`. The first that are not are told: pytest is slow with all."""
    found = contents(specimens)
    assert len(found) == len(expected)
    pairs = zip(found, expected, strict=True)
    assert [(one, other) for one, other in pairs if one != other][:3] == []


class UpdatingManyContract(Binding):
    """What fulfils the conditions is changed once, by compare and set, and nothing else is."""

    @pytest.fixture
    def numbers(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """a to e, with the numbers 0 to 4."""
        specimens.save_many(grown(pk, number) for number, pk in enumerate("abcde"))
        return specimens

    @pytest.mark.parametrize(
        ("where", "equals", "changed"),
        [
            ((), {}, "abcde"),
            ((), {"tag": "n2"}, "c"),
            ((), {"plain_number": 2}, "c"),
            ((field("number") >= 3,), {}, "de"),
            ((field("plain_number") >= 3,), {}, "de"),
            ((field("tag") != "n0", field("plain_number") < 3), {}, "bc"),
            ((field("number") > 0,), {"plain_number": 4}, "e"),
            ((field("pk").in_(["e", "a", "z"]),), {}, "ae"),
            ((~(field("labels").contains("n1") | (field("tag") == "n3")),), {}, "ace"),
            ((), {"tag": "none"}, ""),
            ((), {"plain_text": "none"}, ""),
        ],
        ids=str,
    )
    def test_update_many_changes_what_fulfils_the_conditions(
        self, numbers: Repository[Specimen], where: Any, equals: Any, changed: str
    ) -> None:
        expected = [grown(pk, number + (pk in changed)) for number, pk in enumerate("abcde")]
        assert numbers.update_many(grow, *where, **equals) == len(changed)
        assert contents(numbers) == expected
        check_index(numbers)

    def test_update_many_takes_returned_records(self, numbers: Repository[Specimen]) -> None:
        def change(item: Specimen) -> Specimen:
            return specimen(item.pk, tag="new", number=item.number)

        assert numbers.update_many(change, field("number") < 2) == 2
        assert numbers.find(tag="new") == [change(grown("a", 0)), change(grown("b", 1))]
        assert numbers.count(field("tag").startswith("n")) == 5
        assert pks_of(contents(numbers)) == list("abcde")

    def test_update_many_of_more_than_two_batches(self, specimens: Repository[Specimen]) -> None:
        pks = [f"{n:03}" for n in range(MANY)]
        specimens.save_many(grown(pk, n % 2) for n, pk in enumerate(pks))
        seen: list[str] = []

        def change(item: Specimen) -> None:
            seen.append(item.pk)
            grow(item)

        assert specimens.update_many(change) == MANY
        assert seen == pks
        check_all(specimens, [grown(pk, 1 + n % 2) for n, pk in enumerate(pks)])
        assert specimens.update_many(grow, tag="n2") == MANY // 2
        assert specimens.update_many(grow, plain_number=1) == MANY // 2
        check_all(specimens, [grown(pk, 2 + n % 2) for n, pk in enumerate(pks)])
        check_index(specimens)

    @pytest.mark.parametrize("path", ["number", "plain_number"])
    def test_what_still_fulfils_the_conditions_is_changed_once(
        self, specimens: Repository[Specimen], path: str
    ) -> None:
        specimens.save_many(grown(f"{n:03}", n) for n in range(MANY))
        assert specimens.update_many(grow, field(path) >= 100) == MANY - 100
        check_all(specimens, [grown(f"{n:03}", n + (n >= 100)) for n in range(MANY)])

    def test_update_many_that_changes_nothing(self, numbers: Repository[Specimen]) -> None:
        before = contents(numbers)
        assert numbers.update_many(lambda _: None) == 5
        assert contents(numbers) == before
        check_index(numbers)

    def test_update_many_begins_anew_where_somebody_else_writes(
        self, numbers: Repository[Specimen]
    ) -> None:
        seen: list[tuple[str, int]] = []
        written: list[bool] = []

        def change(item: Specimen) -> None:
            seen.append((item.pk, item.number))
            if len(seen) == 3:
                written.append(was_changed(numbers, "b"))
                numbers.save(grown("b", 10))  # it was changed just now
                numbers.save(grown("c", 20))  # the one at hand
                numbers.save(grown("e", 30))  # one to come
            grow(item)

        assert numbers.update_many(change) == 5
        b = 10 if written[0] else 11
        assert contents(numbers) == [
            grown("a", 1), grown("b", b), grown("c", 21), grown("d", 4), grown("e", 31),
        ]  # fmt: skip
        assert {("a", 0), ("b", 1), ("c", 2), ("d", 3), ("c", 20), ("e", 30)} <= {*seen}
        check_index(numbers)

    def test_update_many_goes_on_until_nobody_else_writes(
        self, numbers: Repository[Specimen]
    ) -> None:
        def change(item: Specimen) -> None:
            if item.pk in "bd" and item.number < 20:
                numbers.update(item.pk, lambda other: setattr(other, "number", other.number + 10))
            grow(item)

        assert numbers.update_many(change) == 5
        assert [item.number for item in contents(numbers)] == [1, 22, 3, 24, 5]

    @pytest.mark.parametrize("path", ["number", "plain_number"])
    def test_what_does_not_fulfil_the_conditions_any_more_is_passed_over(
        self, numbers: Repository[Specimen], path: str
    ) -> None:
        others = [grown(pk, -1, bio="theirs") for pk in "bcd"]
        written: list[bool] = []

        def change(item: Specimen) -> None:
            if item.pk == "c":
                written.append(was_changed(numbers, "b"))
                numbers.save_many(others)
            grow(item)

        assert numbers.update_many(change, field(path) >= 0) == 2 + sum(written)
        assert contents(numbers) == [grown("a", 1), *others, grown("e", 5)]
        check_index(numbers)

    def test_what_was_deleted_meanwhile_does_not_come_back(
        self, numbers: Repository[Specimen]
    ) -> None:
        written: list[bool] = []

        def change(item: Specimen) -> None:
            if item.pk == "c":
                written.append(was_changed(numbers, "b"))
                numbers.delete_many(list("bcd"))
            grow(item)

        assert numbers.update_many(change) == 2 + sum(written)
        assert contents(numbers) == [grown("a", 1), grown("e", 5)]
        check_index(numbers)

    def test_update_many_keeps_the_time_that_is_left(self, specimens: Repository[Specimen]) -> None:
        specimens.save(grown("immortal", 0))
        specimens.save(grown("long", 0), ttl=LONG)
        # Long enough for slow machines: it must not have expired before it is changed.
        specimens.save(grown("mortal", 0), ttl=1)
        assert specimens.update_many(grow) == 3
        self.advance(1.1)
        assert contents(specimens) == [grown("immortal", 1), grown("long", 1)]
        assert specimens.pks(tag="n1") == ["immortal", "long"]
        assert specimens.update_many(grow) == 2

    def test_update_many_touches_nothing_else(self, numbers: Repository[Specimen]) -> None:
        versions = {pk: numbers.get_versioned(pk)[1] for pk in "abde"}
        assert numbers.update_many(grow, tag="n2") == 1
        assert {pk: numbers.get_versioned(pk)[1] for pk in "abde"} == versions

    def test_what_a_change_kept_shares_nothing_with_what_is_stored(
        self, numbers: Repository[Specimen]
    ) -> None:
        kept: list[Specimen] = []

        def change(item: Specimen) -> Specimen:
            new = grown(item.pk, 7)
            kept.extend((item, new))
            return new

        assert numbers.update_many(change) == 5
        for item in kept:
            item.tag = "spoilt"
            item.labels.append("spoilt")
        assert contents(numbers) == [grown(pk, 7) for pk in "abcde"]

    def test_update_many_refuses_another_pk(self, numbers: Repository[Specimen]) -> None:
        before = contents(numbers)

        def rename(item: Specimen) -> None:
            if item.pk == "c":
                item.pk = "a"

        with pytest.raises(SimstoreError):
            numbers.update_many(rename)
        with pytest.raises(SimstoreError):
            numbers.update_many(lambda item: item.model_copy(update={"pk": "z"}))
        assert contents(numbers) == before

    @pytest.mark.parametrize("returned", [Span(pk="a", start=0, end=1), 5, {"pk": "a"}, "a", True])
    def test_update_many_refuses_what_is_no_such_record(
        self, numbers: Repository[Specimen], returned: Any
    ) -> None:
        before = contents(numbers)
        with pytest.raises(WrongModelError):
            numbers.update_many(lambda _: returned)
        assert contents(numbers) == before

    @pytest.mark.parametrize("change", [None, "a", field("tag") == "x", specimen("a")])
    def test_update_many_refuses_what_cannot_be_called(
        self, numbers: Repository[Specimen], change: Any
    ) -> None:
        with pytest.raises(InvalidArgumentError):
            numbers.update_many(change)

    def test_update_many_to_an_invalid_record(self, numbers: Repository[Specimen]) -> None:
        def change(item: Specimen) -> None:
            grow(item)
            if item.pk == "d":
                item.score = float("nan")

        with pytest.raises(InvalidRecordError, match=r"(?s)'d'.*score"):
            numbers.update_many(change)
        changed = [pk for pk in "abcde" if was_changed(numbers, pk)]
        assert changed == list("abc")[: len(changed)]
        assert contents(numbers) == [grown(pk, n + (pk in changed)) for n, pk in enumerate("abcde")]
        check_index(numbers)

    def test_an_error_of_a_change_leaves_whole_batches(
        self, specimens: Repository[Specimen]
    ) -> None:
        pks = [f"{n:03}" for n in range(MANY)]
        specimens.save_many(grown(pk, 0) for pk in pks)

        def change(item: Specimen) -> None:
            grow(item)
            if item.pk == pks[-1]:
                raise KeyError("the change's own error")

        with pytest.raises(KeyError, match="the change's own error"):
            specimens.update_many(change)
        changed = specimens.pks(tag="n1")
        assert 0 < len(changed) < MANY
        assert changed == pks[: len(changed)]
        assert contents(specimens) == [grown(pk, int(pk in changed)) for pk in pks]
        check_index(specimens)

    def test_update_many_that_the_backend_fails(
        self, store: Store, numbers: Repository[Specimen]
    ) -> None:
        with self.failing_at(store, numbers.collection, "d"), pytest.raises(BackendError):
            numbers.update_many(grow)
        for number, item in enumerate(contents(numbers)):
            assert item in (grown(item.pk, number), grown(item.pk, number + 1))
        assert numbers.get("d") == grown("d", 3)
        check_index(numbers)

    def test_a_change_may_read_and_write_other_records(
        self, store: Store, numbers: Repository[Specimen]
    ) -> None:
        tickets = store.repository(Ticket)

        def change(item: Specimen) -> None:
            tickets.save(Ticket(pk=item.pk, owner=item.tag))
            item.number = 10 * tickets.count()

        assert numbers.update_many(change, field("tag").in_(["n0", "n3", "n4"])) == 3
        assert tickets.pks() == list("ade")
        assert [item.number for item in contents(numbers)] == [10, 1, 2, 20, 30]
