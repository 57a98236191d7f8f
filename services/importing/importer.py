"""An import at work: which records are stored, in what order, and what becomes of the others."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
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
from simstore.domain.record import dump_record
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.services.files.jsonl import dump_json
from simstore.services.files.meter import Meter
from simstore.services.files.streams import broken_data_errors
from simstore.services.findings import Collector, Findings
from simstore.services.importing.source import Item, Source
from simstore.services.lookup import stored_pks
from simstore.services.progress import OnProgress

OnError = Literal["raise", "skip", "collect"]
OnConflict = Literal["replace", "skip", "error"]

HELD_BYTES = 128 << 20
"""How much memory the records of a file may take until all of it is checked, with those whose pks
are looked up. With all else, a process stays below 200 MB: 188 MB was the most of seven kinds of
records as JSON lines, 208 MB as CSV, and 285 MB as Parquet."""

RECORD_BYTES = 1 << 10
"""How much memory a record takes as an object, apart from its values: an agent takes 0.8 KB."""

BATCH_BYTES = 24 << 20
STORED_BYTES = 10 << 10
"""How much memory the records of one call may take, and how much each takes there beside its
values: in SQLite, an agent of 1 KB takes 10 KB, for its index entries above all. The first call
saves the check of its records: with 4 MB, imports of 2,000 episodes took an eighth longer, and with
96 MB the process grew beyond 200 MB."""

MAX_FAULTS = 1_000
"""How many faults an error or a report holds; the others are counted."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import."""

    stored: Mapping[str, int]
    """How many records of the file were stored, by collection; one that a later line replaced is
    among them."""
    skipped: int
    """How many records of the file were left out because the store, or the file before them, had
    their pk."""
    faults: Findings[ImportFileError]
    """What was wrong with the lines that were left out: the first `MAX_FAULTS`, and how many."""
    ignored_keys: tuple[str, ...]
    """The keys of the file that no field stands for, the first `MAX_IGNORED_KEYS` of them."""


