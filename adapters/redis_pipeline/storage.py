"""The storage interface on a Redis server or cluster: what needs a connection."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from simstore.adapters.reading import chunks
from simstore.adapters.redis_connection.errors import translated
from simstore.adapters.redis_connection.inspection import inspect_server, together
from simstore.adapters.redis_connection.link import Link, command, script_call
from simstore.adapters.redis_pipeline.checking import Checker
from simstore.adapters.redis_pipeline.indexing import Indexer
from simstore.adapters.redis_pipeline.layout import Layout, document_key
from simstore.adapters.redis_pipeline.scripts import LIVING
from simstore.adapters.redis_pipeline.searching import Search, Searcher
from simstore.adapters.redis_pipeline.writing import Batch, one_call, rounds
from simstore.adapters.storage import (
    Collection,
    Content,
    Delete,
    IndexCondition,
    Operation,
    Page,
    PartlyWritten,
    Put,
    Storage,
    Unexpected,
    Values,
)
from simstore.domain.errors import BackendError, TransactionError
from simstore.domain.maintenance import IndexFault, Inspection
from simstore.domain.store import Capability


class RedisStorage(Storage):
    """A namespace of a Redis server."""

    lacks: ClassVar[Mapping[Capability, str]] = {
        Capability.ATOMIC_SAVE_MANY: (
            "records are written some at a time, so that the server can do other work in between"
        ),
    }

    def __init__(self, link: Link, layout: Layout) -> None:
        self._link = link
        self._layout = layout
        self._indexer = Indexer(link, layout)
        self._searcher = Searcher(link, layout, self._indexer)

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        call = one_call(self._layout, operations)
        if not self._link.one_slot(call.keys):
            raise TransactionError(
                "the records of this transaction are in several hash slots of the cluster, which "
                "cannot be written to at once; write them in several transactions, or without one"
            )
        while True:
            [reply] = self._link.write([call])
            self._raise(reply)
            status, *answer = reply
            if status == b"unexpected":
                raise Unexpected(operations[answer[0] - 1])
            if status == b"written":
                return [letter == ord("1") for letter in answer[0]]
            self._adopt(operations)

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        found: dict[tuple[str, str], bool | None] = {}
        done: list[Operation] = []
        for batches in rounds(self._layout, operations):
            try:
                self._write(batches, found, done)
            except BackendError as error:
                raise PartlyWritten(done) from error
        return [found[operation.collection.name, operation.pk] for operation in operations]

    def _write(
        self,
        batches: Sequence[Batch],
        found: dict[tuple[str, str], bool | None],
        done: list[Operation],
    ) -> None:
        """Apply `batches`; note in `found` and `done` what became of their operations."""
        while batches:
            outdated: list[Batch] = []
            failed: list[Exception] = []
            replies = self._link.write([batch.call for batch in batches])
            for batch, reply in zip(batches, replies, strict=True):
                if isinstance(reply, Exception):
                    failed.append(reply)
                elif reply[0] == b"outdated":
                    outdated.append(batch)
                else:
                    for operation, letter in zip(batch.operations, reply[1], strict=True):
                        there = None if letter == ord("x") else letter == ord("1")
                        found[operation.collection.name, operation.pk] = there
                        if there is not None:
                            done.append(operation)
            for error in failed:
                self._raise(error)
            self._adopt([batch.operations[0] for batch in outdated])
            batches = outdated

    def _adopt(self, operations: Sequence[Operation]) -> None:
        """Keep the indexes of their collections in the buckets of `operations`."""
        bases: dict[tuple[str, str], set[str]] = {}
        collections: dict[tuple[str, str], Collection] = {}
        for each in operations:
            key = each.collection.name, each.collection.indexes.signature
            collections[key] = each.collection
            bases.setdefault(key, set()).add(self._layout.base_of(each.collection.name, each.pk))
        for key, collection in collections.items():
            self._indexer.adopt(collection, sorted(bases[key]))

    def _raise(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            with translated(self._link.shown):
                raise reply

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        if len(pks) == 1:
            # GET and STRLEN say so if the key holds something else, where MGET finds nothing.
            key = document_key(self._layout.base_of(collection.name, pks[0]), pks[0])
            return self._link.read([command("GET", key)])
        by_base: dict[str, list[str]] = {}
        for pk in pks:
            by_base.setdefault(self._layout.base_of(collection.name, pk), []).append(pk)
        keys = [[document_key(base, pk) for pk in some] for base, some in by_base.items()]
        replies = self._link.read([command("MGET", *some) for some in keys])
        found: dict[str, Content | None] = {}
        for some, reply in zip(by_base.values(), replies, strict=True):
            found.update(zip(some, reply, strict=True))
        missing = [pk for pk, content in found.items() if content is None]
        if missing:
            bases = [self._layout.base_of(collection.name, pk) for pk in missing]
            named = zip(bases, missing, strict=True)
            self._link.read([command("STRLEN", document_key(base, pk)) for base, pk in named])
        return [found[pk] for pk in pks]

    def search(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        limit: int | None,
    ) -> list[str]:
        found: list[str] = []
        if limit == 0:
            return found
        for pks in self._searcher.pks(Search(collection, condition, limit), after):
            found += pks
            if limit is not None and len(found) >= limit:
                break
        return found[:limit]

    def pages(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        size: int,
    ) -> Iterator[Page]:
        # One that goes on where it was, since what comes in no order comes all at once.
        for rows in self._searcher.documents(Search(collection, condition, size), after):
            for some in chunks(rows, size):
                came = all(row[2] for row in some)
                yield Page([row[0] for row in some], [row[1] for row in some] if came else None)

    def count(self, collection: Collection, condition: IndexCondition) -> int:
        return self._searcher.count(Search(collection, condition))

    def project(
        self, collection: Collection, condition: IndexCondition
    ) -> list[tuple[str, Values | None]]:
        search = Search(collection, condition)
        return [row for rows in self._searcher.values(search) for row in rows]

    def collections(self) -> list[str]:
        key = self._layout.collections
        [names] = self._link.read([command("SMEMBERS", key)])
        each = [
            (name, base)
            for name in sorted(map(bytes.decode, names))
            for base in self._layout.bases(name)
        ]
        numbers = self._link.read([script_call(LIVING, [base]) for _, base in each])
        return list(
            dict.fromkeys(name for (name, _), living in zip(each, numbers, strict=True) if living)
        )

    def index_faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:
        checker = Checker(self._link, self._layout, self._indexer, collection, repair=repair)
        return checker.faults()

    def inspect(self) -> Inspection:
        with translated(self._link.shown):
            return together([inspect_server(client) for client in self._link.clients()])

    def close(self) -> None:
        self._link.close()


class RedisClusterStorage(RedisStorage):
    """A namespace of a Redis Cluster."""

    lacks: ClassVar[Mapping[Capability, str]] = {
        **RedisStorage.lacks,
        Capability.WIDE_TRANSACTIONS: (
            "a cluster writes records at once only if they are in one hash slot: "
            "some of those of one collection are"
        ),
    }
