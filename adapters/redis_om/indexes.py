"""The indexes of the query engine: made when first used, and trusted only when they are whole."""

import re
import time
from collections.abc import Sequence
from typing import Any

from simstore.adapters.reading import DOCUMENTS_AT_A_TIME, chunks
from simstore.adapters.redis_connection.link import Call
from simstore.adapters.redis_om.database import (
    JSON_TYPE,
    Database,
    is_no_index,
    prefix_pattern,
)
from simstore.adapters.redis_om.layout import Ask, Definition, Layout
from simstore.adapters.storage import Collection
from simstore.domain.errors import BackendError

BUILD_SECONDS = 30.0
"""How long the first query waits for an index to be built; later ones read every record."""

MOST_FOUND = 1_000_000
"""How many keys one query may return, as servers are set by default."""

_LIMIT = re.compile(r"LIMIT exceeds maximum of ([1-9][0-9]*)")
"""What a server says that is set otherwise."""

ALL = Ask(("*",), [])


class SearchIndexes:
    """The indexes of one database, as one layout has them."""

    def __init__(self, database: Database, layout: Layout) -> None:
        self._database = database
        self._layout = layout
        self._most = MOST_FOUND
        self._made: dict[Collection, Definition] = {}

    def find(self, collection: Collection, ask: Ask) -> set[str] | None:
        """The pks that queries find, and those of the records that are in no index.

        None if that cannot be told: the index is being built, or finds too many.
        """
        found = self._answer(collection, ask)
        if found is None:
            return None
        pks, failures = found
        return pks | self.unindexed(collection) if failures else pks

    def unindexed(self, collection: Collection) -> set[str]:
        """The pks of the records that the index does not have; all, while it is being built.

        The query engine leaves a document out if one of its fields is not of the type that the
        index gives it.
        """
        # In this order: a record that is written in between is in both.
        prefix = self._layout.prefix(collection)
        keys = {
            key.removeprefix(prefix) for key in self._database.documents(prefix_pattern(prefix))
        }
        found = self._answer(collection, ALL)
        return keys if found is None else keys - found[0]

    def left_out(self, collection: Collection, pks: Sequence[str]) -> list[str]:
        """Those of `pks` that are documents, and at the same moment in no index; sorted.

        None are while the index is being built.
        """
        prefix = self._layout.prefix(collection)
        name = self._definition(collection).name
        found: list[str] = []
        for some in chunks(sorted(pks), DOCUMENTS_AT_A_TIME):
            keys = [prefix + pk for pk in some]
            limits = ("NOCONTENT", "LIMIT", 0, len(keys), "TIMEOUT", 0, "INKEYS", len(keys))
            calls = [
                Call([], "FT.INFO", (name,)),
                Call([], "FT.SEARCH", (name, "*", *limits, *keys)),
                *(Call([key], "TYPE", (key,)) for key in keys),
            ]
            try:
                info, (_, *indexed), *kinds = self._database.read_at_once(calls)
            except BackendError as error:
                if is_no_index(error):
                    return found  # somebody dropped it; the next query makes it again
                raise
            if not _is_built(_pairs(info)):
                return found
            known = _pks(prefix, indexed)
            found += [
                pk
                for pk, kind in zip(some, kinds, strict=True)
                if kind == JSON_TYPE.encode() and pk not in known
            ]
        return found

    def _answer(self, collection: Collection, ask: Ask) -> tuple[set[str], int] | None:
        """The pks that queries find, and how many documents the index could not take so far."""
        definition = self._definition(collection)
        for _ in range(3):
            try:
                return self._search(self._layout.prefix(collection), definition, ask)
            except BackendError as error:
                if is_no_index(error):
                    self._create(definition)
                elif (limit := _LIMIT.search(str(error))) is not None:
                    self._most = int(limit[1])
                else:
                    raise
        return None

    def _search(self, prefix: str, index: Definition, ask: Ask) -> tuple[set[str], int] | None:
        # TIMEOUT 0 is none. With one, the query engine returns what it has found so far.
        limits = ("NOCONTENT", "LIMIT", 0, self._most, "TIMEOUT", 0, "DIALECT", 2)
        calls = [
            Call([], "FT.INFO", (index.name,)),
            *(Call([], "FT.SEARCH", (index.name, text, *limits, *ask.words)) for text in ask.texts),
        ]
        # At one moment: a record that is written in between could be in none of the answers.
        read = self._database.read if len(ask.texts) == 1 else self._database.read_at_once
        info, *replies = read(calls)
        state = _pairs(info)
        if not _is_built(state):
            return None
        pks: set[str] = set()
        for number, *keys in replies:
            if number > len(keys) >= self._most:
                return None
            pks |= _pks(prefix, keys)
        return pks, int(state.get(b"hash_indexing_failures", 0))

    def _definition(self, collection: Collection) -> Definition:
        definition = self._made.get(collection)
        if definition is None:
            definition = self._layout.definition(collection, self._database.client)
            self._drop_others(collection, definition.name)
            self._create(definition)
            self._made[collection] = definition
        return definition

    def _create(self, definition: Definition) -> None:
        name = definition.name
        [reply] = self._database.write([Call([], "FT.CREATE", (name, *definition.words))])
        if isinstance(reply, BackendError):
            if "already exists" in str(reply).lower():
                return
            raise reply
        deadline = time.monotonic() + BUILD_SECONDS
        pause = 0.001
        while time.monotonic() < deadline:
            try:
                [info] = self._database.read([Call([], "FT.INFO", (name,))])
            except BackendError as error:
                if is_no_index(error):
                    return  # somebody dropped it; the next query makes it again
                raise
            if _is_built(_pairs(info)):
                return
            time.sleep(pause)
            pause = min(pause * 2, 0.1)

    def _drop_others(self, collection: Collection, kept: str) -> None:
        """Drop the indexes that we made for other definitions of a collection.

        A program that still has such a definition makes its index anew, when it misses it.
        """
        [names] = self._database.read([Call([], "FT._LIST", ())])
        others = [index.decode() for index in names]
        self.drop([i for i in others if self._layout.is_ours(i, collection) and i != kept])

    def drop(self, names: Sequence[str]) -> None:
        """Drop indexes, but not what they index."""
        self._database.write([Call([], "FT.DROPINDEX", (name,)) for name in names])


def _pks(prefix: str, keys: Sequence[bytes]) -> set[str]:
    start = len(prefix.encode())
    pks: set[str] = set()
    for key in keys:
        try:
            pks.add(key[start:].decode())
        except UnicodeDecodeError:
            continue  # as in `Database.keys`
    return pks


def _is_built(state: dict[bytes, Any]) -> bool:
    return int(state.get(b"indexing", 0)) == 0 and float(state.get(b"percent_indexed", 1)) >= 1


def _pairs(words: Sequence[Any]) -> dict[bytes, Any]:
    """FT.INFO's answer: names and values, one after the other."""
    return dict(zip(words[::2], words[1::2], strict=False))
