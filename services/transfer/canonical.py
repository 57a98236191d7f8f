"""The canonical text of a record: equal for equal records, whatever backend they come from."""

import json
from collections.abc import Callable, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from pydantic import BaseModel

from simstore.domain.numbers import holds_infinity
from simstore.domain.record import dumper_of


def documents_of(model: type[BaseModel]) -> Callable[[BaseModel], dict[str, Any]]:
    """`dump_record` for one model, but with the elements of sets in order.

    The order of a set is that in which it was built and hashed: it says nothing.
    """
    dump = dumper_of(model)
    # In pydantic's own terms, which name every set within the model, and frozensets too.
    if "set'" not in repr(model.__pydantic_core_schema__):
        return dump
    # Sets are still sets here, and come in the order in which `dump` made lists of them.
    as_python = model.__pydantic_serializer__.to_python

    def document_of(item: BaseModel) -> dict[str, Any]:
        python = as_python(item, by_alias=False, round_trip=True, warnings=False)
        document: dict[str, Any] = _in_order(dump(item), python)
        return document

    return document_of


def canonical_text(value: object) -> bytes:
    """A JSON value as text that equal values share.

    It is UTF-8, without blanks, keys in the order of their code points; an infinity is written
    ``Infinity``.
    """
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    # It writes infinities as null, and of most records that is soon ruled out.
    if b"null" in text and holds_infinity(value):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    return text


def _in_order(value: Any, python: object) -> Any:
    """`value`, in JSON's types, with the lists in order that are sets in `python`."""
    if (
        not isinstance(value, dict | list)
        or not isinstance(python, Sized)
        or len(value) != len(python)
    ):
        return value  # a serializer of the model's own makes something else for JSON
    if isinstance(value, dict) and isinstance(python, Mapping):
        members = zip(value.items(), python.values(), strict=True)
        return {name: _in_order(member, own) for (name, member), own in members}
    if isinstance(value, list) and isinstance(python, Sequence | AbstractSet):
        elements = [_in_order(*pair) for pair in zip(value, python, strict=True)]
        return sorted(elements, key=canonical_text) if isinstance(python, AbstractSet) else elements
    return value
