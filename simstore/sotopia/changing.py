"""Records changed after they were made: their values become what their model makes of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from simstore.adapters.codec import FAULTS
from simstore.domain.errors import (
    InvalidArgumentError,
    InvalidPkError,
    InvalidRecordError,
    QueryError,
)
from simstore.sotopia.fields import path_of

T = TypeVar("T", bound=BaseModel)


def settled(item: T) -> T:
    """A record of the values of `item` as its model takes them: lists as tuples, say.

    It is `item` itself if the model refuses them; the repository then says why.
    """
    if not isinstance(item, BaseModel):
        return item
    model = type(item)
    values = {name: value for name, value in item.__dict__.items() if name in model.model_fields}
    values |= item.__pydantic_extra__ or {}
    try:
        valid: T = model.__pydantic_validator__.validate_python(
            values, by_alias=False, by_name=True
        )
    except FAULTS:
        return item
    return valid


def write_settled(items: Sequence[T], write: Callable[[Sequence[T]], object]) -> None:
    """Write `items` as they are or, if they cannot be stored so, as they settle; then they have.

    Raises:
        InvalidRecordError: they cannot be stored in any case; nothing was.
    """
    try:
        write(items)
    except (InvalidRecordError, InvalidPkError):
        valid = [settled(item) for item in items]
    else:
        return
    write(valid)
    for item, values in zip(items, valid, strict=True):
        take_over(item, values)


def take_over(item: BaseModel, values: BaseModel) -> None:
    """Give `item` the fields of `values` that differ from its own; the others stay what they are.

    A list that somebody has taken from it before is still its list then.
    """
    for name in values.model_fields_set & type(values).model_fields.keys():
        value = values.__dict__[name]
        if item.__dict__.get(name) != value:
            item.__dict__[name] = value
            item.__pydantic_fields_set__.add(name)


def changed(item: T, fields: Mapping[str, Any]) -> T:
    """A copy of `item` with some `fields` set; ``outer__inner`` is one within another.

    Raises:
        QueryError: there is no such field, or not in this record.
        InvalidArgumentError: the pk is among them.
    """
    values: dict[str, Any] = {}
    for name, value in fields.items():
        path = path_of(type(item), name)
        top, *inner = path.split(".")
        if top == "pk":
            raise InvalidArgumentError(
                "update() does not change a pk: save the record under the new one, and delete "
                "the old one"
            )
        values[top] = (
            _within(values.get(top, getattr(item, top)), inner, value, path) if inner else value
        )
    return settled(item.model_copy(update=values))


def _within(holder: Any, names: Sequence[str], value: Any, path: str) -> Any:
    """A copy of the embedded `holder` with what is at the end of `names` set."""
    if not isinstance(holder, BaseModel):
        reached = ".".join(path.split(".")[: -len(names)])
        why = "None" if holder is None else "a list, which is set as a whole"
        raise QueryError(f"{path} cannot be set: {reached} is {why}")
    name, *inner = names
    if inner:
        value = _within(getattr(holder, name), inner, value, path)
    return settled(holder.model_copy(update={name: value}))
