"""The keys of a collection, and in which bucket a record is.

All keys of a bucket begin with its base, ``simstore:{namespace:collection:bucket}``. What is in
braces decides the hash slot on a cluster, so that a record and its index entries are on one
node and change together. Behind the base:

==================  ==========  ================================================================
``:docs:<pk>``      string      a record, as JSON; it expires by itself
``:pks``            sorted set  the pks of all records
``:expiry``         sorted set  pks of records that expire, by the moment in milliseconds
``:staged:<n>``     string      a large record that the script in the same MULTI puts in place
``:indexes``        hash        the indexes that are kept: signature to moment and names
==================  ==========  ================================================================

Behind the base, a colon and the signature of a definition's indexes:

==================  ==========  ================================================================
``:index:<name>``   sorted set  the entries of an index (see `encoding`)
``:entries``        hash        pk to the record's entries, packed: what to take out of the indexes
``:values``         hash        pk to the record's indexed values, as JSON: for projections
``:todo``           sorted set  pks of records that are still to be indexed
==================  ==========  ================================================================

``simstore:{namespace}:collections`` is a set of the names of all collections that were ever
written to.
"""

from zlib import crc32

from simstore.adapters.redis_connection.names import escaped
from simstore.adapters.storage import Collection

BUCKETS_OF_A_CLUSTER = 32
"""Fixed: records stay in the bucket that they were written to."""


class Layout:
    """The keys of one namespace, with so many buckets to a collection."""

    def __init__(self, namespace: str, buckets: int = 1) -> None:
        self._namespace = escaped(namespace)
        self.buckets = buckets

    @property
    def collections(self) -> str:
        """The key of the names of all collections."""
        return f"simstore:{{{self._namespace}}}:collections"

    def base(self, collection: str, bucket: int) -> str:
        """What the keys of a bucket begin with."""
        return f"simstore:{{{self._namespace}:{escaped(collection)}:{bucket}}}"

    def bases(self, collection: str) -> list[str]:
        """The bases of all buckets of a collection."""
        return [self.base(collection, bucket) for bucket in range(self.buckets)]

    def bucket(self, pk: str) -> int:
        """The bucket of a record."""
        return 0 if self.buckets == 1 else crc32(pk.encode()) % self.buckets

    def base_of(self, collection: str, pk: str) -> str:
        """The base of the bucket of a record."""
        return self.base(collection, self.bucket(pk))

    def documents(self, collection: str) -> tuple[str, set[str]]:
        """A pattern of SCAN for the keys of all records of a collection, and their bases."""
        bases = self.bases(collection)
        if len(bases) == 1:
            return f"{bases[0]}:docs:*", set(bases)
        return f"{bases[0].rpartition(':')[0]}:*}}:docs:*", set(bases)


def document_key(base: str, pk: str) -> str:
    """The key of a record."""
    return f"{base}:docs:{pk}"


def todo_key(base: str, collection: Collection) -> str:
    """The key of the records of a bucket that are to be indexed."""
    return f"{indexes_base(base, collection)}:todo"


def indexes_base(base: str, collection: Collection) -> str:
    """What the keys of the indexes of a definition begin with, in one bucket."""
    return f"{base}:{collection.indexes.signature}"
