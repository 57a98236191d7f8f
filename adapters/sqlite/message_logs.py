"""Logs of messages in the tables of a file: finding, appending, reading, forgetting."""

import sqlite3
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from simstore.adapters.messages.ids import MOST, ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Entry
from simstore.adapters.sqlite.message_tables import create_message_tables, has_message_tables
from simstore.domain.errors import InvalidArgumentError

FORGOTTEN_AT_A_TIME = 10
"""How many channels whose time has come a publication removes at most, besides its own."""

_NEWEST_FORGOTTEN = "newest forgotten message"

_ALIVE = (
    "NOT EXISTS (SELECT 1 FROM simstore_channels AS other WHERE other.namespace = log.namespace "
    "AND other.name = log.name AND other.dead_letters_of IN ('', log.dead_letters_of) "
    "AND other.expires_at <= ?)"
)


class Log(NamedTuple):
    """A log that is there, and the newest id that there was in it."""

    id: int
    last_id: MessageId


class Logs:
    """The logs of one namespace, within one transaction of the caller's."""

    def __init__(self, connection: sqlite3.Connection, namespace: str) -> None:
        self.connection = connection
        self.now = time.time()
        """The moment of the transaction, by the clock on the wall: others read it, too."""
        self._namespace = namespace

    def find(self, address: Address) -> Log | None:
        """A log, None if it is not there or its time has come."""
        if not has_message_tables(self.connection):
            return None
        row = self.connection.execute(
            "SELECT id, milliseconds, number FROM simstore_channels AS log "
            f"WHERE namespace = ? AND name = ? AND dead_letters_of = ? AND {_ALIVE}",
            (*self._key(address), self.now),
        ).fetchone()
        return None if row is None else Log(row[0], MessageId(row[1], row[2]))

    def ensure(self, address: Address) -> Log:
        """A log, made if it is not there. For use within a writing transaction."""
        create_message_tables(self.connection)
        self._forget_expired(address)
        log = self.find(address)
        if log is not None:
            return log
        id_ = self.connection.execute(
            "INSERT INTO simstore_channels (namespace, name, dead_letters_of, milliseconds, number)"
            " VALUES (?, ?, ?, ?, ?)",
            (*self._key(address), *ORIGIN),
        ).lastrowid
        assert id_ is not None  # noqa: S101 — it was inserted
        return Log(id_, ORIGIN)

    def append(
        self, log: Log, contents: Iterable[tuple[bytes, MessageId | None]]
    ) -> list[MessageId]:
        """Put entries at the end; their ids."""
        # A log that was forgotten may have had newer ids than the clock has now.
        last = self._newest_forgotten() if log.last_id == ORIGIN else log.last_id
        milliseconds = int(self.now * 1000)
        ids: list[MessageId] = []
        rows: list[tuple[int, int, int, str | None, bytes]] = []
        for body, original in contents:
            last = last.next(milliseconds)
            ids.append(last)
            rows.append((log.id, *last, None if original is None else str(original), body))
        self.connection.executemany(
            "INSERT INTO simstore_messages (channel, milliseconds, number, original, body) "
            "VALUES (?, ?, ?, ?, ?)",
            rows,
        )
        if ids:
            self.connection.execute(
                "UPDATE simstore_channels SET milliseconds = ?, number = ? WHERE id = ?",
                (*last, log.id),
            )
        return ids

    def expire(self, log: Log, ttl: float) -> None:
        """Forget a log after `ttl` seconds, unless it is told otherwise meanwhile."""
        self.connection.execute(
            "UPDATE simstore_channels SET expires_at = ? WHERE id = ?", (self.now + ttl, log.id)
        )

    def entries(
        self, log: Log, after: MessageId, limit: int | None, *, newest: bool = False
    ) -> list[Entry]:
        """The entries behind `after`, ascending: the first `limit`, or the last if `newest`."""
        direction = "DESC" if newest else "ASC"
        rows = self.connection.execute(
            "SELECT milliseconds, number, original, body FROM simstore_messages "
            "WHERE channel = ? AND (milliseconds, number) > (?, ?) "
            f"ORDER BY milliseconds {direction}, number {direction} LIMIT ?",
            (log.id, *after, -1 if limit is None else limit),
        )
        entries = [_entry(row) for row in rows]
        return entries[::-1] if newest else entries

    def has_entry(self, log: Log, after: MessageId) -> bool:
        """Whether there are any behind `after`."""
        row = self.connection.execute(
            "SELECT 1 FROM simstore_messages "
            "WHERE channel = ? AND (milliseconds, number) > (?, ?) LIMIT 1",
            (log.id, *after),
        ).fetchone()
        return row is not None

    def entry(self, log: Log, id_: MessageId) -> Entry | None:
        """The entry of an id, if it is still there."""
        row = self.connection.execute(
            "SELECT milliseconds, number, original, body FROM simstore_messages "
            "WHERE channel = ? AND milliseconds = ? AND number = ?",
            (log.id, *id_),
        ).fetchone()
        return None if row is None else _entry(row)

    def trim(self, log: Log, keep: int | None, before: MessageId | None) -> int:
        """Remove all but the newest `keep` entries, or those older than `before`; how many."""
        if before is None:
            row = self.connection.execute(
                "SELECT milliseconds, number FROM simstore_messages WHERE channel = ? "
                "ORDER BY milliseconds DESC, number DESC LIMIT 1 OFFSET ?",
                (log.id, max((keep or 0) - 1, 0)),
            ).fetchone()
            if row is None:  # there are not so many
                return 0
            before = MessageId(*row) if keep else MessageId(MOST, MOST)
        self.connection.execute(
            "DELETE FROM simstore_pending "
            "WHERE group_id IN (SELECT id FROM simstore_groups WHERE channel = ?) "
            "AND (milliseconds, number) < (?, ?)",
            (log.id, *before),
        )
        removed = self.connection.execute(
            "DELETE FROM simstore_messages WHERE channel = ? AND (milliseconds, number) < (?, ?)",
            (log.id, *before),
        )
        return removed.rowcount

    def forget(self, address: Address) -> bool:
        """Remove a log; with that of a channel, its dead letters. Whether it was there."""
        log = self.find(address)
        self._forget(*self._key(address))
        return log is not None

    def _forget_expired(self, address: Address) -> None:
        """Remove what has expired of the channel of `address`, and some of the rest."""
        key = self._key(address)[:2]
        expired = self.connection.execute(
            "SELECT namespace, name, dead_letters_of FROM simstore_channels WHERE expires_at <= ? "
            "ORDER BY (namespace, name) = (?, ?) DESC LIMIT ?",
            (self.now, *key, FORGOTTEN_AT_A_TIME + 1),
        ).fetchall()
        for namespace, name, dead_letters_of in expired:
            self._forget(namespace, name, dead_letters_of)

    def _forget(self, namespace: str, name: str, dead_letters_of: str) -> None:
        if not has_message_tables(self.connection):
            return
        rows = self.connection.execute(
            "SELECT id, milliseconds, number FROM simstore_channels "
            "WHERE namespace = ? AND name = ? AND ? IN ('', dead_letters_of)",
            (namespace, name, dead_letters_of),
        ).fetchall()
        if not rows:
            return
        newest = max(MessageId(milliseconds, number) for _, milliseconds, number in rows)
        self.connection.execute(
            "INSERT OR REPLACE INTO simstore_meta VALUES (?, ?)",
            (_NEWEST_FORGOTTEN, str(max(newest, self._newest_forgotten()))),
        )
        ids = [(id_,) for id_, _, _ in rows]
        of_groups = "(SELECT id FROM simstore_groups WHERE channel = ?)"
        for statement in (
            f"DELETE FROM simstore_pending WHERE group_id IN {of_groups}",
            "DELETE FROM simstore_groups WHERE channel = ?",
            "DELETE FROM simstore_messages WHERE channel = ?",
            "DELETE FROM simstore_channels WHERE id = ?",
        ):
            self.connection.executemany(statement, ids)

    def _newest_forgotten(self) -> MessageId:
        """The greatest id of a log that is forgotten: those of a new one are greater."""
        row = self.connection.execute(
            "SELECT value FROM simstore_meta WHERE name = ?", (_NEWEST_FORGOTTEN,)
        ).fetchone()
        return ORIGIN if row is None else MessageId.parse(row[0], _NEWEST_FORGOTTEN)

    def _key(self, address: Address) -> tuple[str, str, str]:
        return self._namespace, address.channel, address.dead_letters_of or ""


def _entry(row: tuple[int, int, object, object]) -> Entry:
    """What a row holds; what others have written into it is an empty text, and so no message."""
    milliseconds, number, original, body = row
    first = None
    with suppress(InvalidArgumentError):
        first = None if original is None else MessageId.parse(original, "the id of a dead letter")
    return Entry(MessageId(milliseconds, number), body if isinstance(body, bytes) else b"", first)
