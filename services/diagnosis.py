"""The state of a store: what it is, what it holds, and what is wrong with that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.references import REFERENCES
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.findings import Collector, Findings
from simstore.services.lookup import stored_pks
from simstore.services.models import Models, chosen_models, unknown_collections
from simstore.services.paging import Entry, PagedReader
from simstore.services.progress import OnProgress, Progress
from simstore.services.transfer.reports import Unreadable


class Dangling(NamedTuple):
    """A record whose `field` names a record of `collection` that is not there."""

    pk: str
    field: str
    names: str
    collection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDiagnosis:
    """A collection: its records, those that cannot be read, and references to nothing."""

    collection: str
    count: int
    unreadable: Findings[Unreadable]
    dangling: Findings[Dangling]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A store: where it is, what it lacks, its collections, and those of unknown models."""

    url: str
    lacks: Mapping[str, str]
    collections: tuple[CollectionDiagnosis, ...]
    unknown: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether every record was read.

        It is False where one cannot be, and where a collection was not, because its model was
        not given. References to nothing are no illness of the store: its profiles may be
        elsewhere.
        """
        return not self.unknown and not any(each.unreadable.count for each in self.collections)


def diagnose(
    store: Store,
    *,
    models: Models = RECORD_MODELS,
    progress: OnProgress | None = None,
) -> Diagnosis:
    """Read every record of `models` in `store`, and say how it is.

    A page of records is held at a time; the records that they name are looked up by their keys
    alone. Models of which the store has no record are not in the diagnosis.

    Raises:
        InvalidArgumentError: `models` is neither a model nor a series of models.
        ModelError: one of them cannot be used as a record.
        BackendError: the backend failed.
    """
    chosen = chosen_models(models)
    unknown = unknown_collections(store, chosen)
    present = set(store.collections())
    return Diagnosis(
        url=store.url,
        lacks={capability.name.lower(): reason for capability, reason in store.lacks.items()},
        collections=tuple(
            _collection(store, model, progress)
            for model in chosen
            if schema_of(model).collection in present
        ),
        unknown=unknown,
    )


def _collection(
    store: Store, model: type[BaseModel], progress: OnProgress | None
) -> CollectionDiagnosis:
    reader = PagedReader(store.repository(model))
    collection = reader.repository.collection
    total = reader.repository.count() if progress else 0
    references = _References(store, model)
    count = 0
    unreadable, dangling = Collector[Unreadable](), Collector[Dangling]()
    for page in reader.pages():
        count += len(page)
        for entry in page:
            if entry.error is not None:
                unreadable.add(Unreadable(entry.pk, entry.error.field, entry.error.reason))
        for found in references.dangling(page):
            dangling.add(found)
        if progress:
            progress(Progress("read", collection, count, total))
    return CollectionDiagnosis(
        collection=collection,
        count=count,
        unreadable=unreadable.findings(),
        dangling=dangling.findings(),
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
            there = stored_pks(repository, (pk for _, pk in named))
            for owner, pk in named:
                if pk not in there:
                    yield Dangling(owner, name, pk, repository.collection)


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
