"""Groups of consumers in the tables of a file: who was given what, and what is next."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from simstore.adapters.messages.bell import Look
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Entry, Share, Taken
from simstore.adapters.sqlite.message_logs import Log, Logs

AT_ONCE = -math.inf
"""The moment of what is due, however long its group waits."""

_DUE_AT_A_TIME = 100


class _Group(NamedTuple):
    id: int
    last_given: MessageId


class _Due(NamedTuple):
    id: MessageId
    tries: int


class Member:
    """One consumer of a group, within one transaction of the caller's."""

    def __init__(self, logs: Logs, address: Address, share: Share) -> None:
        self._logs = logs
        self._connection = logs.connection
        self._address = address
        self._share = share
        self._latest_due = logs.now - share.retry_after
        self.buried = False
        """Whether `take` has made dead letters."""

    def has_joined(self) -> bool:
        """Whether `join` has nothing to do."""
        log = self._logs.find(self._address)
        group = None if log is None else self._group(log)
        if group is None:
            return False
        left = self._connection.execute(
            "SELECT 1 FROM simstore_pending WHERE group_id = ? AND consumer = ? LIMIT 1",
            (group.id, self._share.consumer),
        ).fetchone()
        return left is None

    def join(self) -> None:
        """Make the group if it is not there; what the consumer was given before is due."""
        log = self._logs.ensure(self._address)
        start = log.last_id if self._share.start is None else self._share.start
        group = self._group(log) or self._make(log, start)
        self._connection.execute(
            "UPDATE simstore_pending SET given_at = ? WHERE group_id = ? AND consumer = ?",
            (AT_ONCE, group.id, self._share.consumer),
        )

    def wait(self) -> Look | None:
        """How long there is nothing to take; None if there is something."""
        log = self._logs.find(self._address)
        if log is None:
            return Look(None)
        group = self._group(log)
        if self._logs.has_entry(log, ORIGIN if group is None else group.last_given):
            return None
        if group is None:
            return Look(None)
        return None if self._is_due(group) else Look(None, self._due_in(group))

    def take(self) -> Look:
        """Give the consumer what is next: what is due before what is new."""
        log = self._logs.find(self._address)
        if log is None:
            return Look(None)
        group = self._group(log) or self._make(log, ORIGIN)
        for due in self._all_due(group):
            entry = self._logs.entry(log, due.id)
            if entry is not None and due.tries < self._share.max_tries:
                return Look(self._give(group, entry, due.tries + 1))
            self._done_with(group, due.id)
            if entry is not None:
                self._bury(entry)
        entries = self._logs.entries(log, group.last_given, 1)
        if not entries:
            return Look(None, self._due_in(group))
        self._connection.execute(
            "UPDATE simstore_groups SET milliseconds = ?, number = ? WHERE id = ?",
            (*entries[0].id, group.id),
        )
        return Look(self._give(group, entries[0], 1))

    def _group(self, log: Log) -> _Group | None:
        row = self._connection.execute(
            "SELECT id, milliseconds, number FROM simstore_groups WHERE channel = ? AND name = ?",
            (log.id, self._share.group),
        ).fetchone()
        return None if row is None else _Group(row[0], MessageId(row[1], row[2]))

    def _make(self, log: Log, start: MessageId) -> _Group:
        id_ = self._connection.execute(
            "INSERT INTO simstore_groups (channel, name, milliseconds, number) VALUES (?, ?, ?, ?)",
            (log.id, self._share.group, *start),
        ).lastrowid
        assert id_ is not None  # noqa: S101 — it was inserted
        return _Group(id_, start)

    def _first_given_at(self, group: _Group) -> float | None:
        (first,) = self._connection.execute(
            "SELECT min(given_at) FROM simstore_pending WHERE group_id = ?", (group.id,)
        ).fetchone()
        return None if first is None else float(first)

    def _is_due(self, group: _Group) -> bool:
        first = self._first_given_at(group)
        return first is not None and first <= self._latest_due

    def _due_in(self, group: _Group) -> float | None:
        """Seconds until something is due."""
        first = self._first_given_at(group)
        return None if first is None else first - self._latest_due

    def _all_due(self, group: _Group) -> Iterator[_Due]:
        """What is due, by id; each must be given or done with before the next."""
        while self._is_due(group):
            # The plus keeps SQLite from sorting all that is due for the sake of the first.
            rows = self._connection.execute(
                "SELECT milliseconds, number, tries FROM simstore_pending "
                "WHERE group_id = ? AND +given_at <= ? ORDER BY milliseconds, number LIMIT ?",
                (group.id, self._latest_due, _DUE_AT_A_TIME),
            ).fetchall()
            for milliseconds, number, tries in rows:
                yield _Due(MessageId(milliseconds, number), tries)

    def _give(self, group: _Group, entry: Entry, tries: int) -> Taken:
        self._connection.execute(
            "INSERT OR REPLACE INTO simstore_pending "
            "(group_id, milliseconds, number, consumer, given_at, tries) VALUES (?, ?, ?, ?, ?, ?)",
            (group.id, *entry.id, self._share.consumer, self._logs.now, tries),
        )
        return Taken(entry, tries)

    def _done_with(self, group: _Group, id_: MessageId) -> None:
        self._connection.execute(
            "DELETE FROM simstore_pending WHERE group_id = ? AND milliseconds = ? AND number = ?",
            (group.id, *id_),
        )

    def _bury(self, entry: Entry) -> None:
        dead_letters = self._logs.ensure(self._address._replace(dead_letters_of=self._share.group))
        self._logs.append(dead_letters, [(entry.body, entry.id)])
        self.buried = True


def acknowledge(logs: Logs, address: Address, group: str, message: MessageId) -> bool:
    """The group is done with a message; whether it was given out, and not done before."""
    log = logs.find(address)
    if log is None:
        return False
    removed = logs.connection.execute(
        "DELETE FROM simstore_pending WHERE milliseconds = ? AND number = ? "
        "AND group_id = (SELECT id FROM simstore_groups WHERE channel = ? AND name = ?)",
        (*message, log.id, group),
    )
    return removed.rowcount > 0
