"""What a backend's tests give to the contracts: a way to open a store, and a few hooks."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from simstore.domain.maintenance import FaultKind
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store
from simstore.testing.models import Specimen

OpenStore = Callable[[], Store]
"""Opens one more store on the same database, which was empty before the first."""


class Binding:
    """The base of every contract. A subclass overrides `open_store`, and hooks if it can."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        """A function that opens a store, each call another one, on a database of this test's own.

        The contracts close what they open.
        """
        raise NotImplementedError(f"{type(self).__name__} overrides the fixture open_store")

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for the backend; a backend with a clock to turn need not wait."""
        time.sleep(seconds)

    def write_raw(self, store: Store, collection: str, pk: str, document: str) -> None:
        """Put a document, as text, where `store` keeps the record of `pk`: past the port.

        There may be a record of `pk` already; then its index entries stay.
        """
        pytest.skip(f"{type(self).__name__} gives no write_raw, a way past the port")

    def read_raw(self, store: Store, collection: str, pk: str) -> str:
        """The stored document of `pk`, as JSON text, read past the port."""
        pytest.skip(f"{type(self).__name__} gives no read_raw, a way past the port")

    def failing_at(self, store: Store, collection: str, pk: str) -> AbstractContextManager[object]:
        """While it lasts, the backend fails when it comes to write the record of `pk`."""
        pytest.skip(f"{type(self).__name__} gives no failing_at, a way to make the backend fail")

    def spoil_index(self, store: Store, collection: str, pk: str, kind: FaultKind) -> None:
        """Make the index of `tag` wrong about the record of `pk`: past the port.

        ``missing``: its entry is taken away. ``stale``: it is given an entry for another text
        as well. ``orphaned``: there is no such record, and it is given one all the same.
        """
        pytest.skip(f"{type(self).__name__} gives no spoil_index, a way to spoil an index")

    def full_url(self, store: Store) -> str:
        """What `simstore.connect` needs to open the same database, a password included."""
        return store.url

    @pytest.fixture
    def store(self, open_store: OpenStore) -> Iterator[Store]:
        """An open store on an empty database."""
        with open_store() as store:
            yield store

    @pytest.fixture
    def specimens(self, store: Store) -> Repository[Specimen]:
        """The repository of the kit's own model, empty."""
        return store.repository(Specimen)


def need(store: Store, capability: Capability) -> None:
    """Skip the test if `store` lacks `capability`, with the reason that it gives."""
    reason = store.lacks.get(capability)
    if reason is not None:
        pytest.skip(f"lacks that {capability.value}: {reason}")
