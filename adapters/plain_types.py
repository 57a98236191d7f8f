"""The types of plain models, as msgspec knows them: pydantic's core schemas become type hints."""

from collections.abc import Callable, Mapping
from enum import Enum, Flag
from types import GenericAlias
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from simstore.domain.numbers import MAX_INT, MIN_INT

Cloner = Callable[[Any], Any]
Schema = Mapping[str, Any]
"""One of pydantic's core schemas, or a part of it."""

_LEAVES = {
    "str": str,
    "bool": bool,
    "none": None,
    # Beyond 64 bits orjson reads a float.
    "int": Annotated[int, msgspec.Meta(ge=MIN_INT, le=MAX_INT)],
    "float": float,
}
_JSON_KINDS = {
    "str": "string",
    "literal": "string",
    "int": "number",
    "float": "number",
    "bool": "number",  # pydantic takes one for the other
    "none": "null",
    "list": "array",
    "tuple": "array",
    "dict": "object",
}


class NotPlainError(Exception):
    """Something of a model is beyond msgspec, or means something else to it."""


def type_of(schema: Schema) -> Any:
    """The type that msgspec takes for `schema`: it finds it in the same JSON, or in less.

    Constraints, serializers and the like are parts of a schema that are not expected here.
    """
    match schema["type"]:
        case "str" | "bool" | "none" | "int" | "float" as leaf:
            expect(schema, leaf)
            return _LEAVES[leaf]
        case "literal":
            expect(schema, "literal", "expected")
            return _one_of(schema["expected"])
        case "enum":
            expect(schema, "enum", "cls", "members", "sub_type")
            return _enum(schema["cls"])
        case "nullable":
            expect(schema, "nullable", "schema")
            return _any_of([type_of(schema["schema"]), None])
        case "union":
            expect(schema, "union", "choices")
            return _told_apart(schema["choices"])
        case "list":
            expect(schema, "list", "items_schema")
            return GenericAlias(list, (type_of(schema["items_schema"]),))
        case "dict":
            expect(schema, "dict", "keys_schema", "values_schema")
            expect(schema["keys_schema"], "str")
            return GenericAlias(dict, (str, type_of(schema["values_schema"])))
        case "tuple":
            expect(schema, "tuple", "items_schema", "variadic_item_index")
            members = [type_of(member) for member in schema["items_schema"]]
            if "variadic_item_index" in schema:
                if len(members) > 1:
                    raise NotPlainError
                members.append(...)
            return GenericAlias(tuple, tuple(members))
    raise NotPlainError


def _one_of(expected: list[Any]) -> Any:
    if not all(type(value) is str for value in expected):
        raise NotPlainError
    return Literal[tuple(expected)]


def _enum(cls: type[Enum]) -> type[Enum]:
    kinds = {type(member.value) for member in cls}
    if issubclass(cls, Flag) or kinds not in ({str}, {int}):
        raise NotPlainError
    return cls


def _told_apart(choices: list[Any]) -> Any:
    """A union whose members are told apart by the kind of JSON, as no two readers do otherwise."""
    kinds = [_JSON_KINDS.get(choice["type"]) for choice in choices]
    if None in kinds or len(set(kinds)) < len(kinds):
        raise NotPlainError
    return _any_of([type_of(choice) for choice in choices])


def _any_of(members: list[Any]) -> Any:
    return Union[tuple(members)]  # noqa: UP007 — there is no `|` for a list


def cloner_of(kind: Any) -> Cloner | None:
    """A function that copies what can change in a value of `kind`; None if nothing can."""
    origin, members = get_origin(kind), get_args(kind)
    if origin is list:
        return _list_cloner(cloner_of(members[0]))
    if origin is dict:
        return _dict_cloner(cloner_of(members[1]))
    if origin is tuple:
        cloners = [cloner_of(member) for member in members if member is not ...]
        return _tuple_cloner(cloners, variadic=members[-1] is ...)
    if origin is Union:
        by_type = {get_origin(m): cloner for m in members if (cloner := cloner_of(m)) is not None}
        if by_type:
            return lambda value: by_type.get(type(value), _itself)(value)
    return None


def _list_cloner(cloner: Cloner | None) -> Cloner:
    if cloner is None:
        return list.copy
    return lambda value: [cloner(member) for member in value]


def _dict_cloner(cloner: Cloner | None) -> Cloner:
    if cloner is None:
        return dict.copy
    return lambda value: {key: cloner(member) for key, member in value.items()}


def _tuple_cloner(cloners: list[Cloner | None], *, variadic: bool) -> Cloner | None:
    some = [cloner or _itself for cloner in cloners]
    if not any(cloners):
        return None
    if variadic:
        return lambda value: tuple([some[0](member) for member in value])
    return lambda value: tuple([cloner(part) for cloner, part in zip(some, value, strict=True)])


def _itself(value: Any) -> Any:
    return value


def expect(schema: Schema, kind: str, *parts: str) -> None:
    """Refuse a schema of another kind, or with parts that are not known here."""
    if schema["type"] != kind or not schema.keys() <= {"type", "metadata", "ref", *parts}:
        raise NotPlainError
