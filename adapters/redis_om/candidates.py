"""Which records may fulfil an index condition, so that only they need to be looked at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce

from simstore.adapters.storage import (
    AllOf,
    AnyOf,
    Complement,
    Equal,
    IndexCondition,
    OneOf,
    Pks,
    Prefix,
    Range,
)
from simstore.domain.query import Scalar

LookUp = Equal | OneOf | Range | Prefix


@dataclass(frozen=True, slots=True)
class Candidates:
    """The records of some pks, and those that a query finds, if there is one."""

    pks: frozenset[str] = frozenset()
    query: str = ""


@dataclass(slots=True)
class Parameters:
    """The values of a query: they are sent beside it, and so can never become part of it."""

    values: list[bytes] = field(default_factory=list)

    def add(self, value: str) -> str:
        """Send `value` too; returns what stands for it in the query."""
        self.values.append(value.encode())
        return f"$v{len(self.values) - 1}"

    def words(self) -> list[bytes | str | int]:
        """As the end of a command."""
        if not self.values:
            return []
        pairs = [word for n, value in enumerate(self.values) for word in (f"v{n}", value)]
        return ["PARAMS", len(pairs), *pairs]


QueryOf = Callable[[LookUp], str | None]
"""A query that finds all that a look-up asks for, and perhaps more; None if there is none."""


def candidates_of(condition: IndexCondition, query_of: QueryOf) -> Candidates | None:
    """All that may fulfil `condition`; None if every record may."""
    match condition:
        case Pks(pks):
            return Candidates(frozenset(pks))
        case AllOf(parts):
            some = [found for part in parts if (found := candidates_of(part, query_of)) is not None]
            return _both(some)
        case AnyOf(parts):
            each = [candidates_of(part, query_of) for part in _merged(parts)]
            known = [found for found in each if found is not None]
            return reduce(_either, known, Candidates()) if len(known) == len(each) else None
        case Complement():
            return None
        case _:
            query = query_of(condition)
            return None if query is None else Candidates(query=query)


def _merged(parts: Iterable[IndexCondition]) -> Iterable[IndexCondition]:
    """The parts of a union, those that look up values in one index as one of them."""
    merged: dict[object, IndexCondition] = {}
    for number, part in enumerate(parts):
        if isinstance(part, Equal | OneOf):
            known = merged.get(part.index)
            values = (*_values(known), *_values(part))
            merged[part.index] = part if known is None else OneOf(part.index, values)
        else:
            merged[number] = part
    return merged.values()


def _values(part: IndexCondition | None) -> tuple[Scalar, ...]:
    if isinstance(part, OneOf):
        return part.values
    return (part.value,) if isinstance(part, Equal) else ()


def _both(some: list[Candidates]) -> Candidates | None:
    """The candidates that are among all of `some`, or among one of them: any will do."""
    if not some:
        return None
    named = [found for found in some if not found.query]
    if named:
        return Candidates(frozenset.intersection(*(found.pks for found in named)))
    queries = [found.query for found in some if not found.pks]
    if queries:
        return Candidates(query=" ".join(f"({query})" for query in queries))
    return some[0]


def _either(one: Candidates, other: Candidates) -> Candidates:
    queries = [query for query in (one.query, other.query) if query]
    joined = "|".join(f"({query})" for query in queries) if len(queries) > 1 else "".join(queries)
    return Candidates(one.pks | other.pks, joined)
