"""The port of a repository: what simulation code and services see of one model's records."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol, TypeVar, overload

from pydantic import BaseModel

from simstore.domain.maintenance import IndexFault
from simstore.domain.query import Condition

T = TypeVar("T", bound=BaseModel)
M = TypeVar("M", bound=BaseModel)

Ttl = float | timedelta | None
"""How long a record lives, in seconds or as a timedelta; None: forever, or as long as the
record's own ``expire_time`` says."""

OrderBy = str | Sequence[str] | None
"""``"age"`` or ``"-age"``, descending; or several of them, the later ones for what is equal by the
earlier; None: by pk."""

DEFAULT_BATCH_SIZE = 100
"""How many records `Repository.iterate` holds at a time."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a condition is answered.

    `index` is the part that an index answers, `scan` the part for which records are read and
    tested; either is empty where there is none. Records that come back are always tested
    against the whole condition.
    """

    collection: str
    index: str
    scan: str
    reads_all: bool
    """True if every record of the collection is read to find the ones asked for."""

    def __str__(self) -> str:
        lines = [f"{self.collection}:"]
        if self.index:
            lines.append(f"  by index: {self.index}")
        if self.scan:
            amount = "every record" if self.reads_all else "what the index finds"
            lines.append(f"  by reading {amount}: {self.scan}")
        if len(lines) == 1:
            lines.append("  every record, unfiltered")
        return "\n".join(lines)


