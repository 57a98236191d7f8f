"""An import at work: which records are stored, in what order, and what becomes of the others."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from simstore.domain.errors import (
    ImportFaultsError,
    ImportFileError,
    InvalidPkError,
    InvalidRecordError,
)
from simstore.domain.numbers import check_numbers
from simstore.domain.query import field
from simstore.domain.record import dump_record
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.services.files.jsonl import dump_json
from simstore.services.importing.source import Item, Source

OnError = Literal["raise", "skip", "collect"]
OnConflict = Literal["replace", "skip", "error"]

HELD_BYTES = 112 << 20
"""How much memory the records of a file may take between the check of all of it and the storing.
What is beyond that is read twice."""

RECORD_BYTES = 2 << 10
"""How much memory a record takes as an object, apart from its values."""

TOGETHER = 1_000
TOGETHER_BYTES = 48 << 20
"""How many records are stored in one call at most: a store needs as much memory again for them, or
several times as much where they are small."""

MAX_FAULTS = 1_000
"""How many faults an error or a report holds; the others are counted."""

BATCH = 100
"""How many records are looked up or stored in one call."""

Progress = Callable[[Literal["checked", "stored"], int], None]
"""Called now and then with how many records were checked, or stored, since the last call."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import."""

    stored: Mapping[str, int]
    """How many records of the file were stored, by collection; one that a later line replaced is
    among them."""
    kept: int
    """How many records of the file were left out because the store, or the file before them, had
    their pk."""
    faults: tuple[ImportFileError, ...]
    """What was wrong with the lines that were skipped: the first `MAX_FAULTS`."""
    fault_count: int
    """How many lines were skipped."""
    ignored_keys: tuple[str, ...]
    """The keys of the file that no field stands for."""


