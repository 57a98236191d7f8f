"""Index entries held against the records that they were made of, and mended.

A page is checked within one transaction of the caller's, so that what others write meanwhile
is no fault: a snapshot, or a writing transaction if it is mended as well.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simstore.adapters.codec import dumps_values
from simstore.adapters.sqlite.collections import (
    INSERT_ENTRIES,
    Entry,
    StoredCollection,
    delete_entries,
)
from simstore.adapters.sqlite.layout import DOCUMENT
from simstore.adapters.storage import Collection, Indexes
from simstore.domain.maintenance import FaultKind, IndexFault

CHECKED_AT_A_TIME = 200
"""How many records, or pks of entries, one page has: few enough that no writer waits long."""

_OF_COLLECTION = "index_id IN (SELECT id FROM simstore_indexes WHERE collection = ?)"


class Checked(NamedTuple):
    """What a page of a check found, and the pk after which the next one begins, if there is one."""

    faults: list[IndexFault]
    after: str | None


class _Record(NamedTuple):
    """A record as it should be, and its row, with the indexed values as they are."""

    pk: str
    id: int
    found: bytes | None
    indexed: bytes | None
    entries: set[Entry]


def check_records(
    connection: sqlite3.Connection,
    stored: StoredCollection,
    collection: Collection,
    after: str | None,
    *,
    repair: bool,
) -> Checked:
    """Hold the next records after a pk against their entries: some are missing, some stale.

    With `repair`, those of a record with a fault are made anew from its document. A record
    whose time has come has entries until it is removed, and is checked as the others are. One
    that cannot be read is not: nobody can tell which entries would be right.
    """
    records = list(_records(connection, stored, collection, after))
    entries = _entries(connection, stored, [record.pk for record in records])
    faults: list[IndexFault] = []
    for record in records:
        if record.indexed is None:
            continue
        wrong = _differences(stored, record, entries[record.pk])
        faults += [IndexFault(kind, collection.name, record.pk, name) for name, kind in wrong]
        if wrong and repair:
            _index_anew(connection, stored, record)
    return Checked(faults, records[-1].pk if len(records) == CHECKED_AT_A_TIME else None)


def check_orphans(
    connection: sqlite3.Connection,
    stored: StoredCollection,
    collection: Collection,
    after: str | None,
    *,
    repair: bool,
) -> Checked:
    """Look for entries, after a pk, of records that are gone; with `repair` they are removed."""
    where, parameters = _after(after)
    pks = connection.execute(
        f"SELECT pk, EXISTS (SELECT 1 FROM simstore_records WHERE collection = ? AND pk = some.pk) "
        f"FROM (SELECT DISTINCT pk FROM simstore_entries WHERE {_OF_COLLECTION} {where} "
        "ORDER BY pk LIMIT ?) AS some",
        (stored.id, stored.id, *parameters, CHECKED_AT_A_TIME),
    ).fetchall()
    orphans = [pk for pk, is_there in pks if not is_there]
    names = _names(stored)
    faults = [
        IndexFault("orphaned", collection.name, pk, name)
        for pk, entries in _entries(connection, stored, orphans).items()
        for name in sorted({names[index_id] for index_id, _, _ in entries})
    ]
    if repair:
        delete_entries(connection, stored.id, orphans)
    return Checked(faults, pks[-1][0] if len(pks) == CHECKED_AT_A_TIME else None)


def _records(
    connection: sqlite3.Connection,
    stored: StoredCollection,
    collection: Collection,
    after: str | None,
) -> Iterator[_Record]:
    """The next records; one document is held at a time."""
    where, parameters = _after(after)
    rows = connection.execute(
        f"SELECT pk, id, indexed, {DOCUMENT} FROM simstore_records "
        f"WHERE collection = ? {where} ORDER BY pk LIMIT ?",
        (stored.id, *parameters, CHECKED_AT_A_TIME),
    )
    for pk, id_, found, document in rows:
        values = collection.values(pk, document)
        if values is None:
            yield _Record(pk, id_, found, None, set())
        else:
            yield _Record(pk, id_, found, dumps_values(values), stored.entries(pk, values))


def _entries(
    connection: sqlite3.Connection, stored: StoredCollection, pks: Sequence[str]
) -> dict[str, set[Entry]]:
    """The entries that there are of some pks."""
    entries: dict[str, set[Entry]] = {pk: set() for pk in pks}
    rows = connection.execute(
        "SELECT index_id, value, pk FROM simstore_entries "
        f"WHERE pk IN ({', '.join('?' * len(pks))}) AND {_OF_COLLECTION}",
        (*pks, stored.id),
    )
    for entry in rows:
        entries[entry[2]].add(entry)
    return entries


def _differences(
    stored: StoredCollection, record: _Record, found: set[Entry]
) -> list[tuple[str, FaultKind]]:
    """Each index that is wrong about a record, and how."""
    names = _names(stored)
    # Where a record has no entries any more, its copy of the values is what is left to tell.
    wrong: dict[tuple[str, FaultKind], None] = {}
    for index_id, _, _ in record.entries - found:
        wrong[names[index_id], "missing"] = None
    for index_id, _, _ in found - record.entries:
        wrong[names[index_id], "stale"] = None
    if record.found != record.indexed:
        known = {name for name, _ in wrong}
        for name in _different_values(stored.indexes, record):
            if name not in known:
                wrong[name, "stale"] = None
    return sorted(wrong)


def _different_values(indexes: Indexes, record: _Record) -> list[str]:
    """The indexes of whose values the record's row has others than its document; else ``pk``."""
    if record.indexed is not None and record.found is not None:
        try:
            found, indexed = (json.loads(data) for data in (record.found, record.indexed))
        except ValueError:
            found, indexed = [], []
        if isinstance(found, list) and len(found) == len(indexed) == len(indexes.names):
            return [
                exact or word_index or "pk"
                for (exact, word_index), old, new in zip(indexes.names, found, indexed, strict=True)
                if json.dumps(old) != json.dumps(new)
            ] or ["pk"]
    return [exact or word_index or "pk" for exact, word_index in indexes.names] or ["pk"]


def _index_anew(connection: sqlite3.Connection, stored: StoredCollection, record: _Record) -> None:
    delete_entries(connection, stored.id, [record.pk])
    connection.executemany(INSERT_ENTRIES, record.entries)
    connection.execute(
        "UPDATE simstore_records SET indexed = ? WHERE id = ?", (record.indexed, record.id)
    )


def _names(stored: StoredCollection) -> dict[int, str]:
    return {index_id: name for name, index_id in stored.index_ids.items()}


def _after(after: str | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if after is None else ("AND pk > ?", (after,))
