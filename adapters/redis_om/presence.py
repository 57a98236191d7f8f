"""What is at the keys of records: a record, nothing, or something that has taken its place.

What has taken a record's place is damage, and never looks like no record: such a pk is listed and
counted like that of a record that cannot be read, and reading it is an error.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from simstore.adapters.redis_om.database import JSON_TYPE, Database, prefix_pattern
from simstore.adapters.redis_om.layout import Layout
from simstore.adapters.storage import Collection, Content
from simstore.domain.errors import BackendError


class Instead(NamedTuple):
    """What is at a key instead of a record."""

    kind: str
    """What TYPE says of it."""
    content: Content | None
    """Of a RedisJSON document: a content that cannot be read, and so says what is wrong."""


class Presence:
    """What is at the keys of one layout in a database."""

    def __init__(self, database: Database, layout: Layout) -> None:
        self._database = database
        self._layout = layout

    def pks(self, collection: Collection) -> Iterator[str]:
        """The pks of a collection under whose keys there is something, each once."""
        prefix = self._layout.prefix(collection)
        for key in self._database.keys(prefix_pattern(prefix)):
            pk = key.removeprefix(prefix)
            if not self._layout.is_reserved(pk) or self.are_there(collection, [pk]) == [True]:
                yield pk

    def are_there(self, collection: Collection, pks: Sequence[str]) -> list[bool]:
        """Whether there is something at the key of each of `pks` that is, or was, a record."""
        keys = self._keys(collection, pks)
        if keys:
            self._database.check_modules(keys[0])
        kinds = self._database.types(keys)
        return [
            kind == JSON_TYPE or (kind != "none" and not self._layout.is_reserved(pk))
            for pk, kind in zip(pks, kinds, strict=True)
        ]

    def instead(self, collection: Collection, pks: Sequence[str]) -> list[Instead | None]:
        """What is at the keys of `pks`, which had no record; None where there is nothing.

        A record that was written meanwhile is nothing instead of one.
        """
        kinds = dict(zip(pks, self._database.types(self._keys(collection, pks)), strict=True))
        documents = [pk for pk, kind in kinds.items() if kind == JSON_TYPE]
        texts = self._database.json(self._keys(collection, documents), ".")
        contents: dict[str, Content | None] = {
            pk: None if text is None else self._layout.misplaced(text)
            for pk, text in zip(documents, texts, strict=True)
        }
        return [
            None
            if kinds[pk] == "none" or (kinds[pk] == JSON_TYPE and contents[pk] is None)
            else Instead(kinds[pk], contents.get(pk))
            for pk in pks
        ]

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        """The contents of `pks`, None for each that is missing.

        Raises:
            BackendError: a key holds no RedisJSON document, but something.
        """
        texts = self._database.json(self._keys(collection, pks), self._layout.record_path)
        found = {
            pk: None if text is None else self._layout.content(text)
            for pk, text in zip(pks, texts, strict=True)
        }
        missing = [pk for pk, content in found.items() if content is None]
        for pk, instead in zip(missing, self.instead(collection, missing), strict=True):
            if instead is None:
                continue
            if instead.content is None:
                [key] = self._keys(collection, [pk])
                raise BackendError(
                    f"{self._database.link.shown}: the key {key!r} of a record holds a "
                    f"{instead.kind}, which somebody else put there"
                    f"{'; deleting the record removes it' if self._layout.is_ours_alone else ''}"
                )
            found[pk] = instead.content
        return [found[pk] for pk in pks]

    def _keys(self, collection: Collection, pks: Sequence[str]) -> list[str]:
        prefix = self._layout.prefix(collection)
        return [prefix + pk for pk in pks]