class _Conflicts:
    """Knows which pks are taken, where that matters."""

    def __init__(self, store: Store, source: Source) -> None:
        self._store = store
        self._source = source
        self._seen: set[tuple[str, str]] = set()

    def split(self, items: Iterable[Item]) -> Iterator[tuple[Item, str]]:
        """Each of `items`, and by whom its pk is taken: empty if by nobody."""
        for batch in _batches(items):
            stored = self._stored(batch)
            for item in batch:
                key = item.collection, item.record.pk
                if key in self._seen:
                    yield item, "an earlier line of the file"
                else:
                    self._seen.add(key)
                    yield item, "a record in the store" if key in stored else ""

    def _stored(self, batch: list[Item]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for collection, items in _by_collection(batch).items():
            repository = self._store.repository(self._source.model(collection))
            pks = repository.pks(field("pk").in_([item.record.pk for item in items]))
            found.update((collection, pk) for pk in pks)
        return found


class Import:
    """One import: the file's records checked, and stored."""

    def __init__(
        self,
        source: Source,
        store: Store,
        on_error: OnError,
        on_conflict: OnConflict,
        progress: Progress | None,
    ) -> None:
        self._source = source
        self._store = store
        self._on_error = on_error
        self._on_conflict = on_conflict
        self._progress = progress
        self._faults: list[ImportFileError] = []
        self._fault_count = 0
        self._stored: Counter[str] = Counter()
        self._kept = 0

    def run(self) -> ImportReport:
        if self._on_error == "skip":
            self._store_in_batches(self._wanted(self._good()))
        else:
            self._check_all_and_store()
        return ImportReport(
            stored=dict(self._stored),
            kept=self._kept,
            faults=tuple(self._faults),
            fault_count=self._fault_count,
            ignored_keys=tuple(self._source.ignored),
        )

    def _check_all_and_store(self) -> None:
        held: list[Item] = []
        size = 0
        for item in self._wanted(self._good()):
            size += item.size + RECORD_BYTES
            if size <= HELD_BYTES:
                held.append(item)
            else:
                self._check(item)
        few = len(held) <= TOGETHER and size <= min(TOGETHER_BYTES, HELD_BYTES)
        if few and self._source.of_one_model:
            self._refuse_faults()
            self._store_together(held)
            return
        for item in held:
            self._check(item)
        self._refuse_faults()
        self._store_in_batches(held)
        if size > HELD_BYTES:
            kept = self._kept
            self._store_in_batches(self._wanted(self._behind(held)))
            self._kept = kept  # all of them were counted the first time

    def _behind(self, held: list[Item]) -> Iterator[Item]:
        """The records that were not held, read again."""
        for item in self._source.items(after=held[-1].line if held else 0):
            if isinstance(item, Item):
                yield item

    def _good(self) -> Iterator[Item]:
        """The records of the file; what is wrong with the other lines is taken note of."""
        count = 0
        for item in self._source.items():
            count += 1
            if isinstance(item, ImportFileError):
                self._take_note(item)
            else:
                yield item
            if count == BATCH:
                self._report("checked", count)
                count = 0
        self._report("checked", count)

    def _wanted(self, items: Iterable[Item]) -> Iterator[Item]:
        """Those of `items` that are to be stored, with regard to pks that are taken."""
        if self._on_conflict == "replace":
            yield from items
            return
        for item, owner in _Conflicts(self._store, self._source).split(items):
            if not owner:
                yield item
            elif self._on_conflict == "skip":
                self._kept += 1
            else:
                self._take_note(self._fault(item, "pk", f"{item.record.pk!r} is taken by {owner}"))

    def _check(self, item: Item) -> bool:
        """Whether `item` can be stored; if not, that is taken note of."""
        try:
            self._repository(item.collection).check(item.record)
        except _UNSTORABLE as error:
            key = self._source.key_of(item.collection, _field_at_fault(item.record, error))
            fault = self._fault(item, key, str(error))
            fault.__cause__ = error
            self._take_note(fault)
            return False
        return True

    def _fault(self, item: Item, key: str, reason: str) -> ImportFileError:
        return ImportFileError(self._source.name, item.line, key, reason)

    def _take_note(self, fault: ImportFileError) -> None:
        if self._on_error == "raise":
            raise fault
        self._fault_count += 1
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(fault)

    def _refuse_faults(self) -> None:
        if self._fault_count:
            raise ImportFaultsError(self._source.name, self._faults, self._fault_count)

    def _store_together(self, items: list[Item]) -> None:
        """Store `items`, of one model, in one call: it checks all before it writes any."""
        try:
            self._save(items)
        except _UNSTORABLE:
            for item in items:
                self._check(item)
            self._refuse_faults()
            raise

    def _store_in_batches(self, items: Iterable[Item]) -> None:
        for batch in _batches(items):
            for group in _by_collection(batch).values():
                try:
                    self._save(group)
                except _UNSTORABLE:
                    self._save([item for item in group if self._check(item)])

    def _save(self, items: list[Item]) -> None:
        """Store `items`, of one model."""
        if items:
            collection = items[0].collection
            self._repository(collection).save_many(item.record for item in items)
            self._stored[collection] += len(items)
            self._report("stored", len(items))

    def _report(self, what: Literal["checked", "stored"], count: int) -> None:
        if self._progress is not None and count:
            self._progress(what, count)

    def _repository(self, collection: str) -> Repository[Any]:
        return self._store.repository(self._source.model(collection))


_UNSTORABLE = (InvalidRecordError, InvalidPkError)


def _field_at_fault(record: BaseModel, error: Exception) -> str:
    """Which field of a `record` that cannot be stored `error` is about; empty if it is unclear."""
    if isinstance(error, InvalidPkError):
        return "pk"
    for name, value in dump_record(record).items():
        try:
            dump_json(check_numbers(value))
        except ValueError:
            return name
    return ""


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


def _by_collection(items: Iterable[Item]) -> dict[str, list[Item]]:
    grouped: dict[str, list[Item]] = {}
    for item in items:
        grouped.setdefault(item.collection, []).append(item)
    return grouped
