"""Storages that are broken on purpose: the memory backend's, with one thing wrong."""

from collections.abc import Sequence
from typing import Any

from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.adapters.storage import Delete, Expected, Put


class WritesOverAnything(MemoryStorage):
    """A bulk write does not look at what it is to find."""

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        return super().write([each._replace(expected=Expected.ANYTHING) for each in operations])


class WritesForEver(MemoryStorage):
    """A bulk write keeps no time that is left."""

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        return super().write(
            [
                each._replace(keep_ttl=False) if isinstance(each, Put) else each
                for each in operations
            ]
        )


def store_on(kind: type[MemoryStorage], memory: dict[Any, Any]) -> StorageStore:
    """A store on such a storage; all that have one memory have one database."""
    database = memory.setdefault(kind, MemoryDatabase())
    return StorageStore("memory://", kind(database))
