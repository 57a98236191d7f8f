"""The tables of the broker, which a file is given on the broker's first use.

So files that were made without them have them, too, and a file without messages stays small.
"""

import sqlite3

_TABLES = """
-- One row for each channel, and one for the dead letters of each of its groups.
CREATE TABLE IF NOT EXISTS simstore_channels (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dead_letters_of TEXT NOT NULL, -- a group, or empty
    milliseconds INTEGER NOT NULL, -- with `number`: the newest id that there was
    number INTEGER NOT NULL,
    expires_at REAL,
    UNIQUE (namespace, name, dead_letters_of)
);

CREATE INDEX IF NOT EXISTS simstore_channel_expiries
    ON simstore_channels (expires_at) WHERE expires_at IS NOT NULL;

-- With its rowid: without, long bodies would stand in the way of every search for an id.
CREATE TABLE IF NOT EXISTS simstore_messages (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    milliseconds INTEGER NOT NULL,
    number INTEGER NOT NULL,
    original TEXT, -- of a dead letter
    body BLOB NOT NULL,
    UNIQUE (channel, milliseconds, number)
);

-- The id is that of the last message that was given out for the first time.
CREATE TABLE IF NOT EXISTS simstore_groups (
    id INTEGER PRIMARY KEY,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    milliseconds INTEGER NOT NULL,
    number INTEGER NOT NULL,
    UNIQUE (channel, name)
);

-- What was given out and not acknowledged.
CREATE TABLE IF NOT EXISTS simstore_pending (
    group_id INTEGER NOT NULL,
    milliseconds INTEGER NOT NULL,
    number INTEGER NOT NULL,
    consumer TEXT NOT NULL,
    given_at REAL NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (group_id, milliseconds, number)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS simstore_pending_by_moment ON simstore_pending (group_id, given_at);

-- The processes that wait for messages: where each is told of them, and for how long.
CREATE TABLE IF NOT EXISTS simstore_listeners (
    port INTEGER PRIMARY KEY,
    until REAL NOT NULL
);
"""


def has_message_tables(connection: sqlite3.Connection) -> bool:
    """Whether the broker was used. All tables are made at once."""
    row = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'simstore_channels'"
    ).fetchone()
    return row is not None


def create_message_tables(connection: sqlite3.Connection) -> None:
    """Make the tables if they are not there. For use within a writing transaction."""
    if not has_message_tables(connection):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
