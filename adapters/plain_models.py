"""Records of plain models, whose JSON is checked while it is parsed.

pydantic says what a record is. Where a model is made of JSON's own types, tuples and enums alone,
msgspec checks them in the pass that parses them, for half of what a parse and a validation cost;
the model's own validators are called as ever. Whatever it does not take, or would take otherwise
than pydantic, is in doubt here, and for pydantic to take, to mend or to refuse.
"""

from collections.abc import Callable, Mapping
from enum import Enum, Flag
from types import GenericAlias
from typing import Annotated, Any, Generic, Literal, Self, TypeVar, Union

import msgspec
from pydantic import BaseModel

from simstore.domain.numbers import MAX_INT, MIN_INT, check_numbers, holds_infinity

T = TypeVar("T", bound=BaseModel)
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
_HARMLESS_SETTINGS = {
    "extra_fields_behavior",
    "frozen",
    "hide_input_in_errors",
    "ser_json_bytes",
    "ser_json_inf_nan",
    "ser_json_timedelta",
    "title",
    "validate_by_alias",
    "validate_by_name",
}
_MISSING = "\0missing"
"""The value of a field that a document lacks. A text, because texts are soonest told apart."""

_EXACT_SCALARS = frozenset({str, int, float, bool, type(None)})


class _NotPlainError(Exception):
    """Something of a model is beyond msgspec, or means something else to it."""


class PlainModel(Generic[T]):
    """One plain model, as msgspec and pydantic share it."""

    def __init__(self, model: type[T]) -> None:
        validators, fields = _taken_apart(model)
        checked = {name: _Field(field["schema"]) for name, field in fields.items()}
        self._model = model
        # A value that is not checked can hide only behind an unknown name; those are in doubt.
        struct = msgspec.defstruct(
            model.__name__,
            [(name, field.type, _MISSING) for name, field in checked.items()],
            forbid_unknown_fields=True,
            gc=False,
        )
        self._struct = struct
        self._names = set(checked)
        self._parse = msgspec.json.Decoder(struct).decode
        self._functions = [(n, *function) for n, f in checked.items() for function in f.functions]
        self._validators = validators
        self._with_floats = [name for name, field in checked.items() if field.holds_float]

    @classmethod
    def of(cls, model: type[T]) -> Self | None:
        """`model`, or None if it is not plain."""
        try:
            return cls(model)
        except (_NotPlainError, TypeError, ValueError):  # the last two are msgspec's refusals
            return None

    def read(self, data: bytes) -> T | None:
        """The record of its JSON, or None if that is in doubt."""
        try:
            document = msgspec.structs.asdict(self._parse(data))
            names = self._names.copy()
            if _MISSING in document.values():
                names = {name for name in names if document[name] is not _MISSING}
                self._set_defaults(document)
            return self._made(document, names)
        except Exception:  # noqa: BLE001 — whatever it is, pydantic meets it again and names it
            return None

    def copy(self, item: T) -> T | None:
        """A record that equals `item` and shares nothing with it that can change.

        None if it is in doubt whether there is one. Its texts may still be of a subclass of str.
        """
        values = item.__dict__
        try:
            document = msgspec.structs.asdict(msgspec.convert(values, self._struct))
            back = self._made(document, self._names.copy())
            if back.__dict__ != values:
                return None
            # JSON has no NaN and no infinity, and of integers convert() makes floats.
            if any(holds_infinity(values[name]) for name in self._with_floats):
                return None
        except Exception:  # noqa: BLE001 — as above
            return None
        return back

    def _set_defaults(self, document: dict[str, Any]) -> None:
        for name, field in self._model.model_fields.items():
            if document[name] is _MISSING:
                if field.is_required() or field.default_factory_takes_validated_data:
                    raise _NotPlainError
                document[name] = field.get_default(call_default_factory=True)

    def _made(self, document: dict[str, Any], names: set[str]) -> T:
        """What pydantic makes of a document that it has checked."""
        for name, function, is_before in self._functions:
            if name in names:
                document[name] = value = function(document[name])
                if is_before and type(value) is not str:
                    raise _NotPlainError
        item: Any = self._model.__new__(self._model)
        # As model_construct() does, which costs more than all the rest, since it looks for aliases.
        object.__setattr__(item, "__dict__", document)
        object.__setattr__(item, "__pydantic_fields_set__", names)
        object.__setattr__(item, "__pydantic_extra__", None)
        object.__setattr__(item, "__pydantic_private__", None)
        for validate in self._validators:
            item = validate(item)
        if type(item) is not self._model:
            raise _NotPlainError
        return item


def are_exact(values: tuple[Any, ...]) -> bool:
    """Whether `values` and the members of the lists among them are scalars of no subclass."""
    for value in values:
        kind = type(value)
        if kind is list:
            if not _EXACT_SCALARS.issuperset(map(type, value)):
                return False
        elif kind not in _EXACT_SCALARS:
            return False
    return True


