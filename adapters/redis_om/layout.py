"""What a layout decides: keys, documents, and what the query engine knows of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import redis

from simstore.adapters.storage import Collection, Content, IndexCondition, Put, Values


class Row(NamedTuple):
    """What decides whether a record is asked for: its indexed values, None if it is unreadable."""

    values: Values | None


@dataclass(frozen=True, slots=True)
class Definition:
    """An index of the query engine: its name, and the rest of FT.CREATE."""

    name: str
    words: tuple[str, ...]


class Ask(NamedTuple):
    """A query, and what it is sent with."""

    text: str
    words: list[bytes | str | int]


Read = Callable[[Sequence[str], str, int], list[bytes | None]]
"""Takes keys, a path, and how many to read at a time; returns the JSON that is there, None where
a document or path is not."""


class Layout(ABC):
    """Where records are in the database, and how they are written."""

    record_path: str
    """Where in a RedisJSON document the record is."""

    rows_at_a_time: int
    """How many records are looked at in a round trip."""

    @abstractmethod
    def prefix(self, name: str) -> str:
        """What the keys of a collection begin with; the pk is the rest."""

    @abstractmethod
    def patterns(self) -> Mapping[str, Callable[[str], str | None]]:
        """Patterns for SCAN that find all records, each with what tells a key's collection."""

    @abstractmethod
    def document(self, put: Put) -> bytes:
        """The whole RedisJSON document of a record.

        Raises:
            InvalidRecordError: it cannot be kept exactly.
        """

    @abstractmethod
    def content(self, text: bytes) -> Content:
        """The content that `document` was made of, from what is at `record_path`."""

    @abstractmethod
    def definition(self, collection: Collection, database: redis.Redis) -> Definition:
        """The index of a collection."""

    @abstractmethod
    def is_ours(self, index: str, name: str) -> bool:
        """Whether an index was made by us, for the collection of that name."""

    @abstractmethod
    def ask(
        self, collection: Collection, condition: IndexCondition
    ) -> "tuple[frozenset[str], Ask | None] | None":
        """pks and a query that find all that may fulfil `condition`; None if every record may."""

    @abstractmethod
    def rows(self, collection: Collection, pks: Sequence[str], read: Read) -> list[Row | None]:
        """What decides about each of `pks`; None where there is no record."""
