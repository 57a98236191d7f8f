"""What a field's annotation promises of the JSON below it, for the codec's short cuts.

Both functions are careful: False where a type is not known.
"""

import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, Union

from pydantic import BaseModel, JsonValue

_CONTAINERS = (list, tuple, set, frozenset, dict)


def holds_no_number(annotation: Any) -> bool:
    """No number can be anywhere below: there is no NaN to look for."""

    def textual(leaf: Any) -> bool:
        if typing.get_origin(leaf) is Literal:
            return all(isinstance(value, str) for value in typing.get_args(leaf))
        return isinstance(leaf, type) and (
            leaf in {str, bool, types.NoneType}
            or (issubclass(leaf, Enum) and all(isinstance(member.value, str) for member in leaf))
        )

    return _every_leaf(annotation, textual, frozenset())


def copied_by_validation(annotation: Any) -> bool:
    """Validation makes every list and dict below anew, rather than keep those of its input."""

    def immutable(leaf: Any) -> bool:
        return (
            leaf is JsonValue
            or typing.get_origin(leaf) is Literal
            or (
                isinstance(leaf, type)
                and (leaf in {str, bool, int, float, types.NoneType} or issubclass(leaf, Enum))
            )
        )

    return _every_leaf(annotation, immutable, frozenset())


def _every_leaf(
    annotation: Any, accepts: Callable[[Any], bool], above: frozenset[type[BaseModel]]
) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _every_leaf(arguments[0], accepts, above)
    if origin in {Union, types.UnionType} or origin in _CONTAINERS:
        return bool(arguments) and all(
            argument is Ellipsis or _every_leaf(argument, accepts, above) for argument in arguments
        )
    if isinstance(annotation, type) and origin is None and issubclass(annotation, BaseModel):
        if annotation in above:
            return True
        return annotation.model_config.get("extra") != "allow" and all(
            _every_leaf(field.annotation, accepts, above | {annotation})
            for field in annotation.model_fields.values()
        )
    return accepts(annotation)
