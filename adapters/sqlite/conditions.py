"""Index conditions as SQL: pure functions from a condition to a SELECT of pks.

Values are always parameters, never part of the SQL.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from simstore.adapters.storage import (
    AllOf,
    AnyOf,
    Bound,
    Complement,
    Equal,
    IndexCondition,
    OneOf,
    Pks,
    Prefix,
    Range,
)
from simstore.domain.query import Scalar


def stored_value(value: Scalar) -> str | int | float | bytes:
    """A value as the entries hold it: null and bools as blobs, behind all numbers and texts."""
    if value is None:
        return b""
    if isinstance(value, bool):
        return b"\x01" if value else b"\x00"
    return value


_AFTER_NUMBERS = ""
_AFTER_TEXT = b""
"""SQLite orders all numbers before the first text, and all texts before the first blob."""

_ANY_NUMBER = Bound(0, inclusive=True)


class Sql(NamedTuple):
    """A piece of SQL and its parameters."""

    text: str
    parameters: list[Any]


class Conditions:
    """Makes the SQL for one collection; `index_id` gives the id of an index by its name."""

    def __init__(self, collection: int, index_id: Callable[[str], int]) -> None:
        self._collection = collection
        self._index_id = index_id

    def select(self, condition: IndexCondition) -> Sql:
        """A SELECT of the pks that fulfil `condition`, each once, expired ones included."""
        match condition:
            case AllOf(()):
                return self._select_records([])
            case AllOf(parts):
                # An equality drives the query where there is one: its entries are in the order
                # of pks, so that the SELECT can stop at its LIMIT. The others are looked up for
                # each of its pks.
                driver, *others = sorted(parts, key=lambda part: not isinstance(part, Equal))
                if isinstance(driver, AllOf | AnyOf | Complement | Pks):
                    return self._select_records(parts)
                return self._and(self._select_entries(driver), others)
            case AnyOf(parts) if parts:
                selects = [self.select(part) for part in parts]
                return Sql(
                    " UNION ".join(f"SELECT pk FROM ({select.text})" for select in selects),
                    [value for select in selects for value in select.parameters],
                )
            case AnyOf() | Complement() | Pks():
                return self._select_records([condition])
            case _:
                return self._select_entries(condition)

    def _select_records(self, conditions: Sequence[IndexCondition]) -> Sql:
        text = "SELECT driver.pk AS pk FROM simstore_records AS driver WHERE driver.collection = ?"
        return self._and(Sql(text, [self._collection]), conditions)

    def _select_entries(self, condition: Equal | OneOf | Range | Prefix) -> Sql:
        match_ = self._match(condition, "driver")
        text = f"SELECT driver.pk AS pk FROM simstore_entries AS driver WHERE {match_.text}"
        return Sql(text, match_.parameters)

    def _and(self, select: Sql, conditions: Sequence[IndexCondition]) -> Sql:
        tests = [self._test(condition) for condition in conditions]
        return Sql(
            " AND ".join([select.text, *(test.text for test in tests)]),
            [*select.parameters, *(value for test in tests for value in test.parameters)],
        )

    def _test(self, condition: IndexCondition) -> Sql:
        """Whether the record of ``driver.pk`` fulfils `condition`."""
        match condition:
            case AllOf(parts):
                return self._join(parts, " AND ", "TRUE")
            case AnyOf(parts):
                return self._join(parts, " OR ", "FALSE")
            case Pks(pks):
                return Sql(f"driver.pk IN ({', '.join('?' * len(pks))})", list(pks))
            case Complement(part):
                test = self._test(part)
                return Sql(f"NOT {test.text}", test.parameters)
            case _:
                match_ = self._match(condition, "entry")
                return Sql(
                    "EXISTS (SELECT 1 FROM simstore_entries AS entry "
                    f"WHERE entry.pk = driver.pk AND {match_.text})",
                    match_.parameters,
                )

    def _join(self, parts: Sequence[IndexCondition], operator: str, empty: str) -> Sql:
        tests = [self._test(part) for part in parts]
        return Sql(
            f"({operator.join(test.text for test in tests) or empty})",
            [value for test in tests for value in test.parameters],
        )

    def _match(self, condition: Equal | OneOf | Range | Prefix, alias: str) -> Sql:
        """Whether an entry is one that the look-up asks for."""
        text = f"{alias}.index_id = ?"
        parameters: list[Any] = [self._index_id(condition.index)]
        match condition:
            case Equal(_, value):
                text += f" AND {alias}.value = ?"
                parameters.append(stored_value(value))
            case OneOf(_, values):
                text += f" AND {alias}.value IN ({', '.join('?' * len(values))})"
                parameters += map(stored_value, values)
            case Range(_, low, high):
                # Both ends, always: the values of other kinds lie beyond those of this one.
                of_text = isinstance((low or high or _ANY_NUMBER).value, str)
                low = low or Bound("" if of_text else -math.inf, inclusive=True)
                beyond = _AFTER_TEXT if of_text else _AFTER_NUMBERS
                text += f" AND {alias}.value {'>=' if low.inclusive else '>'} ?"
                text += f" AND {alias}.value {'<=' if high and high.inclusive else '<'} ?"
                parameters += [low.value, high.value if high else beyond]
            case Prefix(_, prefix):
                text += f" AND {alias}.value >= ? AND {alias}.value < ?"
                parameters += [prefix, _after_prefix(prefix)]
        return Sql(text, parameters)


def _after_prefix(prefix: str) -> str | bytes:
    """The first value behind every text that begins with `prefix`."""
    for position in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[position])
        if code < sys.maxunicode:
            # The code points of surrogates are no characters, and cannot be a parameter.
            following = 0xE000 if 0xD7FF <= code < 0xE000 else code + 1
            return prefix[:position] + chr(following)
    return _AFTER_TEXT
