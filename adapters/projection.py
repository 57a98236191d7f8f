"""``project``: some fields of a record, from its indexed values or from the record itself."""

import types
import typing
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from simstore.adapters.storage import Indexes, Values
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import FieldPath, ModelSchema
from simstore.domain.text import shown


class Projection:
    """The fields that a call asks for.

    Raises:
        QueryError: there is no such field.
        InvalidArgumentError: `fields` is not a list of names.
    """

    def __init__(self, schema: ModelSchema, indexes: Indexes, fields: Sequence[str]) -> None:
        several: object = fields
        names = list(fields) if isinstance(several, Iterable) else [several]
        if isinstance(several, str) or not all(isinstance(name, str) for name in names):
            raise InvalidArgumentError(f"fields is a list of field names, not {shown(several)}")
        self._fields = [schema.resolve(str(name)) for name in names]
        positions = {path: position for position, path in enumerate(indexes.paths)}
        self._columns = [
            (
                field.path,
                None if field.path == "pk" else positions.get(field.path),
                _kinds(field.annotation),
                field,
            )
            for field in self._fields
        ]
        self.indexed = all(
            position is not None or path == "pk" for path, position, *_ in self._columns
        )
        """Whether the storage knows the values of all fields without reading documents."""

    def of_values(self, pk: str, values: Values) -> dict[str, Any]:
        """The fields, from what the index knows, as the record would have them."""
        row: dict[str, Any] = {}
        for path, position, kinds, field in self._columns:
            value = pk if position is None else values[position]
            # Asked here, since a call for each value would cost more than all the rest.
            same = value is None or type(value) in kinds
            row[path] = value if same else _adapter(field).validate_python(value, strict=False)
        return row

    def of_item(self, item: BaseModel) -> dict[str, Any]:
        """The fields of a record."""
        return {field.path: field.read(item) for field in self._fields}


def _kinds(annotation: Any) -> frozenset[type]:
    """The classes of values that are what `annotation` makes of them."""
    union = typing.get_origin(annotation) in {typing.Union, types.UnionType}
    members = typing.get_args(annotation) if union else (annotation,)
    return frozenset(kind for kind in (str, int, float, bool) if kind in members)


@cache
def _adapter(field: FieldPath) -> TypeAdapter[Any]:
    return TypeAdapter(field.annotation)