class Repository(Protocol[T]):
    """The records of one model. Every backend gives the same answers to the same calls.

    Conditions are positional (``field("age") >= 18``) or keywords for equality
    (``tag="pilot"``); all of them must hold. An object that was saved or returned shares
    nothing with what is stored.

    Every call may raise `BackendError` (also for an outage: it never looks like a missing
    record), `StoreClosedError`, `CorruptRecordError` for a document that cannot be read,
    `InvalidPkError` and, where it takes conditions, `QueryError`.
    """

    @property
    def model(self) -> type[T]:
        """The model whose records these are."""
        ...

    @property
    def collection(self) -> str:
        """The name under which the backend keeps them."""
        ...

    def check(self, item: T) -> None:
        """Raise what `save` would raise of `item` itself; nothing is read or written.

        Raises:
            InvalidRecordError: `item` would not come back as it is.
            WrongModelError: `item` is not of this repository's model.
        """
        ...

    def save(self, item: T, *, ttl: Ttl = None, if_version: str | None = None) -> T:
        """Insert `item`, or replace the record of its pk; return `item`.

        `ttl` lets the record expire; without one it lives forever, also if the one it
        replaces had a ttl. `if_version`, from `get_versioned`, makes the write depend on
        nobody having written since.

        Raises:
            ConflictError: the stored record is not of `if_version`.
            InvalidRecordError: `item` would not come back as it is.
            WrongModelError: `item` is not of this repository's model.
        """
        ...

    def save_many(self, items: Iterable[T], *, ttl: Ttl = None) -> list[str]:
        """Save all `items`, the last one where two share a pk; return their pks.

        All items are checked before the first is written.

        Raises:
            SaveManyError: the backend failed part of the way; it says what was not stored.
            InvalidRecordError: an item cannot be stored; nothing was.
        """
        ...

    def add(self, item: T, *, ttl: Ttl = None) -> T:
        """Insert `item`; return it.

        Raises:
            DuplicateError: its pk is taken.
        """
        ...

    def get(self, pk: str) -> T:
        """The record of `pk`.

        Raises:
            NotFoundError: there is none.
        """
        ...

    def get_versioned(self, pk: str) -> tuple[T, str]:
        """The record of `pk` and its version, an opaque str for `save`'s `if_version`."""
        ...

    def get_many(
        self, pks: Iterable[str], *, missing: Literal["raise", "skip"] = "raise"
    ) -> list[T]:
        """The records of `pks`, in the order asked for, duplicates included.

        Raises:
            NotFoundError: names every pk that is missing, unless they are to be skipped.
        """
        ...

    def find(
        self,
        *where: Condition,
        order_by: OrderBy = None,
        limit: int | None = None,
        offset: int = 0,
        after: str | None = None,
        **equals: Any,
    ) -> list[T]:
        """The records that fulfil the conditions, all of them without any.

        The order is by pk, or by the fields `order_by` (``"-age"``: descending), equal ones by
        pk and None last; in a field of several kinds, texts come before numbers before bools.
        `after` starts behind that pk, in the order of pks: the cheap way to
        page. `offset` skips that many, `limit` ends the list.
        """
        ...

    def iterate(
        self, *where: Condition, batch_size: int = DEFAULT_BATCH_SIZE, **equals: Any
    ) -> Iterator[T]:
        """As `find`, by pk, holding `batch_size` records at a time.

        A record that stays stored throughout comes exactly once, whatever else is written
        meanwhile.
        """
        ...

    def first(self, *where: Condition, order_by: OrderBy = None, **equals: Any) -> T | None:
        """The first record that `find` would return, or None."""
        ...

    def one(self, *where: Condition, **equals: Any) -> T:
        """The only record that fulfils the conditions.

        Raises:
            NotFoundError: there is none.
            MultipleFoundError: there are several.
        """
        ...

    def count(self, *where: Condition, **equals: Any) -> int:
        """How many records fulfil the conditions."""
        ...

    def exists(self, *where: Condition, **equals: Any) -> bool:
        """Whether any record fulfils the conditions: ``exists(pk=pk)``."""
        ...

    def pks(
        self,
        *where: Condition,
        limit: int | None = None,
        after: str | None = None,
        **equals: Any,
    ) -> list[str]:
        """The primary keys of the records that fulfil the conditions, in order.

        No document is read where an index answers the conditions.
        """
        ...

    def project(
        self, fields: Sequence[str], *where: Condition, **equals: Any
    ) -> list[dict[str, Any]]:
        """Some `fields` of each record that fulfils the conditions, by pk.

        Each dict has the `fields` as its keys and the values that the record would have.
        Where all of them are indexed (or the pk), no document is read.
        """
        ...

    def update(self, pk: str, change: Callable[[T], T | None], *, ttl: Ttl = None) -> T:
        """Read the record of `pk`, apply `change`, and write it if nobody else did; else again.

        `change` alters the record in place or returns a new one, with the same pk. It may be
        called several times. `ttl` lets the record expire; without one a remaining time to live is
        kept, and a record with an ``expire_time`` of its own gets it anew. Fields beside those that
        the model declares, which a newer version of it may have stored, are kept, too.

        Returns the record as stored.

        Raises:
            NotFoundError: there is no such record.
            ConflictError: others were faster, many times over.
        """
        ...

    def update_many(
        self, change: Callable[[T], T | None], /, *where: Condition, **equals: Any
    ) -> int:
        """Apply `change` to the records that fulfil the conditions, all of them without any.

        They are read by pk, in batches of a hundred, changed as `update` changes one, and each is
        written if nobody else wrote to it since; else it is read and changed again, or passed over
        if it is gone or does not fulfil the conditions any more. None is changed twice, whatever
        it fulfils afterwards.

        It is not all or nothing. An error of `change`, or a record that cannot be stored, ends the
        call: the batches before stay changed, and of its own none is, unless that was being
        repeated for those that others wrote to.

        Returns how many were changed.

        Raises:
            BackendError: the backend failed; it says how many are known to be changed, if any are.
            ConflictError: others were faster, many times over.
            InvalidRecordError: a changed record cannot be stored, or has another pk.
            WrongModelError: `change` returned something else than a record of this model.
        """
        ...

    def delete(self, pk: str) -> None:
        """Delete the record of `pk`.

        Raises:
            NotFoundError: there is none.
        """
        ...

    @overload
    def delete_many(self, pks: Iterable[str], /) -> int: ...

    @overload
    def delete_many(self, *where: Condition, **equals: Any) -> int: ...

    def delete_many(self, *where: Any, **equals: Any) -> int:
        """Delete the records of some pks, or those that fulfil conditions; return how many.

        A record that stops fulfilling them before it is deleted stays. Without pks and
        conditions it refuses, rather than delete everything.
        """
        ...

    def index_faults(self, *, repair: bool = False) -> Iterator[IndexFault]:
        """Compare every index entry with the records, and mend what is wrong if `repair`.

        Faults come as they are found, few at a time. There are none unless somebody wrote past
        this library, or the server threw records away.
        """
        ...

    def explain(self, *where: Condition, **equals: Any) -> Explanation:
        """Which part of the conditions an index answers, and for which part records are read."""
        ...


class TransactionRepository(Protocol[T]):
    """What a transaction offers of a repository. Reads see the transaction's own writes."""

    def save(self, item: T, *, ttl: Ttl = None) -> T:
        """As `Repository.save`, at the end of the transaction."""
        ...

    def add(self, item: T, *, ttl: Ttl = None) -> T:
        """As `Repository.add`, at the end of the transaction."""
        ...

    def get(self, pk: str) -> T:
        """As `Repository.get`; the transaction fails if the record changes before it ends."""
        ...

    def delete(self, pk: str) -> None:
        """As `Repository.delete`, at the end of the transaction."""
        ...
