"""The upkeep of indexes: what the query engine left out is named."""

from collections.abc import Iterator, Sequence

from simstore.adapters.redis_om.database import Database, prefix_pattern
from simstore.adapters.redis_om.indexes import SearchIndexes
from simstore.adapters.redis_om.layout import Layout
from simstore.adapters.redis_om.presence import Presence
from simstore.adapters.storage import Collection
from simstore.domain.maintenance import IndexFault


class Upkeep:
    """The upkeep where the query engine indexes the records themselves: it mends nothing."""

    def __init__(self, database: Database, layout: Layout, indexes: SearchIndexes) -> None:
        self._database = database
        self._layout = layout
        self._indexes = indexes
        self._presence = Presence(database, layout)

    def adopt(self, collection: Collection) -> None:
        """Make entries anew that are of other indexes, when a collection is first searched."""

    def faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:  # noqa: ARG002 — for those that mend
        """The records that are in no index, and those that something took the place of.

        Both are faults of the index ``pk``.
        """
        for pk in self._unindexed(collection):
            yield IndexFault("missing", collection.name, pk, "pk")
        prefix = self._layout.prefix(collection)
        keys = self._database.documents(prefix_pattern(prefix))
        known = {key.removeprefix(prefix) for key in keys}
        others = sorted(pk for pk in self._presence.pks(collection) if pk not in known)
        yield from self._displaced(collection, others)

    def _unindexed(self, collection: Collection) -> list[str]:
        # Some may have been deleted since they were listed, or deleted and written again.
        return self._indexes.left_out(collection, sorted(self._indexes.unindexed(collection)))

    def _displaced(self, collection: Collection, pks: Sequence[str]) -> Iterator[IndexFault]:
        """Those of `pks`, which have no record, whose keys hold something else.

        It is somebody's, so no repair deletes it.
        """
        for pk, instead in zip(pks, self._presence.instead(collection, pks), strict=True):
            if instead is not None:
                yield IndexFault("orphaned", collection.name, pk, "pk")
