"""Messages in memory: for the threads and the tasks of one process."""

import heapq
import math
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import NamedTuple

from simstore.adapters.forking import survive_forks
from simstore.adapters.messages.bell import Bell, Look, LookedAtLog
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Entry, Share, Taken

MANY_EXPIRIES = 1_000
"""So many expiries, beyond twice the number of logs, are looked through and thinned out."""

AT_ONCE = -math.inf
"""The moment of what is due, however long its group waits."""


class _Pending(NamedTuple):
    consumer: str
    given_at: float
    """By the clock that only goes forward."""
    tries: int


@dataclass
class _Group:
    last_given: MessageId
    pending: dict[MessageId, _Pending] = field(default_factory=dict)
    """By the moment they were given, the earliest first: each is put at the end anew."""

    def give(self, id_: MessageId, consumer: str) -> int:
        """How many tries that makes."""
        before = self.pending.pop(id_, None)
        tries = 1 if before is None else before.tries + 1
        self.pending[id_] = _Pending(consumer, time.monotonic(), tries)
        return tries

    def return_to(self, consumer: str) -> None:
        """Let what `consumer` was given be due."""
        for id_, pending in self.pending.items():
            if pending.consumer == consumer:
                self.pending[id_] = pending._replace(given_at=AT_ONCE)
        by_moment = sorted(self.pending.items(), key=lambda item: item[1].given_at)
        self.pending = dict(by_moment)

    def due(self, retry_after: float) -> list[MessageId]:
        """What was given so many seconds ago, by id."""
        latest = time.monotonic() - retry_after
        due = []
        for id_, pending in self.pending.items():
            if pending.given_at > latest:
                break
            due.append(id_)
        return sorted(due)

    def due_in(self, retry_after: float) -> float | None:
        """Seconds until something is due."""
        first = next(iter(self.pending.values()), None)
        return None if first is None else first.given_at + retry_after - time.monotonic()


@dataclass
class _Log:
    last_id: MessageId = ORIGIN
    entries: list[Entry] = field(default_factory=list)
    groups: dict[str, _Group] = field(default_factory=dict)
    expires_at: float | None = None

    def behind(self, id_: MessageId) -> int:
        """Where the entries behind `id_` begin."""
        return bisect_right(self.entries, id_, key=lambda entry: entry.id)

    def find(self, id_: MessageId) -> Entry | None:
        """The entry of `id_`, if it is still there."""
        at = self.behind(id_) - 1
        return self.entries[at] if at >= 0 and self.entries[at].id == id_ else None


