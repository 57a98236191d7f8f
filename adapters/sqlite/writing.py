"""Writing records and their entries, within a transaction of the caller's."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from simstore.adapters.codec import dumps_values, version_of
from simstore.adapters.reading import chunks
from simstore.adapters.sqlite.collections import (
    INSERT_ENTRIES,
    Entry,
    StoredCollection,
    delete_entries,
)
from simstore.adapters.sqlite.layout import DOCUMENT, PARAMETERS_AT_A_TIME
from simstore.adapters.storage import Content, Put

PURGED_AT_A_TIME = 100
"""How many expired records a commit removes at most, so that none takes long."""


class Row(NamedTuple):
    """What is stored of a record; `version` is empty unless it was asked for."""

    id: int
    expires_at: float | None
    indexed: bytes | None
    version: str

    def expired(self, now: float) -> bool:
        """Whether its time has come."""
        return self.expires_at is not None and self.expires_at <= now


class Writer:
    """Writes to one collection."""

    def __init__(
        self, connection: sqlite3.Connection, collection: StoredCollection, now: float
    ) -> None:
        self._connection = connection
        self._collection = collection
        self._now = now

    def rows(self, asked: Sequence[tuple[str, bool]]) -> dict[str, Row]:
        """The rows of some pks, expired ones included; each with its version, or without."""
        plain = [pk for pk, versioned in asked if not versioned]
        rows = self._rows(plain, "NULL")
        rows.update(self._rows([pk for pk, versioned in asked if versioned], DOCUMENT))
        return rows

    def _rows(self, pks: Sequence[str], document: str) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        for some in chunks(pks, PARAMETERS_AT_A_TIME):
            found = self._connection.execute(
                f"SELECT pk, id, expires_at, indexed, {document} FROM simstore_records "
                f"WHERE collection = ? AND pk IN ({', '.join('?' * len(some))})",
                (self._collection.id, *some),
            )
            for pk, id_, expires_at, indexed, data in found:
                rows[pk] = Row(id_, expires_at, indexed, version_of(data) if data else "")
        return rows

    def put(self, puts: Sequence[Put], rows: Mapping[str, Row]) -> None:
        """Insert or replace records; `rows` are those that are there."""
        inserts: list[tuple[int, str, float | None, bytes, Content]] = []
        updates: list[tuple[float | None, bytes, Content, int]] = []
        changed: list[str] = []
        entries: list[Entry] = []
        for put in puts:
            indexed = dumps_values(put.values)
            expires_at = None if put.ttl is None else self._now + put.ttl
            row = rows.get(put.pk)
            if row is None:
                inserts.append((self._collection.id, put.pk, expires_at, indexed, put.content))
            else:
                if put.keep_ttl:
                    expires_at = row.expires_at
                updates.append((expires_at, indexed, put.content, row.id))
                if row.indexed == indexed:
                    continue
                changed.append(put.pk)
            entries += self._collection.entries(put.pk, put.values)
        self._connection.executemany(
            "INSERT INTO simstore_records (collection, pk, expires_at, indexed, document) "
            "VALUES (?, ?, ?, ?, ?)",
            inserts,
        )
        self._connection.executemany(
            "UPDATE simstore_records SET expires_at = ?, indexed = ?, document = ? WHERE id = ?",
            updates,
        )
        delete_entries(self._connection, self._collection.id, changed)
        self._connection.executemany(INSERT_ENTRIES, entries)

    def delete(self, pks: Sequence[str]) -> None:
        """Delete records."""
        delete_entries(self._connection, self._collection.id, pks)
        self._connection.executemany(
            "DELETE FROM simstore_records WHERE collection = ? AND pk = ?",
            [(self._collection.id, pk) for pk in pks],
        )

    def purge(self) -> None:
        """Delete some of the records whose time has come."""
        expired = self._connection.execute(
            "SELECT pk FROM simstore_records WHERE collection = ? AND expires_at <= ? LIMIT ?",
            (self._collection.id, self._now, PURGED_AT_A_TIME),
        ).fetchall()
        if expired:
            self.delete([pk for (pk,) in expired])