class Import:
    """One import: the file's records checked, and stored.

    Where a fault keeps all of the file from being stored, records are held until the file is at
    its end. What is behind those that can be held is read again to be stored.
    """

    def __init__(
        self,
        source: Source,
        store: Store,
        on_error: OnError,
        on_conflict: OnConflict,
        progress: OnProgress | None,
    ) -> None:
        self._source = source
        self._store = store
        self._on_error = on_error
        self._on_conflict = on_conflict
        self._faults: Collector[ImportFileError] = Collector(MAX_FAULTS)
        self._read = Meter("check", progress)
        self._stored = Meter("store", progress)
        self._taken: dict[str, set[str]] = {}
        self._skipped: set[int] = set()
        self._storing_what_was_checked = False

    def run(self) -> ImportReport:
        if self._on_error == "skip":
            self._store_in_batches(self._wanted())
            self._read.finish()
        else:
            self._check_all_and_store()
        self._stored.finish()
        return ImportReport(
            stored=dict(self._stored.done),
            skipped=len(self._skipped),
            faults=self._faults.findings(),
            ignored_keys=tuple(self._source.ignored),
        )

    def _check_all_and_store(self) -> None:
        held: deque[Item] = deque()
        size = 0
        limit = HELD_BYTES if self._on_conflict == "replace" else HELD_BYTES - BATCH_BYTES
        wanted = self._wanted()
        for item in wanted:
            held.append(item)
            size += item.size + RECORD_BYTES
            if size > limit:
                self._store_held_and_rest(held, wanted)
                return
        self._read.finish()
        self._refuse_faults()
        self._store_held(held)

    # Reading

    def _wanted(self) -> Iterator[Item]:
        """The records that are to be stored; what is wrong with the other lines is noted."""
        if self._on_conflict == "replace":
            return self._good()
        batches = map(self._without_taken, _batches(self._good(), BATCH_BYTES))
        return itertools.chain.from_iterable(batches)

    def _good(self) -> Iterator[Item]:
        """The records of the file; what is wrong with the other lines is noted."""
        for item in self._source.items():
            if isinstance(item, ImportFileError):
                self._note(item)
            else:
                self._read.add(item.collection)
                yield item

    def _again(self) -> Iterator[Item]:
        """The records that are to be stored of a file without faults, once more."""
        for item in self._source.items():
            if isinstance(item, ImportFileError):
                self._note(item)
            elif item.line not in self._skipped:
                yield item

    def _unchanged(self, after: int, expected: int) -> Iterator[Item]:
        """The records to store behind line `after`, once more: `expected` ones, as checked."""
        faults: tuple[type[Exception], ...] = (ImportFileError, *broken_data_errors())
        found = 0
        try:
            for item in self._source.items(after):
                if isinstance(item, ImportFileError):
                    raise item
                if item.line in self._skipped:
                    continue
                found += 1
                if found > expected:
                    break
                yield item
        except faults as error:
            raise self._changed(getattr(error, "line", 0)) from error
        if found != expected or self._source.has_changed():
            raise self._changed()

    def _changed(self, line: int = 0) -> ImportFileError:
        stored = self._stored.done.total()
        reason = f"the file changed while it was read; {stored} of its records are stored"
        return ImportFileError(self._source.name, line, "", reason)

    def _without_taken(self, batch: list[Item]) -> Iterator[Item]:
        """Those of `batch` whose pks are not taken."""
        stored = {
            collection: stored_pks(self._repository(collection), (i.record.pk for i in items))
            for collection, items in _by_collection(batch).items()
        }
        for item in batch:
            pk, seen = item.record.pk, self._taken.setdefault(item.collection, set())
            owner = "an earlier line of the file" if pk in seen else ""
            if not owner and pk in stored[item.collection]:
                owner = "a record in the store"
            seen.add(pk)
            if not owner:
                yield item
            elif self._on_conflict == "skip":
                self._skipped.add(item.line)
            else:
                self._note(self._fault(item, "pk", f"{pk!r} is taken by {owner}"))

    # Checking

    def _check(self, item: Item) -> bool:
        """Whether `item` can be stored; if not, that is noted."""
        try:
            self._repository(item.collection).check(item.record)
        except _UNSTORABLE as error:
            key = self._source.key_of(item.collection, _field_at_fault(item.record, error))
            fault = self._fault(item, key, str(error))
            fault.__cause__ = error
            self._note(fault)
            return False
        return True

    def _fault(self, item: Item, key: str, reason: str) -> ImportFileError:
        return ImportFileError(self._source.name, item.line, key, reason)

    def _note(self, fault: ImportFileError) -> None:
        if self._storing_what_was_checked:
            raise self._changed(fault.line) from fault
        if self._on_error == "raise":
            raise fault
        self._faults.add(fault)

    def _refuse_faults(self) -> None:
        found = self._faults.findings()
        if found.count:
            raise ImportFaultsError(self._source.name, found.first, found.count)

    # Storing

    def _store_held(self, held: deque[Item]) -> None:
        """Store what is held, all or nothing.

        A call checks all of its records before it writes any. So the first call needs no other
        check, and is the largest that may come first.
        """
        calls = _calls(held)
        # Of two records with one pk the last is to stay: within a collection the order matters.
        foremost = {calls[n][0]: n for n in reversed(range(len(calls)))}
        largest = max(foremost.values(), key=lambda n: len(calls[n][1]), default=None)
        if largest is None:
            return
        first = calls.pop(largest)
        for _, items in calls:
            for item in items:
                self._check(item)
        self._refuse_faults()
        try:
            self._save_and_forget(*first)
        except _UNSTORABLE:
            for item in self._again():  # to say of each line what is wrong with it
                self._check(item)
            self._refuse_faults()
            raise
        for call in calls:
            self._save_and_forget(*call)

    def _store_held_and_rest(self, held: deque[Item], rest: Iterator[Item]) -> None:
        """Store what is held, and what is behind that in the file, all or nothing."""
        for item in held:  # now, for a fault of it to be told before all of the rest is read
            self._check(item)
        last, following = held[-1].line, sum(map(self._check, rest))
        self._read.finish()
        self._refuse_faults()
        self._taken.clear()
        if self._source.has_changed():
            raise self._changed()
        for call in _calls(held):
            self._save_and_forget(*call)
        self._storing_what_was_checked = True
        self._store_in_batches(self._unchanged(last, following))

    def _save_and_forget(self, collection: str, items: list[Item]) -> None:
        """Store `items`, and let go of each on the way: it is held as the store has it."""
        items.reverse()
        self._save(collection, (items.pop() for _ in range(len(items))))

    def _store_in_batches(self, items: Iterable[Item]) -> None:
        for batch in _batches(items, BATCH_BYTES):
            for collection, group in _by_collection(batch).items():
                try:
                    self._save(collection, group)
                except _UNSTORABLE:
                    self._save(collection, [item for item in group if self._check(item)])

    def _save(self, collection: str, items: Iterable[Item]) -> None:
        pks = self._repository(collection).save_many(item.record for item in items)
        if pks:
            self._stored.add(collection, len(pks))

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


def _batches(items: Iterable[Item], limit: int) -> Iterator[list[Item]]:
    """`items` in their order, as many at a time as take `limit` bytes in a call, or one."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += item.size + STORED_BYTES
        if size >= limit:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _calls(held: deque[Item]) -> list[tuple[str, list[Item]]]:
    """What to store in each call, and of which collection; nothing is left in `held`."""
    batches = _batches(_drained(held), BATCH_BYTES)
    return [call for batch in batches for call in _by_collection(batch).items()]


def _drained(items: deque[Item]) -> Iterator[Item]:
    while items:
        yield items.popleft()


def _by_collection(items: Iterable[Item]) -> dict[str, list[Item]]:
    grouped: dict[str, list[Item]] = {}
    for item in items:
        grouped.setdefault(item.collection, []).append(item)
    return grouped
