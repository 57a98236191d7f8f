"""What a layout decides: keys, documents, and what the query engine knows of them."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

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

    @classmethod
    def named(cls, prefix: str, words: tuple[str, ...]) -> Self:
        """One whose name begins with `prefix`, and is another one for other words."""
        signature = hashlib.sha1(" ".join(words).encode(), usedforsecurity=False).hexdigest()
        return cls(f"{prefix}{signature[:16]}", words)


class Ask(NamedTuple):
    """Queries, of which each finds a part of what is asked for, and what they are sent with.

    No query has a negation among the parts of a union: of some 20 parts and more, the query
    engine then leaves out documents that others of the parts find. It is a query of its own.
    """

    texts: tuple[str, ...]
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

    is_ours_alone: bool
    """Whether nobody else has business at the keys: then what took a record's place may go."""

    def admit(self, collection: Collection) -> None:
        """As `Storage.admit`."""
        del collection

    @abstractmethod
    def prefix(self, collection: Collection) -> str:
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

    def misplaced(self, text: bytes) -> Content | None:
        """A content that cannot be read, for a document with nothing at `record_path`.

        None if it stands for no record.
        """
        del text
        return None

    def is_reserved(self, pk: str) -> bool:
        """Whether the key of `pk` is somebody else's, unless it holds a document."""
        del pk
        return False

    @abstractmethod
    def definition(self, collection: Collection, database: redis.Redis) -> Definition:
        """The index of a collection."""

    @abstractmethod
    def is_ours(self, index: str, collection: Collection) -> bool:
        """Whether an index was made by us, for that collection."""

    @abstractmethod
    def ask(
        self, collection: Collection, condition: IndexCondition
    ) -> "tuple[frozenset[str], Ask | None] | None":
        """pks and a query that find all that may fulfil `condition`; None if every record may."""

    @abstractmethod
    def rows(self, collection: Collection, pks: Sequence[str], read: Read) -> list[Row | None]:
        """What decides about each of `pks`; None where there is no record."""
