"""The state of a store: what it is, what it holds, and what is wrong with that."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.maintenance import IndexFault, Inspection
from simstore.domain.references import REFERENCES
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
    """A collection: its records, those that cannot be read, and references to nothing.

    `index_faults` are those that its indexes have; after a repair, those that are left, and
    `mended` are those that it came upon.
    """

    collection: str
    count: int
    unreadable: Findings[Unreadable]
    dangling: Findings[Dangling]
    index_faults: Findings[IndexFault]
    mended: Findings[IndexFault]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A store: where it is, what it lacks, its collections, and those of unknown models.

    `inspection` is what its backend says of itself: facts, and settings that may lose records.
    """

    url: str
    lacks: Mapping[str, str]
    inspection: Inspection
    collections: tuple[CollectionDiagnosis, ...]
    unknown: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether every record was read, and every index says what the records say.

        It is False where a record cannot be read, where a collection was not, because its model
        was not given, and where an index has a fault that was not mended. References to nothing
        are no illness of the store: its profiles may be elsewhere. Nor are settings: what they
        may lose is still there.
        """
        return not self.unknown and not any(
            each.unreadable.count or each.index_faults.count for each in self.collections
        )


def diagnose(
    store: Store,
    *,
    models: Models = RECORD_MODELS,
    repair: bool = False,
    progress: OnProgress | None = None,
) -> Diagnosis:
    """Read every record of `models` in `store`, check the indexes, and say how it is.

    With `repair`, indexes that are wrong are mended from the records, and checked again; no
    record is written. A page of records is held at a time; the records that they name are
    looked up by their keys alone. Models of which the store has neither a record nor a fault
    are not in the diagnosis.

    Raises:
        InvalidArgumentError: `models` is neither a model nor a series of models.
        ModelError: one of them cannot be used as a record.
        BackendError: the backend failed.
    """
    chosen = chosen_models(models)
    inspection = store.inspect()
    unknown = unknown_collections(store, chosen)
    present = set(store.collections())
    collections: list[CollectionDiagnosis] = []
    for model in chosen:
        repository = store.repository(model)
        # First: a record that an index has lost may be one that reading does not come upon.
        mended = _faults(repository.index_faults(repair=True) if repair else ())
        index_faults = _faults(repository.index_faults())
        if repository.collection in present or index_faults.count or mended.count:
            collections.append(
                _collection(store, model, index_faults=index_faults, mended=mended, tell=progress)
            )
    return Diagnosis(
        url=store.url,
        lacks={capability.name.lower(): reason for capability, reason in store.lacks.items()},
        inspection=inspection,
        collections=tuple(collections),
        unknown=unknown,
    )


def _collection(
    store: Store,
    model: type[BaseModel],
    *,
    index_faults: Findings[IndexFault],
    mended: Findings[IndexFault],
    tell: OnProgress | None,
) -> CollectionDiagnosis:
    reader = PagedReader(store.repository(model))
    collection = reader.repository.collection
    total = reader.repository.count() if tell else 0
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
        if tell:
            tell(Progress("read", collection, count, total))
    return CollectionDiagnosis(
        collection=collection,
        count=count,
        unreadable=unreadable.findings(),
        dangling=dangling.findings(),
        index_faults=index_faults,
        mended=mended,
    )


def _faults(found: Iterable[IndexFault]) -> Findings[IndexFault]:
    collector = Collector[IndexFault]()
    for fault in found:
        collector.add(fault)
    return collector.findings()


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
