"""The upkeep of our own layout: entries made anew, compared with their records, and mended."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from simstore.adapters.codec import version_of
from simstore.adapters.reading import DOCUMENTS_AT_A_TIME, chunks
from simstore.adapters.redis_connection.link import Call, script_call
from simstore.adapters.redis_om.database import Database
from simstore.adapters.redis_om.entries import EntryFields
from simstore.adapters.redis_om.indexes import SearchIndexes
from simstore.adapters.redis_om.layout import Ask
from simstore.adapters.redis_om.own_layout import OwnLayout
from simstore.adapters.redis_om.scripts import INDEX, ORPHAN
from simstore.adapters.redis_om.upkeep import Upkeep
from simstore.adapters.storage import Collection, Content, Values
from simstore.domain.errors import BackendError
from simstore.domain.maintenance import FaultKind, IndexFault

_CLOSE = 1e-12
"""How far a number of the entries may be off: RedisJSON may be, by a little."""


class _Document(NamedTuple):
    pk: str
    content: Content | None
    stored: bytes | None
    """What is under ``values``."""
    entries: dict[str, Any]


class OwnUpkeep(Upkeep):
    """The upkeep of entries that we wrote."""

    def __init__(self, database: Database, layout: OwnLayout, indexes: SearchIndexes) -> None:
        super().__init__(database, layout, indexes)
        self._own = layout
        self._adopted: set[tuple[str, str]] = set()

    def adopt(self, collection: Collection) -> None:
        key = (collection.name, collection.indexes.signature)
        if key in self._adopted:
            return
        found = self._indexes.find(collection, Ask((self._own.outdated(collection),), []))
        for some in chunks(sorted(found or ()), DOCUMENTS_AT_A_TIME):
            self._index(collection, self._documents(collection, some))
        if found is not None:
            self._adopted.add(key)

    def faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:
        wrong: set[str] = set()
        for some in chunks(sorted(self._presence.pks(collection)), DOCUMENTS_AT_A_TIME):
            documents = self._documents(collection, some)
            suspects = [d.pk for d in documents if any(self._of_document(collection, d))]
            # Read again: one may have expired half-way through.
            spoilt: list[_Document] = []
            for document in self._documents(collection, suspects):
                found = list(self._of_document(collection, document))
                if found:
                    wrong.add(document.pk)
                    spoilt.append(document)
                yield from found
            known = {document.pk for document in documents}
            yield from self._displaced(collection, [pk for pk in some if pk not in known])
            if repair:
                self._index(collection, spoilt)
                self._forget_orphans(collection, spoilt)
        left_out = [pk for pk in self._unindexed(collection) if pk not in wrong]
        for pk in left_out:
            yield IndexFault("missing", collection.name, pk, "pk")
        if repair:
            for some in chunks(left_out, DOCUMENTS_AT_A_TIME):
                self._index(collection, self._documents(collection, some))

    def _documents(self, collection: Collection, pks: Sequence[str]) -> list[_Document]:
        """Those of `pks` that are there."""
        prefix = self._own.prefix(collection)
        keys = [prefix + pk for pk in pks]
        if not keys:
            return []
        # All at one moment, so that they are of one write. The records first: what has none, but
        # entries after that, did not expire in between.
        paths = (self._own.record_path, ".values", ".entries")
        parts = self._database.read_at_once(
            [Call(keys, "JSON.MGET", (*keys, path)) for path in paths]
        )
        found: list[_Document] = []
        for pk, record, stored, text in zip(pks, *parts, strict=True):
            if record is None and text is None:
                continue
            entries = None if text is None else orjson.loads(text)
            content = None if record is None else self._own.content(record)
            found.append(
                _Document(pk, content, stored, entries if isinstance(entries, dict) else {})
            )
        return found

    def _of_document(self, collection: Collection, document: _Document) -> Iterator[IndexFault]:
        if document.content is None:
            fields = EntryFields(collection.indexes)
            names = [fields.index_of(field) for field in document.entries if field != "signature"]
            for index in dict.fromkeys(names or ["pk"]):
                yield IndexFault("orphaned", collection.name, document.pk, index)
            return
        indexes = collection.indexes
        signature = indexes.signature
        stored = document.stored and orjson.loads(document.stored)
        if isinstance(stored, str) and not stored.startswith(f"{signature} "):
            return  # they were made for other indexes, and are not relied on
        values = collection.values(document.pk, document.content)
        if values is None:
            return  # nobody can say what its entries should be
        fields = EntryFields(indexes)
        expected = fields.entries(values)
        faults: list[tuple[FaultKind, str]] = []
        for field in dict.fromkeys([*expected, *document.entries]):
            wanted, there = _members(expected.get(field)), _members(document.entries.get(field))
            index = fields.index_of(field)
            if not _within(wanted, there):
                faults.append(("missing", index))
            if not _within(there, wanted):
                faults.append(("stale", index))
        if not faults and document.stored != self._own.index_parts(indexes, values)[0]:
            faults.append(("stale" if isinstance(stored, str) else "missing", "pk"))
        for kind, index in dict.fromkeys(faults):
            yield IndexFault(kind, collection.name, document.pk, index)

    def _index(self, collection: Collection, documents: Sequence[_Document]) -> None:
        """Make the entries of some records anew, unless they are written to meanwhile."""
        prefix = self._own.prefix(collection)
        calls: list[Call] = []
        for document in documents:
            if document.content is not None:
                values: Values | None = collection.values(document.pk, document.content)
                parts = self._own.index_parts(collection.indexes, values)
                version = version_of(document.content)
                words = (self._own.record_path, version, *parts)
                calls.append(script_call(INDEX, [prefix + document.pk], *words))
        self._apply(calls)

    def _forget_orphans(self, collection: Collection, documents: Sequence[_Document]) -> None:
        prefix = self._own.prefix(collection)
        self._apply(
            [
                script_call(ORPHAN, [prefix + document.pk], self._own.record_path)
                for document in documents
                if document.content is None
            ]
        )

    def _apply(self, calls: Sequence[Call]) -> None:
        for reply in self._database.write(calls) if calls else ():
            if isinstance(reply, BackendError):
                raise reply


def _members(entry: Any) -> list[Any]:
    if entry is None:
        return []
    return entry if isinstance(entry, list) else [entry]


def _within(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each of `some` is one of `others`, or a number near it."""
    known = set(map(str, others))
    return all(
        str(member) in known
        or (
            isinstance(member, int | float)
            and any(
                isinstance(other, int | float) and math.isclose(member, other, rel_tol=_CLOSE)
                for other in others
            )
        )
        for member in some
    )
