"""Sotopia's own layout: its database is worked on in place.

A key is ``:{module}.{class}:{pk}``, and its RedisJSON document is the record. Sotopia's index
``:{module}.{class}:index`` and its string ``:{module}.{class}:index:hash`` are left alone; we have
an index of our own over the same keys. It indexes the records' fields as they are, so some
look-ups cannot be made in it, and are answered by reading records (see `precision_of`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import orjson
import redis
from pydantic import BaseModel

from simstore.adapters.codec import json_of
from simstore.adapters.reading import DOCUMENTS_AT_A_TIME
from simstore.adapters.redis_om.candidates import LookUp, Parameters, candidates_of
from simstore.adapters.redis_om.entries import number_query
from simstore.adapters.redis_om.exact import test_of
from simstore.adapters.redis_om.json_text import kept_json
from simstore.adapters.redis_om.layout import Ask, Definition, Layout, Read, Row
from simstore.adapters.redis_om.models import IndexedField, definition_of, embedded_model
from simstore.adapters.storage import (
    Bound,
    Collection,
    Content,
    Equal,
    IndexCondition,
    Indexes,
    OneOf,
    Precision,
    Prefix,
    Put,
    Range,
    words_index,
)
from simstore.domain.errors import InvalidRecordError, ModelError, QueryError
from simstore.domain.query import Scalar
from simstore.domain.schema import Kind, ModelSchema, kind_of, scalar, schema_of
from simstore.domain.store import RECORD_MODELS

PACKAGE = "sotopia.database"

MODULES = {
    "AgentProfile": "persistent_profile",
    "EnvironmentProfile": "persistent_profile",
    "RelationshipProfile": "persistent_profile",
    "EnvironmentList": "persistent_profile",
    "EpisodeLog": "logs",
    "AnnotationForEpisode": "logs",
    "NonStreamingSimulationStatus": "logs",
    "Annotator": "annotators",
    "EnvAgentComboStorage": "env_agent_combo_storage",
    "SessionTransaction": "session_transaction",
    "MatchingInWaitingRoom": "waiting_room",
    "CustomEvaluationDimension": "evaluation_dimensions",
    "CustomEvaluationDimensionList": "evaluation_dimensions",
}
"""The module of each of Sotopia's classes, in its package."""

INDEX_PREFIX = "simstore-om.sotopia"
"""What the names of our indexes begin with; no namespace of our own layout has such names."""

LONGEST_TAG = 1_000
"""Characters of the longest text that is looked up: far below 4,096 bytes, where tags are cut."""

_SEPARATOR = " SEPARATOR |"

_MODELS: dict[str, type[BaseModel]] = {model.__name__: model for model in RECORD_MODELS}


class _Attribute(NamedTuple):
    """What the query engine knows of an indexed path."""

    name: str
    kind: Kind
    annotation: Any
    default: Any
    """What the model reads where a document lacks the field or holds null; None if it is None
    or required."""


class SotopiaLayout(Layout):
    """A database that Sotopia reads and writes as well."""

    record_path = "."
    is_ours_alone = False
    rows_at_a_time = DOCUMENTS_AT_A_TIME

    def prefix(self, name: str) -> str:
        module = MODULES.get(name)
        if module is None:
            raise ModelError(
                f"{name} is none of Sotopia's models, and a database of Sotopia's keeps no other; "
                "connect without layout=sotopia to store it"
            )
        return f":{PACKAGE}.{module}.{name}:"

    def patterns(self) -> Mapping[str, Callable[[str], str | None]]:
        return {f":{PACKAGE}.*": _name_of}

    def document(self, put: Put) -> bytes:
        document = kept_json(json_of(put.content))
        if document is None:
            raise InvalidRecordError(
                f"{put.collection.name} {put.pk!r} cannot be stored in Sotopia's layout: RedisJSON "
                "has no infinities, not every float, and no more than 127 levels of lists and "
                "objects; connect without layout=sotopia to store it"
            )
        return document

    def content(self, text: bytes) -> Content:
        return text

    def is_reserved(self, pk: str) -> bool:
        return pk == "index:hash"  # redis-om's note of which index it made

    def definition(self, collection: Collection, database: redis.Redis) -> Definition:
        fields: dict[str, IndexedField] = {}
        nested: dict[str, dict[str, IndexedField]] = {}
        schema = schema_of(_MODELS[collection.name])
        for path, attribute in _attributes(collection.name, collection.indexes).items():
            parent, _, name = path.rpartition(".")
            group = nested.setdefault(parent, {}) if parent else fields
            group[name] = IndexedField(attribute.annotation)
        for parent, inner in nested.items():
            model: Any = embedded_model("Embedded", inner)
            many = schema.resolve(parent).shape.many
            fields[parent] = IndexedField(list[model] if many else model, embedded=True)
        prefix = self.prefix(collection.name)
        made = definition_of(
            fields,
            prefix=prefix,
            index_prefix=self._index_prefix(collection.name),
            database=database,
        )
        # redis-om always names a separator of tags. Without one a text is one tag, whatever it is.
        words = tuple(" ".join(made.words).replace(_SEPARATOR, "").split())
        return replace(made, words=words)

    def is_ours(self, index: str, name: str) -> bool:
        return index.startswith(self._index_prefix(name))

    def _index_prefix(self, name: str) -> str:
        return f"{INDEX_PREFIX}{self.prefix(name)}"

    def ask(
        self, collection: Collection, condition: IndexCondition
    ) -> tuple[frozenset[str], Ask | None] | None:
        """As `Layout.ask`; there is no query for what a document may lack: the model's default."""
        parameters = Parameters()
        attributes = _attributes(collection.name, collection.indexes)
        query_of = partial(_query, attributes, parameters)
        found = candidates_of(condition, query_of)
        if found is None:
            return None
        ask = Ask((found.query,), parameters.words()) if found.query else None
        return found.pks, ask

    def rows(self, collection: Collection, pks: Sequence[str], read: Read) -> list[Row | None]:
        prefix = self.prefix(collection.name)
        texts = read([prefix + pk for pk in pks], self.record_path, DOCUMENTS_AT_A_TIME)
        return [
            None if text is None else Row(collection.values(pk, text))
            for pk, text in zip(pks, texts, strict=True)
        ]


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


