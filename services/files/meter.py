"""Counts records on their way, and tells how far they have come."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from simstore.services.progress import OnProgress, Progress

T = TypeVar("T")

RECORDS_A_REPORT = 100
"""A call costs little beside the writing of so many records, and they take less than a second."""


class Meter:
    """Counts the records of a step by collection, and reports them now and then."""

    def __init__(
        self, step: str, progress: OnProgress | None, totals: dict[str, int] | None = None
    ) -> None:
        self.done: Counter[str] = Counter()
        self._step = step
        self._progress = progress
        self._totals = totals or {}
        self._reported: dict[str, int] = {}

    def add(self, collection: str, count: int = 1) -> None:
        """Count records of `collection`."""
        self.done[collection] += count
        if (
            self._progress is not None
            and self.done[collection] - self._reported.get(collection, 0) >= RECORDS_A_REPORT
        ):
            self._report(collection)

    def counting(self, values: Iterable[T], collection: str) -> Iterator[T]:
        """`values`, each counted as a record of `collection` when the next is asked for."""
        for value in values:
            yield value
            self.add(collection)

    def finish(self) -> None:
        """Report what was counted and not reported yet, at the end of the step."""
        if self._progress is not None:
            for collection, done in self.done.items():
                if self._reported.get(collection) != done:
                    self._report(collection)

    def _report(self, collection: str) -> None:
        assert self._progress is not None  # noqa: S101 — both callers asked, for mypy
        done = self._reported[collection] = self.done[collection]
        self._progress(Progress(self._step, collection, done, self._totals.get(collection)))
