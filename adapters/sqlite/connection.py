"""A connection to the file: opened with our settings, shared by threads, safe after a fork."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from simstore.adapters.forking import survive_forks
from simstore.adapters.sqlite.layout import OLDEST_SQLITE, create_layout
from simstore.domain.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    StoreClosedError,
)

_UNAVAILABLE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Connection:
    """One SQLite connection; its blocks are the only way to it, one thread at a time.

    SQLite must not be carried across a fork, not even by a connection that is left alone: its
    record of the process's locks would be wrong in the child. So a fork waits for the blocks
    to end and closes every connection; both sides open theirs anew when they need it.
    """

    def __init__(self, path: str, *, timeout: float, synchronous: str) -> None:
        # In full: what is opened anew must be the same file, wherever the process has gone.
        self.path = str(Path(path).absolute())
        """The path of the file."""
        self._timeout = timeout
        self._synchronous = synchronous
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        with self._translated():
            self._connection = self._open()
        survive_forks(self)

    def _open(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise BackendUnavailableError(
                f"Python has SQLite {sqlite3.sqlite_version} here; simstore needs "
                f"{'.'.join(map(str, OLDEST_SQLITE))} or newer"
            )
        connection = sqlite3.connect(
            self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False
        )
        try:
            # Of a new file alone. A page for most of an episode: writing them in bulk costs a
            # third less than in SQLite's usual pages of 4,096, and a find costs the same.
            connection.execute("PRAGMA page_size = 16384")
            # Readers in other processes do not wait for a writer then, nor a writer for them.
            ((mode,),) = connection.execute("PRAGMA journal_mode = WAL")
            ((encoding,),) = connection.execute("PRAGMA encoding")
            self._check_file(mode, encoding)
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            create_layout(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_file(self, mode: str, encoding: str) -> None:
        if mode != "wal" or encoding != "UTF-8":
            raise BackendUnavailableError(
                f"{self.path} cannot be used as a database: it needs a write-ahead log and "
                f"UTF-8, and has {mode} and {encoding}"
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for SELECTs that may each see another state of the database."""
        with self._lock, self._translated():
            yield self._current()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """The connection, for SELECTs that all see one state of the database."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The connection within a transaction that holds the write lock from its start."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def writing_at_once(self) -> Iterator[sqlite3.Connection]:
        """As `writing`, but where another process writes it raises BackendTimeoutError at once."""
        with self.reading() as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                with self.writing():
                    yield connection
            finally:
                connection.execute(f"PRAGMA busy_timeout = {int(self._timeout * 1000)}")

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated():
            connection = self._current()
            try:
                connection.execute(begin)
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # After some errors, a full disk for one, SQLite has rolled back by itself.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _current(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreClosedError(f"the store of {self.path} is closed; connect() to it again")
        if self._connection is None:
            self._connection = self._open()
        return self._connection

    def close(self) -> None:
        """Close it; the log is folded into the file if nobody else has it open."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def before_fork(self) -> None:
        """Wait for the block of another thread to end, and close the connection."""
        self._lock.acquire()
        self._disconnect()

    def after_fork(self) -> None:
        """Go on; the next block opens a connection."""
        self._lock.release()

    def _reason(self) -> str:
        """What is wrong with the path itself, where SQLite only says that it cannot open it."""
        path = Path(self.path)
        if path.is_dir():
            return "it is a folder"
        if not path.parent.is_dir():
            return f"there is no folder {path.parent}; make it first"
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            return "it may not be written, and reading takes a lock in it too"
        return ""

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            # The low byte is the class of an extended code; 0 where the driver gives none.
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _BUSY:
                raise BackendTimeoutError(
                    f"{self.path} was locked by another writer for {self._timeout:g} s"
                ) from error
            if code in _UNAVAILABLE:
                raise BackendUnavailableError(
                    f"{self.path} cannot be used as a database: {self._reason() or error}"
                ) from error
            raise BackendError(f"{self.path}: {error}") from error
        except UnicodeDecodeError as error:  # a message of SQLite's that quotes a damaged file
            raise BackendUnavailableError(f"{self.path} is damaged: {error}") from error
