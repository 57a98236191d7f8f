"""``memory://``: records in this process, for unit tests and for simulations that need no file.

``memory://`` is a database of its own for each store; all stores of ``memory://name`` share
one, for as long as any of them is open.
"""

import heapq
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import ClassVar, NamedTuple
from weakref import WeakValueDictionary

from simstore.adapters.base_store import StorageStore
from simstore.adapters.codec import dumps, version_of
from simstore.adapters.memory_index import OrderedPks, ValueIndex
from simstore.adapters.storage import (
    AllOf,
    AnyOf,
    Complement,
    Delete,
    Document,
    Equal,
    Expected,
    IndexCondition,
    Indexes,
    OneOf,
    Operation,
    Prefix,
    Put,
    Range,
    Storage,
    Unexpected,
    Values,
)
from simstore.adapters.url import StoreURL
from simstore.domain.errors import CorruptRecordError
from simstore.domain.store import Capability


class _Row(NamedTuple):
    document: Document
    values: Values
    expires_at: float | None


class _Collection:
    """The rows of one model, and their indexes.

    Rows are indexed when a query first needs it: that halves the cost of a save, and many a
    test never asks for anything but records by their pk.
    """

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.pks = OrderedPks(set())
        self.indexes = Indexes((), ())
        self._by_value: defaultdict[str, ValueIndex] = defaultdict(ValueIndex)
        self._unindexed: set[str] = set()

    def put(self, pk: str, row: _Row) -> None:
        old = self.rows.get(pk)
        self.rows[pk] = row
        if old is None:
            self.pks.add(pk)
        else:
            self._unindex(pk, old.values)
        self._unindexed.add(pk)

    def remove(self, pk: str) -> None:
        row = self.rows.pop(pk)
        self.pks.discard(pk)
        self._unindex(pk, row.values)
        self._unindexed.discard(pk)

    def _unindex(self, pk: str, values: Values) -> None:
        if pk not in self._unindexed:
            for index, value in self.indexes.entries(values):
                self._by_value[index].discard(value, pk)

    def _index(self, name: str) -> ValueIndex:
        """An index, up to date."""
        for pk in self._unindexed:
            for index, value in self.indexes.entries(self.rows[pk].values):
                self._by_value[index].add(value, pk)
        self._unindexed.clear()
        return self._by_value[name]

    def reindex(self, indexes: Indexes, values: Callable[[str, Document], Values]) -> None:
        self.indexes = indexes
        self._by_value.clear()
        self._unindexed.clear()
        for pk, row in self.rows.items():
            try:
                self.rows[pk] = row._replace(values=values(pk, row.document))
            except CorruptRecordError:
                continue
            self._unindexed.add(pk)

    def page(self, condition: IndexCondition, after: str | None, limit: int | None) -> list[str]:
        """The first `limit` pks behind `after` that fulfil `condition`, in order."""
        match condition:
            case AllOf(()):
                return self.pks.page(after, limit)
            case Equal(index, value):
                return self._index(index).page(value, after, limit)
        found = self.select(condition)
        return sorted(pk for pk in found if after is None or pk > after)[:limit]

    def select(self, condition: IndexCondition) -> set[str]:
        """The pks that fulfil `condition`. Do not change the set."""
        match condition:
            case Equal(index, value):
                return self._index(index).equal(value)
            case OneOf(index, values):
                return set().union(*(self._index(index).equal(value) for value in values))
            case Range(index, low, high):
                return self._index(index).between(low, high)
            case Prefix(index, text):
                return self._index(index).starting_with(text)
            case AllOf(parts) if parts:
                smallest, *others = sorted(map(self.select, parts), key=len)
                return smallest.intersection(*others)
            case AllOf():
                return self.pks.pks
            case AnyOf(parts):
                return set().union(*map(self.select, parts))
            case Complement(part):
                return self.pks.pks - self.select(part)


