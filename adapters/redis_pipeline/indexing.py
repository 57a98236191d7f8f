"""Which indexes a collection keeps, and their upkeep when its model's definition changes.

Each definition has indexes of its own, so that programs with different ones do not disturb each
other. A definition that is new to a bucket finds every record listed as one to be indexed, and
a write lists its record for the other definitions. Whoever searches next indexes what is
listed: nothing is lost if that process dies in the middle, and several may do it at once.
"""

from collections.abc import Mapping, Sequence

from simstore.adapters.codec import dumps_values, version_of
from simstore.adapters.redis_connection.link import Argument, Link, command, script_call
from simstore.adapters.redis_pipeline.encoding import packed
from simstore.adapters.redis_pipeline.layout import Layout, document_key, todo_key
from simstore.adapters.redis_pipeline.scripts import ADOPT, INDEX
from simstore.adapters.storage import Collection, Content

DEFINITIONS_AT_A_TIME = 4
"""How many definitions of a model have indexes; another one takes the place of the first."""

RECORDS_AT_A_TIME = 100
"""How many records are read and indexed in one go."""


class Indexer:
    """Keeps the indexes of the collections of a namespace."""

    def __init__(self, link: Link, layout: Layout) -> None:
        self._link = link
        self._layout = layout

    def adopt(
        self, collection: Collection, bases: Sequence[str], *, most: int = DEFINITIONS_AT_A_TIME
    ) -> None:
        """Keep the indexes of `collection` in some buckets, beside those of other definitions."""
        names = " ".join(name for pair in collection.indexes.names for name in pair if name)
        key = self._layout.collections
        # Before, and alone: a collection that has indexes must be on the list.
        self._link.read([command("SADD", key, collection.name)])
        self._link.read(
            [
                script_call(ADOPT, [base], collection.indexes.signature, names, most)
                for base in bases
            ]
        )

    def index_listed(self, collection: Collection, bases: Sequence[str]) -> None:
        """Index the records that are listed as such in some buckets."""
        while bases:
            listed = [
                command("ZRANGE", todo_key(base, collection), 0, RECORDS_AT_A_TIME - 1)
                for base in bases
            ]
            pks = {
                base: [pk.decode() for pk in found]
                for base, found in zip(bases, self._link.read(listed), strict=True)
                if found
            }
            bases = self._index(collection, pks)

    def _index(self, collection: Collection, pks: Mapping[str, list[str]]) -> list[str]:
        """Index records by bucket; return the buckets whose indexes are still the collection's."""
        read = [self.read(collection, base, some) for base, some in pks.items()]
        calls = [
            script_call(INDEX, [base], collection.indexes.signature, *arguments)
            for base, arguments in zip(pks, read, strict=True)
        ]
        replies = self._link.read(calls) if calls else []
        return [
            base for base, (status, *_) in zip(pks, replies, strict=True) if status == b"indexed"
        ]

    def read(self, collection: Collection, base: str, pks: list[str]) -> list[Argument]:
        """Records of one bucket as scripts take them: pk, version, values and entries of each."""
        keys = [document_key(base, pk) for pk in pks]
        [contents] = self._link.read([command("MGET", *keys)])
        arguments: list[Argument] = []
        for pk, content in zip(pks, contents, strict=True):
            arguments += self._arguments(collection, pk, content)
        return arguments

    def _arguments(
        self, collection: Collection, pk: str, content: Content | None
    ) -> tuple[Argument, ...]:
        if content is None:
            return pk, "", "", ""
        values = collection.values(pk, content)
        if values is None:
            return pk, version_of(content), "", ""
        entries = packed(collection.indexes.entries(values))
        return pk, version_of(content), dumps_values(values), entries
