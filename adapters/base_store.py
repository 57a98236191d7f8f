"""The store that every backend shares, over its `Storage`."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from pydantic import BaseModel

from simstore.adapters.base import StorageRepository
from simstore.adapters.storage import Storage
from simstore.adapters.transaction import BufferedTransaction
from simstore.domain.errors import ModelError, StoreClosedError
from simstore.domain.maintenance import Inspection
from simstore.domain.schema import ModelSchema, schema_of
from simstore.domain.store import Capability, Store, Transaction

M = TypeVar("M", bound=BaseModel)


class StorageStore(Store):
    """Every repository of one storage. `url` is shown, so it must hold no password."""

    def __init__(self, url: str, storage: Storage) -> None:
        self._url = url
        self._storage: Storage | None = storage
        self._lacks = storage.lacks
        self._kind = type(storage)
        self._lock = RLock()
        self._repositories: dict[type[BaseModel], StorageRepository[Any]] = {}
        self._models: dict[str, type[BaseModel]] = {}

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
        other = self._models.get(collection, model)
        # A class that was defined again, in a notebook say, is the same model.
        if (other.__module__, other.__qualname__) != (model.__module__, model.__qualname__):
            raise ModelError(
                f"{model.__module__}.{model.__qualname__} and "
                f"{other.__module__}.{other.__qualname__} are both kept as {collection!r}; "
                "give one of them another name by __collection__: ClassVar[str]"
            )
        repository = StorageRepository(model, self._open_storage, self._kind)
        self._models[collection] = model
        self._repositories[model] = repository
        return repository

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
            raise StoreClosedError(f"the store {self._url} is closed; connect() to it again")
        return self._storage

    def close(self) -> None:
        with self._lock:
            storage, self._storage = self._storage, None
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
