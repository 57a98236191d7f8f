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
from simstore.adapters.memory_index import Postings, ValueIndex
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
    """The rows of one model, and their indexes."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.pks = Postings(set())
        self.indexes = Indexes((), ())
        self.by_value: defaultdict[str, ValueIndex] = defaultdict(ValueIndex)

    def put(self, pk: str, row: _Row) -> None:
        old = self.rows.get(pk)
        self.rows[pk] = row
        if old is None:
            self.pks.add(pk)
        elif old.values == row.values and repr(old.values) == repr(row.values):
            return  # the repr, because 1 == True
        else:
            self._unindex(pk, old.values)
        for index, value in self.indexes.entries(row.values):
            self.by_value[index].add(value, pk)

    def remove(self, pk: str) -> None:
        row = self.rows.pop(pk)
        self.pks.discard(pk)
        self._unindex(pk, row.values)

    def _unindex(self, pk: str, values: Values) -> None:
        for index, value in self.indexes.entries(values):
            self.by_value[index].discard(value, pk)

    def reindex(self, indexes: Indexes, values: Callable[[str, Document], Values]) -> None:
        self.indexes = indexes
        self.by_value.clear()
        for pk, row in self.rows.items():
            try:
                row = row._replace(values=values(pk, row.document))  # noqa: PLW2901
            except CorruptRecordError:
                continue
            self.rows[pk] = row
            for index, value in indexes.entries(row.values):
                self.by_value[index].add(value, pk)

    def select(self, condition: IndexCondition) -> Postings | set[str]:
        """The pks that fulfil `condition`."""
        match condition:
            case Equal(index, value):
                return self.by_value[index].equal(value)
            case AllOf(()):
                return self.pks
            case _:
                return self._combine(condition)

    def _combine(self, condition: IndexCondition) -> set[str]:
        match condition:
            case OneOf(index, values):
                return set().union(*(self.by_value[index].equal(value).pks for value in values))
            case Range(index, low, high):
                return self.by_value[index].between(low, high)
            case Prefix(index, text):
                return self.by_value[index].starting_with(text)
            case AllOf(parts):
                smallest, *others = sorted(map(self.select_set, parts), key=len)
                return smallest.intersection(*others)
            case AnyOf(parts):
                return set().union(*map(self.select_set, parts))
            case Complement(part):
                return self.pks.pks - self.select_set(part)
            case _:
                raise AssertionError(condition)

    def select_set(self, condition: IndexCondition) -> set[str]:
        """As `select`, without an order. Do not change it."""
        found = self.select(condition)
        return found.pks if isinstance(found, Postings) else found


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

    shares_documents: ClassVar[bool] = True
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
            found: list[bool] = []
            for operation in operations:
                row = self._collection(operation.collection).rows.get(operation.pk)
                found.append(row is not None)
                expected = operation.expected
                if expected is not Expected.ANYTHING and not _is_expected(row, expected):
                    raise Unexpected(operation)
            for operation, was_there in zip(operations, found, strict=True):
                if isinstance(operation, Put):
                    self._put(operation)
                elif isinstance(operation, Delete) and was_there:
                    self._collection(operation.collection).remove(operation.pk)
            return found

    def _put(self, put: Put) -> None:
        collection = self._collection(put.collection)
        expires_at = None if put.ttl is None else self._database.clock() + put.ttl
        if put.keep_ttl and (old := collection.rows.get(put.pk)) is not None:
            expires_at = old.expires_at
        record = put.record
        collection.put(put.pk, _Row(record.document, record.values, expires_at))
        if expires_at is not None:
            self._database.expire(self._qualified(put.collection), put.pk, expires_at)

    def fetch(self, collection: str, pks: Sequence[str]) -> list[Document | None]:
        with self._lock:
            found = self._current(collection)
            rows = map(found.rows.get, pks)
            return [None if row is None else row.document for row in rows]

    def fetch_versioned(self, collection: str, pk: str) -> tuple[Document, str] | None:
        with self._lock:
            found = self._current(collection)
            row = found.rows.get(pk)
        return None if row is None else (row.document, _version(row))

    def search(
        self, collection: str, condition: IndexCondition, *, after: str | None, limit: int | None
    ) -> list[str]:
        with self._lock:
            found = self._current(collection)
            postings = found.select(condition)
            if isinstance(postings, Postings):
                return postings.page(after, limit)
            return sorted(pk for pk in postings if after is None or pk > after)[:limit]

    def count(self, collection: str, condition: IndexCondition) -> int:
        with self._lock:
            found = self._current(collection)
            return len(found.select_set(condition))

    def project(self, collection: str, condition: IndexCondition) -> list[tuple[str, Values]]:
        with self._lock:
            found = self._current(collection)
            return [(pk, found.rows[pk].values) for pk in sorted(found.select_set(condition))]

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
