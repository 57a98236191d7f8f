"""Records changed after they were made: their values become what their model makes of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from simstore.domain.errors import InvalidRecordError, QueryError
from simstore.sotopia.fields import path_of

T = TypeVar("T", bound=BaseModel)


def settled(item: T) -> T:
    """A record of the values of `item` as its model takes them: lists as tuples, say.

    It is `item` itself if the model refuses them; the repository then says why.
    """
    values = {**item.__dict__, **(item.__pydantic_extra__ or {})}
    try:
        valid: T = type(item).__pydantic_validator__.validate_python(
            values, strict=False, by_alias=False, by_name=True
        )
    except ValidationError:
        return item
    return valid


def saved(items: Sequence[T], write: Callable[[Sequence[T]], object]) -> None:
    """Write `items` as they are or, if they cannot be stored so, as they settle; then they have.

    Raises:
        InvalidRecordError: they cannot be stored in any case; nothing was.
    """
    try:
        write(items)
    except InvalidRecordError:
        valid = [settled(item) for item in items]
    else:
        return
    write(valid)
    for item, values in zip(items, valid, strict=True):
        item.__dict__.update(values.__dict__)


def changed(item: T, fields: Mapping[str, Any]) -> T:
    """A copy of `item` with some `fields` set; ``outer__inner`` is one within another.

    Raises:
        QueryError: there is no such field, or not in this record.
    """
    copy = item.model_copy(deep=True)
    for name, value in fields.items():
        path = path_of(type(item), name)
        *parents, leaf = path.split(".")
        holder: Any = reduce(getattr, parents, copy)
        if not isinstance(holder, BaseModel):
            raise QueryError(
                f"{type(item).__name__}.{path} cannot be set: {'.'.join(parents)} is "
                f"{'None' if holder is None else 'a list, which is set as a whole'}"
            )
        setattr(holder, leaf, value)
    return settled(copy)
