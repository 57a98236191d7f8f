"""The contracts hold for a backend without wide transactions and atomic bulk writes.

As a cluster does, it commits what is in one bucket, here in one record, and no more at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import ClassVar

import pytest

from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.adapters.storage import Delete, Operation, PartlyWritten, Put, Unexpected
from simstore.domain.errors import BackendError
from simstore.domain.store import Capability
from simstore.testing import OpenStore, repository_machine
from tests.contract import test_memory


class NarrowStorage(MemoryStorage):
    """Memory, one record at a time."""

    lacks: ClassVar[Mapping[Capability, str]] = {
        **MemoryStorage.lacks,
        Capability.WIDE_TRANSACTIONS: "each record is in a bucket of its own",
        Capability.ATOMIC_SAVE_MANY: "each record is in a bucket of its own",
    }

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        records = {(operation.collection.name, operation.pk) for operation in operations}
        assert len(records) <= 1, f"{len(records)} records are to be committed at once"
        return super().commit(operations)

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        found: list[bool | None] = []
        for number, operation in enumerate(operations):
            try:
                found += self.commit([operation])
            except Unexpected:
                found.append(None)
            except BackendError as error:
                raise PartlyWritten(operations[:number]) from error
        return found


@contextmanager
def new_database() -> Iterator[OpenStore]:
    database = MemoryDatabase()
    yield lambda: StorageStore("narrow://", NarrowStorage(database))


class TestNarrow(test_memory.TestMemory):
    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        with new_database() as open_store:
            yield open_store


TestNarrowMachine = repository_machine(new_database).TestCase
