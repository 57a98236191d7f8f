"""Backends that are broken on purpose: the memory backend, with one thing wrong."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

import simstore
from simstore.domain.broker import MessageBroker
from simstore.domain.maintenance import FaultKind, IndexFault, Inspection
from simstore.domain.query import And, Comparison, Condition, Not, Operator, Or
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store, Transaction
from simstore.testing import OpenStore
from tests.contract.broken_storages import WritesForEver, WritesOverAnything, store_on

QUERIES = ("find", "first", "one", "count", "exists", "pks", "iterate", "project", "delete_many",
           "update_many")  # fmt: skip

FAULTS = "\x00faults"
"""Where a repository's memory has the faults that were made up; no pk is like that."""

MANY = 256
"""From so many records on, some of them do something else."""

FULL_URL = "broken://me:s3cret@host"


class Sound:
    """A repository that passes every call on: what is broken below overrides some of them."""

    def __init__(self, inner: Any, memory: dict[Any, Any]) -> None:
        self.inner = inner
        self.memory = memory
        """Shared by all stores of one database."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def index_faults(self, *, repair: bool = False) -> Any:
        """Those that `spoil_index` made up: memory has none of its own."""
        faults = self.memory.pop(FAULTS, []) if repair else self.memory.get(FAULTS, [])
        return iter(faults)


class SeesNoFault(Sound):
    """Its check finds nothing, whatever is wrong."""

    def index_faults(self, *, repair: bool = False) -> Any:
        return iter(())


class SeesFaultsThatAreNone(Sound):
    """A record that was replaced seems wrong to its check."""

    def save(self, item: Any, **others: Any) -> Any:
        self.memory[item.pk] = self.inner.exists(pk=item.pk)
        return self.inner.save(item, **others)

    def index_faults(self, *, repair: bool = False) -> Any:
        for pk, replaced in self.memory.items():
            if replaced:
                yield IndexFault("stale", self.inner.collection, pk, "tag")


class MendsNothing(Sound):
    """It names the faults, but they stay."""

    def index_faults(self, *, repair: bool = False) -> Any:
        return super().index_faults()


class MendsUnasked(Sound):
    """A check is a repair."""

    def index_faults(self, *, repair: bool = False) -> Any:
        return super().index_faults(repair=True)


class MendsTheFirst(Sound):
    """It names all faults, and mends one."""

    def index_faults(self, *, repair: bool = False) -> Any:
        faults = list(super().index_faults())
        if repair and faults:
            self.memory[FAULTS] = faults[1:]
        return iter(faults)


class MendsByTouching(Sound):
    """A repair writes the records of which it mends the index, and they live for ever."""

    def index_faults(self, *, repair: bool = False) -> Any:
        faults = list(super().index_faults(repair=repair))
        if repair:
            for fault in faults:
                if self.inner.exists(pk=fault.pk):
                    self.inner.save(self.inner.get(fault.pk))
        return iter(faults)


class IgnoresUnequal(Sound):
    """``!=`` holds for everything."""

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if name not in QUERIES:
            return call
        return lambda *where, **others: call(*map(without_unequal, where), **others)


def without_unequal(condition: Any) -> Any:
    match condition:
        case Comparison(operator=Operator.NOT_EQUAL):
            return And(())
        case And(parts) | Or(parts):
            return type(condition)(tuple(map(without_unequal, parts)))
        case Not(part):
            return Not(without_unequal(part))
    return condition


class LosesTheSecondPage(Sound):
    """There is nothing behind `after`."""

    def find(self, *where: Condition, after: str | None = None, **others: Any) -> Any:
        return [] if after is not None else self.inner.find(*where, **others)

    def pks(self, *where: Condition, after: str | None = None, **others: Any) -> Any:
        return [] if after is not None else self.inner.pks(*where, **others)


class LosesTheSecondBatch(Sound):
    """iterate ends after one batch."""

    def iterate(self, *where: Condition, batch_size: int = 100, **others: Any) -> Any:
        return islice(self.inner.iterate(*where, batch_size=batch_size, **others), batch_size)


class LeaksAliases(Sound):
    """Two reads of one version return one object."""

    def find(self, *where: Condition, **others: Any) -> Any:
        return [self.get(item.pk) for item in self.inner.find(*where, **others)]

    def get(self, pk: str) -> Any:
        item, version = self.inner.get_versioned(pk)
        return self.memory.setdefault((pk, version), item)


class ReturnsExpiredRecords(Sound):
    """Nothing ever expires."""

    def save(self, item: Any, *, ttl: Any = None, **others: Any) -> Any:
        return self.inner.save(item, **others)

    def save_many(self, items: Any, *, ttl: Any = None) -> Any:
        return self.inner.save_many(items)


class CountsExpiredRecords(Sound):
    """count() goes by the index, which still knows the dead."""

    def save(self, item: Any, *, ttl: Any = None, **others: Any) -> Any:
        if ttl is not None and ttl < 1:
            self.memory[item.pk] = True
        return self.inner.save(item, ttl=ttl, **others)

    def save_many(self, items: Any, *, ttl: Any = None) -> Any:
        items = list(items)
        for item in items:
            self.save(item, ttl=ttl)
        return [item.pk for item in items]

    def count(self, *where: Condition, **equals: Any) -> Any:
        dead = [pk for pk in self.memory if not self.inner.exists(pk=pk)]
        return self.inner.count(*where, **equals) + len(dead)


class DropsAnIndexEntry(Sound):
    """A record that was replaced is not in the index of `tag`."""

    def save(self, item: Any, **others: Any) -> Any:
        replaced = self.inner.exists(pk=item.pk)
        saved = self.inner.save(item, **others)
        self.memory[item.pk] = replaced
        return saved

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if name not in {"find", "count", "pks"}:
            return call
        lost = [pk for pk, replaced in self.memory.items() if replaced]
        return lambda *where, **others: call(
            *(self._without(lost, condition) for condition in where),
            *((~simstore.field("pk").in_(lost),) if "tag" in others else ()),
            **others,
        )

    def _without(self, lost: list[str], condition: Condition) -> Condition:
        match condition:
            case Comparison("tag", Operator.EQUAL):
                return condition & ~simstore.field("pk").in_(lost)
            case And(parts) | Or(parts):
                return type(condition)(tuple(self._without(lost, part) for part in parts))
        return condition


class LosesUpdates(Sound):
    """save() does not look at `if_version`."""

    def save(self, item: Any, *, if_version: str | None = None, **others: Any) -> Any:
        return self.inner.save(item, **others)


class SortsNoneFirst(Sound):
    """``order_by`` puts records without a value before the others."""

    def find(self, *where: Condition, order_by: Any = None, **others: Any) -> Any:
        limit, offset = others.pop("limit", None), others.pop("offset", 0)
        found = self.inner.find(*where, order_by=order_by, **others)
        if isinstance(order_by, str):
            path = order_by.removeprefix("-")
            nulls = set(self.inner.pks(simstore.field(path) == None))
            found.sort(key=lambda item: item.pk not in nulls)
        return found[offset:][:limit]


class IgnoresCase(Sound):
    """Equality on `tag` is that of a case-insensitive index."""

    def find(self, *where: Condition, **others: Any) -> Any:
        if where or "tag" not in others:
            return self.inner.find(*where, **others)
        tag = others.pop("tag")
        return [i for i in self.inner.find(**others) if i.tag.lower() == tag.lower()]

    def pks(self, *where: Condition, **others: Any) -> Any:
        if where or "tag" not in others:
            return self.inner.pks(*where, **others)
        return [item.pk for item in self.find(**others)]


class LosesWhatItLeftOut(Sound):
    """It joins conditions in the set of all pks itself, where they leave many of it."""

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        return partial(self._ask, call) if name in {"find", "count", "pks"} else call

    def _ask(self, call: Callable[..., Any], *where: Condition, **others: Any) -> Any:
        known = ~simstore.field("pk").in_(self.memory)
        if any(isinstance(condition, And) for condition in where):
            found = self.inner.pks(known, *where)
            if len(found) >= MANY:
                self.memory.update(dict.fromkeys({*self.inner.pks()} - {*found}))
        return call(known, *where, **others)


class FindsNoMoreThanMany(Sound):
    """What an index finds is one page of it."""

    def pks(self, *where: Condition, limit: int | None = None, **others: Any) -> Any:
        return self.inner.pks(*where, limit=MANY if limit is None else limit, **others)


class KeepsAnOldOrder(Sound):
    """The pks of a value are put in order once, if they are many, and never again."""

    def pks(self, *where: Condition, **others: Any) -> Any:
        limit, after = others.pop("limit", None), others.pop("after", None)
        found = self.inner.pks(*where, **others)
        if len(found) >= MANY and len(where) == 1 and isinstance(where[0], Comparison):
            self.memory.setdefault(str(where[0]), found)
        known = self.memory.get(str(where[0]), found) if where else found
        return [pk for pk in known if after is None or pk > after][:limit]


class PutsBatchesInOrder(Sound):
    """``order_by`` is right within each batch of what was found."""

    def find(self, *where: Condition, order_by: str | None = None, **others: Any) -> Any:
        if order_by is None:
            return self.inner.find(*where, **others)
        limit, offset = others.pop("limit", None), others.pop("offset", 0)
        pks, found = self.inner.pks(*where, **others), []
        for start in range(0, len(pks), MANY):
            batch = simstore.field("pk").in_(pks[start : start + MANY])
            found += self.inner.find(batch, order_by=order_by)
        return found[offset:][:limit]


class DeletesOneBatch(Sound):
    """delete_many deletes as many as one batch has, and says that it deleted all."""

    def delete_many(self, *where: Any, **equals: Any) -> Any:
        if not all(isinstance(one, Condition) for one in where):
            return self.inner.delete_many(*where, **equals)
        found = self.inner.pks(*where, **equals)
        self.inner.delete_many(found[:MANY])
        return len(found)


class UpdatesTwice(Sound):
    """update_many looks once more whether there is anything to change."""

    def update_many(self, *change_and_where: Any, **equals: Any) -> Any:
        changed = self.inner.update_many(*change_and_where, **equals)
        self.inner.update_many(*change_and_where, **equals)
        return changed


class WrappedStore(Store):
    """A store of `wrap`ped repositories."""

    def __init__(self, inner: Store, wrap: type[Sound], memory: dict[Any, dict[Any, Any]]) -> None:
        self.inner = inner
        self._wrap = wrap
        self._memory = memory

    @property
    def url(self) -> str:
        return self.inner.url

    @property
    def lacks(self) -> Mapping[Capability, str]:
        return self.inner.lacks

    @property
    def broker(self) -> MessageBroker:
        return self.inner.broker

    def repository(self, model: type[Any]) -> Repository[Any]:
        inner = self.inner.repository(model)
        memory = self._memory.setdefault(inner.collection, {})
        return cast("Repository[Any]", self._wrap(inner, memory))

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self.inner.transaction()

    def collections(self) -> list[str]:
        return self.inner.collections()

    def inspect(self) -> Inspection:
        return self.inner.inspect()

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.inner.close()


class NamesEmptyCollections(WrappedStore):
    """A collection that ever had a record is named for good."""

    def collections(self) -> list[str]:
        ever = self._memory.setdefault("", {})
        ever.update(dict.fromkeys(self.inner.collections()))
        return sorted(ever)


class TellsThePassword(WrappedStore):
    """It says where it is, in full."""

    def inspect(self) -> Inspection:
        return Inspection({"url": FULL_URL}, ())


class TellsNumbers(WrappedStore):
    """Its facts are as the server gave them."""

    def inspect(self) -> Inspection:
        return Inspection({"port": 6379}, ())  # type: ignore[dict-item]  # on purpose


class HalfATransaction(WrappedStore):
    """Writes within a transaction happen at once, and stay whatever comes."""

    @contextmanager
    def _at_once(self) -> Iterator[Transaction]:
        with self.inner.transaction():
            yield cast("Transaction", self)

    def transaction(self) -> AbstractContextManager[Transaction]:
        return self._at_once()


STORES: Mapping[str, Callable[[Store, dict[Any, Any]], Store]] = {
    wrap.__name__: lambda store, memory, wrap=wrap: WrappedStore(store, wrap, memory)
    for wrap in (
        Sound, IgnoresUnequal, LosesTheSecondPage, LosesTheSecondBatch, LeaksAliases,
        ReturnsExpiredRecords, CountsExpiredRecords, DropsAnIndexEntry, LosesUpdates,
        SortsNoneFirst, IgnoresCase, SeesNoFault, SeesFaultsThatAreNone, MendsNothing,
        MendsUnasked, MendsTheFirst, MendsByTouching, LosesWhatItLeftOut, FindsNoMoreThanMany,
        KeepsAnOldOrder, PutsBatchesInOrder, DeletesOneBatch, UpdatesTwice,
    )
} | {
    wrap.__name__: lambda store, memory, wrap=wrap: wrap(store, Sound, memory)
    for wrap in (HalfATransaction, NamesEmptyCollections, TellsThePassword, TellsNumbers)
} | {
    kind.__name__: lambda _, memory, kind=kind: store_on(kind, memory)
    for kind in (WritesOverAnything, WritesForEver)
}  # fmt: skip
"""The stores by name; Sound is right in everything."""


def open_broken(name: str) -> OpenStore:
    """Opens stores of that name on one empty database."""
    url = f"memory://{uuid4().hex}"
    memory: dict[Any, Any] = {}
    return lambda: STORES[name](simstore.connect(url), memory)


def spoil_index(store: Store, collection: str, pk: str, kind: FaultKind) -> None:
    """Make up a fault of the index of `tag`; what is found stays right."""
    assert isinstance(store, WrappedStore)
    fault = IndexFault(kind, collection, pk, "tag")
    store._memory.setdefault(collection, {}).setdefault(FAULTS, []).append(fault)
