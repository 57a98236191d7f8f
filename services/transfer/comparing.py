"""Two stores compared, record by record, in bounded memory."""

import hashlib
from collections.abc import Iterator
from typing import Any, Literal

import orjson

from simstore.domain.repository import Repository
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.findings import Collector
from simstore.services.models import Models, chosen_models, unknown_collections
from simstore.services.paging import Entry
from simstore.services.progress import OnProgress, Progress
from simstore.services.transfer.canonical import canonical_text
from simstore.services.transfer.open_views import open_view
from simstore.services.transfer.reading import Pair, RecordReader, pairs
from simstore.services.transfer.reports import (
    CollectionComparison,
    Difference,
    Side,
    StoreComparison,
    Unreadable,
)

RECORDS_BETWEEN_CALLS = 1_000
"""After so many records progress is reported."""


def compare_stores(
    left: Store,
    right: Store,
    *,
    models: Models = RECORD_MODELS,
    progress: OnProgress | None = None,
) -> StoreComparison:
    """Compare the records of `models` in two stores.

    Records are compared as their models read them, and by the fields that these do not declare,
    as `copy_store` copies them. The time that they have left to live is not compared; what has
    expired is not there. Records that cannot be read are reported and
    do not end the comparison; nor do collections that none of `models` is kept in, but then
    the stores do not count as equal. What others write meanwhile is seen or not.

    Both stores are read once, a page at a time, and nothing is written.

    Raises:
        InvalidArgumentError: `models` is neither a model nor a series of models.
        ModelError: one of them cannot be used as a record.
        BackendError: a backend failed.
    """
    views = [open_view(model) for model in chosen_models(models)]
    return StoreComparison(
        collections=tuple(
            _compare_collection(left.repository(view), right.repository(view), progress)
            for view in views
        ),
        unknown_left=unknown_collections(left, views),
        unknown_right=unknown_collections(right, views),
    )


def _compare_collection(
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
        self._only_left, self._only_right = Collector[str](), Collector[str]()
        self._different = Collector[Difference]()

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
                progress(Progress(step, self._collection, done, total))
        if progress:
            progress(Progress(step, self._collection, self._left.count, total))

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
            collection=self._collection,
            left=self._left.side(),
            right=self._right.side(),
            only_left=self._only_left.findings(),
            only_right=self._only_right.findings(),
            different=self._different.findings(),
        )


class _Side:
    """One side of a tally."""

    def __init__(self) -> None:
        self.count = 0
        self._digest = hashlib.sha256()
        self._unreadable = Collector[Unreadable]()

    def add(self, entry: Entry) -> None:
        self.count += 1
        if entry.error is None:
            self._digest.update(b"%b %b\n" % (orjson.dumps(entry.pk), entry.text))
        else:
            self._unreadable.add(Unreadable(entry.pk, entry.error.field, entry.error.reason))

    def side(self) -> Side:
        return Side(
            count=self.count,
            checksum=self._digest.hexdigest(),
            unreadable=self._unreadable.findings(),
        )
