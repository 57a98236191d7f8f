"""The private models by which redis-om describes indexes to the query engine.

They are made when an index is first used, and never hold a record: redis-om validates and saves
one at a time, and knows neither expected versions nor batches. Only their schema is used.
"""

from abc import ABC
from collections.abc import Mapping
from typing import Any, NamedTuple

import redis
from pydantic import ConfigDict
from redis_om import (  # type: ignore[import-untyped]  # it ships no types
    EmbeddedJsonModel,
    Field,
    JsonModel,
)

from simstore.adapters.redis_om.layout import Definition


class IndexedField(NamedTuple):
    """A field of a private model: ``str``, ``float``, ``bool``, ``list[str]`` or a model."""

    annotation: Any
    embedded: bool = False


def embedded_model(name: str, fields: Mapping[str, IndexedField]) -> Any:
    """A model for use within others."""
    return _model(name, (EmbeddedJsonModel, ABC), fields, {"embedded": True})


def definition_of(
    fields: Mapping[str, IndexedField],
    *,
    prefix: str,
    index_prefix: str,
    database: redis.Redis,
) -> Definition:
    """The index over the keys that begin with `prefix`, of documents with these fields.

    The index's name tells one set of fields from another.
    """
    # An abstract one, so that a Migrator of the application's does not take it for its own.
    model = _model("Stored", (JsonModel, ABC), fields, {"database": database})
    # The prefix is said here: redis-om would leave out a colon of one that has two in a row.
    schema = " ".join(model.schema_for_fields()).split()
    words = ("ON", "JSON", "PREFIX", "1", prefix, "SCHEMA", *schema)
    return Definition.named(index_prefix, words)


def _model(
    name: str, bases: tuple[type, ...], fields: Mapping[str, IndexedField], meta: dict[str, Any]
) -> Any:
    body: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {field: known.annotation for field, known in fields.items()},
        "model_config": ConfigDict(protected_namespaces=()),
        "Meta": type("Meta", (), meta),
    }
    for field, (annotation, embedded) in fields.items():
        if not embedded:
            # Texts alone: of numbers and bools redis-om leaves it out.
            of_text = annotation in {str, list[str]}
            body[field] = Field(index=True, **({"case_sensitive": True} if of_text else {}))
    return type(JsonModel)(name, bases, body)
