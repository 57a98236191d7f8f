"""What a condition means: a predicate on records. Every backend's answers go through it."""

import operator
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from simstore.domain.query import And, Comparison, Condition, Not, Operator, Or
from simstore.domain.schema import FieldPath, ModelSchema, kind_of
from simstore.domain.text import words

Predicate = Callable[[BaseModel], bool]

_ORDERINGS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.LESS: operator.lt,
    Operator.LESS_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_EQUAL: operator.ge,
}


def predicate(schema: ModelSchema, condition: Condition) -> Predicate:
    """A function that tells whether a record of `schema` fulfils the checked `condition`."""
    match condition:
        case Comparison():
            return _compare(schema.resolve(condition.path), condition.operator, condition.operand)
        case And(conditions):
            every = [predicate(schema, part) for part in conditions]
            return lambda item: all(holds(item) for holds in every)
        case Or(conditions):
            some = [predicate(schema, part) for part in conditions]
            return lambda item: any(holds(item) for holds in some)
        case Not(inner):
            holds = predicate(schema, inner)
            return lambda item: not holds(item)
    raise AssertionError(f"not a node of the tree: {condition!r}")


def _compare(field: FieldPath, op: Operator, operand: Any) -> Predicate:
    value = field.scalars
    if op in {Operator.EQUAL, Operator.NOT_EQUAL}:
        equal = _equality(field, operand)
        return equal if op is Operator.EQUAL else lambda item: not equal(item)
    if op is Operator.IN:
        choices = {_key(choice) for choice in operand}
        return lambda item: _key(value(item)) in choices
    if op is Operator.CONTAINS:
        wanted_key = _key(operand)
        return lambda item: any(_key(element) == wanted_key for element in value(item) or ())
    if op is Operator.STARTSWITH:
        return lambda item: isinstance(text := value(item), str) and text.startswith(operand)
    if op is Operator.MATCHES:
        wanted = set(words(operand))
        return lambda item: isinstance(text := value(item), str) and wanted.issubset(words(text))
    before = _ORDERINGS[op]
    kind = kind_of(operand)

    def ordered(item: BaseModel) -> bool:
        found = value(item)
        return kind is not None and kind_of(found) is kind and before(found, operand)

    return ordered


def _equality(field: FieldPath, operand: Any) -> Predicate:
    value = field.scalars
    if operand is None:
        # By identity: the field may hold anything, with an equality of its own.
        return lambda item: value(item) is None
    if not isinstance(operand, tuple):
        key = _key(operand)
        return lambda item: _key(value(item)) == key
    arrange = set if field.shape.unordered else list
    keys = arrange(map(_key, operand))

    def equal(item: BaseModel) -> bool:
        elements = value(item)
        return elements is not None and arrange(map(_key, elements)) == keys

    return equal


def _key(value: Any) -> tuple[bool, Any]:
    """What two values have in common just if they are equal: True == 1 in Python alone."""
    return isinstance(value, bool), value
