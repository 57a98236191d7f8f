"""What copying and comparing stores find out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

T = TypeVar("T")

KEPT = 20
"""How many findings of each kind a report keeps; all are counted."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long call has come with a collection.

    `done` and `total` count records; `total` is how many there were at the start of the step,
    so that `done` may come out beside it if others write meanwhile.
    """

    collection: str
    step: Literal["copy", "verify", "compare"]
    done: int
    total: int


OnProgress = Callable[[Progress], object]
"""Called every now and then; what it raises ends the call."""


@dataclass(frozen=True, slots=True)
class Findings(Generic[T]):
    """How many were found, and the `first` of them, by pk."""

    count: int
    first: tuple[T, ...]


class Difference(NamedTuple):
    """A record that differs: the first field that does, in the model's order.

    The field is empty where one of the two cannot be read.
    """

    pk: str
    field: str


class Unreadable(NamedTuple):
    """A record that its model cannot read, with what CorruptRecordError says of it."""

    pk: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Side:
    """A collection in one of two stores.

    `checksum` is the SHA-256, in hex, over a line for each readable record, by pk: the pk as
    JSON, a blank, and the record's canonical text (see `canonical`).
    """

    count: int
    checksum: str
    unreadable: Findings[Unreadable]


@dataclass(frozen=True, slots=True)
class CollectionComparison:
    """A collection in two stores.

    `different` are records that both have, and that are not known to be equal: their contents
    differ, or one of them cannot be read.
    """

    collection: str
    left: Side
    right: Side
    only_left: Findings[str]
    only_right: Findings[str]
    different: Findings[Difference]

    @property
    def equal(self) -> bool:
        """Whether both have the same records, and all of them can be read."""
        return not (self.only_left.count or self.only_right.count or self.different.count)


@dataclass(frozen=True, slots=True)
class StoreComparison:
    """Two stores: what was compared, and the collections for which no model was given."""

    collections: tuple[CollectionComparison, ...]
    unknown_left: tuple[str, ...]
    unknown_right: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether they hold the same; False also where a collection could not be compared."""
        compared = all(collection.equal for collection in self.collections)
        return compared and not self.unknown_left and not self.unknown_right


@dataclass(frozen=True, slots=True)
class CollectionCopy:
    """What was done with the records of one collection of the source.

    `copied` were not in the target; `unchanged` were, and equal, so that nothing was written;
    `replaced` and `skipped` were there with other contents. `comparison` is what was found
    when the collection was verified: the source is on the left.
    """

    collection: str
    copied: int
    unchanged: int
    replaced: int
    skipped: int
    comparison: CollectionComparison
