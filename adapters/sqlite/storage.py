"""The storage interface on SQLite: reading, searching and committing."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from simstore.adapters.codec import loads, loads_values, version_of
from simstore.adapters.sqlite.collections import Collection, Collections
from simstore.adapters.sqlite.conditions import Conditions, Sql
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.layout import PKS_AT_A_TIME
from simstore.adapters.sqlite.writing import Row, Writer
from simstore.adapters.storage import (
    Delete,
    Document,
    Expected,
    IndexCondition,
    Indexes,
    Operation,
    Put,
    Storage,
    Unexpected,
    Values,
)

_ALIVE = "(expires_at IS NULL OR expires_at > ?)"


class SqliteStorage(Storage):
    """A namespace of a SQLite file."""

    def __init__(self, connection: Connection, namespace: str = "") -> None:
        self._connection = connection
        self._collections = Collections(connection, namespace)

    def prepare(
        self, collection: str, indexes: Indexes, values: Callable[[str, Document], Values]
    ) -> None:
        self._collections.prepare(collection, indexes, values)

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        by_collection: defaultdict[str, list[Operation]] = defaultdict(list)
        for operation in operations:
            by_collection[operation.collection].append(operation)
        there: dict[tuple[str, str], bool] = {}
        with self._connection.writing() as connection:
            now = time.time()
            for name, some in by_collection.items():
                writer = Writer(connection, self._collections[name], now)
                rows = writer.rows([(op.pk, isinstance(op.expected, str)) for op in some])
                for operation in some:
                    row = rows.get(operation.pk)
                    alive = row is not None and not row.expired(now)
                    if not _is_expected(row if alive else None, operation.expected):
                        raise Unexpected(operation)
                    there[name, operation.pk] = alive
                writer.put([op for op in some if isinstance(op, Put)], rows)
                writer.delete([op.pk for op in some if isinstance(op, Delete) and op.pk in rows])
                writer.purge()
        return [there[operation.collection, operation.pk] for operation in operations]

    def fetch(self, collection: str, pks: Sequence[str]) -> list[Document | None]:
        found: dict[str, bytes] = {}
        id_ = self._collections[collection].id
        with self._connection.reading() as connection:
            for start in range(0, len(pks), PKS_AT_A_TIME):
                some = pks[start : start + PKS_AT_A_TIME]
                rows = connection.execute(
                    "SELECT pk, document FROM simstore_records WHERE collection = ? "
                    f"AND pk IN ({', '.join('?' * len(some))}) AND {_ALIVE}",
                    (id_, *some, time.time()),
                )
                found.update(rows.fetchall())
        return [
            None if (data := found.get(pk)) is None else loads(collection, pk, data) for pk in pks
        ]

    def fetch_versioned(self, collection: str, pk: str) -> tuple[Document, str] | None:
        with self._connection.reading() as connection:
            row = connection.execute(
                "SELECT document FROM simstore_records "
                f"WHERE collection = ? AND pk = ? AND {_ALIVE}",
                (self._collections[collection].id, pk, time.time()),
            ).fetchone()
        return None if row is None else (loads(collection, pk, row[0]), version_of(row[0]))

    def search(
        self, collection: str, condition: IndexCondition, *, after: str | None, limit: int | None
    ) -> list[str]:
        text, parameters = self._alive(self._collections[collection], condition)
        if after is not None:
            text, parameters = f"{text} AND pk > ?", [*parameters, after]
        rows = self._select(
            f"{text} ORDER BY pk LIMIT ?", [*parameters, -1 if limit is None else limit]
        )
        return [pk for (pk,) in rows]

    def count(self, collection: str, condition: IndexCondition) -> int:
        text, parameters = self._alive(self._collections[collection], condition)
        ((number,),) = self._select(f"SELECT count(*) FROM ({text})", parameters)
        return int(number)

    def project(self, collection: str, condition: IndexCondition) -> list[tuple[str, Values]]:
        found = self._collections[collection]
        text, parameters = self._alive(found, condition)
        rows = self._select(
            "SELECT pk, indexed FROM simstore_records "
            f"WHERE collection = ? AND pk IN ({text}) AND {_ALIVE} ORDER BY pk",
            [found.id, *parameters, time.time()],
        )
        return [(pk, loads_values(indexed)) for pk, indexed in rows]

    def close(self) -> None:
        self._connection.close()

    def _alive(self, collection: Collection, condition: IndexCondition) -> Sql:
        """A SELECT of the pks that fulfil `condition` and have not expired; it ends in a WHERE."""
        text, parameters = Conditions(collection.id, collection.index_id).select(condition)
        text = f"SELECT pk FROM ({text}) WHERE TRUE"
        expired = (
            "SELECT pk FROM simstore_records WHERE collection = ? AND expires_at <= ?",
            [collection.id, time.time()],
        )
        # Asked for first, because testing every pk would cost far more than this look-up.
        if self._select(f"SELECT EXISTS ({expired[0]})", expired[1]) == [(1,)]:
            return Sql(f"{text} AND pk NOT IN ({expired[0]})", [*parameters, *expired[1]])
        return Sql(text, parameters)

    def _select(self, text: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._connection.reading() as connection:
            return connection.execute(text, parameters).fetchall()


def _is_expected(row: Row | None, expected: Expected | str) -> bool:
    if expected is Expected.ANYTHING:
        return True
    if expected is Expected.NOTHING:
        return row is None
    return row is not None and row.version == expected
