"""Conditions as they are written in a shell: ``tag=pilot``, ``age>=18``, ``agents*=PK``."""

import json
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, get_args

from pydantic import BaseModel

from simstore.domain.errors import QueryError
from simstore.domain.query import Comparison, Condition, Operator
from simstore.domain.schema import FieldPath, Kind, schema_of

SYNTAX = """\
A condition is FIELD SIGN VALUE, without blanks around the sign:

\b
  tag=pilot          equal            age>=18        also > < <=
  tag!=pilot         not equal        name^=Al       begins with
  agents*=PK         the list has it  text~=a word   has these words

All of them must hold; == is the same as =. VALUE is read as the field's type is: a number, true or
false, the name of an enum's member; null is None. A text is taken as it is; null as a text, and
one that begins with = or a quotation mark, stand in JSON's quotes: 'tag="null"'."""

_OPERATORS = {
    "=": Operator.EQUAL,
    "==": Operator.EQUAL,
    "!=": Operator.NOT_EQUAL,
    "<": Operator.LESS,
    "<=": Operator.LESS_EQUAL,
    ">": Operator.GREATER,
    ">=": Operator.GREATER_EQUAL,
    "^=": Operator.STARTSWITH,
    "*=": Operator.CONTAINS,
    "~=": Operator.MATCHES,
}

_FORM = re.compile(
    r"(?P<path>[\w.]+)(?P<operator>!=|>=|<=|\^=|\*=|~=|==|=|>|<)(?P<value>.*)", re.DOTALL
)


def parse_conditions(model: type[BaseModel], texts: Iterable[str] | None) -> list[Condition]:
    """The conditions that `texts` write, on the fields of `model`.

    Raises:
        QueryError: a text is no condition, a field is unknown, or a value is not of its type.
    """
    return [_parse(model, text) for text in texts or ()]


def is_condition(text: str) -> bool:
    """Whether `text` has the form of one; its field may still be unknown."""
    return _FORM.fullmatch(text) is not None


def _parse(model: type[BaseModel], text: str) -> Condition:
    found = _FORM.fullmatch(text)
    if found is None:
        raise QueryError(
            f"{text!r} is not a condition; write tag=pilot, 'age>=18' or 'name^=Al', without "
            "blanks around the sign, and in quotes: a shell takes > and < for itself"
        )
    known = schema_of(model).resolve(found["path"])
    operator = _OPERATORS[found["operator"]]
    value: Any = found["value"]
    if known.shape.many and operator in {Operator.EQUAL, Operator.NOT_EQUAL}:
        value = _list(value, text)
    elif operator not in {Operator.MATCHES, Operator.STARTSWITH}:
        value = _value(known, value, text)
    return Comparison(known.path, operator, value)


def _value(known: FieldPath, written: str, text: str) -> Any:
    """The value of a field's kind that is `written`."""
    if written == "null":
        return None
    member = _member(known.annotation, written)
    if member is not None:
        return member
    kinds = known.shape.kinds
    if written.startswith('"') or Kind.TEXT not in kinds:
        try:
            return json.loads(written)
        except ValueError as error:
            if Kind.TEXT in kinds:
                return written
            raise QueryError(f"{text!r}: {written!r} is no {_wanted(known)}") from error
    return written


def _wanted(known: FieldPath) -> str:
    """What a value of the field is."""
    for kind in (known.annotation, *get_args(known.annotation)):
        if isinstance(kind, type) and issubclass(kind, Enum):
            return f"{kind.__name__}; there are {', '.join(kind.__members__)}"
    return " or ".join(sorted(known.shape.kinds)) or "value that can be compared"


def _list(written: str, text: str) -> Any:
    try:
        return json.loads(written)
    except ValueError as error:
        raise QueryError(
            f"{text!r}: the field is a list; compare it with one, such as '[\"a\"]', or write *= "
            "to ask whether it has a value"
        ) from error


def _member(annotation: Any, written: str) -> Enum | None:
    """The member called `written` of the enum that a field holds."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Enum):
            found = kind.__members__.get(written)
            if found is not None:
                return found
    return None
