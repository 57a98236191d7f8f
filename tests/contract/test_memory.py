"""The memory backend fulfils the contracts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

import simstore
from simstore.adapters.codec import json_of
from simstore.adapters.memory import _Rows
from simstore.testing import OpenStore, RepositoryContract, StoreContract, repository_machine


@contextmanager
def new_database() -> Iterator[OpenStore]:
    url = f"memory://{uuid4().hex}"
    yield lambda: simstore.connect(url)


class TestMemory(RepositoryContract, StoreContract):
    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        with new_database() as open_store:
            yield open_store

    def write_raw(self, store: simstore.Store, collection: str, pk: str, document: str) -> None:
        rows = store._open_storage()._rows(collection).rows  # type: ignore[attr-defined]  # within
        rows[pk] = rows[pk]._replace(content=document.encode())

    def read_raw(self, store: simstore.Store, collection: str, pk: str) -> str:
        rows = store._open_storage()._rows(collection).rows  # type: ignore[attr-defined]  # within
        return json_of(rows[pk].content).decode()

    @contextmanager
    def failing_at(self, store: simstore.Store, collection: str, pk: str) -> Iterator[None]:
        def put(rows: Any, at: str, row: Any) -> None:
            if at == pk:
                raise simstore.BackendError("no room for it")
            _put(rows, at, row)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_Rows, "put", put)
            yield


_put = _Rows.put

TestMemoryMachine = repository_machine(new_database).TestCase
