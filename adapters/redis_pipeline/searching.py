"""Searches in all buckets of a collection, their answers merged in the order of pks."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, sqrt
from typing import Any, Generic, TypeVar

from simstore.adapters.codec import loads_values
from simstore.adapters.redis_connection.link import Argument, Link, script_call
from simstore.adapters.redis_pipeline.conditions import arguments_of
from simstore.adapters.redis_pipeline.indexing import Indexer
from simstore.adapters.redis_pipeline.layout import Layout
from simstore.adapters.redis_pipeline.scripts import SEARCH
from simstore.adapters.storage import Collection, Content, IndexCondition, Values

Row = tuple[str, Values | None]
"""A pk, and the indexed values of its record; None if it could not be read."""

Found = tuple[str, Content | None, bool]
"""A pk; its document, None if it is missing; and whether that came along with the pk."""

R = TypeVar("R", str, Row, Found)

WORK_AT_A_TIME = 20_000
"""How many looks at records and entries a script takes: the server does nothing else meanwhile."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: all that `condition` asks of a collection, about `limit` at a time."""

    collection: Collection
    condition: IndexCondition
    limit: int | None = None


class _Progress:
    """How far a search in a bucket has come."""

    def __init__(self, base: str, after: str | None) -> None:
        self.base = base
        self.cursor = b"o" + (after or "").encode()
        self.ended = False

    def move(self, cursor: bytes) -> None:
        """Go on to where an answer ended."""
        self.cursor = cursor
        self.ended = not cursor


class _Answers(_Progress, Generic[R]):
    """What was found in a bucket and not yet handed on."""

    def __init__(self, base: str, after: str | None, pk_of: Callable[[R], str]) -> None:
        super().__init__(base, after)
        self.pk_of: Callable[[R], str] = pk_of
        self.rows: list[R] = []
        """In the order of pks, and complete up to `reached`."""
        self.reached = after or ""
        self._in_no_order: list[R] = []

    def take(self, cursor: bytes, rows: list[R], *, in_order: bool) -> None:
        """Add an answer."""
        self.move(cursor)
        if in_order:
            self.rows = rows
            self.reached = cursor[1:].decode()
            return
        self._in_no_order += (row for row in rows if self.pk_of(row) > self.reached)
        if self.ended:
            self.rows = sorted(self._in_no_order, key=self.pk_of)

    def up_to(self, pk: str | None) -> list[R]:
        """Hand on what does not come after `pk`, or all."""
        number = len(self.rows)
        while pk is not None and number and self.pk_of(self.rows[number - 1]) > pk:
            number -= 1
        ready, self.rows = self.rows[:number], self.rows[number:]
        return ready


class Searcher:
    """Searches the collections of a namespace."""

    def __init__(self, link: Link, layout: Layout, indexer: Indexer) -> None:
        self._link = link
        self._layout = layout
        self._indexer = indexer

    def pks(self, search: Search, after: str | None = None) -> Iterator[list[str]]:
        """The pks behind `after` of what is searched for, some at a time, in order."""
        return self._merged(search, "pks", after, str, lambda pks, _: _split(pks))

    def documents(self, search: Search, after: str | None = None) -> Iterator[list[Found]]:
        """As `pks`, with the documents where they are few and small; on a cluster without.

        Each of its buckets would send some of which few are wanted.
        """
        what = "documents" if self._layout.buckets == 1 else "pks"
        return self._merged(search, what, after, lambda row: row[0], _found)

    def values(self, search: Search) -> Iterator[list[Row]]:
        """pk and indexed values of what is searched for, some at a time, by pk."""
        rows_of = partial(_rows, len(search.collection.indexes.paths))
        return self._merged(search, "values", None, lambda row: row[0], rows_of)

    def count(self, search: Search) -> int:
        """How many are searched for."""
        buckets = [_Progress(base, None) for base in self._bases(search)]
        total = 0
        while waiting := [bucket for bucket in buckets if not bucket.ended]:
            for bucket, (cursor, _, number) in self._ask(search, "count", waiting):
                bucket.move(cursor)
                total += number
        return total

    def _merged(
        self,
        search: Search,
        what: str,
        after: str | None,
        pk_of: Callable[[R], str],
        rows_of: Callable[..., list[R]],
    ) -> Iterator[list[R]]:
        buckets = [_Answers(base, after, pk_of) for base in self._bases(search)]
        while waiting := [bucket for bucket in buckets if not bucket.ended and not bucket.rows]:
            for bucket, (cursor, in_order, *answer) in self._ask(search, what, waiting):
                bucket.take(cursor, rows_of(*answer), in_order=bool(in_order))
            # Up to where all buckets have come, none of them can add anything.
            end = min((bucket.reached for bucket in buckets if not bucket.ended), default=None)
            ready = [row for bucket in buckets for row in bucket.up_to(end)]
            yield ready if len(buckets) == 1 else sorted(ready, key=pk_of)

    def _bases(self, search: Search) -> list[str]:
        return self._layout.bases(search.collection.name)

    def _ask(
        self, search: Search, what: str, buckets: Sequence[_Progress]
    ) -> Iterator[tuple[Any, list[Any]]]:
        """Search on in `buckets`: each with its cursor and the rest of the answer."""
        collection = search.collection
        program: list[Argument] = list(arguments_of(search.condition))
        limit = self._share(search.limit)
        while buckets:
            calls = [
                script_call(
                    SEARCH,
                    [bucket.base],
                    collection.indexes.signature,
                    what,
                    bucket.cursor,
                    "" if limit is None else limit,
                    WORK_AT_A_TIME,
                    *program,
                )
                for bucket in buckets
            ]
            again: defaultdict[bytes, list[_Progress]] = defaultdict(list)
            for bucket, (status, *answer) in zip(buckets, self._link.read(calls), strict=True):
                if status == b"found":
                    yield bucket, answer
                else:
                    again[status].append(bucket)
            outdated = [bucket.base for bucket in again[b"outdated"]]
            if outdated:
                self._indexer.adopt(collection, outdated)
            listed = [bucket.base for bucket in again[b"todo"]]
            self._indexer.index_listed(collection, outdated + listed)
            buckets = [bucket for some in again.values() for bucket in some]

    def _share(self, number: int | None) -> int | None:
        """Of so many records that are wanted, how many one bucket is likely to have at most."""
        if number is None or self._layout.buckets == 1:
            return number
        mean = number / self._layout.buckets
        return ceil(mean + 2 * sqrt(mean))


def _split(pks: Sequence[bytes]) -> list[str]:
    # What is no UTF-8 somebody else put there: it names no record, and doctor removes it.
    return b"\0".join(pks).decode(errors="backslashreplace").split("\0") if pks else []


def _found(pks: Sequence[bytes], documents: Sequence[bytes | None]) -> list[Found]:
    """Each pk with its document, if so many came along."""
    found = _split(pks)
    if len(documents) != len(found):  # none, or somebody wrote what is no pk
        return [(pk, None, False) for pk in found]
    return [(pk, document, True) for pk, document in zip(found, documents, strict=True)]


def _rows(width: int, pks: Sequence[bytes], values: Sequence[bytes]) -> list[Row]:
    """Each pk with its values, so many of them; None where somebody wrote to them."""
    found = _split(pks)
    try:
        known = loads_values(b"[%b]" % b",".join(values))
    except ValueError:
        known = ()
    if len(known) != len(found):
        return [(pk, None) for pk in found]
    return [
        (pk, tuple(some) if isinstance(some, list) and len(some) == width else None)
        for pk, some in zip(found, known, strict=True)
    ]
