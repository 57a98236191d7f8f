"""The tables. Their names begin with ``simstore_``: the file may hold other people's too."""

import sqlite3

from simstore.domain.errors import BackendUnavailableError

LAYOUT_VERSION = 1

DOCUMENT = "CAST(document AS BLOB)"
"""A document as it is read: somebody else may have written it as TEXT. It costs a BLOB nothing."""

PARAMETERS_AT_A_TIME = 500
"""How many pks one statement names, where it may name any number."""

OLDEST_SQLITE = (3, 32, 0)
"""From this one of 2020 on, a statement takes 32,766 parameters: more than any condition has."""

_TABLES = """
CREATE TABLE IF NOT EXISTS simstore_meta (
    name TEXT PRIMARY KEY,
    value
) WITHOUT ROWID;

-- One row for each model, in each namespace. Entries are good for the indexes of `signature`.
CREATE TABLE IF NOT EXISTS simstore_collections (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    signature TEXT NOT NULL
);

-- The document stands last: reading the columns before it does not touch its overflow pages.
CREATE TABLE IF NOT EXISTS simstore_records (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    pk TEXT NOT NULL,
    expires_at REAL,
    indexed BLOB, -- null where the document could not be read
    document BLOB NOT NULL,
    UNIQUE (collection, pk)
);

CREATE INDEX IF NOT EXISTS simstore_expiries
    ON simstore_records (collection, expires_at) WHERE expires_at IS NOT NULL;

-- The name of each index of each collection.
CREATE TABLE IF NOT EXISTS simstore_indexes (
    id INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (collection, name)
);

-- SQLite orders numbers before texts before blobs, and compares integers and reals exactly.
-- Bools and null are blobs (see `stored_value`).
CREATE TABLE IF NOT EXISTS simstore_entries (
    index_id INTEGER NOT NULL,
    value NOT NULL,
    pk TEXT NOT NULL,
    PRIMARY KEY (index_id, value, pk)
) WITHOUT ROWID;

-- To test a further condition on a record that was found, and to remove its entries.
CREATE INDEX IF NOT EXISTS simstore_entries_of_record ON simstore_entries (pk, index_id);
"""


def create_layout(connection: sqlite3.Connection) -> None:
    """Make the tables in a new file, and refuse one of a layout that this version does not know."""
    if _version(connection) is None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(
                "INSERT OR IGNORE INTO simstore_meta VALUES ('layout', ?)", (LAYOUT_VERSION,)
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    version = _version(connection)
    if version != LAYOUT_VERSION:
        raise BackendUnavailableError(
            f"the file has layout {version!r} and this simstore reads {LAYOUT_VERSION}; "
            "it was written by another version of simstore"
        )


def _version(connection: sqlite3.Connection) -> object:
    known = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'simstore_meta'"
    ).fetchone()
    if known is None:
        return None
    row = connection.execute("SELECT value FROM simstore_meta WHERE name = 'layout'").fetchone()
    return None if row is None else row[0]
