"""Conditions on records: ``field("age") >= 18``, joined by ``&``, ``|`` and ``~``.

A condition is a value: a closed tree of the classes below, checked against a model by
`simstore.domain.checking` and answered by every backend alike. Its operators mean:

- ``==`` and ``!=`` are exact complements. Equality is exact and case-sensitive; ``== None``
  matches null; a number never equals a bool; a list equals a list of the same elements in
  the same order.
- ``<``, ``<=``, ``>``, ``>=`` order text by code point and numbers by value; None is neither
  before nor after anything.
- ``.in_(values)`` is ``==`` to any of them; ``.contains(value)`` is membership in a list;
  ``.startswith(text)`` is a prefix.
- ``.matches("two words")`` asks for every word: whole words of letters and digits, without
  regard to case, in any order, without stemming.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NoReturn

from simstore.domain.errors import QueryError

Scalar = str | int | float | bool | None
"""What a field can be compared with."""

Operand = Scalar | Enum | Sequence[Scalar | Enum]
"""The right-hand side of ``==`` and ``!=``."""


class Operator(StrEnum):
    """The comparisons of the tree."""

    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    IN = "in"
    CONTAINS = "contains"
    STARTSWITH = "startswith"
    MATCHES = "matches"


class Condition:
    """A node of the tree; join conditions with ``&``, ``|`` and ``~``."""

    __slots__ = ()

    def __and__(self, other: "Condition") -> "And":
        return And((*_parts(And, self), *_parts(And, _condition(other))))

    def __or__(self, other: "Condition") -> "Or":
        return Or((*_parts(Or, self), *_parts(Or, _condition(other))))

    def __invert__(self) -> "Condition":
        return self.condition if isinstance(self, Not) else Not(self)

    def __bool__(self) -> NoReturn:
        raise QueryError(
            "a condition is neither true nor false: join conditions with &, | and ~ instead of "
            "and, or and not, and write (a <= x) & (x <= b) instead of a <= x <= b"
        )


@dataclass(frozen=True, slots=True)
class Comparison(Condition):
    """`path` `operator` `operand`; the operand of ``in`` is a tuple of values."""

    path: str
    operator: Operator
    operand: object

    def __str__(self) -> str:
        return f"{self.path} {self.operator} {self.operand!r}"


@dataclass(frozen=True, slots=True)
class And(Condition):
    """Every one of `conditions` holds; with none of them, always true."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return " & ".join(f"({condition})" for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Or(Condition):
    """At least one of `conditions` holds; with none of them, never true."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return " | ".join(f"({condition})" for condition in self.conditions)


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """`condition` does not hold."""

    condition: Condition

    def __str__(self) -> str:
        return f"~({self.condition})"


def _condition(value: object) -> Condition:
    if not isinstance(value, Condition):
        raise QueryError(
            f"{value!r} is not a condition; write field('name') == value, and put comparisons "
            "that are joined by & or | into parentheses"
        )
    return value


def _parts(kind: type[And] | type[Or], condition: Condition) -> tuple[Condition, ...]:
    return condition.conditions if isinstance(condition, kind) else (condition,)


class Field:
    """A field by its name, or by its path into embedded models: ``field("message_list.sender")``.

    A path through a list of models stands for the list of their values.
    """

    __slots__ = ("path",)
    __hash__ = None  # type: ignore[assignment]  # == makes a condition, so it has no identity

    def __init__(self, path: str) -> None:
        name: object = path
        if not isinstance(name, str) or not name:
            raise QueryError(f"a field is named by a non-empty str, not {name!r}")
        self.path = path

    def __repr__(self) -> str:
        return f"field({self.path!r})"

    def __eq__(self, operand: Operand) -> Comparison:  # type: ignore[override]
        return Comparison(self.path, Operator.EQUAL, operand)

    def __ne__(self, operand: Operand) -> Comparison:  # type: ignore[override]
        return Comparison(self.path, Operator.NOT_EQUAL, operand)

    def __lt__(self, operand: Scalar | Enum) -> Comparison:
        return Comparison(self.path, Operator.LESS, operand)

    def __le__(self, operand: Scalar | Enum) -> Comparison:
        return Comparison(self.path, Operator.LESS_EQUAL, operand)

    def __gt__(self, operand: Scalar | Enum) -> Comparison:
        return Comparison(self.path, Operator.GREATER, operand)

    def __ge__(self, operand: Scalar | Enum) -> Comparison:
        return Comparison(self.path, Operator.GREATER_EQUAL, operand)

    def _is_no_condition(self, *_: object) -> NoReturn:
        raise QueryError(
            f"{self!r} alone is not a condition: compare it, and put comparisons that are joined "
            "by & or | into parentheses: (field('a') > 1) & (field('b') < 2)"
        )

    __and__ = __rand__ = __or__ = __ror__ = __invert__ = __bool__ = _is_no_condition

    def __contains__(self, value: object) -> NoReturn:
        raise QueryError(
            f"write {self!r}.contains(value) for a list, .matches(words) or .startswith(prefix) "
            "for text, and .in_(values) for one of several"
        )

    def in_(self, operands: Iterable[Scalar | Enum]) -> Comparison:
        """Equal to any of `operands`; to none of none."""
        if isinstance(operands, str) or not isinstance(operands, Iterable):
            raise QueryError(f"in_() takes a list of values, not {operands!r}")
        return Comparison(self.path, Operator.IN, tuple(operands))

    def contains(self, operand: Scalar | Enum) -> Comparison:
        """The list holds `operand`."""
        return Comparison(self.path, Operator.CONTAINS, operand)

    def startswith(self, prefix: str) -> Comparison:
        """The text begins with `prefix`, exactly."""
        return Comparison(self.path, Operator.STARTSWITH, prefix)

    def matches(self, words: str) -> Comparison:
        """The text has every one of `words`, in any order and case."""
        return Comparison(self.path, Operator.MATCHES, words)


def field(path: str) -> Field:
    """The field of that name or path, to be compared: ``field("age") >= 18``."""
    return Field(path)
