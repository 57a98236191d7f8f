"""Records with their canonical text, in pages that hold so many bytes, and two stores' in pairs."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.errors import CorruptRecordError
from simstore.domain.repository import Repository
from simstore.services.paging import Entry, PagedReader
from simstore.services.transfer.canonical import canonical_text, documents_of

RECORDS_AT_A_TIME = 1_000
"""How many records a page has at most."""

BYTES_AT_A_TIME = 2_000_000
"""How large a page may be if its records are no larger than those of the page before."""

FIRST_PAGE = 16
GROWTH = 4
"""How many records the first page has, and how much longer each may be than the one before."""


class RecordReader(PagedReader):
    """Reads the records of one repository, each with its canonical text."""

    first_size = FIRST_PAGE

    def __init__(self, repository: Repository[Any]) -> None:
        super().__init__(repository)
        self.document_of = documents_of(repository.model)

    def entry_of(self, item: BaseModel) -> Entry:
        entry = super().entry_of(item)
        try:
            return entry._replace(text=canonical_text(self.document_of(item)))
        except (RecursionError, TypeError, ValueError) as error:
            # Somebody else wrote what is no JSON into a field that takes everything.
            return entry._replace(item=None, error=self._not_json(entry.pk, error))

    def _not_json(self, pk: str, error: Exception) -> CorruptRecordError:
        fault = CorruptRecordError(self.repository.collection, pk, "", f"it is not JSON: {error}")
        fault.__cause__ = error
        return fault

    def size_after(self, page: Sequence[Entry], size: int) -> int:
        largest = max((len(entry.text) for entry in page), default=0)
        return max(1, min(size * GROWTH, RECORDS_AT_A_TIME, BYTES_AT_A_TIME // (largest or 1)))


class Pair(NamedTuple):
    """What two repositories have under one pk; at least one has something."""

    pk: str
    left: Entry | None
    right: Entry | None

    @property
    def same(self) -> bool:
        """Whether both have it, and equal. What cannot be read is equal to nothing."""
        return (
            self.left is not None
            and self.right is not None
            and self.left.error is self.right.error is None
            and self.left.text == self.right.text
        )


def pairs(left: RecordReader, right: RecordReader) -> Iterator[Pair]:
    """What both have, side by side, by pk; a page of each is held."""
    lefts, rights = left.entries(), right.entries()
    mine, theirs = next(lefts, None), next(rights, None)
    while mine is not None or theirs is not None:
        if theirs is None or (mine is not None and mine.pk < theirs.pk):
            assert mine is not None  # noqa: S101 — one of them is there, for mypy
            yield Pair(mine.pk, mine, None)
            mine = next(lefts, None)
        elif mine is None or theirs.pk < mine.pk:
            yield Pair(theirs.pk, None, theirs)
            theirs = next(rights, None)
        else:
            yield Pair(mine.pk, mine, theirs)
            mine, theirs = next(lefts, None), next(rights, None)
