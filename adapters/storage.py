"""What a backend implements: contents and index entries by collection and primary key.

`StorageRepository` and `StorageStore` build the ports of the domain on this interface, so a
backend need know nothing of models: it keeps contents, finds primary keys by indexed values, and
commits batches of writes all or nothing.
"""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel

from simstore.domain.maintenance import IndexFault, Inspection
from simstore.domain.query import Scalar
from simstore.domain.schema import ModelSchema
from simstore.domain.store import Capability
from simstore.domain.text import words

Content = bytes | BaseModel
"""What is stored of a record: its JSON or, where the storage keeps objects, perhaps a copy."""

Values = tuple[Any, ...]
"""The value of each indexed field, in the order of `Indexes.paths`: a scalar, or a list."""

INDEX_FORMAT = 1
"""Part of every signature: raised when `words` or the making of entries changes."""


class Indexes:
    """The paths of a model's Indexed fields, `exact`, and of its FullText fields, `words`.

    `details` is whatever else of the model decides what the entries of a document are.
    """

    def __init__(self, exact: Sequence[str], words: Sequence[str], details: str = "") -> None:
        self.paths = tuple(dict.fromkeys((*exact, *words)))
        described = f"{INDEX_FORMAT};{','.join(exact)};{','.join(words)};{details}"
        self.signature = hashlib.sha1(described.encode(), usedforsecurity=False).hexdigest()
        """Tells one set of indexes from another: stored entries are only good for their own."""
        self.names = tuple(
            (path if path in exact else None, words_index(path) if path in words else None)
            for path in self.paths
        )
        """For each path, the name of its index of values and of its index of words."""

    def entries(self, values: Values) -> list[tuple[str, Scalar]]:
        """(index, value) pairs under which a record with these values is found.

        A list has one entry for each element.
        """
        entries: list[tuple[str, Scalar]] = []
        for (exact, word_index), value in zip(self.names, values, strict=True):
            if exact is not None:
                if value.__class__ is list:
                    entries += [(exact, element) for element in value]
                else:
                    entries.append((exact, value))
            if word_index is not None:
                text = value if isinstance(value, str) else ""
                entries += [(word_index, word) for word in words(text)]
        return entries


def words_index(path: str) -> str:
    """The name of the index that holds the words of the field at `path`."""
    return f"{path}:words"


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """The records of one model, as a repository asks a storage for them.

    Its indexes may not be those that the stored entries were made for: the model may have
    changed, or another program may have another version of it. A storage compares the
    signatures whenever it uses or writes entries, and makes them anew for all records, with
    `values`, where they differ.
    """

    name: str
    indexes: Indexes
    values: Callable[[str, Content], Values | None]
    """The indexed values of (pk, content); None if the model cannot read it. Such a record is
    found by its pk, and by no value."""

    schema: ModelSchema
    """The model, for a storage whose keys or indexes follow from it, as other programs have them.
    The others look at nothing of it."""


class Expected(Enum):
    """What a write expects to find; a version (a str) expects just that version."""

    ANYTHING = "anything"
    NOTHING = "nothing"


def is_met(expected: Expected | str, version: str | None) -> bool:
    """Whether a write finds what it expects: a record of `version`, or none where that is None."""
    if expected is Expected.ANYTHING:
        return True
    return version is None if expected is Expected.NOTHING else version == expected


class Put(NamedTuple):
    """Store a record; `ttl` is in seconds, `keep_ttl` keeps the time that is left instead."""

    collection: Collection
    pk: str
    content: Content
    values: Values
    ttl: float | None = None
    expected: Expected | str = Expected.ANYTHING
    keep_ttl: bool = False

    @property
    def milliseconds(self) -> int | None:
        """`ttl` in whole milliseconds, never fewer; None for ever."""
        return None if self.ttl is None else math.ceil(self.ttl * 1_000)


class Delete(NamedTuple):
    """Delete a record, if it is there."""

    collection: Collection
    pk: str
    expected: Expected | str = Expected.ANYTHING


class Check(NamedTuple):
    """Write nothing, but let the whole commit fail unless `expected` is found."""

    collection: Collection
    pk: str
    expected: Expected | str


Operation = Put | Delete | Check


class Unexpected(Exception):  # noqa: N818 — never leaves the adapters; the base makes it an error
    """An operation did not find what it expected; the commit was not applied."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation)
        self.operation = operation


class PartlyWritten(Exception):  # noqa: N818 — as above
    """A bulk write failed part of the way: `done` are the operations known to be applied."""

    def __init__(self, done: Sequence[Operation]) -> None:
        super().__init__(done)
        self.done = done


@dataclass(frozen=True, slots=True)
class Pks:
    """The record has one of these pks."""

    pks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equal:
    """The index has `value` for the record."""

    index: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """The index has one of `values` for the record."""

    index: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a range."""

    value: str | int | float
    inclusive: bool