def with_other_fields(content: Content, stored: Content) -> Content:
    """`content` with the fields of `stored` that it lacks: those that its model does not know."""
    new = json_of(content)
    known = orjson.loads(new)
    old = orjson.loads(json_of(stored))
    others = {name: value for name, value in old.items() if name not in known}
    return new[:-1] + b"," + orjson.dumps(others)[1:] if others else new


def _name_of(key: str) -> str | None:
    """The collection of a key, None if it is not of a record."""
    module, _, pk = key.removeprefix(f":{PACKAGE}.").partition(":")
    module, _, name = module.rpartition(".")
    return name if pk and MODULES.get(name) == module else None


def _attributes(name: str, indexes: Indexes) -> dict[str, _Attribute]:
    """Those of the indexed paths that the query engine can index, by path."""
    schema = schema_of(_MODELS[name])
    attributes: dict[str, _Attribute] = {}
    for path, (exact, _) in zip(indexes.paths, indexes.names, strict=True):
        attribute = None if exact is None else _attribute(schema, path)
        if attribute is not None:
            attributes[path] = attribute
    return attributes


_ANNOTATIONS: dict[tuple[Kind, bool], Any] = {
    (Kind.TEXT, False): str,
    (Kind.TEXT, True): list[str],
    (Kind.NUMBER, False): float,
}


def _attribute(schema: ModelSchema, path: str) -> _Attribute | None:
    try:
        field = schema.resolve(path)
    except QueryError:
        return None  # of another definition of the class
    top = schema.model.model_fields[path.partition(".")[0]]
    if len(field.shape.kinds) != 1:
        return None
    [kind] = field.shape.kinds
    nested = "." in path
    annotation = _ANNOTATIONS.get((kind, field.shape.many and not nested))
    if annotation is None:
        return None
    default = None
    if not nested and not top.is_required():
        default = scalar(top.get_default(call_default_factory=True))
    return _Attribute(path.replace(".", "_"), kind, annotation, default)


def _query(
    attributes: Mapping[str, _Attribute], parameters: Parameters, look_up: LookUp
) -> str | None:
    attribute = attributes.get(look_up.index)
    if attribute is None or _finds_default(attribute, look_up):
        return None
    field = f"@{attribute.name}"
    match look_up:
        case Equal(_, value):
            values: tuple[Scalar, ...] = (value,)
        case OneOf(_, values) if values:
            pass
        case Range() if attribute.kind is Kind.NUMBER:
            return number_query(field, look_up.low, look_up.high)
        case _:
            return None
    queries = [_of_value(field, attribute.kind, parameters, value) for value in values]
    known = [query for query in queries if query is not None]
    return "|".join(known) if len(known) == len(queries) else None


def _of_value(field: str, kind: Kind, parameters: Parameters, value: Scalar) -> str | None:
    if kind_of(value) is not kind:
        return None
    if not isinstance(value, str):
        bound = Bound(value, inclusive=True)  # type: ignore[arg-type]  # a number, as its kind says
        return number_query(field, bound, bound)
    return f"{field}:{{{parameters.add(value)}}}" if _is_askable(value) else None


def _finds_default(attribute: _Attribute, look_up: LookUp) -> bool:
    default = attribute.default
    indexes = Indexes((look_up.index,), ())
    return default is not None and test_of(indexes, look_up)("", (default,))
