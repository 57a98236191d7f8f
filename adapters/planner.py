"""Which part of a condition the indexes answer: pure functions, the same for every backend.

The index condition of a plan finds all the records that are asked for, and perhaps more; an
exact one finds no more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simstore.adapters.storage import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Bound,
    Complement,
    Equal,
    IndexCondition,
    OneOf,
    Pks,
    Precision,
    Prefix,
    Range,
    words_index,
)
from simstore.domain.numbers import MAX_INT, MIN_INT
from simstore.domain.query import And, Comparison, Condition, Not, Operator, Or
from simstore.domain.repository import Explanation
from simstore.domain.schema import ModelSchema
from simstore.domain.text import words

MAX_LOOKUPS = 200
"""A condition of more index look-ups than this, joined by | or &, is answered by a scan."""

MAX_VALUES = 10_000
"""A condition that names more values than this is answered by a scan."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to answer a condition."""

    index: IndexCondition
    exact: bool
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class _Part:
    """A condition's answer by index: what it asks, and what is left to be tested."""

    index: IndexCondition
    exact: bool
    indexed: tuple[str, ...] = ()
    scanned: tuple[str, ...] = ()


PrecisionOf = Callable[[IndexCondition], Precision]
"""What a storage's answer to a look-up is worth: `Storage.precision`."""


def plan(schema: ModelSchema, condition: Condition, precision_of: PrecisionOf) -> Plan:
    """The plan for a checked condition."""
    part = _Planner(schema, precision_of).plan(condition)
    lookups, values = _size(part.index)
    if lookups > MAX_LOOKUPS or values > MAX_VALUES:
        part = _scan(condition)
    explanation = Explanation(
        schema.collection,
        index=" & ".join(part.indexed),
        scan=" & ".join(part.scanned),
        reads_all=part.index == EVERYTHING and not part.exact,
    )
    return Plan(part.index, part.exact, explanation)


class _Planner:
    def __init__(self, schema: ModelSchema, precision_of: PrecisionOf) -> None:
        self._schema = schema
        self._precision_of = precision_of

    def plan(self, condition: Condition) -> _Part:
        match condition:
            case Comparison():
                return self._look_up(condition)
            case Not(inner):
                part = self.plan(inner)
                if part.exact and part.index != EVERYTHING:
                    return _Part(Complement(part.index), exact=True, indexed=(str(condition),))
            case And(conditions):
                parts = [self.plan(inner) for inner in conditions]
                return _Part(
                    _all_of([part.index for part in parts]),
                    exact=all(part.exact for part in parts),
                    indexed=tuple(text for part in parts for text in part.indexed),
                    scanned=tuple(text for part in parts for text in part.scanned),
                )
            case Or(conditions):
                parts = [self.plan(inner) for inner in conditions]
                if all(part.index != EVERYTHING for part in parts):
                    exact = all(part.exact for part in parts)
                    text = f"({condition})"  # so that it reads right beside others, joined by &
                    return _Part(
                        AnyOf(tuple(part.index for part in parts)),
                        exact=exact,
                        indexed=(text,),
                        scanned=() if exact else (text,),
                    )
        return _scan(condition)

    def _look_up(self, comparison: Comparison) -> _Part:
        if comparison.operator is Operator.NOT_EQUAL:
            part = self._look_up(replace(comparison, operator=Operator.EQUAL))
            if not part.exact:
                return _scan(comparison)
            return _Part(Complement(part.index), exact=True, indexed=(str(comparison),))
        found = _plan_comparison(self._schema, comparison)
        if found is None:
            return _scan(comparison)
        index, exact = found
        precisions = [self._precision_of(look_up) for look_up in _look_ups(index)]
        if Precision.NONE in precisions:
            return _scan(comparison)
        exact = exact and Precision.NARROWS not in precisions
        text = str(comparison)
        return _Part(index, exact, (text,), () if exact else (text,))


def _look_ups(index: IndexCondition) -> Iterator[IndexCondition]:
    """The look-ups that an index condition is made of."""
    match index:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _look_ups(part)
        case Complement(part):
            yield from _look_ups(part)
        case _:
            yield index


def _scan(condition: Condition) -> _Part:
    text = f"({condition})" if isinstance(condition, Or) else str(condition)
    return _Part(EVERYTHING, exact=False, scanned=(text,))


