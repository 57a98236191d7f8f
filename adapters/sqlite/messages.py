"""Messages in a file: for any number of processes on one machine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from simstore.adapters.messages.bell import Look, LookedAtLog
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Entry, Share
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.listening import ListeningBell, ports_of_listeners
from simstore.adapters.sqlite.message_groups import Member, acknowledge
from simstore.adapters.sqlite.message_logs import Logs


class SqliteLog(LookedAtLog):
    """The messages of a namespace of a SQLite file.

    Every operation is one transaction. Whoever adds messages reads in it who listens, and
    tells them once it is committed.
    """

    looks_block = True

    def __init__(self, connection: Connection, namespace: str = "") -> None:
        self._listening = ListeningBell(connection, namespace)
        super().__init__(self._listening)
        self._connection = connection
        self._namespace = namespace

    def append(
        self, address: Address, bodies: Sequence[bytes], ttl: float | None
    ) -> list[MessageId]:
        with self._writing() as logs:
            log = logs.ensure(address)
            ids = logs.append(log, ((body, None) for body in bodies))
            if ttl is not None:
                logs.expire(log, ttl)
            ports = ports_of_listeners(logs.connection, logs.now)
        self._listening.ring_everywhere(address, ports)
        return ids

    def last_id(self, address: Address) -> MessageId:
        with self._snapshot() as logs:
            log = logs.find(address)
            return ORIGIN if log is None else log.last_id

    def entries(
        self, address: Address, after: MessageId, limit: int | None, *, newest: bool
    ) -> list[Entry]:
        with self._snapshot() as logs:
            log = logs.find(address)
            return [] if log is None else logs.entries(log, after, limit, newest=newest)

    def join(self, address: Address, share: Share) -> None:
        with self._snapshot() as logs:
            if Member(logs, address, share).has_joined():
                return
        with self._writing() as logs:
            Member(logs, address, share).join()

    def look(self, address: Address, share: Share) -> Look:
        with self._snapshot() as logs:
            # Looked up first: consumers that wait must not keep others from writing.
            nothing = Member(logs, address, share).wait()
            if nothing is not None:
                return nothing
        ports: list[int] = []
        with self._writing() as logs:
            member = Member(logs, address, share)
            found = member.take()
            if member.buried:
                ports = ports_of_listeners(logs.connection, logs.now)
        if member.buried:
            self._listening.ring_everywhere(address._replace(dead_letters_of=share.group), ports)
        return found

    def acknowledge(self, address: Address, group: str, message: MessageId) -> bool:
        with self._writing() as logs:
            return acknowledge(logs, address, group, message)

    def trim(self, address: Address, *, keep: int | None, before: MessageId | None) -> int:
        with self._writing() as logs:
            log = logs.find(address)
            return 0 if log is None else logs.trim(log, keep, before)

    def delete(self, address: Address) -> bool:
        with self._writing() as logs:
            return logs.forget(address)

    def close(self) -> None:
        super().close()
        self._listening.stop()

    @contextmanager
    def _snapshot(self) -> Iterator[Logs]:
        self.check_open()
        with self._connection.snapshot() as connection:
            yield Logs(connection, self._namespace)

    @contextmanager
    def _writing(self) -> Iterator[Logs]:
        self.check_open()
        with self._connection.writing() as connection:
            yield Logs(connection, self._namespace)
