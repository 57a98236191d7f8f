"""Which backend answers which URL: one line a backend, imported when it is first asked for."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from simstore.adapters.url import StoreURL
from simstore.domain.errors import StoreURLError
from simstore.domain.schema import near_name
from simstore.domain.store import Store

BACKENDS = {
    "memory": "simstore.adapters.memory",
    "sqlite": "simstore.adapters.sqlite",
    "redis": "simstore.adapters.redis_pipeline",
    "rediss": "simstore.adapters.redis_pipeline",
    "unix": "simstore.adapters.redis_pipeline",
    "redis+cluster": "simstore.adapters.redis_pipeline",
    "rediss+cluster": "simstore.adapters.redis_pipeline",
    "redis+om": "simstore.adapters.redis_om",
    "rediss+om": "simstore.adapters.redis_om",
}
"""Scheme to module; the module's ``open_store(url)`` returns the Store."""

ENTRY_POINTS = "simstore.backends"
"""Where other packages register theirs: the scheme, and a function as ``open_store``."""

Opener = Callable[[StoreURL], Store]


def open_store(url: str) -> Store:
    """The store of `url`.

    Raises:
        StoreURLError: no backend has its scheme, or the backend refuses the rest.
    """
    parsed = StoreURL(url)
    return _opener(parsed)(parsed)


def _opener(url: StoreURL) -> Opener:
    module = BACKENDS.get(url.scheme)
    if module is not None:
        return cast("Opener", import_module(module).open_store)
    registered = entry_points(group=ENTRY_POINTS)
    for entry in registered:
        if entry.name == url.scheme:
            return cast("Opener", entry.load())
    known = [*BACKENDS, *registered.names]
    hint = near_name(url.scheme, known) or f"; there are {', '.join(f'{s}://' for s in known)}"
    raise StoreURLError(f"{url.shown}: no backend has that scheme{hint}")
