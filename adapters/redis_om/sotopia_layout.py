"""The layout of Sotopia and of redis-om: their database is worked on in place.

A key is ``:{module}.{class}:{pk}``, as redis-om makes it of a model's module and name, and its
RedisJSON document is the record. simstore's models of Sotopia's records are where Sotopia's own
are; every other model is where redis-om keeps one of that module and name, even if the name is one
of Sotopia's. A subclass of the same name that only adds methods has the records of its base, here
as in every store. A ``__collection__`` says nothing of the key: redis-om knows no such name.

The index ``:{module}.{class}:index`` and the strings beside it are redis-om's, and left alone; we
have an index of our own over the same keys. It indexes the records' fields as they are, so some
look-ups cannot be made in it, and are answered by reading records (see `attributes`).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import redis
from pydantic import BaseModel

from simstore.adapters.codec import json_of
from simstore.adapters.reading import DOCUMENTS_AT_A_TIME
from simstore.adapters.redis_om.attributes import attributes_of
from simstore.adapters.redis_om.candidates import LookUp, Parameters, candidates_of
from simstore.adapters.redis_om.json_text import kept_json
from simstore.adapters.redis_om.layout import Ask, Definition, Layout, Read, Row
from simstore.adapters.storage import Collection, Content, IndexCondition, Put
from simstore.domain.errors import InvalidRecordError, ModelError
from simstore.domain.store import RECORD_MODELS
from simstore.domain.views import collection_of, record_class

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

RESERVED = {"index:hash", "index:schema"}
"""redis-om's notes of which index it made, and how, as if they were pks."""


class SotopiaLayout(Layout):
    """A database that Sotopia, or another program of redis-om's, reads and writes as well."""

    record_path = "."
    is_ours_alone = False
    rows_at_a_time = DOCUMENTS_AT_A_TIME

    def __init__(self) -> None:
        self._names = {_prefix_of(model): collection_of(model) for model in RECORD_MODELS}
        """The collections of this store, by what their keys begin with. Sotopia's are always
        among them. Of other keys nobody can tell whether they are of records or whose."""

    def admit(self, collection: Collection) -> None:
        model = collection.schema.model
        prefix = self.prefix(collection)
        if prefix.count(":") > 2:
            raise ModelError(
                f"{model.__module__}.{model.__name__} cannot be kept as redis-om keeps models: "
                "with a colon in its name, its keys would be those of another class"
            )
        owner = self._names.setdefault(prefix, collection.name)
        if owner != collection.name:
            raise ModelError(
                f"{model.__module__}.{model.__qualname__} is {collection.name!r} here, but its "
                f"keys {prefix}… are already those of {owner!r}: redis-om's keys follow from the "
                "names of a class and its module, so rename the class"
            )

    def prefix(self, collection: Collection) -> str:
        return _prefix_of(collection.schema.model)

    def patterns(self) -> Mapping[str, Callable[[str], str | None]]:
        return {":*": self._name_of}

    def _name_of(self, key: str) -> str | None:
        """The collection of a key, None if it is of none that is known."""
        end = key.find(":", 1) + 1
        return self._names.get(key[:end]) if end < len(key) else None

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
        return pk in RESERVED

    def definition(self, collection: Collection, database: redis.Redis) -> Definition:
        del database
        attributes = attributes_of(collection.schema, collection.indexes)
        words = ["ON", "JSON", "PREFIX", "1", self.prefix(collection)]
        words += ["SCHEMA", "$.pk", "AS", "pk", "TAG", "CASESENSITIVE"]
        for attribute in attributes.values():
            words += attribute.words()
        return Definition.named(self._index_prefix(collection), tuple(words))

    def is_ours(self, index: str, collection: Collection) -> bool:
        return index.startswith(self._index_prefix(collection))

    def _index_prefix(self, collection: Collection) -> str:
        return f"{INDEX_PREFIX}{self.prefix(collection)}"

    def ask(
        self, collection: Collection, condition: IndexCondition
    ) -> tuple[frozenset[str], Ask | None] | None:
        """As `Layout.ask`; there is no query for what a document may lack: the model's default."""
        parameters = Parameters()
        attributes = attributes_of(collection.schema, collection.indexes)

        def query_of(look_up: LookUp) -> str | None:
            attribute = attributes.get(look_up.index)
            return None if attribute is None else attribute.query(look_up, parameters)

        found = candidates_of(condition, query_of)
        if found is None:
            return None
        ask = Ask((found.query,), parameters.words()) if found.query else None
        return found.pks, ask

    def rows(self, collection: Collection, pks: Sequence[str], read: Read) -> list[Row | None]:
        prefix = self.prefix(collection)
        texts = read([prefix + pk for pk in pks], self.record_path, DOCUMENTS_AT_A_TIME)
        return [
            None if text is None else Row(collection.values(pk, text))
            for pk, text in zip(pks, texts, strict=True)
        ]


@cache
def _prefix_of(model: type[BaseModel]) -> str:
    """What the keys of a model's records begin with."""
    kept = record_class(model)
    name = kept.__name__
    module = f"{PACKAGE}.{MODULES[name]}" if kept in RECORD_MODELS else kept.__module__
    return f":{module}.{name}:"
