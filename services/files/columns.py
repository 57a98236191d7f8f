"""The columns that a model has in a table: what JSON types their values may have."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import PydanticOmit


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a model as a column.

    `types` are the JSON types (``string``, ``integer``, ``number``, ``boolean``, ``array``,
    ``object``, ``null``) that its values may have, `item_types` those of a list's elements.
    Either is empty where the model does not say. `default` is the field's own.
    """

    field: str
    types: frozenset[str]
    item_types: frozenset[str]
    default: Any


class _ForgivingSchema(GenerateJsonSchema):
    """A schema in which a type of the user's that has none may hold anything."""

    ignored_warning_types = frozenset({"skipped-choice", "non-serializable-default"})

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> dict[str, Any]:  # noqa: ARG002 — pydantic's signature
        return {}


def columns_of(model: type[BaseModel]) -> dict[str, Column]:
    """The column of each field that is stored, from the JSON schema of what `model` is stored as.

    A default is never validated: one of None makes None a value of a field that is not said to
    have it.
    """
    try:
        schema = model.model_json_schema(
            mode="serialization", by_alias=False, schema_generator=_ForgivingSchema
        )
    except (PydanticUserError, PydanticOmit):
        schema = {}  # a model that has none at all
    definitions = schema.get("$defs", {})
    # A model within itself has its own schema among the definitions.
    properties = _resolved(schema, definitions).get("properties", {})
    return {
        name: Column(
            name,
            _with_default(_types(properties.get(name, {}), definitions), field.default),
            _item_types(properties.get(name, {}), definitions),
            None if field.is_required() else field.get_default(),
        )
        for name, field in model.model_fields.items()
        if not field.exclude
    }


def first_repeated(names: Iterable[str]) -> str | None:
    """The first of `names` that came before; None if each comes once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _with_default(types: frozenset[str], default: Any) -> frozenset[str]:
    return types | {"null"} if types and default is None else types


def _resolved(schema: Any, definitions: Any) -> Any:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _alternatives(schema: Any, definitions: Any) -> list[Any]:
    schema = _resolved(schema, definitions)
    if "anyOf" not in schema:
        return [schema]
    return [each for member in schema["anyOf"] for each in _alternatives(member, definitions)]


def _types(schema: Any, definitions: Any) -> frozenset[str]:
    kinds = [each.get("type") for each in _alternatives(schema, definitions)]
    known = [kind for kind in kinds if isinstance(kind, str)]
    return frozenset(known) if len(known) == len(kinds) else frozenset()


def _item_types(schema: Any, definitions: Any) -> frozenset[str]:
    lists = [each for each in _alternatives(schema, definitions) if each.get("type") == "array"]
    if len(lists) != 1:
        return frozenset()
    return _types(lists[0].get("items", {}), definitions)
