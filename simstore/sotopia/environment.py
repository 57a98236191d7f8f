"""The store that the environment names: simstore's variable, else Sotopia's own."""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qsl, urlencode

from simstore.adapters.forking import survive_forks
from simstore.adapters.url import StoreURL
from simstore.connection import connect
from simstore.domain.errors import NotBoundError, StoreURLError
from simstore.domain.store import Store
from simstore.sotopia.local_files import open_local

URL_VARIABLE = "SIMSTORE_URL"
SOTOPIA_BACKEND_VARIABLE = "SOTOPIA_STORAGE_BACKEND"
SOTOPIA_URL_VARIABLE = "REDIS_OM_URL"

SOTOPIA_DEFAULT_URL = "redis://localhost:6379"
"""Where Sotopia looks for Redis if nothing says where it is."""

LOCAL_FOLDER = "~/.sotopia/data"
"""Where Sotopia keeps its files."""

Place = str | Path
"""A store's URL, or the folder of Sotopia's local files."""


class Environment:
    """The stores that the environment names, each opened once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened: dict[Place, Store] = {}
        survive_forks(self)

    def before_fork(self) -> None:
        """Wait until no thread opens a store, so that a child does not wait for it for ever."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Let threads open stores again."""
        self._lock.release()

    def store(self, is_opened: Callable[[Store], None]) -> Store:
        """The store that is named now; `is_opened` is told of it when it is opened.

        Raises:
            NotBoundError: none is named.
            StoreURLError: what is named is no store.
        """
        place = named_place()
        store = self._opened.get(place)
        if store is None:
            with self._lock:
                store = self._opened.get(place)
                if store is None:
                    store = self._opened[place] = open_place(place)
                    is_opened(store)
        return store


def named_place() -> Place:
    """Where the store is that the environment names."""
    named = os.environ.get(URL_VARIABLE)
    if named:
        return named
    backend = os.environ.get(SOTOPIA_BACKEND_VARIABLE, "").lower()
    url = os.environ.get(SOTOPIA_URL_VARIABLE, "")
    if backend == "local":
        return Path(LOCAL_FOLDER).expanduser()
    if backend not in {"", "redis"}:
        raise StoreURLError(
            f"{SOTOPIA_BACKEND_VARIABLE} is redis or local, not {backend!r}; "
            f"{URL_VARIABLE} names any other store"
        )
    if not backend and not url:
        raise NotBoundError(
            "no store is bound in this thread or task, and the environment names none: call bind() "
            f"of simstore.sotopia with 'memory://', say, or set {URL_VARIABLE}, or "
            f"{SOTOPIA_URL_VARIABLE} for a database of Sotopia's"
        )
    return in_place(url or SOTOPIA_DEFAULT_URL)


def open_place(place: Place) -> Store:
    """The store at `place`."""
    return open_local(place) if isinstance(place, Path) else connect(place)


_REDIS_PYS = {
    "socket_timeout": "timeout",
    "socket_connect_timeout": "connect_timeout",
    "max_connections": "pool_size",
}
"""What redis-py calls options of simstore's Redis stores."""

_LEFT_TO_SIMSTORE = frozenset(
    {
        "client_name",
        "decode_responses",
        "encoding",
        "encoding_errors",
        "health_check_interval",
        "protocol",
        "retry_on_timeout",
        "socket_keepalive",
    }
)
"""Options of redis-py's that change how a client talks, not where to or what is answered."""


def in_place(redis_url: str) -> str:
    """The store URL of the Redis at `redis_url` as Sotopia uses it.

    Raises:
        StoreURLError: it is no URL of redis-py's for a host.
    """
    scheme, separator, rest = redis_url.partition("://")
    if not separator or scheme not in {"redis", "rediss"}:
        raise StoreURLError(
            f"{SOTOPIA_URL_VARIABLE} begins with redis:// or rediss://; "
            f"{URL_VARIABLE} names any other store"
        )
    StoreURL(redis_url)  # it refuses what is not escaped, and shows no password
    location, _, query = rest.partition("?")
    options = [
        (_REDIS_PYS.get(name, name), text)
        for name, text in parse_qsl(query)
        if name not in _LEFT_TO_SIMSTORE
    ]
    return f"{scheme}+om://{location}?{urlencode([*options, ('layout', 'sotopia')])}"
