"""Our own layout: each record beside its indexed values and its entries.

A key is ``simstore-om:{namespace}:{collection}:{pk}``, the namespace percent-escaped, and its
RedisJSON document ::

    {"values": "{signature} [...]", "entries": {...}, "record": {...}}

``values`` are the indexed values, exact, as JSON within a text: by them alone it is decided which
records are asked for, without reading any. ``entries`` only narrow down whose values are looked
at (see `entries`). ``record`` is the record's document, or a text that holds its JSON if RedisJSON
would not keep it exactly (see `json_text`).

Both are good for the indexes of ``signature``. Where that is another one, the record itself is
read; `RedisOmStorage` makes them anew when a collection is first used.
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import orjson
import redis

from simstore.adapters.codec import dumps_values, json_of, loads_values
from simstore.adapters.reading import DOCUMENTS_AT_A_TIME
from simstore.adapters.redis_om.candidates import candidates_of
from simstore.adapters.redis_om.database import KEYS_AT_A_TIME
from simstore.adapters.redis_om.entries import EntryFields
from simstore.adapters.redis_om.json_text import LEVELS, kept_json
from simstore.adapters.redis_om.layout import Ask, Definition, Layout, Read, Row
from simstore.adapters.redis_om.models import IndexedField, definition_of, embedded_model
from simstore.adapters.storage import (
    Collection,
    Content,
    IndexCondition,
    Indexes,
    Put,
    Values,
)

PREFIX = "simstore-om"


class OwnLayout(Layout):
    """A namespace of a database that only we write."""

    record_path = ".record"
    is_ours_alone = True
    rows_at_a_time = KEYS_AT_A_TIME  # their indexed values are small

    def __init__(self, namespace: str = "") -> None:
        # No namespace runs into another, and no pattern of SCAN finds another's keys.
        self._root = f"{PREFIX}:{quote(namespace, safe='')}:"

    def prefix(self, collection: Collection) -> str:
        return f"{self._root}{collection.name}:"

    def patterns(self) -> Mapping[str, Callable[[str], str | None]]:
        return {f"{self._root}*": lambda key: key.removeprefix(self._root).partition(":")[0]}

    def document(self, put: Put) -> bytes:
        content = json_of(put.content)
        record = kept_json(content, LEVELS - 1)
        if record is None:
            record = orjson.dumps(content.decode())
        stored, entries = self.index_parts(put.collection.indexes, put.values)
        return b'{"values":%b,"entries":%b,"record":%b}' % (stored, entries, record)

    def index_parts(self, indexes: Indexes, values: Values | None) -> tuple[bytes, bytes]:
        """What stands under ``values`` and ``entries``, as JSON."""
        data = "" if values is None else dumps_values(values).decode()
        stored = orjson.dumps(f"{indexes.signature} {data}")
        return stored, orjson.dumps(EntryFields(indexes).entries(values))

    def content(self, text: bytes) -> Content:
        if text.startswith(b'"'):
            inner: str = orjson.loads(text)
            return inner.encode()
        return text

    def misplaced(self, text: bytes) -> Content | None:
        found = orjson.loads(text)
        # Entries without a record are what is left of one: it is gone, and doctor names them.
        if isinstance(found, dict) and ("record" in found or "entries" in found):
            return None
        return b"[%b]" % text

    def definition(self, collection: Collection, database: redis.Redis) -> Definition:
        entries = embedded_model("Entries", EntryFields(collection.indexes).fields())
        prefix = self.prefix(collection)
        return definition_of(
            {"entries": IndexedField(entries, embedded=True)},
            prefix=prefix,
            index_prefix=prefix,
            database=database,
        )

    def is_ours(self, index: str, collection: Collection) -> bool:
        return index.startswith(self.prefix(collection))

    def ask(
        self, collection: Collection, condition: IndexCondition
    ) -> tuple[frozenset[str], Ask | None] | None:
        found = candidates_of(condition, EntryFields(collection.indexes).query_of)
        if found is None:
            return None
        if not found.query:
            return found.pks, None
        # Of other definitions' entries nothing is known, so those records are looked at too.
        return found.pks, Ask((found.query, self.outdated(collection)), [])

    def outdated(self, collection: Collection) -> str:
        """A query for the records whose entries are of other indexes than the collection's."""
        return f"-@entries_signature:{{{collection.indexes.signature}}}"

    def rows(self, collection: Collection, pks: Sequence[str], read: Read) -> list[Row | None]:
        prefix = self.prefix(collection)
        stored = read([prefix + pk for pk in pks], ".values", KEYS_AT_A_TIME)
        rows: dict[str, Row | None] = {}
        unknown: list[str] = []
        for pk, text in zip(pks, stored, strict=True):
            row = None if text is None else _row(text, collection.indexes)
            if row is None:
                unknown.append(pk)
            else:
                rows[pk] = row
        if unknown:
            keys = [prefix + pk for pk in unknown]
            records = read(keys, self.record_path, DOCUMENTS_AT_A_TIME)
            for pk, text in zip(unknown, records, strict=True):
                content = None if text is None else self.content(text)
                rows[pk] = None if content is None else Row(collection.values(pk, content))
        return [rows[pk] for pk in pks]


def _row(text: bytes, indexes: Indexes) -> Row | None:
    """What `index_parts` wrote; None if it is of other indexes."""
    stored = orjson.loads(text)
    if not isinstance(stored, str):
        return None
    signature, _, data = stored.partition(" ")
    if signature != indexes.signature:
        return None
    return Row(loads_values(data.encode()) if data else None)
