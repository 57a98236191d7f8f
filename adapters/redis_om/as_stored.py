"""Whether a model reads what stands in a document, or what it makes of that.

In our own layout the values that decide about a record are written beside it. Where the query
engine indexes the documents of others, it knows what stands in them: a text with blanks, where
the model strips them. So a field that its model may change is not asked for.

It is told from pydantic's schema, by a list of what changes nothing: what is not known to be
harmless counts as a change, and costs time instead of answers. simstore's own validators only
refuse.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from pydantic import BaseModel

Schema = Mapping[str, Any]

OWN_PACKAGE = __name__.partition(".")[0]

_CHANGING_SETTINGS = ("str_strip_whitespace", "str_to_lower", "str_to_upper", "validate_default")
_CHANGING_TEXT = ("strip_whitespace", "to_lower", "to_upper")
_FUNCTIONS = {"function-before", "function-after", "function-wrap"}


def is_read_as_stored(model: type[BaseModel], path: str) -> bool:
    """Whether the value at `path` of a record is the one that its document has there.

    Of a document that has one, that is, and of a type that the query engine takes for the
    field's: it refuses a document with a number for a text, or the reverse.
    """
    return _is_kept(model.__pydantic_core_schema__, path.split("."), {})


def _is_kept(schema: Schema, names: Sequence[str], known: Mapping[str, Schema]) -> bool:
    """Whether the schema reads what is at the end of `names` as it stands."""
    kind = schema["type"]
    inner: Any = schema.get("schema")
    if kind in _FUNCTIONS:
        return _is_own(schema["function"]["function"]) and _is_kept(inner, names, known)
    match kind:
        case "definitions":
            known = {each["ref"]: each for each in schema["definitions"]}
        case "definition-ref":
            inner = known[schema["schema_ref"]]
        case "default" if schema.get("validate_default"):
            return False
        case "nullable" | "default":
            pass
        case "list" | "set" | "frozenset":
            inner = schema.get("items_schema", {"type": "any"})
        case "tuple" if schema.get("variadic_item_index") == 0:
            [inner] = schema["items_schema"]
        case "model" if _changes_nothing(schema):
            pass
        case "model-fields" if names:
            field, *names = names
            inner = schema["fields"][field]["schema"]
        case "union":
            choices = [
                choice[0] if isinstance(choice, tuple) else choice for choice in schema["choices"]
            ]
            return all(_is_kept(choice, names, known) for choice in choices)
        case _:
            return not names and _is_leaf(kind, schema)
    return _is_kept(inner, names, known)


def _is_leaf(kind: str, schema: Schema) -> bool:
    if kind == "str":
        return not any(map(schema.get, _CHANGING_TEXT))
    if kind == "enum":
        return _is_plain(schema["cls"])
    return kind in {"int", "float", "bool", "literal"}


def _is_plain(kind: type[Enum]) -> bool:
    """Whether each member has one value, and no function makes members of others."""
    one_each = all(value == member.value for value, member in kind._value2member_map_.items())
    return one_each and kind._missing_.__func__ is Enum._missing_.__func__  # type: ignore[attr-defined]  # of a class method


def _changes_nothing(schema: Schema) -> bool:
    """Whether a model has nothing of its own that may change its fields."""
    model = schema["cls"]
    if schema.get("root_model") or any(map(schema.get("config", {}).get, _CHANGING_SETTINGS)):
        return False
    if schema.get("custom_init") and not _is_own(model.__init__):
        return False
    after = schema.get("post_init")
    return (
        after is None or _is_own(getattr(model, after)) or _is_for_privates(getattr(model, after))
    )


def _is_own(function: Callable[..., Any]) -> bool:
    module = getattr(function, "__module__", None) or ""
    return module.partition(".")[0] == OWN_PACKAGE


def _is_for_privates(function: Callable[..., Any]) -> bool:
    """Whether it is what pydantic puts into a class with private attributes: it sets those."""
    return getattr(function, "__qualname__", "") == "init_private_attributes"
