"""Which collections and indexes a file has, and their upkeep when a model's indexes change."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

from simstore.adapters.codec import dumps_values, loads
from simstore.adapters.sqlite.conditions import stored_value
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.storage import Document, Indexes, Values
from simstore.domain.errors import CorruptRecordError


class Collection(NamedTuple):
    """A model's part of the file."""

    id: int
    indexes: Indexes
    index_ids: dict[str, int]

    def index_id(self, name: str) -> int:
        """The id of the index of that name."""
        return self.index_ids[name]

    def entries(self, pk: str, values: Values) -> set[tuple[int, str | int | float | bytes, str]]:
        """The rows of ``simstore_entries`` for a record."""
        return {
            (self.index_ids[name], stored_value(value), pk)
            for name, value in self.indexes.entries(values)
        }


INSERT_ENTRIES = "INSERT INTO simstore_entries (index_id, value, pk) VALUES (?, ?, ?)"


class Collections:
    """The collections of one namespace, by the names of their models."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace
        self._known: dict[str, Collection] = {}

    def __getitem__(self, name: str) -> Collection:
        return self._known[name]

    def prepare(
        self, name: str, indexes: Indexes, values: Callable[[str, Document], Values]
    ) -> None:
        """As `Storage.prepare`."""
        full_name = f"{self._namespace}:{name}"
        with self._connection.reading() as connection:
            row = _find(connection, full_name)
        if row is not None and row[1] == indexes.signature:
            id_ = row[0]
        else:
            with self._connection.writing() as connection:
                id_ = _register(connection, full_name, indexes)
        with self._connection.reading() as connection:
            rows = connection.execute(
                "SELECT name, id FROM simstore_indexes WHERE collection = ?", (id_,)
            ).fetchall()
        collection = Collection(id_, indexes, dict(rows))
        if row is not None and row[1] != indexes.signature:
            with self._connection.writing() as connection:
                _reindex(connection, collection, name, values)
        self._known[name] = collection


def _find(connection: sqlite3.Connection, name: str) -> tuple[int, str] | None:
    row: tuple[int, str] | None = connection.execute(
        "SELECT id, signature FROM simstore_collections WHERE name = ?", (name,)
    ).fetchone()
    return row


def _register(connection: sqlite3.Connection, name: str, indexes: Indexes) -> int:
    connection.execute(
        "INSERT OR IGNORE INTO simstore_collections (name, signature) VALUES (?, ?)",
        (name, indexes.signature),
    )
    row = _find(connection, name)
    assert row is not None  # noqa: S101 — just inserted, under the write lock
    connection.executemany(
        "INSERT OR IGNORE INTO simstore_indexes (collection, name) VALUES (?, ?)",
        [(row[0], name) for names in indexes.names for name in names if name is not None],
    )
    return row[0]


def _reindex(
    connection: sqlite3.Connection,
    collection: Collection,
    name: str,
    values: Callable[[str, Document], Values],
) -> None:
    """Make the entries of all records anew; a record that cannot be read keeps its old ones."""
    rows = connection.execute(
        "SELECT id, pk, document FROM simstore_records WHERE collection = ?", (collection.id,)
    )
    for id_, pk, document in rows:
        try:
            found = values(pk, loads(name, pk, document))
        except CorruptRecordError:
            continue
        connection.execute(
            "UPDATE simstore_records SET indexed = ? WHERE id = ?", (dumps_values(found), id_)
        )
        delete_entries(connection, collection.id, [pk])
        connection.executemany(INSERT_ENTRIES, collection.entries(pk, found))
    connection.execute(
        "UPDATE simstore_collections SET signature = ? WHERE id = ?",
        (collection.indexes.signature, collection.id),
    )


def delete_entries(connection: sqlite3.Connection, collection: int, pks: Sequence[str]) -> None:
    """Remove the entries of some records of a collection."""
    connection.executemany(
        "DELETE FROM simstore_entries WHERE pk = ? AND index_id IN "
        "(SELECT id FROM simstore_indexes WHERE collection = ?)",
        [(pk, collection) for pk in pks],
    )
