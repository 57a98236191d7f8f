"""What the query engine is told of the fields of a model's own documents, and asked by them.

Not all of the indexed paths are told: only those of texts and of numbers, which the model reads
as they stand in the document. The rest is answered by reading records.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from simstore.adapters.redis_om.as_stored import is_read_as_stored
from simstore.adapters.redis_om.candidates import LookUp, Parameters
from simstore.adapters.redis_om.entries import attribute_name, number_query
from simstore.adapters.redis_om.exact import test_of
from simstore.adapters.storage import (
    Bound,
    Equal,
    IndexCondition,
    Indexes,
    OneOf,
    Precision,
    Prefix,
    Range,
    words_index,
)
from simstore.domain.errors import QueryError
from simstore.domain.query import Scalar
from simstore.domain.schema import Kind, ModelSchema, kind_of, scalar

LONGEST_TAG = 1_000
"""Characters of the longest text that is looked up: far below 4,096 bytes, where tags are cut."""

_TYPES = {Kind.TEXT: ("TAG", "CASESENSITIVE"), Kind.NUMBER: ("NUMERIC",)}
"""How the query engine indexes values. Of a text without a separator it makes one tag."""

_UNKNOWN = object()
"""What a default holds where its path does not go on."""


class Attribute(NamedTuple):
    """What the query engine knows of an indexed path."""

    name: str
    kind: Kind
    json_path: str
    names: tuple[str, ...]
    fields: tuple[FieldInfo, ...]
    """The fields along the path."""

    def words(self) -> tuple[str, ...]:
        """It as a part of FT.CREATE."""
        return (self.json_path, "AS", self.name, *_TYPES[self.kind])

    def stand_ins(self) -> list[Any] | None:
        """What the model reads where a document lacks the field, or one that it is within.

        None if that cannot be told.
        """
        found: list[Any] = []
        for depth, field in enumerate(self.fields, start=1):
            if field.is_required():
                continue
            if field.default_factory_takes_validated_data:
                return None
            once, again = (
                _values_at(field.get_default(call_default_factory=True), self.names[depth:])
                for _ in range(2)
            )
            if once != again or not all(isinstance(value, Scalar) for value in once):
                return None
            found += once
        return found

    def query(self, look_up: LookUp, parameters: Parameters) -> str | None:
        """A query that finds all that a look-up asks for; None if there is none."""
        stand_ins = self.stand_ins()
        if stand_ins is None or test_of(Indexes((look_up.index,), ()), look_up)("", (stand_ins,)):
            return None
        field = f"@{self.name}"
        match look_up:
            case Equal(_, value):
                values: tuple[Scalar, ...] = (value,)
            case OneOf(_, values) if values:
                pass
            case Range() if self.kind is Kind.NUMBER:
                return number_query(field, look_up.low, look_up.high)
            case _:
                return None
        queries = [_of_value(field, self.kind, parameters, value) for value in values]
        known = [query for query in queries if query is not None]
        return "|".join(known) if len(known) == len(queries) else None


def attributes_of(schema: ModelSchema, indexes: Indexes) -> Mapping[str, Attribute]:
    """Those of the indexed paths that the query engine is told of, by path."""
    return _attributes(schema, tuple(exact for exact, _ in indexes.names))


@cache
def _attributes(schema: ModelSchema, paths: tuple[str | None, ...]) -> Mapping[str, Attribute]:
    found: dict[str, Attribute] = {}
    for position, path in enumerate(paths):
        attribute = None if path is None else _attribute(schema, position, path)
        if path is not None and attribute is not None:
            found[path] = attribute
    return found


def _attribute(schema: ModelSchema, position: int, path: str) -> Attribute | None:
    try:
        shape = schema.resolve(path).shape
    except QueryError:
        return None  # of another definition of the class
    if len(shape.kinds) != 1 or not is_read_as_stored(schema.model, path):
        return None
    [kind] = shape.kinds
    names = tuple(path.split("."))
    if kind not in _TYPES or not path.isascii() or not all(map(str.isidentifier, names)):
        return None
    steps: list[str] = []
    fields: list[FieldInfo] = []
    model: Any = schema.model
    is_list = False
    for depth, name in enumerate(names, start=1):
        at = schema.resolve(".".join(names[:depth])).shape
        # There is one list at most on the way to what can be compared.
        steps.append(f"{name}[*]" if at.many and not is_list else name)
        is_list = at.many
        fields.append(model.model_fields[name])
        model = at.embedded
    json_path = f"$.{'.'.join(steps)}"
    return Attribute(attribute_name(position, path), kind, json_path, names, tuple(fields))


def _values_at(value: Any, names: Sequence[str]) -> list[Any]:
    """What is at the end of `names` within a default: each element of a list."""
    values = _several(value)
    for name in names:
        values = [
            inner
            for outer in values
            if outer is not None
            for inner in _several(getattr(outer, name, _UNKNOWN))
        ]
    return [scalar(value) for value in values]


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _of_value(field: str, kind: Kind, parameters: Parameters, value: Scalar) -> str | None:
    if kind_of(value) is not kind:
        return None
    if not isinstance(value, str):
        bound = Bound(value, inclusive=True)  # type: ignore[arg-type]  # a number, as its kind says
        return number_query(field, bound, bound)
    return f"{field}:{{{parameters.add(value)}}}" if _is_askable(value) else None


def precision_of(condition: IndexCondition) -> Precision:
    """NONE for what the index does not know of the records, and cannot be asked.

    That is: null, which it does not have; a text that is empty, blank at an end, long, or has
    control characters, of which a NUL ends a tag; the order and the beginnings of texts; and
    words, which the query engine tells apart by other rules than ours.
    """
    match condition:
        case Equal(index, value):
            known = not index.endswith(words_index("")) and _is_askable(value)
        case OneOf(_, values):
            known = all(map(_is_askable, values))
        case Range(_, low, high):
            known = not any(isinstance(end.value, str) for end in (low, high) if end is not None)
        case _:
            known = not isinstance(condition, Prefix)
    return Precision.EXACT if known else Precision.NONE


def _is_askable(value: Scalar) -> bool:
    if isinstance(value, str):
        if "\\" in value:  # the query engine takes it for an escape, even in a parameter
            return False
        return 0 < len(value) <= LONGEST_TAG and value == value.strip() and min(value) >= " "
    return value is not None
