"""Some hundreds of records in one collection: answers that no batch, page or set of few has whole.

Backends do otherwise with many than with few: they take the shorter of two ways, keep an order,
join sets, end a batch. So each answer is held against plain Python over the list of records,
and asked for again: no question may leave a trace in what is stored.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import pytest

from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Colour, Specimen

NUMBER = 600
"""How many records: what half of them have in common is still more than 256."""


def record(place: int, like: int | None = None) -> Specimen:
    """The record at a place in the order of pks, with the values of that place or of another."""
    number = place if like is None else like
    return specimen(
        f"{place:04}",
        tag=f"tag {number % 2}",
        nickname=None if number % 7 == 0 else f"n{number}",
        number=number % 90,
        score=number / 4,
        colour=(Colour.red, Colour.blue, None)[number % 3],
        labels=[f"five {number % 5}", f"two {number % 2}"],
        bio=f"word{number % 4} and more",
        plain_number=number % 11,
    )


RECORDS = [record(place) for place in range(NUMBER)]


@dataclass(frozen=True)
class Question:
    """A condition, and what it means in Python."""

    condition: Condition
    holds: Callable[[Specimen], bool]

    def __and__(self, other: "Question") -> "Question":
        return Question(
            self.condition & other.condition,
            lambda item: self.holds(item) and other.holds(item),
        )

    def __or__(self, other: "Question") -> "Question":
        return Question(
            self.condition | other.condition,
            lambda item: self.holds(item) or other.holds(item),
        )

    def __invert__(self) -> "Question":
        return Question(~self.condition, lambda item: not self.holds(item))

    def answer(self, items: Iterable[Specimen]) -> list[str]:
        """The pks of those `items` that it holds for."""
        return [item.pk for item in items if self.holds(item)]


HALF = Question(field("tag") == "tag 0", lambda item: item.tag == "tag 0")
MOST = Question(field("number") >= 10, lambda item: item.number >= 10)
NOT_LAST = Question(field("score") < 140, lambda item: item.score < 140)
FEW = Question(field("score") < 12.5, lambda item: item.score < 12.5)
NAMED = Question(field("nickname").startswith("n"), lambda item: item.nickname is not None)
PREFIXED = Question(
    field("nickname").startswith("n1"), lambda item: (item.nickname or "").startswith("n1")
)
LISTED = Question(field("number").in_([*range(30, 90, 2)]), lambda i: i.number in range(30, 90, 2))
LABELLED = Question(field("labels").contains("five 1"), lambda item: "five 1" in item.labels)
WORDED = Question(field("bio").matches("more WORD1"), lambda item: item.bio.startswith("word1 "))
PLAIN = Question(field("plain_number") > 2, lambda item: item.plain_number > 2)
EVERY = Question(field("pk") >= "", lambda _: True)

PARTS = (HALF, MOST, NOT_LAST, FEW, NAMED, PREFIXED, LISTED, LABELLED)

QUESTIONS = (
    *PARTS,
    *(~part for part in PARTS),
    *(one & other for one, other in combinations(PARTS[:6], 2)),
    *(one | other for one, other in pairwise(PARTS)),
    *(~(one & other) for one, other in pairwise(PARTS)),
    MOST & NOT_LAST & NAMED,
    MOST & LISTED & LABELLED,
    HALF & MOST & NOT_LAST & NAMED,
    (HALF | FEW) & ~LABELLED & MOST,
    ~(HALF | (MOST & ~NAMED)),
    Question(field("colour") == None, lambda item: item.colour is None) & MOST,
    Question(field("number") != 7, lambda item: item.number != 7) & NOT_LAST,
    WORDED & MOST,
    PLAIN & MOST,
    PLAIN | FEW,
    EVERY & MOST,
    EVERY,
    FEW & ~NOT_LAST,
)
"""Of each kind of condition, and of pairs of them; the whole is among the answers, and nothing."""


def ask(repository: Repository[Specimen], items: Sequence[Specimen]) -> None:
    """All questions of what should have just `items`, which are in the order of their pks."""
    for each in QUESTIONS:
        assert repository.pks(each.condition) == each.answer(items), str(each.condition)
    assert contents(repository) == items


class ManyContract(Binding):
    """Many records are found, ordered, changed and deleted as few are."""

    @pytest.fixture
    def many(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """`RECORDS`, saved in another order."""
        specimens.save_many(RECORDS[place * 7 % NUMBER - 1] for place in range(NUMBER))
        return specimens

    def test_many_are_found_as_if_each_were_looked_at(self, many: Repository[Specimen]) -> None:
        ask(many, RECORDS)
        for each in QUESTIONS:
            assert many.count(each.condition) == len(each.answer(RECORDS)), str(each.condition)
        ask(many, RECORDS)

    def test_many_come_in_pages(self, many: Repository[Specimen]) -> None:
        for where, whole in _some_of(RECORDS):
            for size in (50, 256, NUMBER):
                pages: list[str] = []
                after: str | None = None
                while page := many.pks(*where, limit=size, after=after):
                    assert len(page) <= size
                    pages += page
                    assert len(pages) <= len(whole), (where, size)
                    after = page[-1]
                assert pages == whole, (where, size)
                assert pks_of(many.iterate(*where, batch_size=size)) == whole, (where, size)
            assert pks_of(many.iterate(*where, batch_size=7)) == whole, where
            behind = [pk for pk in whole if pk > "02995"]
            assert many.pks(*where, after="02995") == behind, where
            assert pks_of(many.find(*where, after="02995", offset=9, limit=99)) == behind[9:108]

    def test_many_are_put_in_order(self, many: Repository[Specimen]) -> None:
        for where, whole in _some_of(RECORDS):
            items = [item for item in RECORDS if item.pk in {*whole}]
            for order_by in ("number", "-number", "nickname", "-nickname", "-plain_number"):
                expected = _in_order(items, order_by)
                found = many.find(*where, order_by=order_by)
                assert pks_of(found) == expected, (where, order_by)
                some = many.find(*where, order_by=order_by, limit=50, offset=170)
                assert pks_of(some) == expected[170:220], (where, order_by)

    def test_answers_follow_the_changes_of_many(self, many: Repository[Specimen]) -> None:
        for part in PARTS:  # what keeps an order from the first question on has it now
            assert many.pks(part.condition, limit=9) == part.answer(RECORDS)[:9]
        records = {item.pk: item for item in RECORDS}
        changed = [record(place, like=place + 1) for place in range(0, NUMBER, 4)]
        many.save_many(changed)
        records.update((item.pk, item) for item in changed)
        for pk in ("0001", "0302", "0599"):
            records[pk] = many.update(pk, lambda item: setattr(item, "tag", "tag 2"))
        for part in PARTS:
            assert many.pks(part.condition) == part.answer(records.values()), str(part.condition)
        gone = [item.pk for item in RECORDS if item.number in range(20, 50)]
        assert many.delete_many(gone) == len(gone)
        many.delete("0000")
        more = [record(NUMBER + place, like=place) for place in range(0, NUMBER, 9)]
        many.save_many(more)
        records.update((item.pk, item) for item in more)
        ask(many, [item for pk, item in records.items() if pk not in {*gone, "0000"}])

    def test_of_many_those_are_deleted_that_a_condition_finds(
        self, many: Repository[Specimen]
    ) -> None:
        left = RECORDS
        for each in (MOST & NOT_LAST & NAMED, LABELLED, PLAIN & HALF, ~FEW):
            for where, whole in _some_of(left):
                assert many.pks(*where) == whole, where
            gone = {*each.answer(left)}
            assert many.delete_many(each.condition) == len(gone) > 0, str(each.condition)
            left = [item for item in left if item.pk not in gone]
            assert contents(many) == left
        assert many.delete_many(EVERY.condition) == len(left) > 0
        assert many.pks() == many.pks(HALF.condition) == []


def _some_of(items: Sequence[Specimen]) -> Iterator[tuple[tuple[Condition, ...], list[str]]]:
    """Some conditions, and the pks of those `items` that fulfil them: all, and still many."""
    yield (), pks_of(items)
    for each in (HALF, PLAIN & MOST):
        yield (each.condition,), each.answer(items)


def _in_order(items: Iterable[Specimen], order_by: str) -> list[str]:
    """The pks of `items`, which are in the order of their pks, in another order; None last."""
    path = order_by.removeprefix("-")
    values: dict[str, Any] = {item.pk: getattr(item, path) for item in items}
    known = [pk for pk, value in values.items() if value is not None]
    # Sorting keeps the order of those with the same value, also when it is reversed.
    known.sort(key=values.__getitem__, reverse=order_by != path)
    return known + [pk for pk, value in values.items() if value is None]