def _taken_apart(model: type[BaseModel]) -> tuple[list[Callable[[Any], Any]], dict[str, Schema]]:
    """The validators of the model as a whole, first to last, and the schemas of its fields."""
    schema: Schema = model.__pydantic_core_schema__
    validators: list[Callable[[Any], Any]] = []
    while schema["type"] == "function-after":
        validators.insert(0, _function(schema))
        schema = schema["schema"]
    _expect(schema, "model", "cls", "schema", "config", "custom_init", "root_model")
    settings = schema.get("config", {})
    if (
        schema["cls"] is not model
        or schema.get("custom_init")
        or schema.get("root_model")
        or not settings.keys() <= _HARMLESS_SETTINGS
        or settings.get("extra_fields_behavior") == "allow"
    ):
        raise _NotPlainError
    schema = schema["schema"]
    _expect(schema, "model-fields", "fields", "model_name", "computed_fields")
    for field in schema["fields"].values():
        _expect(field, "model-field", "schema", "validation_alias", "serialization_alias", "frozen")
    return validators, schema["fields"]


class _Field:
    """A field's type for msgspec, and its own validators, first to last.

    With each comes whether it is one before that of a text.
    """

    def __init__(self, schema: Schema) -> None:
        self.functions: list[tuple[Callable[[Any], Any], bool]] = []
        if schema["type"] == "default":
            _expect(
                schema,
                "default",
                "schema",
                "default",
                "default_factory",
                "default_factory_takes_data",
                "copy_default",
            )
            schema = schema["schema"]
        while schema["type"] == "function-after":
            self.functions.insert(0, (_function(schema), False))
            schema = schema["schema"]
        while self.functions and self.functions[0][0] is check_numbers:
            self.functions.pop(0)  # msgspec has made sure of it
        if schema["type"] == "function-before":
            function = _function(schema)
            schema = schema["schema"]
            if schema["type"] != "str":
                raise _NotPlainError
            self.functions.insert(0, (function, True))
        self.type = _type_of(schema)
        self.holds_float = "float" in repr(self.type)


def _function(schema: Schema) -> Callable[[Any], Any]:
    _expect(schema, schema["type"], "function", "schema")
    if schema["function"]["type"] != "no-info":
        raise _NotPlainError
    function: Callable[[Any], Any] = schema["function"]["function"]
    return function


def _type_of(schema: Schema) -> Any:
    """The type that msgspec takes for `schema`: it finds it in the same JSON, or in less.

    Constraints, serializers and the like are parts of a schema that are not expected here.
    """
    match schema["type"]:
        case "str" | "bool" | "none" | "int" | "float" as leaf:
            _expect(schema, leaf)
            return _LEAVES[leaf]
        case "literal":
            _expect(schema, "literal", "expected")
            return _one_of(schema["expected"])
        case "enum":
            _expect(schema, "enum", "cls", "members", "sub_type")
            return _enum(schema["cls"])
        case "nullable":
            _expect(schema, "nullable", "schema")
            return _any_of([_type_of(schema["schema"]), None])
        case "union":
            _expect(schema, "union", "choices")
            return _told_apart(schema["choices"])
        case "list":
            _expect(schema, "list", "items_schema")
            return GenericAlias(list, (_type_of(schema["items_schema"]),))
        case "dict":
            _expect(schema, "dict", "keys_schema", "values_schema")
            _expect(schema["keys_schema"], "str")
            return GenericAlias(dict, (str, _type_of(schema["values_schema"])))
        case "tuple":
            _expect(schema, "tuple", "items_schema", "variadic_item_index")
            members = [_type_of(member) for member in schema["items_schema"]]
            if "variadic_item_index" in schema:
                if len(members) > 1:
                    raise _NotPlainError
                members.append(...)
            return GenericAlias(tuple, tuple(members))
    raise _NotPlainError


def _one_of(expected: list[Any]) -> Any:
    if not all(type(value) is str for value in expected):
        raise _NotPlainError
    return Literal[tuple(expected)]


def _enum(cls: type[Enum]) -> type[Enum]:
    kinds = {type(member.value) for member in cls}
    if issubclass(cls, Flag) or kinds not in ({str}, {int}):
        raise _NotPlainError
    return cls


def _told_apart(choices: list[Any]) -> Any:
    """A union whose members are told apart by the kind of JSON, as no two readers do otherwise."""
    kinds = [_JSON_KINDS.get(choice["type"]) for choice in choices]
    if None in kinds or len(set(kinds)) < len(kinds):
        raise _NotPlainError
    return _any_of([_type_of(choice) for choice in choices])


def _any_of(members: list[Any]) -> Any:
    return Union[tuple(members)]  # noqa: UP007 — there is no `|` for a list


def _expect(schema: Schema, kind: str, *parts: str) -> None:
    """Refuse a schema of another kind, or with parts that are not known here."""
    if schema["type"] != kind or not schema.keys() <= {"type", "metadata", "ref", *parts}:
        raise _NotPlainError
