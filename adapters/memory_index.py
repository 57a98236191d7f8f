"""Secondary indexes in memory: dicts of values, sorted only when an order is asked for."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterator
from typing import Any

from simstore.adapters.storage import Bound, Prefix, Range
from simstore.domain.query import Scalar
from simstore.domain.schema import Kind, kind_of


class OrderedPks:
    """A large set of pks that is paged through in order."""

    __slots__ = ("_ordered", "pks")

    def __init__(self, pks: set[str]) -> None:
        self.pks = pks
        self._ordered = sorted(pks)

    def add(self, pk: str) -> None:
        if pk not in self.pks:
            self.pks.add(pk)
            insort(self._ordered, pk)

    def discard(self, pk: str) -> None:
        if pk in self.pks:
            self.pks.discard(pk)
            del self._ordered[bisect_left(self._ordered, pk)]

    def page(self, after: str | None, limit: int | None) -> list[str]:
        """The first `limit` pks behind `after`."""
        start = 0 if after is None else bisect_right(self._ordered, after)
        return self._ordered[start : None if limit is None else start + limit]


Postings = set[str] | OrderedPks
"""The pks of one value: put in order once there are many and an order was asked for."""

MANY = 256
"""From so many pks on, an order is kept rather than made for each call, and the pks of a range
are looked up rather than each looked at."""


class ValueIndex:
    """pks by value, for one field."""

    def __init__(self) -> None:
        self._postings: dict[Hashable, Postings] = {}
        self._ordered: dict[Kind, list[Any]] | None = None
        """The values of each ordered kind, kept from the first range that was asked for."""

    def add(self, value: Scalar, pk: str) -> None:
        key = _key(value)
        postings = self._postings.get(key)
        if postings is not None:
            postings.add(pk)
            return
        self._postings[key] = {pk}
        if self._ordered is not None and (kind := kind_of(value)) in self._ordered:
            insort(self._ordered[kind], value)

    def discard(self, value: Scalar, pk: str) -> None:
        key = _key(value)
        postings = self._postings.get(key)
        if postings is None:
            return
        postings.discard(pk)
        if not pks_of(postings):
            del self._postings[key]
            if self._ordered is not None and (kind := kind_of(value)) in self._ordered:
                values = self._ordered[kind]
                del values[bisect_left(values, value)]

    def page(self, value: Scalar, after: str | None, limit: int | None) -> list[str]:
        """The first `limit` pks of `value` behind `after`, in order."""
        key = _key(value)
        postings = self._postings.get(key, set())
        if isinstance(postings, set):
            if len(postings) < MANY:
                return sorted(pk for pk in postings if after is None or pk > after)[:limit]
            postings = self._postings[key] = OrderedPks(postings)
        return postings.page(after, limit)

    def equal(self, value: Scalar) -> set[str]:
        """The pks of `value`. Do not change the set."""
        return pks_of(self._postings.get(_key(value), set()))

    def between(self, low: Bound | None, high: Bound | None) -> set[str]:
        """The pks of the values between two bounds, of their kind."""
        bound = low or high
        kind = None if bound is None else kind_of(bound.value)
        values = self._values(kind)
        start, stop = 0, len(values)
        if low is not None:
            start = (bisect_left if low.inclusive else bisect_right)(values, low.value)
        if high is not None:
            stop = (bisect_right if high.inclusive else bisect_left)(values, high.value)
        return set().union(*(self.equal(value) for value in values[start:stop]))

    def starting_with(self, prefix: str) -> set[str]:
        """The pks of the texts that begin with `prefix`."""
        return set().union(*(self.equal(text) for text in self._texts(prefix)))

    def _texts(self, prefix: str) -> Iterator[str]:
        values = self._values(Kind.TEXT)
        for position in range(bisect_left(values, prefix), len(values)):
            if not values[position].startswith(prefix):
                return
            yield values[position]

    def _values(self, kind: Kind | None) -> list[Any]:
        if self._ordered is None:
            self._ordered = {
                each: sorted(key for key in self._postings if kind_of(key) is each)
                for each in (Kind.TEXT, Kind.NUMBER)
            }
        return self._ordered[kind] if kind is not None else []


def is_within(condition: Range | Prefix, value: Scalar) -> bool:
    """Whether `value` is one that `ValueIndex` finds for `condition`."""
    if isinstance(condition, Prefix):
        return isinstance(value, str) and value.startswith(condition.text)
    low, high = condition.low, condition.high
    bound = low or high
    return (
        bound is not None
        and kind_of(value) is kind_of(bound.value)
        and (low is None or low.value < value or (low.inclusive and low.value == value))  # type: ignore[operator]  # of one kind
        and (high is None or value < high.value or (high.inclusive and high.value == value))  # type: ignore[operator]  # the same
    )


def pks_of(postings: Postings) -> set[str]:
    """The pks, without an order."""
    return postings if isinstance(postings, set) else postings.pks


def _key(value: Scalar) -> Hashable:
    # A tuple for a bool, because True and 1 are the same key of a dict.
    return (value,) if value.__class__ is bool else value
