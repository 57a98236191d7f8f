"""What a field's type hint promises of the JSON below it, for the codec's short cuts."""

import types
import typing
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, Union

from pydantic import AfterValidator, BaseModel, BeforeValidator

from simstore.domain.fields import FullText, Indexed

_CONTAINERS = (list, tuple, set, frozenset, dict)


def holds_no_number(annotation: Any) -> bool:
    """No number can be anywhere below: there is no NaN to look for. False if that is not known."""

    def textual(leaf: Any) -> bool:
        if typing.get_origin(leaf) is Literal:
            return all(isinstance(value, str) for value in typing.get_args(leaf))
        return isinstance(leaf, type) and (
            leaf in {str, bool, types.NoneType}
            or (issubclass(leaf, Enum) and all(isinstance(member.value, str) for member in leaf))
        )

    return _every_leaf(annotation, textual, frozenset())


def _is_harmless(metadata: object) -> bool:
    """A mark of ours, or a validator before or after the type's own. Others may skip it."""
    return isinstance(metadata, Indexed | FullText | BeforeValidator | AfterValidator)


def _may_return_input(model: type[BaseModel]) -> bool:
    """Whether a validator of the model may return what it was given."""
    decorators = model.__pydantic_decorators__
    return any(
        decorator.info.mode in {"wrap", "plain"}
        for group in (decorators.field_validators, decorators.model_validators)
        for decorator in group.values()
    )


def _every_leaf(
    annotation: Any, accepts: Callable[[Any], bool], above: frozenset[type[BaseModel]]
) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return all(map(_is_harmless, arguments[1:])) and _every_leaf(arguments[0], accepts, above)
    if origin in {Union, types.UnionType} or origin in _CONTAINERS:
        return bool(arguments) and all(
            argument is Ellipsis or _every_leaf(argument, accepts, above) for argument in arguments
        )
    if isinstance(annotation, type) and origin is None and issubclass(annotation, BaseModel):
        if annotation in above:
            return True
        if annotation.model_config.get("extra") == "allow" or _may_return_input(annotation):
            return False
        return all(
            all(map(_is_harmless, field.metadata))
            and _every_leaf(field.annotation, accepts, above | {annotation})
            for field in annotation.model_fields.values()
        )
    return accepts(annotation)
