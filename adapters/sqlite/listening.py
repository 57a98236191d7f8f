"""Hearing of what other processes publish, without asking the file over and over.

A process in which somebody waits for messages has a thread that listens on a port of the
loopback interface, and notes it in the file. Whoever publishes reads the ports in the very
transaction that adds the message, and after it sends each a datagram. So either the publisher
finds the port, or the listener, who looks once it is noted, finds the message.

Datagrams get lost: a publisher may be killed before it sends them, and processes of different
containers share the file alone. So the thread asks SQLite, once a second, whether anybody else
has written. All that a datagram can do, whoever sent it, is to make somebody look.
"""

import hashlib
import socket
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread

from simstore.adapters.forking import survive_forks
from simstore.adapters.messages.bell import Bell
from simstore.adapters.messages.log import Address
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.message_tables import create_message_tables, has_message_tables
from simstore.domain.errors import BackendError, StoreClosedError

LOOPBACK = "127.0.0.1"

LEASE = 60.0
"""Seconds for which a port is noted: a process that is killed is told of messages so long."""

RENEW_EVERY = 20.0
"""Seconds; a thread that finds nobody waiting then ends."""

LOOK_EVERY = 1.0
"""Seconds between looks whether anybody else has written."""

UNHEARD_LOOK_EVERY = 0.1
"""The same while nobody knows of a port to send datagrams to."""

DIGEST_SIZE = 16


def ports_of_listeners(connection: sqlite3.Connection, now: float) -> list[int]:
    """Whom to tell of a message. For use within the transaction that adds it."""
    rows = connection.execute("SELECT port, until FROM simstore_listeners").fetchall()
    if any(until <= now for _, until in rows):
        connection.execute("DELETE FROM simstore_listeners WHERE until <= ?", (now,))
    return [port for port, until in rows if until > now]


