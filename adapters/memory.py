"""``memory://``: records in this process, for unit tests and for simulations that need no file.

``memory://`` is a database of its own for each store; all stores of ``memory://name`` share
one, for as long as any of them is open.
"""

import heapq
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from threading import RLock
from typing import ClassVar, NamedTuple
from weakref import WeakValueDictionary

from simstore.adapters.base_store import StorageStore
from simstore.adapters.codec import version_of
from simstore.adapters.forking import survive_forks
from simstore.adapters.memory_index import MANY, OrderedPks, ValueIndex, is_within
from simstore.adapters.messages.memory import MemoryLog, MessageDatabase
from simstore.adapters.storage import (
    AllOf,
    AnyOf,
    Collection,
    Complement,
    Content,
    Delete,
    Equal,
    Expected,
    IndexCondition,
    Indexes,
    OneOf,
    Operation,
    Pks,
    Prefix,
    Put,
    Range,
    Storage,
    Unexpected,
    Values,
    is_met,
)
from simstore.adapters.url import StoreURL
from simstore.domain.store import Capability

MANY_EXPIRIES = 1_000
"""So many expiries, beyond twice those of living records, are looked through and thinned out."""


class _Row(NamedTuple):
    content: Content
    values: Values | None
    expires_at: float | None


class _Rows:
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

    def _unindex(self, pk: str, values: Values | None) -> None:
        if pk not in self._unindexed and values is not None:
            for index, value in self.indexes.entries(values):
                self._by_value[index].discard(value, pk)

    def _index(self, name: str) -> ValueIndex:
        """An index, up to date."""
        for pk in self._unindexed:
            values = self.rows[pk].values
            if values is not None:
                for index, value in self.indexes.entries(values):
                    self._by_value[index].add(value, pk)
        self._unindexed.clear()
        return self._by_value[name]

    def index_for(self, collection: Collection) -> None:
        """Make the entries anew if they are of other indexes than the collection's."""
        if self.indexes.signature != collection.indexes.signature:
            values = {pk: collection.values(pk, row.content) for pk, row in self.rows.items()}
            self.indexes = collection.indexes
            self.restore({pk: row._replace(values=values[pk]) for pk, row in self.rows.items()})

    def restore(self, rows: dict[str, _Row]) -> None:
        """Hold just `rows`, and find everything else from them."""
        self.rows = rows
        self.pks = OrderedPks(set(rows))
        self._by_value.clear()
        self._unindexed = set(rows)

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
            case Pks(pks):
                return self.rows.keys() & pks
            case OneOf(index, values):
                return set().union(*(self._index(index).equal(value) for value in values))
            case Range(index, low, high):
                return self._index(index).between(low, high)
            case Prefix(index, text):
                return self._index(index).starting_with(text)
            case AllOf(parts):
                return self._select_all_of(parts)
            case AnyOf(parts):
                return set().union(*map(self.select, parts))
            case Complement(part):
                return self.pks.pks - self.select(part)

    def _select_all_of(self, parts: Sequence[IndexCondition]) -> set[str]:
        # A range costs what it holds: of few others, each is looked at instead.
        wide = [part for part in parts if isinstance(part, Range | Prefix)]
        narrow = (self.select(part) for part in parts if not isinstance(part, Range | Prefix))
        smallest, *others = sorted([self.pks.pks, *narrow], key=len)
        found = smallest.intersection(*others) if others else smallest
        for part in wide:
            if len(found) < MANY:
                found = {pk for pk in found if self._is_in(part, pk)}
            else:
                # Not in place: it may be the set of the pks itself, or that of an index.
                found = found & self.select(part)
        return found

    def _is_in(self, part: Range | Prefix, pk: str) -> bool:
        values = self.rows[pk].values
        return values is not None and any(
            index == part.index and is_within(part, value)
            for index, value in self.indexes.entries(values)
        )


