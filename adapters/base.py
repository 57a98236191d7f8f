"""The repository that every backend shares, over its `Storage`: arguments, writes and errors.

How queries are answered is in `reading`. Neither is overridden by a backend, so that every
backend gives the same answers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from simstore.adapters.arguments import (
    check_after,
    check_batch_size,
    check_change,
    check_items,
    check_paging,
    check_pks,
    check_version,
    seconds_of,
)
from simstore.adapters.attempts import attempts
from simstore.adapters.bulk import BulkWriter
from simstore.adapters.codec import RecordCodec, version_of
from simstore.adapters.collector import collector_paused
from simstore.adapters.ordering import Ordering
from simstore.adapters.projection import Projection
from simstore.adapters.query import Query
from simstore.adapters.reading import Reader, pk_of
from simstore.adapters.storage import (
    Collection,
    Content,
    Delete,
    Expected,
    PartlyWritten,
    Put,
    Storage,
    Unexpected,
)
from simstore.domain.errors import (
    BackendError,
    ConflictError,
    DuplicateError,
    InvalidArgumentError,
    InvalidRecordError,
    MultipleFoundError,
    NotFoundError,
    SaveManyError,
    WrongModelError,
)
from simstore.domain.fields import check_pk
from simstore.domain.maintenance import IndexFault
from simstore.domain.query import Condition
from simstore.domain.record import ExpiringRecord
from simstore.domain.repository import DEFAULT_BATCH_SIZE, Explanation, OrderBy, Repository, Ttl
from simstore.domain.schema import ModelSchema, schema_of
from simstore.domain.text import shown

T = TypeVar("T", bound=BaseModel)

RECORDS_AT_A_TIME = 100
"""How many records are encoded while the garbage collector rests."""


class StorageRepository(Repository[T]):
    """The records of one model in a storage."""

    def __init__(self, model: type[T], storage: Callable[[], Storage], kind: type[Storage]) -> None:
        self._model = model
        self._schema: ModelSchema = schema_of(model)
        self._storage = storage
        self._collection = self._schema.collection
        self._codec = RecordCodec(model, self._schema, keeps_objects=kind.keeps_objects)
        self._precision_of = kind.precision
        self._stored = Collection(
            self._collection, self._codec.indexes, self._codec.values_of, self._schema
        )
        self._reader = Reader(self._stored, self._codec, storage)
        self._bulk = BulkWriter(self._stored, self._reader, storage)
        # Asked once: isinstance() on a pydantic model costs as much as half of its validation.
        self._expires = issubclass(model, ExpiringRecord)

    def __repr__(self) -> str:
        return f"<{self._collection} records of a simstore>"

    @property
    def model(self) -> type[T]:
        return self._model

    @property
    def collection(self) -> str:
        return self._collection

    @property
    def codec(self) -> RecordCodec[T]:
        """How its records are stored."""
        return self._codec

    @property
    def stored(self) -> Collection:
        """Its records, as storages know them."""
        return self._stored

    # Writing

    def check(self, item: T) -> None:
        self._storage()  # a closed store says so
        self.put(item, None)

    def save(self, item: T, *, ttl: Ttl = None, if_version: str | None = None) -> T:
        put = self.put(item, ttl, check_version(if_version))
        try:
            self._storage().commit([put])
        except Unexpected as error:
            raise ConflictError(self._collection, put.pk) from error
        return item

    def save_many(self, items: Iterable[T], *, ttl: Ttl = None) -> list[str]:
        pks: list[str] = []
        puts: dict[str, Put] = {}
        numbered = enumerate(check_items(items))
        while some := list(islice(numbered, RECORDS_AT_A_TIME)):
            with collector_paused():
                for position, item in some:
                    try:
                        put = self.put(item, ttl)
                    except InvalidRecordError as error:
                        raise InvalidRecordError(f"item {position}: {error}") from error
                    pks.append(put.pk)
                    puts.pop(put.pk, None)
                    puts[put.pk] = put
        if puts:
            self._write(puts)
        return pks

    def _write(self, puts: Mapping[str, Put]) -> None:
        try:
            self._storage().write(list(puts.values()))
        except BackendError as error:
            raise SaveManyError(self._collection, (), puts) from error
        except PartlyWritten as error:
            done = dict.fromkeys(operation.pk for operation in error.done)
            missing = [pk for pk in puts if pk not in done]
            raise SaveManyError(self._collection, done, missing) from error.__cause__

    def add(self, item: T, *, ttl: Ttl = None) -> T:
        put = self.put(item, ttl, Expected.NOTHING)
        try:
            self._storage().commit([put])
        except Unexpected as error:
            raise DuplicateError(self._collection, put.pk) from error
        return item

    def update(self, pk: str, change: Callable[[T], T | None], *, ttl: Ttl = None) -> T:
        check_change(change)
        for _ in attempts():
            stored = self._content(pk)
            item, put = self._changed(self._codec.decode(pk, stored), stored, change, ttl)
            try:
                self._storage().commit([put])
            except Unexpected:
                continue
            return item
        raise ConflictError(self._collection, pk)

    def update_many(
        self, change: Callable[[T], T | None], /, *where: Condition, **equals: Any
    ) -> int:
        check_change(change)
        return self._bulk.change_found(
            self._query(where, equals),
            lambda item, stored: self._changed(item, stored, change, None)[1],
        )

    def _changed(
        self, item: T, stored: Content, change: Callable[[T], T | None], ttl: Ttl
    ) -> tuple[T, Put]:
        """What `change` makes of a record, and the put that replaces what is `stored` by it."""
        pk = pk_of(item)
        changed = change(item)
        item = item if changed is None else changed
        if not isinstance(item, BaseModel):
            raise WrongModelError(
                f"change returned {shown(item)}; it returns a {self._model.__name__}, or None "
                "after altering the one it was given"
            )
        put = self.put(item, ttl, version_of(stored))
        if put.pk != pk:
            raise InvalidRecordError(
                f"an update of {self.collection} {pk!r} changed its pk to {put.pk!r}; "
                "save it under the new one and delete the old one instead"
            )
        put = put._replace(content=self._codec.with_undeclared(put.content, stored))
        if ttl is None and not self._expires:
            put = put._replace(keep_ttl=True)
        return item, put

    def delete(self, pk: str) -> None:
        if not self._storage().commit([Delete(self._stored, check_pk(pk))])[0]:
            raise NotFoundError(self._collection, [pk])

    def delete_many(self, *where: Any, **equals: Any) -> int:
        if not where and not equals:
            raise InvalidArgumentError(
                "delete_many() without pks and conditions would delete everything; "
                "to do that, pass it pks()"
            )
        if len(where) == 1 and not equals and not isinstance(where[0], Condition):
            return self._bulk.delete(list(dict.fromkeys(check_pks(where[0]))))
        return self._bulk.delete_found(self._query(where, equals))

    def put(self, item: T, ttl: Ttl, expected: Expected | str = Expected.ANYTHING) -> Put:
        """The operation that saves `item`, for a commit."""
        pk, content, values = self._codec.encode(item)
        seconds: float | None = None
        if ttl is not None:
            seconds = seconds_of(ttl)
        elif self._expires:
            seconds = seconds_of(item.expire_time)  # type: ignore[attr-defined]  # an ExpiringRecord
        return Put(self._stored, pk, content, values, seconds, expected)

    # Reading by pk

    def get(self, pk: str) -> T:
        return self._codec.decode(pk, self._content(pk))

    def get_versioned(self, pk: str) -> tuple[T, str]:
        content = self._content(pk)
        return self._codec.decode(pk, content), version_of(content)

    def _content(self, pk: str) -> Content:
        content = self._storage().fetch(self._stored, [check_pk(pk)])[0]
        if content is None:
            raise NotFoundError(self._collection, [pk])
        return content

    def get_many(
        self, pks: Iterable[str], *, missing: Literal["raise", "skip"] = "raise"
    ) -> list[T]:
        if missing not in {"raise", "skip"}:
            raise InvalidArgumentError(f"missing is 'raise' or 'skip', not {missing!r}")
        asked = check_pks(pks)
        items: list[T] = []
        absent: list[str] = []
        for pk, item in zip(asked, self._reader.read(asked), strict=True):
            if item is None:
                absent.append(pk)
            elif not absent or missing == "skip":
                items.append(item)
        if absent and missing == "raise":
            raise NotFoundError(self._collection, list(dict.fromkeys(absent)))
        return items

    # Reading by condition

    def find(
        self,
        *where: Condition,
        order_by: OrderBy = None,
        limit: int | None = None,
        offset: int = 0,
        after: str | None = None,
        **equals: Any,
    ) -> list[T]:
        check_paging(limit, offset)
        query = self._query(where, equals)
        ordering = Ordering.parse(self._schema, order_by)
        after = check_after(after)
        if ordering is None:
            return list(self._reader.stream(query, after=after, limit=limit, offset=offset))
        if after is not None:
            raise InvalidArgumentError("after pages in the order of pks; leave out order_by")
        return self._reader.ordered(query, ordering, limit=limit, offset=offset)

    def iterate(
        self, *where: Condition, batch_size: int = DEFAULT_BATCH_SIZE, **equals: Any
    ) -> Iterator[T]:
        check_batch_size(batch_size)
        return self._reader.stream(self._query(where, equals), batch_size=batch_size)

    def first(self, *where: Condition, order_by: OrderBy = None, **equals: Any) -> T | None:
        query = self._query(where, equals)
        ordering = Ordering.parse(self._schema, order_by)
        if ordering is None:
            return next(self._reader.stream(query, limit=1), None)
        return next(iter(self._reader.ordered(query, ordering, limit=1, offset=0)), None)

    def one(self, *where: Condition, **equals: Any) -> T:
        query = self._query(where, equals)
        found = list(self._reader.stream(query, limit=2))
        if not found:
            raise NotFoundError(self._collection, condition=str(query.condition))
        if len(found) > 1:
            raise MultipleFoundError(
                self._collection, [pk_of(item) for item in found], str(query.condition)
            )
        return found[0]

    def count(self, *where: Condition, **equals: Any) -> int:
        return self._reader.count(self._query(where, equals))

    def exists(self, *where: Condition, **equals: Any) -> bool:
        return bool(self._reader.pks(self._query(where, equals), limit=1))

    def pks(
        self,
        *where: Condition,
        limit: int | None = None,
        after: str | None = None,
        **equals: Any,
    ) -> list[str]:
        check_paging(limit)
        return self._reader.pks(self._query(where, equals), after=check_after(after), limit=limit)

    def project(
        self, fields: Sequence[str], *where: Condition, **equals: Any
    ) -> list[dict[str, Any]]:
        projection = Projection(self._schema, self._codec.indexes, fields)
        return self._reader.project(self._query(where, equals), projection)

    def explain(self, *where: Condition, **equals: Any) -> Explanation:
        return self._query(where, equals).plan.explanation

    def index_faults(self, *, repair: bool = False) -> Iterator[IndexFault]:
        return self._storage().index_faults(self._stored, repair=repair)

    def _query(self, where: Sequence[Condition], equals: Mapping[str, Any]) -> Query:
        return Query(self._schema, where, equals, self._precision_of)