class ListeningBell(Bell):
    """A bell that is heard by those who wait in any process, for the logs of one namespace."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        super().__init__()
        self._connection = connection
        self._namespace = namespace
        self._addresses: dict[bytes, Address] = {}
        self._listener: _Listener | None = None
        self._is_stopped = False
        # Nobody has this lock and the connection's at once, so they are taken in any order.
        survive_forks(self)

    def _leave_to_parent(self) -> None:
        super()._leave_to_parent()
        self._addresses.clear()
        if self._listener is not None:
            self._listener.abandon()
            self._listener = None

    @contextmanager
    def calling(self, address: Address, wake: Callable[[], None]) -> Iterator[None]:
        digest = self._digest(address)
        with super().calling(address, wake):
            with self._lock:
                self._addresses[digest] = address
                if self._listener is None and not self._is_stopped:
                    self._listener = _Listener(self, self._connection)
            try:
                yield
            finally:
                with self._lock:
                    if len(self._waiting.get(address, ())) <= 1:
                        self._addresses.pop(digest, None)

    def ring_everywhere(self, address: Address, ports: Sequence[int]) -> None:
        """Ring here, and in the processes that listen on `ports`."""
        self.ring(address)
        listener = self._listener
        others = [port for port in ports if listener is None or port != listener.port]
        if others:
            send(self._digest(address), others)

    def ring_digest(self, digest: bytes) -> None:
        """Ring for what a datagram says, if anybody waits for it."""
        address = self._addresses.get(digest)
        if address is not None:
            self.ring(address)

    def dismiss(self, listener: "_Listener") -> bool:
        """Let go of `listener` if nobody waits; whether it is no longer needed."""
        with self._lock:
            if self._listener is listener and not self._waiting:
                self._listener = None
            return self._listener is not listener

    def lose(self, listener: "_Listener") -> None:
        """Let go of `listener`, which has ended."""
        with self._lock:
            if self._listener is listener:
                self._listener = None

    def stop(self) -> None:
        """End the thread, and wait for it."""
        with self._lock:
            self._is_stopped = True
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()

    def _digest(self, address: Address) -> bytes:
        text = "\0".join([self._namespace, address.channel, address.dead_letters_of or ""])
        return hashlib.blake2b(text.encode(), digest_size=DIGEST_SIZE).digest()


class _Listener:
    """The thread, for as long as anybody waits.

    It does not keep the bell alive: a store that nobody closes is gone within a second.
    """

    def __init__(self, bell: ListeningBell, connection: Connection) -> None:
        self._bell = weakref.ref(bell)
        self._connection = connection
        self._stopped = Event()
        self._socket = _open_socket()
        self.port: int | None = None if self._socket is None else self._socket.getsockname()[1]
        self._is_noted = False
        self._renew_at = self._look_at = 0.0
        """By the clock that only goes forward."""
        self._seen: tuple[sqlite3.Connection, int] | None = None
        """What SQLite said when it was last asked, and through which connection."""
        self._thread = Thread(target=self._run, name=f"simstore-listener-{self.port}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, and wait until it has."""
        self._stopped.set()
        if self.port is not None:
            send(b"", [self.port])
        self._thread.join()

    def abandon(self) -> None:
        """Close the socket that a child has inherited, and with which its parent goes on."""
        if self._socket is not None:
            self._socket.close()

    def _run(self) -> None:
        try:
            while not self._stopped.is_set():
                pause = self._turn()
                if pause is None:
                    break
                self._receive(pause)
            self._strike_out()
        except StoreClosedError:
            pass
        finally:
            if self._socket is not None:
                self._socket.close()
            bell = self._bell()
            if bell is not None:
                bell.lose(self)  # whatever ended it: who waits next has another

    def _turn(self) -> float | None:
        """Do what it is time for; seconds until the next, None if nobody waits any more."""
        bell = self._bell()
        if bell is None:
            return None
        now = time.monotonic()
        if now >= self._renew_at:
            if bell.dismiss(self):
                return None
            self._note(now)
        # After it: what came before others knew of the port is not missed.
        if now >= self._look_at:
            if self._others_wrote():
                bell.ring_all()
            every = LOOK_EVERY if self._is_noted else UNHEARD_LOOK_EVERY
            self._look_at = now + every
        return max(0.0, min(self._look_at, self._renew_at) - time.monotonic())

    def _receive(self, pause: float) -> None:
        """Wait for a datagram for so long, and pass it on."""
        if self._socket is None:
            self._stopped.wait(pause)
            return
        self._socket.settimeout(max(pause, 0.001))
        try:
            datagram = self._socket.recv(DIGEST_SIZE + 1)
        except TimeoutError:
            return
        except OSError:
            # Windows tells a socket so that nobody was there for what it sent.
            self._stopped.wait(0.01)
            return
        bell = self._bell()
        if bell is not None:
            bell.ring_digest(datagram)

    def _note(self, now: float) -> None:
        """Note the port in the file, unless somebody writes: then it is tried again soon."""
        self._is_noted = False
        if self.port is None:
            self._renew_at = now + RENEW_EVERY
            return
        try:
            with self._connection.writing_at_once() as connection:
                create_message_tables(connection)
                connection.execute(
                    "INSERT OR REPLACE INTO simstore_listeners VALUES (?, ?)",
                    (self.port, time.time() + LEASE),
                )
            self._is_noted = True
        except BackendError:
            pass
        self._renew_at = now + (RENEW_EVERY if self._is_noted else UNHEARD_LOOK_EVERY)

    def _others_wrote(self) -> bool:
        """Whether it is worth a look; also if that is not known."""
        try:
            with self._connection.reading() as connection:
                ((version,),) = connection.execute("PRAGMA data_version")
        except BackendError:
            return True
        before, self._seen = self._seen, (connection, version)
        return before is None or before[0] is not connection or before[1] != version

    def _strike_out(self) -> None:
        """Take the port out of the file, that it may be somebody else's; if it can be done."""
        with suppress(BackendError), self._connection.writing_at_once() as connection:
            if self.port is not None and has_message_tables(connection):
                connection.execute("DELETE FROM simstore_listeners WHERE port = ?", (self.port,))


def send(datagram: bytes, ports: Sequence[int]) -> None:
    """Send a datagram to ports of the loopback interface, as far as that can be done."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        for port in ports:
            with suppress(OSError, OverflowError):  # a file may say anything
                sender.sendto(datagram, (LOOPBACK, port))


def _open_socket() -> socket.socket | None:
    """A socket on a free port; None where there is no loopback interface, or none is allowed."""
    try:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    except OSError:
        return None
    try:
        opened.bind((LOOPBACK, 0))
    except OSError:
        opened.close()
        return None
    return opened
