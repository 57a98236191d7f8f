"""Records read in pages that hold so many bytes, in the order of pks, unreadable ones too."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.errors import CorruptRecordError
from simstore.domain.repository import Repository
from simstore.services.transfer.canonical import canonical_text, documents_of

RECORDS_AT_A_TIME = 1_000
"""How many records a page has at most."""

BYTES_AT_A_TIME = 2_000_000
"""How large a page may be if its records are no larger than those of the page before."""

FIRST_PAGE = 16
GROWTH = 4
"""How many records the first page has, and how much longer each may be than the one before."""


class Entry(NamedTuple):
    """A stored record: with its canonical text, or with the error that reading it raised."""

    pk: str
    item: BaseModel | None
    text: bytes
    error: CorruptRecordError | None = None


class RecordReader:
    """Reads the records of one repository."""

    def __init__(self, repository: Repository[Any]) -> None:
        self.repository = repository
        self.document_of = documents_of(repository.model)

    def pages(self) -> Iterator[list[Entry]]:
        """Every record, by pk. What is stored throughout comes exactly once."""
        size, after = FIRST_PAGE, None
        while True:
            # The pks say where the next page begins and whether there is one: records may be
            # deleted before they are read.
            pks = self.repository.pks(limit=size, after=after)
            entries = self.read(pks)
            largest = max((len(entry.text) for entry in entries), default=0)
            yield entries
            del entries  # two pages of a kind are never held
            if len(pks) < size:
                return
            after = pks[-1]
            size = max(1, min(size * GROWTH, RECORDS_AT_A_TIME, BYTES_AT_A_TIME // (largest or 1)))

    def entries(self) -> Iterator[Entry]:
        """Every record, by pk, as from `pages`."""
        for page in self.pages():
            page.reverse()
            while page:
                yield page.pop()

    def read(self, pks: Sequence[str]) -> list[Entry]:
        """Those of `pks` that are there, in their order."""
        try:
            items = self.repository.get_many(pks, missing="skip")
        except CorruptRecordError as error:
            if len(pks) == 1:
                return [Entry(pks[0], None, b"", error)]
            middle = len(pks) // 2
            return self.read(pks[:middle]) + self.read(pks[middle:])
        return [Entry(item.pk, item, canonical_text(self.document_of(item))) for item in items]


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
