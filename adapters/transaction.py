"""Transactions that every backend shares: writes are gathered, then committed at once."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from simstore.adapters.base import StorageRepository
from simstore.adapters.storage import (
    Check,
    Delete,
    Expected,
    Operation,
    Put,
    Storage,
    Unexpected,
)
from simstore.domain.errors import (
    ConflictError,
    DuplicateError,
    NotFoundError,
    TransactionError,
)
from simstore.domain.fields import check_pk
from simstore.domain.repository import TransactionRepository, Ttl
from simstore.domain.store import Transaction

T = TypeVar("T", bound=BaseModel)
M = TypeVar("M", bound=BaseModel)

_Key = tuple[str, str]


class BufferedTransaction(Transaction):
    """Holds the writes of a transaction, and what it saw of the records it read."""

    def __init__(self, repository_of: Callable[[type[Any]], StorageRepository[Any]]) -> None:
        self._repository_of = repository_of
        self._writes: dict[_Key, Put | Delete] = {}
        self._seen: dict[_Key, Expected | str] = {}
        self._ended = False

    def repository(self, model: type[M]) -> TransactionRepository[M]:
        self.check_open()
        return _Repository(self, self._repository_of(model))

    def check_open(self) -> None:
        """Refuse a call after the end."""
        if self._ended:
            raise TransactionError("the transaction has ended; open another with transaction()")

    def commit(self, storage: Storage) -> None:
        """Write everything, or nothing and raise ConflictError."""
        operations: list[Operation] = [
            write._replace(expected=self._seen.get(key, Expected.ANYTHING))
            for key, write in self._writes.items()
        ]
        operations += [
            Check(*key, expected) for key, expected in self._seen.items() if key not in self._writes
        ]
        if not operations:
            return
        try:
            storage.commit(operations)
        except Unexpected as error:
            raise ConflictError(error.operation.collection, error.operation.pk) from error

    def end(self) -> None:
        """Refuse all further calls."""
        self._ended = True
        self._writes.clear()

    def write(self, write: Put | Delete) -> None:
        """Write that at the end, instead of what was to be written to the same record."""
        self._writes[write.collection, write.pk] = write

    def written(self, collection: str, pk: str) -> Put | Delete | None:
        """What the transaction is going to write to a record."""
        return self._writes.get((collection, pk))

    def saw(self, collection: str, pk: str, version: str | None) -> None:
        """Let the commit fail unless the record is still of `version`, or still missing.

        What was seen first counts: everything since then relies on it.
        """
        self._seen.setdefault((collection, pk), Expected.NOTHING if version is None else version)


class _Repository(TransactionRepository[T], Generic[T]):
    def __init__(self, transaction: BufferedTransaction, repository: StorageRepository[T]) -> None:
        self._transaction = transaction
        self._repository = repository
        self._collection = repository.collection

    def save(self, item: T, *, ttl: Ttl = None) -> T:
        self._transaction.write(self._put(item, ttl))
        return item

    def add(self, item: T, *, ttl: Ttl = None) -> T:
        put = self._put(item, ttl)
        if self._find(put.pk) is not None:
            raise DuplicateError(self._collection, put.pk)
        self._transaction.write(put)
        return item

    def _put(self, item: T, ttl: Ttl) -> Put:
        self._transaction.check_open()
        self._repository.storage  # noqa: B018 — prepares the collection for the commit
        return self._repository.put(item, ttl)

    def get(self, pk: str) -> T:
        self._transaction.check_open()
        found = self._find(check_pk(pk))
        if found is None:
            raise NotFoundError(self._collection, [pk])
        return found

    def delete(self, pk: str) -> None:
        self.get(pk)
        self._transaction.write(Delete(self._collection, pk))

    def _find(self, pk: str) -> T | None:
        written = self._transaction.written(self._collection, pk)
        codec = self._repository.codec
        if isinstance(written, Put):
            return codec.decode(pk, written.content)
        if isinstance(written, Delete):
            return None
        storage = self._repository.storage
        found = storage.fetch_versioned(self._collection, pk)
        if found is None:
            self._transaction.saw(self._collection, pk, None)
            return None
        document, version = found
        self._transaction.saw(self._collection, pk, version)
        return codec.decode(pk, document)
