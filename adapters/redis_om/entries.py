"""The entries that our own layout keeps beside each record: what the query engine finds it by.

Every value is made into a tag of letters, digits and underscores alone. So no value can become
part of a query, and those that tags cannot hold as they are (empty, blank, with a NUL, long,
None) are found all the same. redis-om would index the record's own fields: that misses them.
Words are tags as well, because the query engine splits texts otherwise than `words` does.

Numbers are kept as numbers too, for ranges. RedisJSON and the query engine know them as floats,
some off by the last digits; so a range is asked for a little wider.
"""

import hashlib
import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from simstore.adapters.redis_om.candidates import LookUp
from simstore.adapters.redis_om.models import IndexedField
from simstore.adapters.storage import Bound, Equal, Indexes, OneOf, Range, Values
from simstore.domain.query import Scalar
from simstore.domain.text import words

_PLAIN = re.compile(r"[A-Za-z0-9_]{0,64}")

_SLACK = 1e-12
"""By how much of itself a bound is moved outwards; RedisJSON is off by less than 1e-15."""

_TINY = 1e-290
"""By how much it is moved at least: where floats have few digits, RedisJSON is off by more."""

Entries = dict[str, Any]


def tag_of(value: Scalar) -> str:
    """The tag of a value; equal values of one kind have the same, and others another one."""
    if value is None:
        return "z"
    if isinstance(value, bool):
        return "b1" if value else "b0"
    if isinstance(value, int | float):
        if isinstance(value, float) and not (value.is_integer() and abs(value) < 2**64):
            return f"f{_digest(repr(value))}"  # no integer of 64 bits equals it
        number = int(value)
        return f"m{-number}" if number < 0 else f"n{number}"
    return f"s{value}" if _PLAIN.fullmatch(value) else f"d{_digest(value)}"


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class EntryFields:
    """The fields of the entries of records with `indexes`."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        self._names = tuple(map(attribute_name, range(len(indexes.paths)), indexes.paths))

    def fields(self) -> Mapping[str, IndexedField]:
        """What is indexed of them."""
        fields = {"signature": IndexedField(str)}
        for name, (exact, word_index) in zip(self._names, self._indexes.names, strict=True):
            if exact is not None:
                fields[name] = IndexedField(list[str])
                fields[f"{name}_n"] = IndexedField(float)
            if word_index is not None:
                fields[f"{name}_w"] = IndexedField(list[str])
        return fields

    def entries(self, values: Values | None) -> Entries:
        """The entries of a record with these values; None are those of an unreadable one."""
        entries: Entries = {"signature": self._indexes.signature}
        if values is None:
            return entries
        for name, (exact, word_index), value in zip(
            self._names, self._indexes.names, values, strict=True
        ):
            if exact is not None:
                several = value if isinstance(value, list) else [value]
                entries[name] = sorted(set(map(tag_of, several)))
                if isinstance(value, int | float) and not isinstance(value, bool):
                    entries[f"{name}_n"] = _finite(value)
            if word_index is not None:
                text = value if isinstance(value, str) else ""
                entries[f"{name}_w"] = sorted({tag_of(word) for word in words(text)})
        return entries

    def index_of(self, field: str) -> str:
        """The name of the index that a field of the entries belongs to."""
        for name, (exact, word_index) in zip(self._names, self._indexes.names, strict=True):
            if field in {name, f"{name}_n"} and exact is not None:
                return exact
            if field == f"{name}_w" and word_index is not None:
                return word_index
        return "pk"

    def query_of(self, look_up: LookUp) -> str | None:
        """A query for the records that have an entry; None if none would find them all."""
        for name, (exact, word_index) in zip(self._names, self._indexes.names, strict=True):
            if look_up.index == exact:
                return _query(f"entries_{name}", look_up)
            if look_up.index == word_index:
                return _query(f"entries_{name}_w", look_up)
        return None


def attribute_name(position: int, path: str) -> str:
    """A field's name: for people to read, if the query language can spell it."""
    return f"f{position}_{path.replace('.', '_')}" if path.isascii() else f"f{position}"


def _finite(value: float) -> float:
    """`value` as a float that JSON has."""
    return max(-sys.float_info.max, min(sys.float_info.max, float(value)))


def _query(field: str, look_up: LookUp) -> str | None:
    match look_up:
        case Equal(_, value):
            return f"@{field}:{{{tag_of(value)}}}"
        case OneOf(_, values):
            # Without values it finds nothing: there is no such tag.
            return f"@{field}:{{{'|'.join(map(tag_of, values)) or 'nothing'}}}"
        case Range(_, low, high) if not isinstance((low or high or _ANY).value, str):
            return number_query(f"@{field}_n", low, high)
    return None  # tags have no order, and of prefixes the query engine stops after the first 200


_ANY = Bound("", inclusive=True)


def number_query(attribute: str, low: Bound | None, high: Bound | None) -> str:
    """A query for the numbers between two bounds, and some beyond them."""
    return f"{attribute}:[{_bound(low, -1)} {_bound(high, 1)}]"


def _bound(bound: Bound | None, outwards: int) -> str:
    if bound is None:
        return f"{outwards * math.inf}"
    value = _finite(bound.value)  # type: ignore[arg-type]  # of a range of numbers
    return repr(value + outwards * (abs(value) * _SLACK + _TINY))
