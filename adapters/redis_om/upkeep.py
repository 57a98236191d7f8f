"""The upkeep of indexes: what the query engine left out is named."""

from collections.abc import Iterator

from simstore.adapters.redis_om.database import Database
from simstore.adapters.redis_om.indexes import SearchIndexes
from simstore.adapters.redis_om.layout import Layout
from simstore.adapters.storage import Collection
from simstore.domain.maintenance import IndexFault


class Upkeep:
    """The upkeep where the query engine indexes the records themselves: it mends nothing."""

    def __init__(self, database: Database, layout: Layout, indexes: SearchIndexes) -> None:
        self._database = database
        self._layout = layout
        self._indexes = indexes

    def adopt(self, collection: Collection) -> None:
        """Make entries anew that are of other indexes, when a collection is first searched."""

    def faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:  # noqa: ARG002 — for those that mend
        """The records that are in no index, for the index ``pk``."""
        for pk in sorted(self._unindexed(collection)):
            yield IndexFault("missing", collection.name, pk, "pk")

    def _unindexed(self, collection: Collection) -> list[str]:
        prefix = self._layout.prefix(collection.name)
        pks = sorted(self._indexes.unindexed(collection))
        # Some may have expired, or been deleted, since they were listed.
        there = self._database.are_documents([prefix + pk for pk in pks])
        return [pk for pk, is_there in zip(pks, there, strict=True) if is_there]
