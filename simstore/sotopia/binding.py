"""Which store the models of `simstore.sotopia` use: the one bound here, else the environment's."""

import atexit
import os
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from types import TracebackType
from urllib.parse import parse_qsl, urlencode
from weakref import WeakSet

from simstore.connection import connect
from simstore.domain.errors import InvalidArgumentError, NotBoundError, StoreURLError
from simstore.domain.store import Store
from simstore.sotopia.local_files import open_local

URL_VARIABLE = "SIMSTORE_URL"
SOTOPIA_BACKEND_VARIABLE = "SOTOPIA_STORAGE_BACKEND"
SOTOPIA_URL_VARIABLE = "REDIS_OM_URL"

SOTOPIA_DEFAULT_URL = "redis://localhost:6379"
"""Where Sotopia looks for Redis if nothing says where it is."""

_bound: ContextVar[Store | None] = ContextVar("simstore.sotopia", default=None)


class Binding:
    """What `bind` returns: a context manager that gives its store and unbinds it at the end."""

    def __init__(self, store: Store, *, closes: bool) -> None:
        self.store = store
        self._closes = closes
        self._former = _bound.get()
        if closes:
            _close_at_exit(store)
        _bound.set(store)

    def __enter__(self) -> Store:
        return self.store

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        _bound.set(self._former)
        if self._closes:
            self.store.close()


def bind(store: str | Store) -> Binding:
    """Let the models of this thread and task use `store`, a store or the URL of one.

    ``bind(url)`` holds from here on; ``with bind(url) as store:`` until the block ends. Tasks that
    are started meanwhile have it too. Threads do not: each binds one itself, is started through
    ``contextvars.copy_context().run``, or uses the store that the environment names. A store of a
    URL is opened here and closed by the block or at the end of the program; one that is given is
    its owner's to close.

    Raises:
        StoreURLError: the URL is wrong.
        BackendUnavailableError: the backend cannot be reached or opened.
        MissingDependencyError: the backend needs an extra that is not installed.
        InvalidArgumentError: it is neither a URL nor a store.
    """
    if isinstance(store, str):
        return Binding(connect(store), closes=True)
    if not callable(getattr(store, "repository", None)):
        raise InvalidArgumentError(f"bind() takes a store or the URL of one, not {store!r}")
    return Binding(store, closes=False)


def current_store() -> Store:
    """The store that the models use here: the bound one, else that of the environment.

    That is, the one of ``SIMSTORE_URL``, else Sotopia's own: its Redis at ``REDIS_OM_URL``, worked
    on in place, or if ``SOTOPIA_STORAGE_BACKEND`` is ``local``, an SQLite file beside its files,
    which begins as a copy of them. Such a store is opened when it is first used, once a process.

    Raises:
        NotBoundError: no store is bound, and the environment names none.
        StoreURLError: what the environment names is no store.
    """
    return _bound.get() or _environment.store()


class _Environment:
    """The stores that the environment names, each opened once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._opened: dict[str, Store] = {}

    def store(self) -> Store:
        url = os.environ.get(URL_VARIABLE) or self._sotopia_url()
        store = self._opened.get(url)
        if store is None:
            with self._lock:
                store = self._opened.get(url)
                if store is None:
                    store = self._opened[url] = _open(url)
                    _close_at_exit(store)
        return store

    @staticmethod
    def _sotopia_url() -> str:
        backend = os.environ.get(SOTOPIA_BACKEND_VARIABLE, "").lower()
        url = os.environ.get(SOTOPIA_URL_VARIABLE, "")
        if backend == "local":
            return str(Path("~/.sotopia/data").expanduser())
        if backend not in {"", "redis"}:
            raise StoreURLError(
                f"{SOTOPIA_BACKEND_VARIABLE} is redis or local, not {backend!r}; "
                f"{URL_VARIABLE} names any other store"
            )
        if not backend and not url:
            raise NotBoundError(
                "no store is bound in this thread or task, and the environment names none: call "
                f"simstore.sotopia.bind('memory://'), say, or set {URL_VARIABLE}, or "
                f"{SOTOPIA_URL_VARIABLE} for a database of Sotopia's"
            )
        return in_place(url or SOTOPIA_DEFAULT_URL)


_environment = _Environment()

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
    location, _, query = rest.partition("?")
    options = [
        (_REDIS_PYS.get(name, name), text)
        for name, text in parse_qsl(query)
        if name not in _LEFT_TO_SIMSTORE
    ]
    return f"{scheme}+om://{location}?{urlencode([*options, ('layout', 'sotopia')])}"


_to_close: WeakSet[Store] = WeakSet()


def _close_at_exit(store: Store) -> None:
    """Close `store` at the end of the program, if it is still there: then nobody else does."""
    if not _to_close:
        atexit.register(_close_all)
    _to_close.add(store)


def _close_all() -> None:
    for store in list(_to_close):
        store.close()


def _open(place: str) -> Store:
    return connect(place) if "://" in place else open_local(Path(place))
