"""The storage interface on RedisJSON and the query engine."""

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, TypeGuard

from simstore.adapters.codec import version_of, with_undeclared
from simstore.adapters.reading import chunks
from simstore.adapters.redis_connection.errors import translated
from simstore.adapters.redis_connection.inspection import inspect_server
from simstore.adapters.redis_connection.link import Link
from simstore.adapters.redis_om.attributes import precision_of
from simstore.adapters.redis_om.database import Database
from simstore.adapters.redis_om.exact import asks_for_values, test_of
from simstore.adapters.redis_om.indexes import SearchIndexes
from simstore.adapters.redis_om.layout import Layout, Row
from simstore.adapters.redis_om.own_layout import OwnLayout
from simstore.adapters.redis_om.own_upkeep import OwnUpkeep
from simstore.adapters.redis_om.presence import Presence
from simstore.adapters.redis_om.sotopia_layout import SotopiaLayout
from simstore.adapters.redis_om.upkeep import Upkeep
from simstore.adapters.redis_om.writing import batches, commit_call
from simstore.adapters.storage import (
    EVERYTHING,
    Collection,
    Content,
    Delete,
    Expected,
    IndexCondition,
    Operation,
    Page,
    PartlyWritten,
    Precision,
    Put,
    Storage,
    Unexpected,
    Values,
)
from simstore.domain.errors import BackendError
from simstore.domain.maintenance import IndexFault, Inspection
from simstore.domain.store import Capability


class RedisOmStorage(Storage):
    """The records of one layout in a database.

    The query engine only narrows down which records are looked at. Whether a record is asked
    for is told from its indexed values, so every answer is exact.
    """

    lacks: ClassVar[Mapping[Capability, str]] = {
        Capability.ATOMIC_SAVE_MANY: (
            "records are written some at a time, so that the server can do other work in between"
        ),
    }

    def __init__(self, link: Link, layout: Layout) -> None:
        self._link = link
        self._layout = layout
        self._database = Database(link)
        self._presence = Presence(self._database, layout)
        self._indexes = SearchIndexes(self._database, layout)
        self._upkeep = Upkeep(self._database, layout, self._indexes)

    def admit(self, collection: Collection) -> None:
        self._layout.admit(collection)

    # Writing

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        [reply] = self._database.write([commit_call(self._layout, operations)])
        if isinstance(reply, BackendError):
            raise reply
        status, answer = reply
        if status == b"unexpected":
            raise Unexpected(operations[answer - 1])
        return [digit == ord("1") for digit in answer]

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        prepared = list(batches(self._layout, operations))  # all, before anything is written
        found: list[bool | None] = []
        done: list[Operation] = []
        for batch in prepared:
            try:
                replies = self._database.write([call for _, call in batch])
            except BackendError as error:
                raise PartlyWritten(done) from error
            failed: BackendError | None = None
            for (operation, _), reply in zip(batch, replies, strict=True):
                if isinstance(reply, BackendError):
                    failed = failed or reply
                    continue
                status, answer = reply
                found.append(None if status == b"unexpected" else answer == b"1")
                if status == b"written":
                    done.append(operation)
            if failed is not None:
                raise PartlyWritten(done) from failed
        return found

    # Reading

    def fetch(self, collection: Collection, pks: Sequence[str]) -> list[Content | None]:
        return self._presence.fetch(collection, pks)

    def search(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        limit: int | None,
    ) -> list[str]:
        pks: list[str] = []
        if limit == 0:
            return pks
        for rows in self._rows(collection, condition, after):
            pks += [pk for pk, _ in rows]
            if limit is not None and len(pks) >= limit:
                break
        return pks[:limit]

    def pages(
        self,
        collection: Collection,
        condition: IndexCondition,
        *,
        after: str | None,
        size: int,
    ) -> Iterator[Page]:
        """All that `search` finds, at most `size` pks at a time, by one search."""
        for rows in self._rows(collection, condition, after):
            yield from (Page([pk for pk, _ in some]) for some in chunks(rows, size))

    def count(self, collection: Collection, condition: IndexCondition) -> int:
        return sum(len(rows) for rows in self._rows(collection, condition, None))

    def project(
        self, collection: Collection, condition: IndexCondition
    ) -> list[tuple[str, Values | None]]:
        return [
            (pk, row.values)
            for rows in self._rows(collection, condition, None, values=True)
            for pk, row in rows
            if row is not None
        ]

    def collections(self) -> list[str]:
        names: set[str] = set()
        for pattern, name_of in self._layout.patterns().items():
            for key in self._database.documents(pattern):
                name = name_of(key)
                if name is not None:
                    names.add(name)
        return sorted(names)

    def index_faults(self, collection: Collection, *, repair: bool) -> Iterator[IndexFault]:
        return self._upkeep.faults(collection, repair=repair)

    def inspect(self) -> Inspection:
        with translated(self._link.shown):
            return inspect_server(self._database.client)

    def close(self) -> None:
        self._link.close()

    def _rows(
        self,
        collection: Collection,
        condition: IndexCondition,
        after: str | None,
        *,
        values: bool = False,
    ) -> Iterator[list[tuple[str, Row | None]]]:
        """The records that fulfil `condition`, by pk, some at a time; with their rows if read."""
        pks, are_there = self._candidates(collection, condition)
        ordered = sorted(pk for pk in pks if after is None or pk > after)
        test = test_of(collection.indexes, condition)
        if not values and not asks_for_values(condition):
            chosen = [pk for pk in ordered if test(pk, None)]
            if not are_there:
                there = self._presence.are_there(collection, chosen)
                chosen = [pk for pk, is_there in zip(chosen, there, strict=True) if is_there]
            yield [(pk, None) for pk in chosen]
            return
        for some in chunks(ordered, self._layout.rows_at_a_time):
            rows = self._rows_of(collection, some)
            yield [(pk, row) for pk, row in rows.items() if test(pk, row.values)]

    def _rows_of(self, collection: Collection, pks: Sequence[str]) -> dict[str, Row]:
        """The rows of those of `pks` that are there, by pk; something else is unreadable."""
        found = self._layout.rows(collection, pks, self._database.json)
        rows = dict(zip(pks, found, strict=True))
        missing = [pk for pk, row in rows.items() if row is None]
        for pk, instead in zip(missing, self._presence.instead(collection, missing), strict=True):
            rows[pk] = None if instead is None else Row(None)
        return {pk: row for pk, row in rows.items() if row is not None}

    def _candidates(
        self, collection: Collection, condition: IndexCondition
    ) -> tuple[set[str], bool]:
        """The pks that may fulfil `condition`, and whether all are known to be there."""
        asked = None if condition == EVERYTHING else self._layout.ask(collection, condition)
        if asked is not None:
            pks, ask = asked
            if ask is None:
                return set(pks), False
            self._upkeep.adopt(collection)
            found = self._indexes.find(collection, ask)
            if found is not None:
                return found | pks, False
        return set(self._presence.pks(collection)), True


