"""Queries answered by a storage: pages of pks, contents in batches, every record tested."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from simstore.adapters.codec import RecordCodec
from simstore.adapters.collector import collector_paused
from simstore.adapters.ordering import Ordering
from simstore.adapters.projection import Projection
from simstore.adapters.query import Query
from simstore.adapters.storage import Collection, Content, Page, Storage, Values
from simstore.domain.errors import CorruptRecordError

T = TypeVar("T", bound=BaseModel)
S = TypeVar("S")

DOCUMENTS_AT_A_TIME = 100
"""How many documents are asked for at once; of large ones, 50 to 100 measured best."""

BYTES_AT_A_TIME = 2 << 20
"""About how many bytes of documents are asked for at once, where one is not larger than that."""

PKS_AT_A_TIME = 10_000
"""How many pks are asked for at once: enough that a range is not looked up over and over."""


class Reader(Generic[T]):
    """Reads the records of one collection."""

    def __init__(
        self, collection: Collection, codec: RecordCodec[T], storage: Callable[[], Storage]
    ) -> None:
        self._collection = collection
        self._codec = codec
        self._storage = storage
        self._mean_length = 1

    def read(self, pks: Sequence[str], batch_size: int | None = None) -> Iterator[T | None]:
        """The record of each of `pks`, or None where it is missing, read in batches."""
        most = batch_size or DOCUMENTS_AT_A_TIME
        start = 0
        while start < len(pks):
            some = pks[start : start + max(1, min(most, BYTES_AT_A_TIME // self._mean_length))]
            start += len(some)
            contents = self._storage().fetch(self._collection, some)
            self._measure(contents)
            yield from self._decoded(some, contents)

    def _read_page(self, page: Page, batch_size: int | None) -> Iterator[T | None]:
        pks, contents = page
        if contents is None or len(pks) > (batch_size or DOCUMENTS_AT_A_TIME):
            return self.read(pks, batch_size)  # more came along than may be read at once
        return self._decoded(pks, contents)

    def _decoded(
        self, pks: Sequence[str], contents: Sequence[Content | None]
    ) -> Iterator[T | None]:
        items: list[T | None] = []
        try:
            with collector_paused():
                for pk, content in zip(pks, contents, strict=True):
                    items.append(None if content is None else self._codec.decode(pk, content))
        except CorruptRecordError:
            yield from items  # those before it are as good as ever
            raise
        yield from items

    def _measure(self, contents: Sequence[Content | None]) -> None:
        """Learn how long documents are, from the last ones; documents as such have no length."""
        lengths = [len(content) for content in contents if isinstance(content, bytes)]
        if lengths:
            self._mean_length = sum(lengths) // len(lengths) + 1

    def stream(
        self,
        query: Query,
        *,
        after: str | None = None,
        limit: int | None = None,
        offset: int = 0,
        batch_size: int | None = None,
    ) -> Iterator[T]:
        """The records that fulfil `query`, by pk: after a pk, and without the first `offset`."""
        pages = self._pages(query, after, None if limit is None else limit + offset)
        if query.plan.exact:
            pages = _without_first(pages, offset)
            offset = 0
        found = (
            item
            for page in pages
            for item in self._read_page(page, batch_size)
            # Tested also where the index is exact: the record may have changed since.
            if item is not None and query.holds(item)
        )
        return islice(found, offset, None if limit is None else offset + limit)

    def _pages(
        self, query: Query, after: str | None = None, wanted: int | None = None
    ) -> Iterator[Page]:
        """Pages of what may fulfil `query`."""
        size = PKS_AT_A_TIME
        if wanted is not None and query.plan.exact:
            size = max(1, min(size, wanted))
        pages = self._storage().pages(self._collection, query.plan.index, after=after, size=size)
        for page in pages:
            yield page
            self._storage()  # a store that was closed meanwhile says so

    def ordered(
        self, query: Query, ordering: Ordering, *, limit: int | None, offset: int
    ) -> list[T]:
        """The records that fulfil `query`, in the order of fields."""
        stop = None if limit is None else offset + limit
        paths = self._codec.indexes.paths
        rows = self._values(query) if set(ordering.paths) <= set(paths) else None
        if rows is not None:
            positions = [paths.index(path) for path in ordering.paths]
            keys = ((pk, [values[position] for position in positions]) for pk, values in rows)
            pks = ordering.sorted(keys)[offset:stop]
            return [item for item in self.read(pks) if item is not None and query.holds(item)]
        items = {pk_of(item): item for item in self.stream(query)}
        pks = ordering.sorted((pk, ordering.values(item)) for pk, item in items.items())
        return [items[pk] for pk in pks[offset:stop]]

    def pks(self, query: Query, *, after: str | None = None, limit: int | None = None) -> list[str]:
        """The pks of the records that fulfil `query`, in order."""
        if query.plan.exact:
            return self._storage().search(
                self._collection, query.plan.index, after=after, limit=limit
            )
        return [pk_of(item) for item in self.stream(query, after=after, limit=limit)]

    def count(self, query: Query) -> int:
        """How many records fulfil `query`."""
        if query.plan.exact:
            return self._storage().count(self._collection, query.plan.index)
        return sum(1 for _ in self.stream(query))

    def project(self, query: Query, projection: Projection) -> list[dict[str, Any]]:
        """Some fields of the records that fulfil `query`, by pk."""
        rows = self._values(query) if projection.indexed else None
        if rows is not None:
            return [projection.of_values(pk, values) for pk, values in rows]
        return [projection.of_item(item) for item in self.stream(query)]

    def _values(self, query: Query) -> list[tuple[str, Values]] | None:
        """The indexed values of what fulfils `query`; None if only reading it can tell."""
        if not query.plan.exact:
            return None
        rows = self._storage().project(self._collection, query.plan.index)
        # Of a record that could not be read there are none: reading it says why.
        known = [(pk, values) for pk, values in rows if values is not None]
        return known if len(known) == len(rows) else None

    def candidates(self, query: Query) -> Iterator[Sequence[str]]:
        """pks of which some may fulfil `query`, few enough at a time for `found`."""
        for pks, _ in self._pages(query):
            yield from chunks(pks, DOCUMENTS_AT_A_TIME)

    def found(self, query: Query, pks: Sequence[str]) -> list[tuple[T, Content]]:
        """Those of the records of `pks` that fulfil `query`, each with what is stored of it."""
        contents = self._storage().fetch(self._collection, pks)
        return [
            (item, content)
            for pk, content in zip(pks, contents, strict=True)
            if content is not None and query.holds(item := self._codec.decode(pk, content))
        ]


def pk_of(item: BaseModel) -> str:
    """The pk of a record."""
    pk: str = item.pk  # type: ignore[attr-defined]  # its schema made sure that it has one
    return pk


def chunks(items: Sequence[S], size: int) -> Iterator[Sequence[S]]:
    """`items` in order, `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _without_first(pages: Iterator[Page], number: int) -> Iterator[Page]:
    for pks, contents in pages:
        yield Page(pks[number:], None if contents is None else contents[number:])
        number = max(0, number - len(pks))