class MemoryDatabase:
    """What the stores of one ``memory://`` URL share."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.lock = RLock()
        self.clock = clock
        self._collections: defaultdict[str, _Collection] = defaultdict(_Collection)
        self._expiries: list[tuple[float, str, str]] = []

    def collection(self, name: str) -> _Collection:
        """A collection. Call it under the lock."""
        return self._collections[name]

    def purge(self) -> None:
        """Forget the records whose time has come. Call it under the lock."""
        while self._expiries and self._expiries[0][0] <= self.clock():
            moment, name, pk = heapq.heappop(self._expiries)
            row = self._collections[name].rows.get(pk)
            # The record may have been saved with another time to live since, or deleted.
            if row is not None and row.expires_at == moment:
                self._collections[name].remove(pk)

    def expire(self, name: str, pk: str, moment: float) -> None:
        """Forget a record at that moment, unless it is saved again before."""
        heapq.heappush(self._expiries, (moment, name, pk))


class MemoryStorage(Storage):
    """A namespace of a memory database."""

    keeps_documents: ClassVar[bool] = True
    lacks: ClassVar[Mapping[Capability, str]] = {
        Capability.PERSISTENCE: "memory:// lives in one process and ends with it",
        Capability.MULTI_PROCESS: "memory:// is not seen by other processes",
    }

    def __init__(self, database: MemoryDatabase, namespace: str = "") -> None:
        self._database = database
        self._lock = database.lock
        self._namespace = namespace
        self._collections: dict[str, _Collection] = {}

    def _qualified(self, collection: str) -> str:
        return f"{self._namespace}:{collection}"

    def _collection(self, name: str) -> _Collection:
        found = self._collections.get(name)
        if found is None:
            found = self._collections[name] = self._database.collection(self._qualified(name))
        return found

    def _current(self, name: str) -> _Collection:
        """A collection as it is now. Call it under the lock."""
        self._database.purge()
        return self._collection(name)

    def prepare(
        self, collection: str, indexes: Indexes, values: Callable[[str, Document], Values]
    ) -> None:
        with self._lock:
            found = self._current(collection)
            if found.indexes.signature != indexes.signature:
                found.reindex(indexes, values)

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        with self._lock:
            self._database.purge()
            found: list[tuple[_Collection, _Row | None]] = []
            for operation in operations:
                collection = self._collection(operation.collection)
                row = collection.rows.get(operation.pk)
                expected = operation.expected
                if expected is not Expected.ANYTHING and not _is_expected(row, expected):
                    raise Unexpected(operation)
                found.append((collection, row))
            for operation, (collection, row) in zip(operations, found, strict=True):
                if isinstance(operation, Put):
                    self._put(operation, collection, row)
                elif isinstance(operation, Delete) and row is not None:
                    collection.remove(operation.pk)
            return [row is not None for _, row in found]

    def _put(self, put: Put, collection: _Collection, old: _Row | None) -> None:
        document: Document = put.content  # type: ignore[assignment]  # keeps_documents
        expires_at: float | None = None
        if put.keep_ttl and old is not None:
            expires_at = old.expires_at
        elif put.ttl is not None:
            expires_at = self._database.clock() + put.ttl
        collection.put(put.pk, _Row(document, put.values, expires_at))
        if expires_at is not None:
            self._database.expire(self._qualified(put.collection), put.pk, expires_at)

    def fetch(self, collection: str, pks: Sequence[str]) -> list[Document | None]:
        with self._lock:
            rows = self._current(collection).rows
            return [None if (row := rows.get(pk)) is None else row.document for pk in pks]

    def fetch_versioned(self, collection: str, pk: str) -> tuple[Document, str] | None:
        with self._lock:
            found = self._current(collection)
            row = found.rows.get(pk)
        return None if row is None else (row.document, _version(row))

    def search(
        self, collection: str, condition: IndexCondition, *, after: str | None, limit: int | None
    ) -> list[str]:
        with self._lock:
            return self._current(collection).page(condition, after, limit)

    def count(self, collection: str, condition: IndexCondition) -> int:
        with self._lock:
            return len(self._current(collection).select(condition))

    def project(self, collection: str, condition: IndexCondition) -> list[tuple[str, Values]]:
        with self._lock:
            found = self._current(collection)
            return [(pk, found.rows[pk].values) for pk in sorted(found.select(condition))]

    def close(self) -> None:
        self._database = MemoryDatabase()


def _is_expected(row: _Row | None, expected: Expected | str) -> bool:
    if expected is Expected.NOTHING:
        return row is None
    return row is not None and _version(row) == expected


def _version(row: _Row) -> str:
    # Made when it is asked for: keeping the bytes of every record would double the memory.
    return version_of(dumps(row.document))


_named: WeakValueDictionary[str, MemoryDatabase] = WeakValueDictionary()
_named_lock = RLock()


def open_store(url: StoreURL) -> StorageStore:
    """The store of a ``memory://`` URL; ``?namespace=`` keeps records apart from the others'."""
    options = url.options(namespace=str)
    if not url.location:
        database = MemoryDatabase()
    else:
        with _named_lock:
            database = _named.setdefault(url.location, MemoryDatabase())
    return StorageStore(url.shown, MemoryStorage(database, options.get("namespace", "")))
