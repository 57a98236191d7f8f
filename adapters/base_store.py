"""The store that every backend shares, over its `Storage`."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel

from simstore.adapters.base import StorageRepository
from simstore.adapters.messages.broker import LogBroker
from simstore.adapters.messages.log import MessageLog
from simstore.adapters.storage import Storage
from simstore.adapters.transaction import BufferedTransaction
from simstore.domain.errors import ModelError, StoreClosedError, UnsupportedError
from simstore.domain.maintenance import Inspection
from simstore.domain.schema import ModelSchema, schema_of
from simstore.domain.store import Capability, Store, Transaction
from simstore.domain.views import record_class

M = TypeVar("M", bound=BaseModel)

_Name = tuple[str, str]
"""The module and the qualified name of a class."""

_NO_MESSAGES = {Capability.MESSAGES: "its backend keeps records alone"}


class StorageStore(Store):
    """Every repository of one storage, and the broker of one log of messages.

    `url` is shown, so it must hold no password.
    """

    def __init__(self, url: str, storage: Storage, messages: MessageLog | None = None) -> None:
        self._url = url
        self._storage: Storage | None = storage
        self._messages = messages
        self._broker = LogBroker(self._open_messages)
        self._lacks = storage.lacks if messages is not None else {**storage.lacks, **_NO_MESSAGES}
        self._kind = type(storage)
        self._lock = RLock()
        self._repositories: dict[type[BaseModel], StorageRepository[Any]] = {}
        self._models: dict[str, dict[_Name, type[BaseModel]]] = {}
        """Of each collection, the models that were asked for and the classes of their records.

        By name, since a class that was defined again, in a notebook say, is the same model.
        """

    def __repr__(self) -> str:
        return f"<simstore {self._url}{' (closed)' if self._storage is None else ''}>"

    @property
    def url(self) -> str:
        return self._url

    @property
    def lacks(self) -> Mapping[Capability, str]:
        return self._lacks

    def repository(self, model: type[M]) -> StorageRepository[M]:
        schema = schema_of(model)
        # Read without the lock: a dict's item is there or not, and is set only once.
        repository = self._repositories.get(model)
        if repository is None:
            with self._lock:
                repository = self._repositories.get(model) or self._register(model, schema)
        return cast("StorageRepository[M]", repository)

    def _register(self, model: type[M], schema: ModelSchema) -> StorageRepository[M]:
        collection = schema.collection
        known = self._models.get(collection, {})
        own = {(each.__module__, each.__qualname__): each for each in (model, record_class(model))}
        if known and not known.keys() & own.keys():
            other = next(iter(known.values()))
            raise ModelError(
                f"{model.__module__}.{model.__qualname__} and "
                f"{other.__module__}.{other.__qualname__} are both kept as {collection!r}; "
                "give one of them another name by __collection__: ClassVar[str]"
            )
        repository = StorageRepository(model, self._open_storage, self._kind)
        if self._storage is not None:
            self._storage.admit(repository.stored)
        self._models[collection] = known | own
        self._repositories[model] = repository
        return repository

    @property
    def broker(self) -> LogBroker:
        if Capability.MESSAGES in self._lacks:
            raise UnsupportedError(
                f"{self._url} has no message broker: {self._lacks[Capability.MESSAGES]}"
            )
        return self._broker

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        transaction = BufferedTransaction(self.repository, self._open_storage)
        try:
            yield transaction
            transaction.commit()
        finally:
            transaction.end()

    def collections(self) -> list[str]:
        return sorted(self._open_storage().collections())

    def inspect(self) -> Inspection:
        return self._open_storage().inspect()

    def _open_storage(self) -> Storage:
        if self._storage is None:
            raise self._is_closed()
        return self._storage

    def _open_messages(self) -> MessageLog:
        if self._messages is None:
            raise self._is_closed()
        return self._messages

    def _is_closed(self) -> StoreClosedError:
        return StoreClosedError(f"the store {self._url} is closed; connect() to it again")

    def close(self) -> None:
        with self._lock:
            storage, self._storage = self._storage, None
            messages, self._messages = self._messages, None
        try:
            if messages is not None:
                messages.close()
        finally:
            if storage is not None:
                storage.close()

    def __enter__(self) -> Self:
        self._open_storage()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()