class OwnStorage(RedisOmStorage):
    """A namespace of a database, in the layout of our own."""

    def __init__(self, link: Link, namespace: str = "") -> None:
        layout = OwnLayout(namespace)
        super().__init__(link, layout)
        self._upkeep = OwnUpkeep(self._database, layout, self._indexes)


class SotopiaStorage(RedisOmStorage):
    """A database of Sotopia's, or another of redis-om's."""

    def __init__(self, link: Link) -> None:
        super().__init__(link, SotopiaLayout())

    # What is written over a version that was read keeps its other fields: those that its model
    # does not know, but another version of the class may.

    def commit(self, operations: Sequence[Operation]) -> list[bool]:
        complete = self._with_other_fields(operations)
        for position, put in complete.items():
            if put is None:
                raise Unexpected(operations[position])
        return super().commit(
            [complete.get(position) or each for position, each in enumerate(operations)]
        )

    def write(self, operations: Sequence[Put | Delete]) -> list[bool | None]:
        complete = self._with_other_fields(operations)
        left = [complete.get(position, each) for position, each in enumerate(operations)]
        found = iter(super().write([each for each in left if each is not None]))
        return [None if each is None else next(found) for each in left]

    def _with_other_fields(self, operations: Sequence[Operation]) -> dict[int, Put | None]:
        """By position, those that are written over a version, complete; None if it is not there."""
        puts: dict[Collection, dict[int, Put]] = {}
        for position, operation in enumerate(operations):
            if _is_over_a_version(operation):
                puts.setdefault(operation.collection, {})[position] = operation
        complete: dict[int, Put | None] = {}
        for collection, some in puts.items():
            contents = self.fetch(collection, [put.pk for put in some.values()])
            for (position, put), stored in zip(some.items(), contents, strict=True):
                if stored is None or version_of(stored) != put.expected:
                    complete[position] = None
                else:
                    model = collection.schema.model
                    content = with_undeclared(model, put.content, stored)
                    complete[position] = put._replace(content=content)
        return complete

    @staticmethod
    def precision(condition: IndexCondition) -> Precision:
        return precision_of(condition)


def _is_over_a_version(operation: Operation) -> TypeGuard[Put]:
    """Whether it replaces a version that was read, by a model that may not know all its fields."""
    if not isinstance(operation, Put) or isinstance(operation.expected, Expected):
        return False
    # One that takes any field knows them all, and what it lacks was removed.
    return operation.collection.schema.model.model_config.get("extra") != "allow"
