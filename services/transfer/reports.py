"""What copying and comparing stores find out."""

from dataclasses import dataclass
from typing import NamedTuple

from simstore.services.findings import Findings


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A collection in one of two stores.

    `checksum` is the SHA-256, in hex, over a line for each readable record, by pk: the pk as
    JSON, a blank, and the record's canonical text (see `canonical`).
    """

    count: int
    checksum: str
    unreadable: Findings[Unreadable]


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What was copied, collection by collection; all of it was verified.

    `unknown_source` and `unknown_target` are the collections for which no model was given: they
    were neither copied nor compared.
    """

    collections: tuple[CollectionCopy, ...]
    unknown_source: tuple[str, ...]
    unknown_target: tuple[str, ...]

    @property
    def comparison(self) -> StoreComparison:
        """The whole stores compared, the source on the left.

        A complete copy does not make them equal: the target may hold records of its own, which
        are left as they are.
        """
        return StoreComparison(
            collections=tuple(each.comparison for each in self.collections),
            unknown_left=self.unknown_source,
            unknown_right=self.unknown_target,
        )

    @property
    def written(self) -> int:
        """How many records were written."""
        return sum(each.copied + each.replaced for each in self.collections)

    @property
    def extra(self) -> int:
        """How many records the target has, in the collections copied, that the source lacks."""
        return sum(each.comparison.only_right.count for each in self.collections)

    @property
    def equal(self) -> bool:
        """Whether the two stores hold the same."""
        return self.comparison.equal
