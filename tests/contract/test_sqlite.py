"""The sqlite backend fulfils the contracts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory

import pytest

import simstore
from simstore.domain.maintenance import FaultKind
from simstore.testing import OpenStore, RepositoryContract, StoreContract, repository_machine

_OF = "pk = ? AND collection = (SELECT id FROM simstore_collections WHERE name LIKE '%' || ?)"


@contextmanager
def new_database() -> Iterator[OpenStore]:
    with TemporaryDirectory() as folder:
        yield lambda: simstore.connect(f"sqlite:///{folder}/database.db")


class TestSqlite(RepositoryContract, StoreContract):
    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        with new_database() as open_store:
            yield open_store

    def write_raw(self, store: simstore.Store, collection: str, pk: str, document: str) -> None:
        update = f"UPDATE simstore_records SET document = ? WHERE {_OF}"
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as file, file:
            assert file.execute(update, (document.encode(), pk, collection)).rowcount == 1

    def read_raw(self, store: simstore.Store, collection: str, pk: str) -> str:
        query = f"SELECT document FROM simstore_records WHERE {_OF}"
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as file:
            return bytes(file.execute(query, (pk, collection)).fetchone()[0]).decode()

    @contextmanager
    def failing_at(self, store: simstore.Store, collection: str, pk: str) -> Iterator[None]:
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as file:
            for event in ("INSERT", "UPDATE"):
                file.execute(
                    f"CREATE TRIGGER fail_{event} AFTER {event} ON simstore_records "
                    f"WHEN NEW.pk = '{pk}' BEGIN SELECT RAISE(FAIL, 'no room for it'); END"
                )
            try:
                yield
            finally:
                file.execute("DROP TRIGGER fail_INSERT")
                file.execute("DROP TRIGGER fail_UPDATE")

    def spoil_index(self, store: simstore.Store, collection: str, pk: str, kind: FaultKind) -> None:
        with closing(sqlite3.connect(store.url.removeprefix("sqlite:///"))) as file, file:
            ((index,),) = file.execute(
                "SELECT id FROM simstore_indexes WHERE name = 'tag' AND collection = "
                "(SELECT id FROM simstore_collections WHERE name LIKE '%:' || ?)",
                (collection,),
            )
            if kind == "missing":
                of = "index_id = ? AND pk = ?"
                gone = file.execute(f"DELETE FROM simstore_entries WHERE {of}", (index, pk))
                assert gone.rowcount == 1
            else:
                file.execute("INSERT INTO simstore_entries VALUES (?, 'spoilt', ?)", (index, pk))


TestSqliteMachine = repository_machine(new_database).TestCase
