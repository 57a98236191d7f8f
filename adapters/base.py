"""The repository that every backend shares, over its `Storage`.

Argument checks, batches, exact filtering and error classes are here and only here, so that
every backend gives the same answers.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from simstore.adapters.arguments import check_batch_size, check_paging, seconds_of
from simstore.adapters.codec import RecordCodec
from simstore.adapters.ordering import Ordering
from simstore.adapters.projection import Projection
from simstore.adapters.query import Query
from simstore.adapters.storage import Delete, Expected, Put, Storage, Unexpected
from simstore.domain.errors import (
    BackendError,
    ConflictError,
    DuplicateError,
    InvalidArgumentError,
    InvalidRecordError,
    MultipleFoundError,
    NotFoundError,
    SaveManyError,
)
from simstore.domain.fields import check_pk
from simstore.domain.query import Condition
from simstore.domain.record import ExpiringRecord
from simstore.domain.repository import DEFAULT_BATCH_SIZE, Explanation, Repository, Ttl
from simstore.domain.schema import ModelSchema, schema_of

T = TypeVar("T", bound=BaseModel)

DOCUMENTS_AT_A_TIME = 100
"""How many documents are asked for at once; of large ones, 50 to 100 measured best."""

PKS_AT_A_TIME = 10_000
"""How many pks are asked for at once: enough that a range is not looked up over and over."""

UPDATE_ATTEMPTS = 1_000
LONGEST_PAUSE = 0.02
"""Seconds; the pauses between attempts to update grow to a random part of this."""


class StorageRepository(Repository[T]):
    """The records of one model in a storage."""

    def __init__(
        self, model: type[T], open_storage: Callable[[], Storage], *, keeps_documents: bool
    ) -> None:
        self._model = model
        self._schema: ModelSchema = schema_of(model)
        self._open_storage = open_storage
        self._codec = RecordCodec(model, self._schema, keeps_documents=keeps_documents)
        # Asked once: isinstance() on a pydantic model costs as much as half of its validation.
        self._expires = issubclass(model, ExpiringRecord)
        self._storage: Storage | None = None

    @property
    def model(self) -> type[T]:
        return self._model

    @property
    def collection(self) -> str:
        return self._schema.collection

    @property
    def codec(self) -> RecordCodec[T]:
        """How its records are stored."""
        return self._codec

    @property
    def storage(self) -> Storage:
        """The storage, ready for this collection."""
        storage = self._storage
        if storage is None:
            storage = self._open_storage()
            storage.prepare(
                self.collection,
                self._codec.indexes,
                lambda pk, document: self._codec.values(self._codec.decode(pk, document)),
            )
            self._storage = storage
        return storage

    def close(self) -> None:
        """Let go of the storage: from now on, `open_storage` is asked, and will refuse."""
        self._storage = None

    # Writing

    def save(self, item: T, *, ttl: Ttl = None, if_version: str | None = None) -> T:
        expected = Expected.ANYTHING if if_version is None else if_version
        put = self.put(item, ttl, expected)
        try:
            self.storage.commit([put])
        except Unexpected as error:
            raise ConflictError(self.collection, put.pk) from error
        return item

    def save_many(self, items: Iterable[T], *, ttl: Ttl = None) -> list[str]:
        pks: list[str] = []
        puts: dict[str, Put] = {}
        for position, item in enumerate(items):
            try:
                put = self.put(item, ttl)
            except InvalidRecordError as error:
                raise InvalidRecordError(f"item {position}: {error}") from error
            pks.append(put.pk)
            puts.pop(put.pk, None)
            puts[put.pk] = put
        if puts:
            try:
                self.storage.commit(list(puts.values()))
            except BackendError as error:
                raise SaveManyError(self.collection, (), puts) from error
        return pks

    def add(self, item: T, *, ttl: Ttl = None) -> T:
        put = self.put(item, ttl, Expected.NOTHING)
        try:
            self.storage.commit([put])
        except Unexpected as error:
            raise DuplicateError(self.collection, put.pk) from error
        return item

    def update(self, pk: str, change: Callable[[T], T | None]) -> T:
        for attempt in range(UPDATE_ATTEMPTS):
            item, version = self.get_versioned(pk)
            changed = change(item)
            item = item if changed is None else changed
            put = self.put(item, None, version)
            if put.pk != pk:
                raise InvalidRecordError(
                    f"an update of {self.collection} {pk!r} changed its pk to {put.pk!r}; "
                    "save it under the new one and delete the old one instead"
                )
            if not self._expires:
                put = put._replace(keep_ttl=True)
            try:
                self.storage.commit([put])
            except Unexpected:
                time.sleep(random.random() * min(LONGEST_PAUSE, 0.0001 * 2**attempt))  # noqa: S311
                continue
            return item
        raise ConflictError(self.collection, pk)

    def delete(self, pk: str) -> None:
        if not self.storage.commit([Delete(self.collection, check_pk(pk))])[0]:
            raise NotFoundError(self.collection, [pk])

    def delete_many(self, *where: Any, **equals: Any) -> int:
        if not where and not equals:
            raise InvalidArgumentError(
                "delete_many() without pks and conditions would delete everything; "
                "to do that, pass it pks()"
            )
        if len(where) == 1 and not equals and not isinstance(where[0], Condition):
            pks = self._asked_for(where[0])
        else:
            pks = self.pks(*where, **equals)
        deletes = [Delete(self.collection, pk) for pk in dict.fromkeys(pks)]
        storage = self.storage
        return sum(sum(storage.commit(some)) for some in _chunks(deletes, PKS_AT_A_TIME))

    def put(self, item: T, ttl: Ttl, expected: Expected | str = Expected.ANYTHING) -> Put:
        """The operation that saves `item`, for a commit."""
        pk, content, values = self._codec.encode(item)
        seconds: float | None = None
        if ttl is not None:
            seconds = seconds_of(ttl)
        elif self._expires:
            seconds = float(item.expire_time)  # type: ignore[attr-defined]  # an ExpiringRecord
        return Put(self._schema.collection, pk, content, values, seconds, expected)

    # Reading by pk

    def get(self, pk: str) -> T:
        storage = self.storage
        document = storage.fetch(self.collection, [check_pk(pk)])[0]
        if document is None:
            raise NotFoundError(self.collection, [pk])
        return self._codec.decode(pk, document)

    def get_versioned(self, pk: str) -> tuple[T, str]:
        storage = self.storage
        found = storage.fetch_versioned(self.collection, check_pk(pk))
        if found is None:
            raise NotFoundError(self.collection, [pk])
        document, version = found
        return self._codec.decode(pk, document), version

    def get_many(
        self, pks: Iterable[str], *, missing: Literal["raise", "skip"] = "raise"
    ) -> list[T]:
        if missing not in {"raise", "skip"}:
            raise InvalidArgumentError(f"missing is 'raise' or 'skip', not {missing!r}")
        items: list[T] = []
        absent: list[str] = []
        for some in _chunks(self._asked_for(pks), DOCUMENTS_AT_A_TIME):
            for pk, item in zip(some, self._read(some), strict=True):
                if item is None:
                    absent.append(pk)
                elif not absent or missing == "skip":
                    items.append(item)
        if absent and missing == "raise":
            raise NotFoundError(self.collection, list(dict.fromkeys(absent)))
        return items

    def _asked_for(self, pks: object) -> list[str]:
        if isinstance(pks, str) or not isinstance(pks, Iterable):
            raise InvalidArgumentError(f"pks is a list of primary keys, not {pks!r}")
        return [check_pk(pk) for pk in pks]

    def _read(self, pks: Sequence[str]) -> list[T | None]:
        storage = self.storage
        return [
            None if document is None else self._codec.decode(pk, document)
            for pk, document in zip(pks, storage.fetch(self.collection, pks), strict=True)
        ]

    # Reading by condition

    def find(
        self,
        *where: Condition,
        order_by: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        after: str | None = None,
        **equals: Any,
    ) -> list[T]:
        check_paging(limit, offset)
        query = self._query(where, equals)
        ordering = Ordering.parse(self._schema, order_by)
        if ordering is None:
            return list(islice(self._stream(query, after, limit=limit, skip=offset), limit))
        if after is not None:
            raise InvalidArgumentError("after pages in the order of pks; leave out order_by")
        stop = None if limit is None else offset + limit
        if query.plan.exact and ordering.indexed:
            rows = self.storage.project(self.collection, query.plan.index)
            position = self._codec.indexes.paths.index(ordering.path)
            keys = [(pk, values[position]) for pk, values in rows]
            pks = ordering.sorted(keys)[offset:stop]
            return [
                item for item in self._read_in_chunks(pks) if item is not None and query.holds(item)
            ]
        items = {self._pk(item): item for item in self._stream(query)}
        keys = [(pk, ordering.value(item)) for pk, item in items.items()]
        return [items[pk] for pk in ordering.sorted(keys)[offset:stop]]

    def iterate(
        self, *where: Condition, batch_size: int = DEFAULT_BATCH_SIZE, **equals: Any
    ) -> Iterator[T]:
        check_batch_size(batch_size)
        # Not a generator itself, so that a wrong argument is an error at the call.
        return self._stream(self._query(where, equals), batch_size=batch_size)

    def first(self, *where: Condition, order_by: str | None = None, **equals: Any) -> T | None:
        return next(iter(self.find(*where, order_by=order_by, limit=1, **equals)), None)

    def one(self, *where: Condition, **equals: Any) -> T:
        found = self.find(*where, limit=2, **equals)
        condition = str(self._query(where, equals).condition)
        if not found:
            raise NotFoundError(self.collection, condition=condition)
        if len(found) > 1:
            raise MultipleFoundError(
                f"{self.collection} has several records where {condition}: "
                f"{self._pk(found[0])!r}, {self._pk(found[1])!r} ..."
            )
        return found[0]

    def count(self, *where: Condition, **equals: Any) -> int:
        query = self._query(where, equals)
        if query.plan.exact:
            return self.storage.count(self.collection, query.plan.index)
        return sum(1 for _ in self._stream(query))

    def exists(self, *where: Condition, **equals: Any) -> bool:
        return bool(self.pks(*where, limit=1, **equals))

    def pks(
        self,
        *where: Condition,
        limit: int | None = None,
        after: str | None = None,
        **equals: Any,
    ) -> list[str]:
        check_paging(limit)
        query = self._query(where, equals)
        if query.plan.exact:
            return self.storage.search(
                self.collection, query.plan.index, after=_check_after(after), limit=limit
            )
        stream = self._stream(query, after, limit=limit)
        return [self._pk(item) for item in islice(stream, limit)]

    def project(
        self, fields: Sequence[str], *where: Condition, **equals: Any
    ) -> list[dict[str, Any]]:
        projection = Projection(self._schema, self._codec.indexes, fields)
        query = self._query(where, equals)
        if query.plan.exact and projection.indexed:
            rows = self.storage.project(self.collection, query.plan.index)
            return [projection.of_values(pk, values) for pk, values in rows]
        return [projection.of_item(item) for item in self._stream(query)]

    def explain(self, *where: Condition, **equals: Any) -> Explanation:
        return self._query(where, equals).plan.explanation

    def _query(self, where: Sequence[Condition], equals: Mapping[str, Any]) -> Query:
        return Query(self._schema, where, equals)

    def _stream(
        self,
        query: Query,
        after: str | None = None,
        *,
        limit: int | None = None,
        skip: int = 0,
        batch_size: int = DOCUMENTS_AT_A_TIME,
    ) -> Iterator[T]:
        """What `query` asks for, by pk, behind `after` and the first `skip`.

        `limit` says how many the caller will take, so that no more are read.
        """
        pages = self._pages(query, _check_after(after), None if limit is None else limit + skip)
        holds = query.holds
        if query.plan.exact and skip:
            pages = _without_first(pages, skip)
            skip = 0
        found = (
            item
            for pks in pages
            for item in self._read_in_chunks(pks, batch_size)
            # Tested also where the index is exact: the record may have changed since.
            if item is not None and holds(item)
        )
        return islice(found, skip, None)

    def _pages(self, query: Query, after: str | None, wanted: int | None) -> Iterator[list[str]]:
        """Pages of the pks that may fulfil `query`."""
        if query.plan.pks is not None:
            yield [pk for pk in query.plan.pks if after is None or pk > after]
            return
        size = PKS_AT_A_TIME
        if wanted is not None and query.plan.exact:
            size = max(1, min(size, wanted))
        while True:
            page = self.storage.search(self.collection, query.plan.index, after=after, limit=size)
            yield page
            if len(page) < size:
                return
            after = page[-1]

    def _read_in_chunks(
        self, pks: Sequence[str], size: int = DOCUMENTS_AT_A_TIME
    ) -> Iterator[T | None]:
        for some in _chunks(pks, size):
            yield from self._read(some)

    @staticmethod
    def _pk(item: T) -> str:
        pk: str = item.pk  # type: ignore[attr-defined]  # the schema made sure that it has one
        return pk


def _check_after(after: str | None) -> str | None:
    return None if after is None else check_pk(after)


S = TypeVar("S")


def _chunks(items: Sequence[S], size: int) -> Iterator[Sequence[S]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _without_first(pages: Iterator[list[str]], skip: int) -> Iterator[list[str]]:
    for page in pages:
        yield page[skip:]
        skip = max(0, skip - len(page))
