"""``sqlite:///file.db``: records and messages in a file, without a server; the embedded default.

The path is relative after three slashes and absolute after four. Options:

- ``namespace``: keeps records apart from those of other namespaces in the file;
- ``timeout``: seconds to wait for another process that writes (30);
- ``synchronous``: ``full`` (what was acknowledged survives a power cut) or ``normal`` (it
  survives the end of the process; single writes do not wait for the disk).
"""

import math

from simstore.adapters.base_store import StorageStore
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.messages import SqliteLog
from simstore.adapters.sqlite.storage import SqliteStorage
from simstore.adapters.url import StoreURL
from simstore.domain.errors import StoreURLError

DEFAULT_TIMEOUT = 30.0

LONGEST_TIMEOUT = 2_000_000.0
"""SQLite counts milliseconds in 32 bits."""


def open_store(url: StoreURL) -> StorageStore:
    """The store of a ``sqlite:///file`` URL; the file is made if it is not there."""
    options = url.options(namespace=str, timeout=_seconds, synchronous=_synchronous)
    connection = Connection(
        path_of(url),
        timeout=options.get("timeout", DEFAULT_TIMEOUT),
        synchronous=options.get("synchronous", "full"),
    )
    namespace = options.get("namespace", "")
    messages = SqliteLog(connection, namespace)
    return StorageStore(url.shown, SqliteStorage(connection, namespace), messages)


def path_of(url: StoreURL) -> str:
    """The path of the file that a ``sqlite:///`` URL names.

    Raises:
        StoreURLError: it names none.
    """
    path = url.location.removeprefix("/")
    if path == url.location or not path or path == ":memory:":
        raise StoreURLError(
            f"{url.shown} names no file; write sqlite:///relative.db or sqlite:////absolute.db, "
            "or memory:// for a store without a file"
        )
    return path


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError("it is a number of seconds, 0 or more")
    return min(seconds, LONGEST_TIMEOUT)


def _synchronous(text: str) -> str:
    if text not in {"full", "normal"}:
        raise ValueError("it is full or normal")
    return text
