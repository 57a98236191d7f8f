"""Conditions held against a model: every field known, every operand of the right type."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NoReturn

from simstore.domain.errors import QueryError
from simstore.domain.query import And, Comparison, Condition, Not, Operator, Or
from simstore.domain.schema import FieldPath, Kind, ModelSchema, kind_of, near_name, scalar
from simstore.domain.text import words

MAX_DEPTH = 40
"""How deep conditions may be nested: what every backend's query language takes."""


def checked(
    schema: ModelSchema, where: Iterable[Condition], equals: Mapping[str, object]
) -> Condition:
    """One condition for all of `where` and `equals` (field name to value), enums by value.

    Raises:
        QueryError: a field is unknown, or an operator or operand does not fit its field.
    """
    conditions = [_check(schema, condition) for condition in where]
    conditions += [
        _check_comparison(schema, Comparison(path, Operator.EQUAL, operand))
        for path, operand in equals.items()
    ]
    return conditions[0] if len(conditions) == 1 else And(tuple(conditions))


def _check(schema: ModelSchema, condition: object, depth: int = 1) -> Condition:
    if depth > MAX_DEPTH:
        raise QueryError(
            f"the condition is nested more than {MAX_DEPTH} deep; conditions joined by the same "
            "operator are not nested, so join them in one row"
        )
    match condition:
        case Comparison():
            return _check_comparison(schema, condition)
        case And(parts):
            return And(tuple(_check(schema, part, depth + 1) for part in parts))
        case Or(parts):
            return Or(tuple(_check(schema, part, depth + 1) for part in parts))
        case Not(part):
            return Not(_check(schema, part, depth + 1))
    raise QueryError(
        f"{condition!r} is not a condition; write field('name') == value, or name=value"
    )


def _check_comparison(schema: ModelSchema, comparison: Comparison) -> Comparison:
    field = schema.resolve(comparison.path)
    check = _Check(schema, field, comparison)
    operand = comparison.operand
    match comparison.operator:
        case Operator.EQUAL | Operator.NOT_EQUAL:
            operand = check.whole_value(operand)
        case Operator.IN:
            check.is_one_value(hint="use contains() for a list")
            operand = tuple(check.value(value) for value in comparison.operand)  # type: ignore[attr-defined]  # in_() made a tuple
        case Operator.CONTAINS:
            if not field.shape.many or not field.shape.kinds:
                check.refuse(
                    "is not a list of values; use matches() for words and startswith() for a prefix"
                )
            operand = check.value(operand)
        case Operator.STARTSWITH | Operator.MATCHES:
            check.is_one_value(hint="use contains() for a list")
            operand = check.text(operand)
        case _:
            check.is_one_value(hint="lists have no order")
            operand = check.orderable(operand)
    return replace(comparison, operand=operand)


class _Check:
    """The rules for one comparison, with the words that every refusal begins with."""

    def __init__(self, schema: ModelSchema, field: FieldPath, comparison: Comparison) -> None:
        self._shape = field.shape
        self._operator = comparison.operator
        self._name = f"{schema.model.__name__}.{field.path}"
        self._type = getattr(field.annotation, "__name__", str(field.annotation))

    def refuse(self, why: str) -> NoReturn:
        raise QueryError(f"{self._name} {why}")

    def is_one_value(self, hint: str) -> None:
        if self._shape.many:
            self.refuse(f"is a list, so {self._operator.value} does not apply to it; {hint}")
        if not self._shape.kinds:
            self.refuse(
                f"holds {self._type}, which can be compared with None alone: conditions are about "
                "text, numbers, bools, enums and lists of them"
            )

    def whole_value(self, operand: object) -> object:
        """The operand of == and !=: a value, a list of values where the field is one, or None."""
        if operand is None:
            return None
        if not self._shape.many:
            self.is_one_value(hint="")
            return self.value(operand)
        if not self._shape.kinds:
            self.refuse("is a list of composite values; it can be compared with None alone")
        if self._shape.unordered and isinstance(operand, set | frozenset):
            operand = list(operand)
        if not isinstance(operand, list | tuple):
            self.refuse(f"is a list: compare it with a list, or use contains({operand!r})")
        return tuple(self.value(value) for value in operand)

    def value(self, operand: object) -> object:
        """One value, checked for its kind and, where the field has choices, against them."""
        value = self._comparable(operand, self._shape.kinds)
        choices = self._shape.choices
        if value is not None and choices is not None and value not in choices:
            hint = near_name(str(value), [choice for choice in choices if isinstance(choice, str)])
            allowed = ", ".join(sorted(repr(choice) for choice in choices))
            self.refuse(f"cannot be {operand!r}: it is one of {allowed}{hint}")
        return value

    def orderable(self, operand: object) -> object:
        if self._shape.kinds == {Kind.BOOLEAN}:
            self.refuse("is a bool, which has no order; use == or !=")
        return self._comparable(operand, self._shape.kinds - {Kind.BOOLEAN})

    def _comparable(self, operand: object, kinds: frozenset[Kind]) -> object:
        value = scalar(operand)
        if value is None:
            return None
        if kind_of(value) not in kinds:
            choices = self._shape.choices
            allowed = f": {', '.join(sorted(map(repr, choices)))}" if choices else ""
            self.refuse(
                f"is compared with {' or '.join(sorted(kinds))}{allowed}, not with {operand!r}"
            )
        if isinstance(value, float) and math.isnan(value):
            self.refuse("cannot be compared with NaN: it is never stored")
        if isinstance(value, str):
            _check_unicode(self._name, value)
        return value

    def text(self, operand: object) -> str:
        if Kind.TEXT not in self._shape.kinds:
            self.refuse(f"is not text, so {self._operator.value} does not apply to it")
        value = scalar(operand)
        if not isinstance(value, str):
            self.refuse(f"is searched for text, not for {operand!r}")
        _check_unicode(self._name, value)
        if self._operator is Operator.MATCHES and not words(value):
            self.refuse(f"is searched for words, and {value!r} has none: no letter, no digit")
        return value


def _check_unicode(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise QueryError(
            f"{name} is compared with text that is not valid unicode: {value[error.start]!r} "
            "is half of a surrogate pair"
        ) from error
