"""The rules that read."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from simstore.domain.query import Comparison, Condition, Operator, field
from simstore.testing.conditions import conditions, order_bys, specimen_pks
from simstore.testing.machine.base import WHICH, MachineBase, check, spoil
from simstore.testing.models import Specimen
from simstore.testing.oracle import value_at

_LIMIT = st.one_of(st.none(), st.integers(0, 6))
_SOME_PKS = st.lists(specimen_pks(), max_size=5)
_PROJECTABLE = (*Specimen.model_fields, "home.label", "home.weight", "parts.label")
_PROJECTIONS = st.lists(st.sampled_from(_PROJECTABLE), min_size=1, max_size=4, unique=True)
_CONDITIONS = st.lists(conditions(), max_size=2)
_INDEXED = (
    "tag", "nickname", "number", "score", "ratio", "active", "level", "colour", "status", "mixed",
    "home.label", "motto",
)  # fmt: skip
_INDEXED_LISTS = ("labels", "marks", "parts.label")


class ReadingRules(MachineBase):
    """Every way to ask for records."""

    @rule(
        which=WHICH,
        where=_CONDITIONS,
        limit=_LIMIT,
        offset=st.integers(0, 4),
        after=st.one_of(st.none(), specimen_pks()),
    )
    def find(
        self, which: int, where: list[Condition], limit: int | None, offset: int, after: str | None
    ) -> None:
        """The same records, whatever the page."""
        expected = self.oracle.find(*where, limit=limit, offset=offset, after=after)
        found = self.repository(which).find(*where, limit=limit, offset=offset, after=after)
        check(found, expected)
        for item in found:
            spoil(item)

    @rule(
        which=WHICH,
        where=st.lists(conditions(), max_size=1),
        order_bys=st.lists(order_bys(), min_size=1, max_size=4),
        limit=_LIMIT,
        offset=st.integers(0, 4),
    )
    def find_in_order(
        self,
        which: int,
        where: list[Condition],
        order_bys: list[str],
        limit: int | None,
        offset: int,
    ) -> None:
        """The same records in the same order: in each of several, and in all of them together."""
        repository = self.repository(which)
        for order_by in (*order_bys, order_bys):
            check(repository.find(order_by=order_by), self.oracle.find(order_by=order_by))
            check(
                repository.find(*where, order_by=order_by, limit=limit, offset=offset),
                self.oracle.find(*where, order_by=order_by, limit=limit, offset=offset),
            )

    @rule(which=WHICH, several=st.lists(conditions(), min_size=1, max_size=8))
    def ask(self, which: int, several: list[Condition]) -> None:
        """Several conditions, each answered as by the dict."""
        repository = self.repository(which)
        for condition in several:
            expected = self.oracle.pks(condition)
            assert repository.pks(condition) == expected
            assert repository.count(condition) == len(expected)

    @precondition(lambda self: self.written)
    @rule(which=WHICH, data=st.data())
    def ask_for_what_was_written(self, which: int, data: st.DataObject) -> None:
        """A record is found by each of its values, and not by those that it had before."""
        repository = self.repository(which)
        item = data.draw(st.sampled_from(self.written))
        for condition in _own_values(item):
            expected = self.oracle.pks(condition)
            assert repository.pks(condition) == expected
            assert repository.count(condition) == len(expected)
            others = [pk for pk in sorted(self.oracle.records) if pk not in expected]
            assert repository.pks(_opposite(condition)) == others

    @rule(
        which=WHICH,
        where=_CONDITIONS,
        limit=_LIMIT,
        after=st.one_of(st.none(), specimen_pks()),
        batch_size=st.integers(1, 4),
        fields=_PROJECTIONS,
    )
    def read_otherwise(
        self,
        which: int,
        where: list[Condition],
        limit: int | None,
        after: str | None,
        batch_size: int,
        fields: list[str],
    ) -> None:
        """pks, count, exists, first, iterate and project agree with the dict."""
        repository = self.repository(which)
        expected = self.oracle.find(*where)
        assert repository.pks(*where, limit=limit, after=after) == self.oracle.pks(
            *where, limit=limit, after=after
        )
        assert repository.count(*where) == len(expected)
        assert repository.exists(*where) is bool(expected)
        check(repository.first(*where), expected[0] if expected else None)
        check(list(repository.iterate(*where, batch_size=batch_size)), expected)
        check(list(repository.iterate(batch_size=batch_size)), self.oracle.find())
        check(repository.project(fields, *where), self.oracle.project(fields, *where))

    @rule(which=WHICH, pks=_SOME_PKS, missing=st.sampled_from(("raise", "skip")))
    def get_many(self, which: int, pks: list[str], missing: Any) -> None:
        """Records by pk, some of them missing."""
        self.same(
            lambda: self.repository(which).get_many(pks, missing=missing),
            lambda: self.oracle.get_many(pks, missing),
        )


def _own_values(item: Specimen) -> list[Comparison]:
    """Conditions that `item` fulfils, one for each of its indexed values."""
    return [field(path) == value_at(item, path) for path in _INDEXED] + [
        field(path).contains(element)
        for path in _INDEXED_LISTS
        for element in (value_at(item, path) or [])[:1]
    ]


def _opposite(comparison: Comparison) -> Condition:
    if comparison.operator is Operator.EQUAL:
        return replace(comparison, operator=Operator.NOT_EQUAL)
    return ~comparison