class MemoryDatabase:
    """What the stores of one ``memory://`` URL share."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.messages = MessageDatabase()
        self._rows: defaultdict[str, _Rows] = defaultdict(_Rows)
        self._expiries: list[tuple[float, str, str]] = []
        self._valid_expiries = 0
        """How many were valid when all were last looked through."""
        survive_forks(self)

    def before_fork(self) -> None:
        """Wait for the call of another thread to end."""
        self.lock.acquire()

    def after_fork(self) -> None:
        """Go on."""
        self.lock.release()

    def rows(self, name: str) -> _Rows:
        """A collection, without the records whose time has come. Call it under the lock."""
        self._forget_expired()
        return self._rows[name]

    def names(self) -> list[str]:
        """The collections that have records whose time has not come. Call it under the lock."""
        self._forget_expired()
        return [name for name, rows in self._rows.items() if rows.rows]

    def _forget_expired(self) -> None:
        while self._expiries and self._expiries[0][0] <= time.time():
            moment, owner, pk = heapq.heappop(self._expiries)
            if self._is_valid(moment, owner, pk):
                self._rows[owner].remove(pk)

    def expire(self, name: str, pk: str, moment: float) -> None:
        """Forget a record at that moment, unless it is saved again before."""
        heapq.heappush(self._expiries, (moment, name, pk))
        # Every save adds one, and only time takes them away: drop those that are overtaken.
        if len(self._expiries) > 2 * self._valid_expiries + MANY_EXPIRIES:
            self._expiries = [expiry for expiry in self._expiries if self._is_valid(*expiry)]
            heapq.heapify(self._expiries)
            self._valid_expiries = len(self._expiries)

    def _is_valid(self, moment: float, name: str, pk: str) -> bool:
        """Whether the record still expires then: it may have been saved again, or deleted."""
        row = self._rows[name].rows.get(pk)
        return row is not None and row.expires_at == moment


class MemoryStorage(Storage):
    """A namespace of a memory database."""

    keeps_objects: ClassVar[bool] = True
    lacks: ClassVar[Mapping[Capability, str]] = {
        Capability.PERSISTENCE: "memory:// lives in one process and ends with it",
        Capability.MULTI_PROCESS: "memory:// is not seen by other processes",
    }

    def __init__(self, database: MemoryDatabase, namespace: str = "") -> None:
        self._database = database
        self._lock = database.lock
        self._prefix = f"{namespace}:"

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        with self._lock:
            found: list[tuple[_Rows, _Row | None]] = []
            for operation in operations:
                rows = self._indexed(operation.collection)
                row = rows.rows.get(operation.pk)
                expected = operation.expected
                # The version of what nobody asks about is not worth a digest.
                if expected is not Expected.ANYTHING and not is_met(expected, _version(row)):
                    raise Unexpected(operation)
                found.append((rows, row))
            try:
                for operation, (rows, row) in zip(operations, found, strict=True):
                    if isinstance(operation, Put):
                        self._put(operation, rows, row)
                    elif isinstance(operation, Delete) and row is not None:
                        rows.remove(operation.pk)
            except BaseException:  # Ctrl-C in the middle, for one
                _undo(operations, found)
                raise
            return [row is not None for _, row in found]

    def _put(self, put: Put, rows: _Rows, old: _Row | None) -> None:
        expires_at: float | None = None
        if put.keep_ttl and old is not None:
            expires_at = old.expires_at
        elif put.ttl is not None:
            expires_at = time.time() + put.ttl
        rows.put(put.pk, _Row(put.content, put.values, expires_at))
        if expires_at is not None:
            self._database.expire(self._prefix + put.collection.name, put.pk, expires_at)

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        with self._lock:
            rows = self._rows(collection.name).rows
            return [None if (row := rows.get(pk)) is None else row.content for pk in pks]

    def search(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        limit: int | None,
    ) -> list[str]:
        with self._lock:
            return self._indexed(collection).page(condition, after, limit)

    def count(self, collection: Collection, condition: IndexCondition) -> int:
        with self._lock:
            return len(self._indexed(collection).select(condition))

    def project(
        self, collection: Collection, condition: IndexCondition
    ) -> list[tuple[str, Values | None]]:
        with self._lock:
            rows = self._indexed(collection)
            return [(pk, rows.rows[pk].values) for pk in sorted(rows.select(condition))]

    def collections(self) -> list[str]:
        with self._lock:
            # The name itself has no colon, a namespace may have some.
            owned = [full_name.rpartition(":") for full_name in self._database.names()]
            return [name for space, colon, name in owned if space + colon == self._prefix]

    def _rows(self, name: str) -> _Rows:
        return self._database.rows(self._prefix + name)

    def _indexed(self, collection: Collection) -> _Rows:
        rows = self._rows(collection.name)
        if rows.indexes is not collection.indexes:
            rows.index_for(collection)
        return rows

    def close(self) -> None:
        self._database = MemoryDatabase()


def _version(row: _Row | None) -> str | None:
    return None if row is None else version_of(row.content)


def _undo(operations: Sequence[Operation], found: Sequence[tuple[_Rows, _Row | None]]) -> None:
    """Bring back the rows that a commit found, and everything that follows from them."""
    for rows in {id(rows): rows for rows, _ in found}.values():
        before = dict(rows.rows)
        for operation, (owner, row) in zip(operations, found, strict=True):
            if owner is rows:
                before.pop(operation.pk, None)
                if row is not None:
                    before[operation.pk] = row
        rows.restore(before)


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
    namespace = options.get("namespace", "")
    messages = MemoryLog(database.messages, namespace)
    return StorageStore(url.shown, MemoryStorage(database, namespace), messages)
