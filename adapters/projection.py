"""``project``: some fields of a record, from its indexed values or from the record itself."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from simstore.adapters.arguments import shown
from simstore.adapters.storage import Indexes, Values
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import FieldPath, ModelSchema


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
        self._positions = {path: position for position, path in enumerate(indexes.paths)}
        self.indexed = all(
            field.path == "pk" or field.path in self._positions for field in self._fields
        )
        """Whether the storage knows the values of all fields without reading documents."""

    def of_values(self, pk: str, values: Values) -> dict[str, Any]:
        """The fields, from what the index knows, as the record would have them."""
        return {
            field.path: pk
            if field.path == "pk"
            else _restored(field, values[self._positions[field.path]])
            for field in self._fields
        }

    def of_item(self, item: BaseModel) -> dict[str, Any]:
        """The fields of a record."""
        return {field.path: field.read(item) for field in self._fields}


def _restored(field: FieldPath, value: Any) -> Any:
    """An indexed value in the type that the model gives it: enums, sets, tuples."""
    if value is None or type(value) is field.annotation:
        return value
    return _adapter(field).validate_python(value, strict=False)


@cache
def _adapter(field: FieldPath) -> TypeAdapter[Any]:
    return TypeAdapter(field.annotation)