@dataclass(frozen=True, slots=True)
class Range:
    """The index has a value between the bounds, of their kind (text or number)."""

    index: str
    low: Bound | None
    high: Bound | None


@dataclass(frozen=True, slots=True)
class Prefix:
    """The index has a text that begins with `text`."""

    index: str
    text: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of `parts`; without any, every record."""

    parts: tuple["IndexCondition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of `parts`; without any, no record."""

    parts: tuple["IndexCondition", ...]


@dataclass(frozen=True, slots=True)
class Complement:
    """Every record but those of `part`."""

    part: "IndexCondition"


IndexCondition = Pks | Equal | OneOf | Range | Prefix | AllOf | AnyOf | Complement

EVERYTHING = AllOf(())
NOTHING = AnyOf(())


class Precision(Enum):
    """What the answer of an index to a condition is worth."""

    EXACT = "it finds just the records that fulfil the condition"
    NARROWS = "it finds all of them, and perhaps others, which are read and tested"
    NONE = "it may miss some: every record is read and tested instead"


class Page(NamedTuple):
    """Some pks that a search found, and their contents where those came along with them."""

    pks: list[str]
    contents: Sequence[Content | None] | None = None


class Storage(ABC):
    """One database, as a backend keeps it. Safe to be shared by threads.

    Answers to index conditions are as exact as `precision` says. Values compare by kind: 1
    equals 1.0 and never True, texts order by code point, integers of 64 bits and floats by
    their exact value, and a range holds values of its bounds' kind alone.

    Records whose time has come are gone from every answer. Every method raises BackendError
    if the backend fails, chained to the backend's own error.
    """

    keeps_objects: ClassVar[bool] = False
    """True if it stores any content as it is; what it returns must not be changed then. Else it
    is only given JSON."""

    lacks: ClassVar[Mapping[Capability, str]] = {}
    """The capabilities that this backend does not have, each with the reason."""

    @staticmethod
    def precision(condition: IndexCondition) -> Precision:  # noqa: ARG004 — for those that override it
        """What its answer to `condition`, one look-up in one index or in the pks, is worth."""
        return Precision.EXACT

    def admit(self, collection: Collection) -> None:
        """Take note of a collection, before anything is asked or written of it.

        A storage that shares its database learns by it which of the keys are the store's.

        Raises:
            ModelError: it cannot keep the collection.
        """
        del collection

    @abstractmethod
    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        """Apply all operations or, on any error, none. No two are on the same record.

        Returns whether each found its record there.

        Raises:
            Unexpected: an operation did not find what it expected.
        """

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        """Apply operations, each on its own: the batch of a bulk write, on different records.

        Returns whether each found its record there, None where it did not find what it
        expected, and so was not applied. A storage that lacks ATOMIC_SAVE_MANY overrides it.

        Raises:
            PartlyWritten: some were applied before the failure, which is chained.
        """
        refused: list[Operation] = []
        while True:
            rest = [operation for operation in operations if operation not in refused]
            try:
                found = dict(zip(map(_key, rest), self.commit(rest), strict=True))
            except Unexpected as error:
                refused.append(error.operation)
            else:
                return [found.get(_key(operation)) for operation in operations]

    @abstractmethod
    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        """The contents of `pks` in their order, None for each that is missing."""

    @abstractmethod
    def search(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        limit: int | None,
    ) -> list[str]:
        """The pks greater than `after` that fulfil `condition`: the first `limit`, ascending."""

    def pages(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        size: int,
    ) -> Iterator[Page]:
        """All that `search` finds, at most `size` pks at a time.

        A storage for which each search is a long one, or which can send contents along,
        overrides it.
        """
        while True:
            pks = self.search(collection, condition, after=after, limit=size)
            yield Page(pks)
            if len(pks) < size:
                return
            after = pks[-1]

    @abstractmethod
    def count(self, collection: Collection, condition: IndexCondition) -> int:
        """How many records fulfil `condition`."""

    @abstractmethod
    def project(
        self, collection: Collection, condition: IndexCondition
    ) -> list[tuple[str, Values | None]]:
        """pk and indexed values of the records that fulfil `condition`, by pk.

        The values are None where the record's content could not be read to index it.
        """

    @abstractmethod
    def collections(self) -> Iterable[str]:
        """The name of each collection that holds a record whose time has not come, once.

        Others are not named: a storage that keeps a list of names looks whether each still has
        a record. No entry is used, so it need not be known which indexes a collection has.
        """

    def index_faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:  # noqa: ARG002 — as above
        """Compare the index entries with the records, and mend them if `repair`.

        A storage whose entries cannot be lost or left over has no faults to find.
        """
        return iter(())

    def inspect(self) -> Inspection:
        """What is known of the server or the file, and what of that would lose records."""
        return Inspection({}, ())

    @abstractmethod
    def close(self) -> None:
        """Release what the storage holds. It is not used afterwards."""


def _key(operation: Operation) -> tuple[str, str]:
    return operation.collection.name, operation.pk
