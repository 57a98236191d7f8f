"""Index entries held against the records that they were made of, and mended.

Others may write meanwhile: each record is compared by a script, and only if it is still what
was read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from simstore.adapters.redis_connection.link import Link, command, script_call
from simstore.adapters.redis_pipeline.indexing import RECORDS_AT_A_TIME, Indexer
from simstore.adapters.redis_pipeline.layout import Layout, document_key, indexes_base
from simstore.adapters.redis_pipeline.scripts import CHECK, ORPHANS
from simstore.adapters.storage import Collection
from simstore.domain.maintenance import IndexFault

ENTRIES_AT_A_TIME = 500
"""How many entries of an index one script looks at."""

KEYS_AT_A_TIME = 1_000
"""How many keys the server looks at for each step of a SCAN."""


class Checker:
    """Checks the indexes of one collection."""

    def __init__(
        self, link: Link, layout: Layout, indexer: Indexer, collection: Collection, *, repair: bool
    ) -> None:
        self._link = link
        self._layout = layout
        self._indexer = indexer
        self._collection = collection
        self._mode = "repair" if repair else "look"

    def faults(self) -> Iterator[IndexFault]:
        """Every fault, each mended when it is found if that was asked for."""
        bases = self._layout.bases(self._collection.name)
        if self._mode == "repair":  # what other definitions have left there, they make anew
            self._indexer.adopt(self._collection, bases, most=1)
        self._indexer.index_listed(self._collection, bases)
        for base in bases:
            for listed in self._listed(base):
                pks = [pk for each in listed if (pk := _text(each)) is not None]
                yield from self._check(base, pks)
                for junk in (each for each in listed if _text(each) is None):
                    yield from self._junk(base, junk)
            for pks in self._left_over(base):
                yield from self._check(base, pks)
        for base, pks in self._unlisted():
            yield from self._check(base, pks)
        for base in bases:
            for exact, words in self._collection.indexes.names:
                for name in (exact, words):
                    if name is not None:
                        yield from self._orphans(base, name)

    def _listed(self, base: str) -> Iterator[list[bytes]]:
        """What is listed in a bucket as the pk of a record."""
        after = "-"
        while True:
            listed = command(
                "ZRANGEBYLEX", f"{base}:pks", after, "+", "LIMIT", 0, RECORDS_AT_A_TIME
            )
            [found] = self._link.read([listed])
            if not found:
                return
            after = b"(" + found[-1]
            yield found

    def _junk(self, base: str, junk: bytes) -> Iterator[IndexFault]:
        """What no record can have as its pk."""
        yield self._fault(b"orphaned", junk, b"pk")
        if self._mode == "repair":
            self._link.read([command("ZREM", f"{base}:pks", junk)])

    def _left_over(self, base: str) -> Iterator[list[str]]:
        """The pks that a bucket has entries of, but no record and no place in its list."""
        entries = f"{indexes_base(base, self._collection)}:entries"
        cursor: bytes = b"0"
        while True:
            scan = command("HSCAN", entries, cursor, "COUNT", RECORDS_AT_A_TIME)
            [(cursor, fields)] = self._link.read([scan])
            unlisted = self._not_listed(base, fields[::2])
            keys = [command("EXISTS", document_key(base, pk)) for pk in unlisted]
            there = self._link.read(keys) if keys else []
            gone = [pk for pk, found in zip(unlisted, there, strict=True) if not found]
            if gone:
                yield gone
            if cursor == b"0":
                return

    def _unlisted(self) -> Iterator[tuple[str, list[str]]]:
        """Records that are in no list, by the base of their bucket; found among all keys."""
        pattern, bases = self._layout.documents(self._collection.name)
        seen: set[str] = set()  # SCAN may come to a key twice
        for client in self._link.clients():
            for keys in self._link.scan(client, pattern, KEYS_AT_A_TIME):
                by_base: dict[str, list[bytes]] = {}
                for key in keys:
                    owner, _, pk = key.partition(b":docs:")
                    by_base.setdefault(owner.decode(), []).append(pk)
                for base, some in by_base.items():
                    found = self._not_listed(base, some) if base in bases else []
                    unlisted = [pk for pk in found if pk not in seen]
                    seen.update(unlisted)
                    if unlisted:
                        yield base, unlisted

    def _not_listed(self, base: str, pks: Sequence[bytes]) -> list[str]:
        if not pks:
            return []
        [scores] = self._link.read([command("ZMSCORE", f"{base}:pks", *pks)])
        unlisted = [_text(pk) for pk, score in zip(pks, scores, strict=True) if score is None]
        return [pk for pk in unlisted if pk is not None]

    def _check(self, base: str, pks: list[str]) -> Iterator[IndexFault]:
        arguments = self._indexer.read(self._collection, base, pks)
        reply = self._ask(CHECK, base, *arguments)
        for at in range(0, len(reply), 3):
            yield self._fault(*reply[at : at + 3])

    def _orphans(self, base: str, name: str) -> Iterator[IndexFault]:
        after = b""
        while True:
            after, *reply = self._ask(ORPHANS, base, name, after, ENTRIES_AT_A_TIME)
            for kind, pk in dict.fromkeys(zip(reply[::2], reply[1::2], strict=True)):
                yield self._fault(kind, pk, name.encode())
            if not after:
                return

    def _ask(self, script: Any, base: str, *arguments: Any) -> list[bytes]:
        signature = self._collection.indexes.signature
        while True:
            call = script_call(script, [base], signature, self._mode, *arguments)
            [[status, *reply]] = self._link.read([call])
            if status == b"checked":
                found: list[bytes] = reply
                return found
            # There are no indexes of this definition yet.
            self._indexer.adopt(self._collection, [base])
            self._indexer.index_listed(self._collection, [base])

    def _fault(self, kind: bytes, pk: bytes, index: bytes) -> IndexFault:
        shown = pk.decode(errors="backslashreplace")
        return IndexFault(kind.decode(), self._collection.name, shown, index.decode())  # type: ignore[arg-type]  # the scripts' kinds are its own


def _text(pk: bytes) -> str | None:
    """A pk as text; None if it is none, and so no pk."""
    try:
        return pk.decode()
    except UnicodeDecodeError:
        return None
