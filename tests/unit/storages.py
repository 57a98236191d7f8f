"""Storages that watch, meddle or fail, over the memory backend's own."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.adapters.storage import (
    Collection,
    Content,
    Delete,
    IndexCondition,
    Operation,
    PartlyWritten,
    Put,
    Unexpected,
    Values,
)
from simstore.domain.errors import BackendError, BackendUnavailableError


class Spy(MemoryStorage):
    """Writes down what it is asked for."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.fetched: list[int] = []
        """How many documents each fetch asked for."""
        self.found: list[int] = []
        """How many pks each search found."""
        self.written: list[int] = []
        """How many operations each commit or write had."""
        self.counts = 0
        self.projections = 0

    def forget(self) -> None:
        self.fetched, self.found, self.written = [], [], []
        self.counts = self.projections = 0

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        self.written.append(len(operations))
        return super().commit(operations)

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        self.fetched.append(len(pks))
        return super().fetch(collection, pks)

    def search(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        limit: int | None,
    ) -> list[str]:
        found = super().search(collection, condition, after=after, limit=limit)
        self.found.append(len(found))
        return found

    def count(self, collection: Collection, condition: IndexCondition) -> int:
        self.counts += 1
        return super().count(collection, condition)

    def project(
        self, collection: Collection, condition: IndexCondition
    ) -> list[tuple[str, Values | None]]:
        self.projections += 1
        return super().project(collection, condition)


class Meddler(MemoryStorage):
    """Lets somebody else write at a moment: before a fetch, before a commit."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.before_fetch: list[Callable[[], object]] = []
        self.before_commit: list[Callable[[], object]] = []
        """Each is done once, at the next such call."""

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        if self.before_fetch:
            self.before_fetch.pop(0)()
        return super().fetch(collection, pks)

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        if self.before_commit:
            self.before_commit.pop(0)()
        return super().commit(operations)


class HalfWriter(MemoryStorage):
    """A bulk write breaks off after `written` operations, if that is a number.

    Not the first so many, if `sound` is set.
    """

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.written: int | None = None
        self.sound = 0
        self.cause = BackendError("the plug was pulled")

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        if self.written is None:
            return super().write(operations)
        if self.sound:
            self.sound -= 1
            return super().write(operations)
        done = operations[: self.written]
        super().write(done)
        raise PartlyWritten(done) from self.cause


class Contended(MemoryStorage):
    """Somebody else is always faster, once `contended` is set."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.contended = False
        self.refused = 0

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        if self.contended and all(isinstance(operation, Put) for operation in operations):
            self.refused += 1
            raise Unexpected(operations[0])
        return super().commit(operations)


CALLS = {"commit", "write", "fetch", "search", "count", "project", "collections"}
"""What a store asks of its storage."""


class Unreachable(MemoryStorage):
    """Every call fails, once `down` is set: at the n-th call of that name, if `down_at` is."""

    def __init__(self) -> None:
        super().__init__(MemoryDatabase())
        self.down = False
        self.down_at = ("", 0)

    def __getattribute__(self, name: str) -> Any:
        if name in CALLS:
            at, left = self.down_at
            if name == at:
                self.down_at = (at, left - 1)
                self.down = self.down or left == 1
            if self.down:
                return self._fail
        return super().__getattribute__(name)

    def _fail(self, *_: object, **__: object) -> NoReturn:
        raise BackendUnavailableError("nobody answers")


def store_on(storage: MemoryStorage) -> StorageStore:
    """A store on that storage."""
    return StorageStore("memory://", storage)
