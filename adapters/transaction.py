"""Transactions that every backend shares: writes are gathered, then committed at once."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from simstore.adapters.base import StorageRepository
from simstore.adapters.codec import version_of
from simstore.adapters.storage import (
    Check,
    Collection,
    Content,
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

    def __init__(
        self,
        repository_of: Callable[[type[Any]], StorageRepository[Any]],
        storage: Callable[[], Storage],
    ) -> None:
        self._repository_of = repository_of
        self._storage = storage
        self._writes: dict[_Key, Put | Delete] = {}
        self._seen: dict[_Key, tuple[Collection, Expected | str]] = {}
        self._ended = False

    def repository(self, model: type[M]) -> TransactionRepository[M]:
        self.check_open()
        return _Repository(self, self._repository_of(model))

    def check_open(self) -> None:
        """Refuse a call after the end."""
        if self._ended:
            raise TransactionError("the transaction has ended; open another with transaction()")

    def commit(self) -> None:
        """Write everything, or nothing and raise ConflictError."""
        operations: list[Operation] = [
            write._replace(expected=self._seen[key][1]) if key in self._seen else write
            for key, write in self._writes.items()
        ]
        operations += [
            Check(collection, pk, expected)
            for (name, pk), (collection, expected) in self._seen.items()
            if (name, pk) not in self._writes
        ]
        if not operations:
            return
        try:
            self._storage().commit(operations)
        except Unexpected as error:
            operation = error.operation
            raise ConflictError(operation.collection.name, operation.pk) from error

    def end(self) -> None:
        """Refuse all further calls."""
        self._ended = True
        self._writes.clear()

    def write(self, write: Put | Delete) -> None:
        """Write that at the end, instead of what was to be written to the same record."""
        self._writes[write.collection.name, write.pk] = write

    def content(self, collection: Collection, pk: str) -> Content | None:
        """What the transaction sees of a record, its own writes first.

        The commit fails unless what is stored is still the same then. What was seen first
        counts: everything since then relies on it.
        """
        written = self._writes.get((collection.name, pk))
        if written is not None:
            return written.content if isinstance(written, Put) else None
        content = self._storage().fetch(collection, [pk])[0]
        expected = Expected.NOTHING if content is None else version_of(content)
        self._seen.setdefault((collection.name, pk), (collection, expected))
        return content


class _Repository(TransactionRepository[T], Generic[T]):
    def __init__(self, transaction: BufferedTransaction, repository: StorageRepository[T]) -> None:
        self._transaction = transaction
        self._repository = repository

    def save(self, item: T, *, ttl: Ttl = None) -> T:
        self._transaction.check_open()
        self._transaction.write(self._repository.put(item, ttl))
        return item

    def add(self, item: T, *, ttl: Ttl = None) -> T:
        self._transaction.check_open()
        put = self._repository.put(item, ttl)
        if self._transaction.content(put.collection, put.pk) is not None:
            raise DuplicateError(put.collection.name, put.pk)
        self._transaction.write(put)
        return item

    def get(self, pk: str) -> T:
        return self._repository.codec.decode(pk, self._content(pk))

    def delete(self, pk: str) -> None:
        self._content(pk)
        self._transaction.write(Delete(self._repository.stored, pk))

    def _content(self, pk: str) -> Content:
        self._transaction.check_open()
        content = self._transaction.content(self._repository.stored, check_pk(pk))
        if content is None:
            raise NotFoundError(self._repository.collection, [pk])
        return content
