"""Records read in pages, in the order of pks, those that cannot be read too."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from simstore.domain.errors import CorruptRecordError
from simstore.domain.repository import DEFAULT_BATCH_SIZE, Repository


class Entry(NamedTuple):
    """A stored record, or the error that reading it raised.

    `text` is what the reader makes of the record; empty if it makes nothing.
    """

    pk: str
    item: BaseModel | None
    error: CorruptRecordError | None = None
    text: bytes = b""


class PagedReader:
    """Reads the records of one repository, a page of `DEFAULT_BATCH_SIZE` of them at a time."""

    first_size = DEFAULT_BATCH_SIZE
    """How many records the first page has."""

    def __init__(self, repository: Repository[Any]) -> None:
        self.repository = repository

    def pages(self) -> Iterator[list[Entry]]:
        """Every record, by pk. What is stored throughout comes exactly once."""
        size, after = self.first_size, None
        while True:
            # The pks say where the next page begins and whether there is one: records may be
            # deleted before they are read.
            pks = self.repository.pks(limit=size, after=after)
            entries = self.read(pks)
            following = self.size_after(entries, size)
            yield entries
            del entries  # two pages of a kind are never held
            if len(pks) < size:
                return
            size, after = following, pks[-1]

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
                return [Entry(pks[0], None, error)]
            middle = len(pks) // 2
            return self.read(pks[:middle]) + self.read(pks[middle:])
        return [self.entry_of(item) for item in items]

    def entry_of(self, item: BaseModel) -> Entry:
        """The entry of a record that could be read."""
        pk: str = item.pk  # type: ignore[attr-defined]  # every repository's model has one
        return Entry(pk, item)

    def size_after(self, page: Sequence[Entry], size: int) -> int:
        """How many records the page after `page` has, for which `size` were asked."""
        del page
        return size