def _plan_comparison(  # noqa: PLR0911 — one return for each operator
    schema: ModelSchema, comparison: Comparison
) -> tuple[IndexCondition, bool] | None:
    """(index condition, whether it is exact), or None if no index helps."""
    path, operator, operand = comparison.path, comparison.operator, comparison.operand
    if path == "pk":
        return _plan_pk(operator, operand)
    shape = schema.resolve(path).shape
    if operator is Operator.MATCHES:
        if not shape.full_text:
            return None
        wanted = dict.fromkeys(words(str(operand)))
        return _all_of([Equal(words_index(path), word) for word in wanted]), True
    if not shape.indexed or _beyond_64_bits(operand):
        return None
    if shape.many:
        return _plan_list(path, operator, operand)
    match operator:
        case Operator.EQUAL:
            return Equal(path, operand), True  # type: ignore[arg-type]  # checked: a scalar
        case Operator.IN:
            return OneOf(path, operand), True  # type: ignore[arg-type]  # checked: a tuple
        case Operator.STARTSWITH:
            return Prefix(path, str(operand)), True
        case _:
            return _range(path, operator, operand), True


def _plan_pk(operator: Operator, operand: Any) -> tuple[IndexCondition, bool] | None:
    if operator not in {Operator.EQUAL, Operator.IN}:
        return None
    pks = operand if operator is Operator.IN else (operand,)
    return Pks(tuple(sorted({pk for pk in pks if pk is not None}))), True


def _plan_list(path: str, operator: Operator, operand: Any) -> tuple[IndexCondition, bool] | None:
    """As `_plan_comparison`, for a list: its index holds the elements, or None for null."""
    if operator is Operator.CONTAINS:
        # A null list has the same entry as a list that holds None.
        return Equal(path, operand), operand is not None
    if operator is Operator.EQUAL:
        elements = (None,) if operand is None else operand
        if elements:
            return _all_of([Equal(path, element) for element in elements]), False
    return None


def _range(path: str, operator: Operator, operand: Any) -> IndexCondition:
    if operand is None:
        return NOTHING
    bound = Bound(operand, inclusive=operator in {Operator.LESS_EQUAL, Operator.GREATER_EQUAL})
    if operator in {Operator.LESS, Operator.LESS_EQUAL}:
        return Range(path, None, bound)
    return Range(path, bound, None)


def _beyond_64_bits(operand: object) -> bool:
    values = operand if isinstance(operand, tuple) else (operand,)
    return any(isinstance(value, int) and not MIN_INT <= value <= MAX_INT for value in values)


def _all_of(parts: Sequence[IndexCondition]) -> IndexCondition:
    """All of `parts`, a lower and an upper bound on the same index as one range."""
    joined: list[IndexCondition] = []
    half_open: dict[tuple[str, bool], int] = {}
    """Where a range that lacks an end stands in `joined`, by index and whether it is of text."""
    for part in parts:
        if part == EVERYTHING:
            continue
        if isinstance(part, Range):
            bound = part.low or part.high
            key = (part.index, isinstance(bound.value if bound else None, str))
            position = half_open.get(key)
            merged = None if position is None else _merged(joined[position], part)
            if position is not None and merged is not None:
                joined[position] = merged
                del half_open[key]
                continue
            half_open[key] = len(joined)
        joined.append(part)
    return joined[0] if len(joined) == 1 else AllOf(tuple(joined))


def _merged(one: IndexCondition, other: Range) -> Range | None:
    """One range for a lower and an upper bound of the same kind; None if they are not that."""
    if isinstance(one, Range):
        if one.high is None and other.low is None:
            return Range(one.index, one.low, other.high)
        if one.low is None and other.high is None:
            return Range(one.index, other.low, one.high)
    return None


def _size(index: IndexCondition) -> tuple[int, int]:
    """How many look-ups an index condition makes, and how many values it names."""
    match index:
        case AllOf(parts) | AnyOf(parts):
            sizes = [_size(part) for part in parts]
            return sum(lookups for lookups, _ in sizes), sum(values for _, values in sizes)
        case Complement(part):
            return _size(part)
        case OneOf(_, values):
            return 1, len(values)
        case Pks(pks):
            return 1, len(pks)
    return 1, 2
