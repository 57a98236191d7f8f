"""Records of plain models, whose JSON is checked while it is parsed.

pydantic says what a record is. Where a model is made of JSON's own types, tuples and enums alone,
msgspec checks them in the pass that parses them, for half of what a parse and a validation cost;
the model's own validators are called as ever. Whatever it does not take, or would take otherwise
than pydantic, is in doubt here, and for pydantic to take, to mend or to refuse.
"""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, Self, TypeVar

import msgspec
import orjson
from pydantic import BaseModel

from simstore.adapters.plain_types import NotPlainError, Schema, cloner_of, expect, type_of
from simstore.domain.numbers import check_numbers, holds_infinity

T = TypeVar("T", bound=BaseModel)

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


class PlainModel(Generic[T]):
    """One plain model, as msgspec and pydantic share it."""

    def __init__(self, model: type[T]) -> None:
        validators, fields = _taken_apart(model)
        checked = {name: _Field(field["schema"]) for name, field in fields.items()}
        self._model = model
        # A value that is not checked can hide only behind an unknown name. Those are in doubt,
        # and for pydantic to take where the model takes them.
        struct = msgspec.defstruct(
            model.__name__,
            [(name, field.type, _MISSING) for name, field in checked.items()],
            forbid_unknown_fields=True,
            gc=False,
        )
        self._validate = model.__pydantic_validator__.validate_python
        self._names = set(checked)
        self._parse = msgspec.json.Decoder(struct).decode
        self._functions = [(n, *function) for n, f in checked.items() for function in f.functions]
        self._defaults = {n: f.default for n, f in checked.items() if f.default is not None}
        self._validators = validators
        self._takes_others = model.model_config.get("extra") == "allow"
        cloners = [(name, cloner_of(field.type)) for name, field in checked.items()]
        self._cloners = [(name, cloner) for name, cloner in cloners if cloner is not None]
        self._with_integers = [name for name, f in checked.items() if "int" in repr(f.type)]
        self._with_floats = [name for name, f in checked.items() if "float" in repr(f.type)]

    @classmethod
    def of(cls, model: type[T]) -> Self | None:
        """`model`, or None if it is not plain."""
        try:
            return cls(model)
        except (NotPlainError, LookupError, TypeError, ValueError):
            # The last two are msgspec's refusals; a schema that is made by hand may lack parts.
            return None

    def read(self, data: bytes) -> T | None:
        """The record of its JSON, or None if that is in doubt."""
        try:
            document = msgspec.structs.asdict(self._parse(data))
            names = self._names.copy()
            if _MISSING in document.values():
                absent = [name for name, value in document.items() if value is _MISSING]
                names.difference_update(absent)
                for name in absent:
                    document[name] = self._defaults[name]()
            return self._made(document, names)
        except Exception:  # noqa: BLE001 — whatever it is, pydantic meets it again and names it
            return None

    def write(self, item: T) -> tuple[T, bytes] | None:
        """A record that equals `item` and shares nothing with it that can change, and its JSON.

        None if it is in doubt whether that JSON would make that record.
        """
        values = item.__dict__
        if item.__pydantic_extra__:
            return None
        try:
            copied = self._validate(values, strict=True, by_alias=False, by_name=True)
            # A validator may have kept what is no field, such as a cached property.
            if type(copied) is not self._model or copied.__dict__.keys() != self._names:
                return None
            if copied.__dict__ != values:
                return None
            for name in self._with_integers:
                holds_infinity(values[name])  # it raises, if one is beyond 64 bits
            if not all(_is_kept(values[name], copied.__dict__[name]) for name in self._with_floats):
                return None
            return copied, orjson.dumps(copied.__dict__)
        except Exception:  # noqa: BLE001 — as above; an integer beyond 64 bits, say
            return None

    def clone(self, item: BaseModel) -> T | None:
        """A record of the values of `item`, which `write` made, here or for a view of the model.

        None if that is in doubt.
        """
        document = item.__dict__.copy()
        for name, cloned in self._cloners:
            document[name] = cloned(document[name])
        try:
            return self._made(document, self._names.copy())
        except Exception:  # noqa: BLE001 — as above
            return None

    def _made(self, document: dict[str, Any], names: set[str]) -> T:
        """What pydantic makes of a document that it has checked."""
        for name, function, is_before in self._functions:
            if name in names:
                document[name] = value = function(document[name])
                if is_before and type(value) is not str:
                    raise NotPlainError
        item: Any = self._model.__new__(self._model)
        # As model_construct() does, which costs more than all the rest, since it looks for aliases.
        object.__setattr__(item, "__dict__", document)
        object.__setattr__(item, "__pydantic_fields_set__", names)
        object.__setattr__(item, "__pydantic_extra__", {} if self._takes_others else None)
        object.__setattr__(item, "__pydantic_private__", None)
        for validate in self._validators:
            item = validate(item)
        if type(item) is not self._model:
            raise NotPlainError
        return item


def _is_kept(value: object, copied: object) -> bool:
    """Whether JSON keeps the floats of `copied`, and `value` has no integers instead of some."""
    text = orjson.dumps(value)
    if text != orjson.dumps(copied):
        return False
    # As null, orjson writes NaN and infinities, too.
    return b"null" not in text or not holds_infinity(value)


def _taken_apart(model: type[BaseModel]) -> tuple[list[Callable[[Any], Any]], dict[str, Schema]]:
    """The validators of the model as a whole, first to last, and the schemas of its fields."""
    schema: Schema = model.__pydantic_core_schema__
    validators: list[Callable[[Any], Any]] = []
    while schema["type"] == "function-after":
        validators.insert(0, _function(schema))
        schema = schema["schema"]
    expect(schema, "model", "cls", "schema", "config", "custom_init", "root_model")
    settings = schema.get("config", {})
    if (
        schema["cls"] is not model
        or schema.get("custom_init")
        or schema.get("root_model")
        or not settings.keys() <= _HARMLESS_SETTINGS
    ):
        raise NotPlainError
    schema = schema["schema"]
    expect(schema, "model-fields", "fields", "model_name", "computed_fields")
    for field in schema["fields"].values():
        expect(field, "model-field", "schema", "validation_alias", "serialization_alias", "frozen")
    return validators, schema["fields"]


class _Field:
    """A field's type for msgspec, its default, and its own validators, first to last.

    With each validator comes whether it is one before that of a text.
    """

    def __init__(self, schema: Schema) -> None:
        self.functions: list[tuple[Callable[[Any], Any], bool]] = []
        self.default: Callable[[], Any] | None = None
        if schema["type"] == "default":
            self.default = _default(schema)
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
                raise NotPlainError
            self.functions.insert(0, (function, True))
        self.type = type_of(schema)


def _default(schema: Schema) -> Callable[[], Any] | None:
    """What makes the default; None if it depends on other fields, and so is for pydantic."""
    factory = ("default_factory", "default_factory_takes_data")
    expect(schema, "default", "schema", "default", "copy_default", *factory)
    if "default_factory" in schema:
        made: Callable[[], Any] = schema["default_factory"]
        return None if schema.get("default_factory_takes_data") else made
    default = schema["default"]
    return partial(copy.deepcopy, default) if schema.get("copy_default") else lambda: default


def _function(schema: Schema) -> Callable[[Any], Any]:
    expect(schema, schema["type"], "function", "schema")
    if schema["function"]["type"] != "no-info":
        raise NotPlainError
    function: Callable[[Any], Any] = schema["function"]["function"]
    return function
