"""Which backend answers which URL: one line a backend, imported when it is first asked for."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from simstore.adapters.url import StoreURL
from simstore.domain.errors import StoreURLError
from simstore.domain.schema import near_name
from simstore.domain.store import Store

BACKENDS = {
    "memory": "simstore.adapters.memory",
    "sqlite": "simstore.adapters.sqlite",
}
"""Scheme to module; the module's ``open_store(url)`` returns the Store."""


def open_store(url: str) -> Store:
    """The store of `url`.

    Raises:
        StoreURLError: no backend has its scheme, or the backend refuses the rest.
    """
    parsed = StoreURL(url)
    module = BACKENDS.get(parsed.scheme)
    if module is None:
        hint = near_name(parsed.scheme, BACKENDS)
        known = ", ".join(f"{scheme}://" for scheme in BACKENDS)
        raise StoreURLError(f"{parsed.shown}: no backend has that scheme{hint}; there are {known}")
    opener = cast("Callable[[StoreURL], Store]", import_module(module).open_store)
    return opener(parsed)
