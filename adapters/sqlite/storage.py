"""The storage interface on SQLite: reading, searching and committing."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from simstore.adapters.codec import loads_values
from simstore.adapters.reading import chunks
from simstore.adapters.sqlite.checking import check_orphans, check_records
from simstore.adapters.sqlite.collections import (
    Collections,
    OutdatedIndexesError,
    StoredCollection,
)
from simstore.adapters.sqlite.conditions import Conditions, Sql
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.inspection import inspect_file
from simstore.adapters.sqlite.layout import DOCUMENT, PARAMETERS_AT_A_TIME
from simstore.adapters.sqlite.writing import Writer
from simstore.adapters.storage import (
    Collection,
    Content,
    Delete,
    IndexCondition,
    Operation,
    Put,
    Storage,
    Unexpected,
    Values,
    is_met,
)
from simstore.domain.maintenance import IndexFault, Inspection

_ALIVE = "(expires_at IS NULL OR expires_at > ?)"


class SqliteStorage(Storage):
    """A namespace of a SQLite file."""

    def __init__(self, connection: Connection, namespace: str = "") -> None:
        self._connection = connection
        self._collections = Collections(namespace)

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        by_name: dict[str, list[Operation]] = {}
        for operation in operations:
            by_name.setdefault(operation.collection.name, []).append(operation)
        there: dict[tuple[str, str], bool] = {}
        with self._writing() as connection:
            now = time.time()
            for name, some in by_name.items():
                stored = self._collections.ensure(connection, some[0].collection)
                writer = Writer(connection, stored, now)
                rows = writer.rows([(op.pk, isinstance(op.expected, str)) for op in some])
                for operation in some:
                    row = rows.get(operation.pk)
                    version = None if row is None or row.expired(now) else row.version
                    if not is_met(operation.expected, version):
                        raise Unexpected(operation)
                    there[name, operation.pk] = version is not None
                writer.put([op for op in some if isinstance(op, Put)], rows)
                writer.delete([op.pk for op in some if isinstance(op, Delete) and op.pk in rows])
                writer.purge()
        return [there[operation.collection.name, operation.pk] for operation in operations]

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        found: dict[str, bytes] = {}
        with self._connection.reading() as connection:
            id_ = self._collections.id_of(connection, collection.name)
            for some in chunks(pks, PARAMETERS_AT_A_TIME):
                rows = connection.execute(
                    f"SELECT pk, {DOCUMENT} FROM simstore_records WHERE collection = ? "
                    f"AND pk IN ({', '.join('?' * len(some))}) AND {_ALIVE}",
                    (id_, *some, time.time()),
                )
                found.update(rows.fetchall())
        return [found.get(pk) for pk in pks]

    def search(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        limit: int | None,
    ) -> list[str]:
        with self._searching(collection) as (connection, stored):
            if stored is None:
                return []
            text, parameters = _alive(connection, stored, condition)
            if after is not None:
                text, parameters = f"{text} AND pk > ?", [*parameters, after]
            rows = connection.execute(
                f"{text} ORDER BY pk LIMIT ?", [*parameters, -1 if limit is None else limit]
            )
            return [pk for (pk,) in rows]

    def count(self, collection: Collection, condition: IndexCondition) -> int:
        with self._searching(collection) as (connection, stored):
            if stored is None:
                return 0
            text, parameters = _alive(connection, stored, condition)
            (number,) = connection.execute(f"SELECT count(*) FROM ({text})", parameters).fetchone()
            return int(number)

    def project(
        self, collection: Collection, condition: IndexCondition
    ) -> list[tuple[str, Values | None]]:
        with self._searching(collection) as (connection, stored):
            if stored is None:
                return []
            text, parameters = _alive(connection, stored, condition)
            rows = connection.execute(
                "SELECT pk, indexed FROM simstore_records "
                f"WHERE collection = ? AND pk IN ({text}) ORDER BY pk",
                [stored.id, *parameters],
            )
            return [
                (pk, None if indexed is None else loads_values(indexed)) for pk, indexed in rows
            ]

    def collections(self) -> list[str]:
        with self._connection.reading() as connection:
            return self._collections.names(connection, time.time())

    def index_faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:
        for check in (check_records, check_orphans):
            after: str | None = None
            while True:
                # A page at a time, so that others can write in between.
                with self._maintaining(collection, repair=repair) as (connection, stored):
                    if stored is None:
                        return
                    page = check(connection, stored, collection, after, repair=repair)
                yield from page.faults
                if page.after is None:
                    break
                after = page.after

    def inspect(self) -> Inspection:
        with self._connection.reading() as connection:
            return inspect_file(connection, self._connection.path)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._connection.writing() as connection:
                yield connection
        except BaseException:
            self._collections.forget()
            raise

    @contextmanager
    def _searching(
        self, collection: Collection
    ) -> Iterator[tuple[sqlite3.Connection, StoredCollection | None]]:
        """A snapshot of the file in which the entries are those of the collection's indexes."""
        while True:
            with self._connection.snapshot() as connection:
                try:
                    stored = self._collections.find(connection, collection)
                except OutdatedIndexesError:
                    pass
                else:
                    yield connection, stored
                    return
            with self._writing() as connection:
                self._collections.ensure(connection, collection)

    @contextmanager
    def _maintaining(
        self, collection: Collection, *, repair: bool
    ) -> Iterator[tuple[sqlite3.Connection, StoredCollection | None]]:
        """As `_searching`, but under the write lock if it is to be repaired."""
        with self._searching(collection) as found:
            if not repair or found[1] is None:
                yield found
                return
        with self._writing() as connection:
            yield connection, self._collections.ensure(connection, collection)


def _alive(
    connection: sqlite3.Connection, stored: StoredCollection, condition: IndexCondition
) -> Sql:
    """A SELECT of the pks that fulfil `condition` and have not expired; it ends in a WHERE."""
    text, parameters = Conditions(stored.id, stored.index_id).select(condition)
    text = f"SELECT pk FROM ({text}) WHERE TRUE"
    expired: tuple[str, list[Any]] = (
        "SELECT pk FROM simstore_records WHERE collection = ? AND expires_at <= ?",
        [stored.id, time.time()],
    )
    # Asked for first, because testing every pk would cost far more than this look-up.
    if connection.execute(f"SELECT EXISTS ({expired[0]})", expired[1]).fetchone() == (1,):
        return Sql(f"{text} AND pk NOT IN ({expired[0]})", [*parameters, *expired[1]])
    return Sql(text, parameters)
