"""Which collections and indexes a file has, and their upkeep when a model's indexes change."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from simstore.adapters.codec import dumps_values
from simstore.adapters.sqlite.conditions import stored_value
from simstore.adapters.sqlite.layout import DOCUMENT
from simstore.adapters.storage import Collection, Indexes, Values

Entry = tuple[int, str | int | float | bytes, str]
"""A row of ``simstore_entries``: index, value, pk."""

INSERT_ENTRIES = "INSERT INTO simstore_entries (index_id, value, pk) VALUES (?, ?, ?)"

RECORDS_AT_A_TIME = 1_000
"""How many records are held while a collection is indexed anew."""


class StoredCollection(NamedTuple):
    """A collection as it is in the file, with entries for `indexes`."""

    id: int
    indexes: Indexes
    index_ids: dict[str, int]

    def index_id(self, name: str) -> int:
        """The id of the index of that name."""
        return self.index_ids[name]

    def entries(self, pk: str, values: Values) -> set[Entry]:
        """The entries of a record."""
        return {
            (self.index_ids[name], stored_value(value), pk)
            for name, value in self.indexes.entries(values)
        }


class OutdatedIndexesError(Exception):
    """The entries in the file were made for other indexes than a collection's; see `ensure`."""


class Collections:
    """The collections of one namespace."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._ids: dict[str, int] = {}
        self._index_ids: dict[tuple[int, str], dict[str, int]] = {}

    def forget(self) -> None:
        """Look everything up anew: a transaction was undone, and with it perhaps what it made."""
        self._ids.clear()
        self._index_ids.clear()

    def id_of(self, connection: sqlite3.Connection, name: str) -> int | None:
        """The id of a collection, None if nothing was ever stored in it."""
        id_ = self._ids.get(name)
        if id_ is None:
            row = connection.execute(
                "SELECT id FROM simstore_collections WHERE name = ?", (self._full_name(name),)
            ).fetchone()
            if row is None:
                return None
            id_ = self._ids[name] = int(row[0])
        return id_

    def names(self, connection: sqlite3.Connection, now: float) -> list[str]:
        """The names of the collections with a record that has not expired by `now`."""
        rows = connection.execute(
            "SELECT name FROM simstore_collections AS c WHERE EXISTS (SELECT 1 FROM "
            "simstore_records WHERE collection = c.id AND (expires_at IS NULL OR expires_at > ?))",
            (now,),
        )
        # The name itself has no colon, a namespace may have some.
        owned = [full_name.rpartition(":") for (full_name,) in rows]
        return [name for namespace, _, name in owned if namespace == self._namespace]

    def find(
        self, connection: sqlite3.Connection, collection: Collection
    ) -> StoredCollection | None:
        """A collection, None if nothing was ever stored in it. For use within a transaction.

        Raises:
            OutdatedIndexesError: its entries are for other indexes.
        """
        id_ = self.id_of(connection, collection.name)
        if id_ is None:
            return None
        (signature,) = connection.execute(
            "SELECT signature FROM simstore_collections WHERE id = ?", (id_,)
        ).fetchone()
        if signature != collection.indexes.signature:
            raise OutdatedIndexesError
        return self._stored(connection, id_, collection.indexes)

    def ensure(self, connection: sqlite3.Connection, collection: Collection) -> StoredCollection:
        """A collection, made or indexed anew as need be. For use within a writing transaction."""
        try:
            found = self.find(connection, collection)
        except OutdatedIndexesError:
            found = None
        if found is not None:
            return found
        signature = collection.indexes.signature
        connection.execute(
            "INSERT INTO simstore_collections (name, signature) VALUES (?, ?) "
            "ON CONFLICT (name) DO UPDATE SET signature = excluded.signature",
            (self._full_name(collection.name), signature),
        )
        id_ = self.id_of(connection, collection.name)
        assert id_ is not None  # noqa: S101 — it is there now, under the write lock
        connection.executemany(
            "INSERT OR IGNORE INTO simstore_indexes (collection, name) VALUES (?, ?)",
            [(id_, name) for pair in collection.indexes.names for name in pair if name],
        )
        stored = self._stored(connection, id_, collection.indexes)
        _reindex(connection, stored, collection)
        return stored

    def _stored(
        self, connection: sqlite3.Connection, id_: int, indexes: Indexes
    ) -> StoredCollection:
        key = (id_, indexes.signature)
        index_ids = self._index_ids.get(key)
        if index_ids is None:
            rows = connection.execute(
                "SELECT name, id FROM simstore_indexes WHERE collection = ?", (id_,)
            )
            index_ids = self._index_ids[key] = dict(rows.fetchall())
        return StoredCollection(id_, indexes, index_ids)

    def _full_name(self, name: str) -> str:
        return f"{self._namespace}:{name}"


def _reindex(
    connection: sqlite3.Connection, stored: StoredCollection, collection: Collection
) -> None:
    """Make the entries of all records anew."""
    connection.execute(
        "DELETE FROM simstore_entries WHERE index_id IN "
        "(SELECT id FROM simstore_indexes WHERE collection = ?)",
        (stored.id,),
    )
    rows: Iterator[tuple[int, str, bytes]] = iter(
        connection.execute(
            f"SELECT id, pk, {DOCUMENT} FROM simstore_records WHERE collection = ?", (stored.id,)
        )
    )
    while some := list(islice(rows, RECORDS_AT_A_TIME)):
        indexed: list[tuple[bytes | None, int]] = []
        entries: list[Entry] = []
        for id_, pk, document in some:
            values = collection.values(pk, document)
            indexed.append((None if values is None else dumps_values(values), id_))
            if values is not None:
                entries += stored.entries(pk, values)
        connection.executemany("UPDATE simstore_records SET indexed = ? WHERE id = ?", indexed)
        connection.executemany(INSERT_ENTRIES, entries)


def delete_entries(connection: sqlite3.Connection, collection: int, pks: Sequence[str]) -> None:
    """Remove the entries of some records of a collection."""
    connection.executemany(
        "DELETE FROM simstore_entries WHERE pk = ? AND index_id IN "
        "(SELECT id FROM simstore_indexes WHERE collection = ?)",
        [(pk, collection) for pk in pks],
    )