class MessageDatabase:
    """The messages that the stores of one ``memory://`` URL share."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.bell = Bell()
        self.logs: dict[Address, _Log] = {}
        self.newest_forgotten = ORIGIN
        """The greatest id of a log that is forgotten: those of a new one are greater."""
        self.expiries: list[tuple[float, Address]] = []
        survive_forks(self)

    def before_fork(self) -> None:
        """Wait for the call of another thread to end."""
        self.lock.acquire()
        self.bell.before_fork()

    def after_fork(self) -> None:
        """Go on."""
        self.bell.after_fork()
        self.lock.release()

    def find(self, address: Address) -> _Log | None:
        """A log, if it is there; call it under the lock."""
        self._forget_expired()
        return self.logs.get(address)

    def append(
        self, address: Address, contents: Sequence[tuple[bytes, MessageId | None]]
    ) -> list[MessageId]:
        """Put entries at the end of a log, and ring; call it under the lock."""
        self._forget_expired()
        log = self.logs.setdefault(address, _Log())
        now = time.time_ns() // 1_000_000
        added: list[Entry] = []
        last = max(log.last_id, self.newest_forgotten)
        for body, original in contents:
            last = last.next(now)
            added.append(Entry(last, body, original))
        if added:
            log.last_id = last
            log.entries += added
            self.bell.ring(address)
        return [entry.id for entry in added]

    def expire(self, address: Address, ttl: float) -> None:
        """Forget a log after `ttl` seconds, unless it is told otherwise meanwhile."""
        moment = time.time() + ttl
        self.logs[address].expires_at = moment
        heapq.heappush(self.expiries, (moment, address))
        # Every call adds one, and only time takes them away: drop those that are overtaken.
        if len(self.expiries) > 2 * len(self.logs) + MANY_EXPIRIES:
            self.expiries = [each for each in self.expiries if self._is_valid(*each)]
            heapq.heapify(self.expiries)

    def _is_valid(self, moment: float, address: Address) -> bool:
        log = self.logs.get(address)
        return log is not None and log.expires_at == moment

    def _forget_expired(self) -> None:
        while self.expiries and self.expiries[0][0] <= time.time():
            moment, address = heapq.heappop(self.expiries)
            if self._is_valid(moment, address):
                self.forget(address)

    def forget(self, address: Address) -> bool:
        """Forget a log, and the dead letters of its groups; whether it was there."""
        log = self.logs.pop(address, None)
        if log is None:
            return False
        self.newest_forgotten = max(self.newest_forgotten, log.last_id)
        if address.dead_letters_of is None:
            for other in [each for each in self.logs if each.channel == address.channel]:
                self.forget(other)
        return True


class MemoryLog(LookedAtLog):
    """The messages of one namespace of a memory database."""

    def __init__(self, database: MessageDatabase, namespace: str = "") -> None:
        super().__init__(database.bell)
        self._database = database
        self._lock = database.lock
        self._prefix = f"{namespace}\0"  # which is in no channel's name

    def append(
        self, address: Address, bodies: Sequence[bytes], ttl: float | None
    ) -> list[MessageId]:
        at = self.place(address)
        with self._lock:
            ids = self._database.append(at, [(body, None) for body in bodies])
            if ttl is not None:
                self._database.expire(at, ttl)
            return ids

    def last_id(self, address: Address) -> MessageId:
        with self._lock:
            log = self._database.find(self.place(address))
            return ORIGIN if log is None else log.last_id

    def entries(
        self, address: Address, after: MessageId, limit: int | None, *, newest: bool
    ) -> list[Entry]:
        with self._lock:
            log = self._database.find(self.place(address))
            if log is None:
                return []
            first, count = log.behind(after), len(log.entries)
            if limit is None:
                return log.entries[first:]
            return (
                log.entries[max(first, count - limit) :]
                if newest
                else log.entries[first : first + limit]
            )

    def join(self, address: Address, share: Share) -> None:
        with self._lock:
            self._group(self.place(address), share, new_at=share.start).return_to(share.consumer)

    def look(self, address: Address, share: Share) -> Look:
        at = self.place(address)
        with self._lock:
            group = self._group(at, share, new_at=ORIGIN)
            log = self._database.logs[at]
            for id_ in group.due(share.retry_after):
                entry = log.find(id_)
                if entry is not None and group.pending[id_].tries < share.max_tries:
                    return Look(Taken(entry, group.give(id_, share.consumer)))
                del group.pending[id_]
                if entry is not None:
                    self._bury(at, share.group, entry)
            following = log.behind(group.last_given)
            if following == len(log.entries):
                return Look(None, group.due_in(share.retry_after))
            entry = log.entries[following]
            group.last_given = entry.id
            return Look(Taken(entry, group.give(entry.id, share.consumer)))

    def _group(self, at: Address, share: Share, new_at: MessageId | None) -> _Group:
        """The group, which is made if it is not there; as is its log."""
        log = self._database.find(at)
        if log is None:
            log = self._database.logs[at] = _Log()
        start = log.last_id if new_at is None else new_at
        return log.groups.setdefault(share.group, _Group(start))

    def _bury(self, at: Address, group: str, entry: Entry) -> None:
        self._database.append(at._replace(dead_letters_of=group), [(entry.body, entry.id)])

    def acknowledge(self, address: Address, group: str, message: MessageId) -> bool:
        with self._lock:
            log = self._database.find(self.place(address))
            state = None if log is None else log.groups.get(group)
            if log is None or state is None:
                return False
            return state.pending.pop(message, None) is not None and log.find(message) is not None

    def trim(self, address: Address, *, keep: int | None, before: MessageId | None) -> int:
        with self._lock:
            log = self._database.find(self.place(address))
            if log is None:
                return 0
            if before is not None:
                number = bisect_right(log.entries, before, key=lambda entry: entry.id)
                number -= log.find(before) is not None
            else:
                number = max(0, len(log.entries) - (keep or 0))
            del log.entries[:number]
            return number

    def delete(self, address: Address) -> bool:
        with self._lock:
            at = self.place(address)
            return self._database.find(at) is not None and self._database.forget(at)

    def place(self, address: Address) -> Address:
        return address._replace(channel=self._prefix + address.channel)
