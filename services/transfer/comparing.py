"""Two stores compared, record by record, in bounded memory."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Generic, Literal, TypeVar

import orjson
from pydantic import BaseModel

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.repository import Repository
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.transfer.canonical import canonical_text
from simstore.services.transfer.reading import Entry, Pair, RecordReader, pairs
from simstore.services.transfer.reports import (
    KEPT,
    CollectionComparison,
    Difference,
    Findings,
    OnProgress,
    Progress,
    Side,
    StoreComparison,
    Unreadable,
)

T = TypeVar("T")

RECORDS_BETWEEN_CALLS = 1_000
"""After so many records progress is reported."""


def compare_stores(
    left: Store,
    right: Store,
    *,
    models: Iterable[type[BaseModel]] = RECORD_MODELS,
    progress: OnProgress | None = None,
) -> StoreComparison:
    """Compare the records of `models` in two stores.

    Records are compared as their models read them. The time that they have left to live is
    not compared; what has expired is not there. Records that cannot be read are reported and
    do not end the comparison; nor do collections that none of `models` is kept in, but then
    the stores do not count as equal. What others write meanwhile is seen or not.

    Both stores are read once, a page at a time, and nothing is written.

    Raises:
        InvalidArgumentError: `models` is not a series of models.
        ModelError: one of them cannot be used as a record.
        BackendError: a backend failed.
    """
    chosen = check_models(models)
    found = tuple(
        compare_collection(left.repository(model), right.repository(model), progress)
        for model in chosen
    )
    return store_comparison(left, right, found)


def check_models(models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    """`models` as a list, each once.

    Raises:
        InvalidArgumentError: it is a single one, or none of this.
    """
    if isinstance(models, type | str) or not isinstance(models, Iterable):
        raise InvalidArgumentError(
            f"models is a list of models, such as [*RECORD_MODELS, Review], not {models!r}"
        )
    return list(dict.fromkeys(models))


def unknown_collections(store: Store, known: Iterable[str]) -> tuple[str, ...]:
    """The collections of a store that are not `known`, by name."""
    names = set(known)
    return tuple(name for name in store.collections() if name not in names)


def store_comparison(
    left: Store, right: Store, collections: tuple[CollectionComparison, ...]
) -> StoreComparison:
    """The comparison of two stores, from that of each known collection."""
    known = [each.collection for each in collections]
    return StoreComparison(
        collections, unknown_collections(left, known), unknown_collections(right, known)
    )


def compare_collection(
    left: Repository[Any], right: Repository[Any], progress: OnProgress | None
) -> CollectionComparison:
    """Compare the records of one model."""
    tally = Tally(RecordReader(left), RecordReader(right))
    for _ in tally.pairs("compare", progress):
        pass
    return tally.comparison()


class Tally:
    """What is found out about a collection, pair by pair."""

    def __init__(self, left: RecordReader, right: RecordReader) -> None:
        self._readers = left, right
        self._collection = left.repository.collection
        self._left, self._right = _Side(), _Side()
        self._only_left, self._only_right = _Gathering[str](), _Gathering[str]()
        self._different = _Gathering[Difference]()

    def pairs(
        self, step: Literal["verify", "compare"], progress: OnProgress | None
    ) -> Iterator[Pair]:
        """Yield each pair of the two once it is in this tally; report the progress."""
        left, right = self._readers
        total = left.repository.count() if progress else 0
        for pair in pairs(left, right):
            self._add(pair)
            yield pair
            done = self._left.count
            if progress and pair.left is not None and done % RECORDS_BETWEEN_CALLS == 0:
                progress(Progress(self._collection, step, done, total))
        if progress:
            progress(Progress(self._collection, step, self._left.count, total))

    def _add(self, pair: Pair) -> None:
        if pair.left is not None:
            self._left.add(pair.left)
        if pair.right is not None:
            self._right.add(pair.right)
        if pair.right is None:
            self._only_left.add(pair.pk)
        elif pair.left is None:
            self._only_right.add(pair.pk)
        elif not pair.same:
            # The field costs as much as reading the two again.
            field = self._field(pair.left, pair.right) if self._different.has_room else ""
            self._different.add(Difference(pair.pk, field))

    def _field(self, left: Entry, right: Entry) -> str:
        if left.item is None or right.item is None:
            return ""
        mine, theirs = map(self._readers[0].document_of, (left.item, right.item))
        return next(
            name
            for name in [*mine, *theirs]
            if name not in mine
            or name not in theirs
            or canonical_text(mine[name]) != canonical_text(theirs[name])
        )

    def comparison(self) -> CollectionComparison:
        """All that was found out."""
        return CollectionComparison(
            self._collection,
            self._left.side(),
            self._right.side(),
            self._only_left.findings(),
            self._only_right.findings(),
            self._different.findings(),
        )


class _Gathering(Generic[T]):
    """Counts what it is given, and keeps the first of it."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[T] = []

    @property
    def has_room(self) -> bool:
        return len(self._first) < KEPT

    def add(self, finding: T) -> None:
        self._count += 1
        if self.has_room:
            self._first.append(finding)

    def findings(self) -> Findings[T]:
        return Findings(self._count, tuple(self._first))


class _Side:
    """One side of a tally."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()
        self._unreadable = _Gathering[Unreadable]()

    def add(self, entry: Entry) -> None:
        self.count += 1
        if entry.error is None:
            self._digest.update(b"%b %b\n" % (orjson.dumps(entry.pk), entry.text))
        else:
            self._unreadable.add(Unreadable(entry.pk, entry.error.field, entry.error.reason))

    def side(self) -> Side:
        return Side(self.count, self._digest.hexdigest(), self._unreadable.findings())
