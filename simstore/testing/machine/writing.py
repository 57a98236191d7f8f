"""The rules that write."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from simstore.domain.errors import ConflictError, InvalidRecordError, SimstoreError
from simstore.domain.query import Condition
from simstore.domain.store import Capability
from simstore.testing.conditions import conditions, specimen_pks, specimens
from simstore.testing.identity import identical
from simstore.testing.machine.base import WHICH, CallerError, MachineBase, spoil
from simstore.testing.models import Specimen

TINY_TTL = 0.002
"""Seconds; shorter than `RepositoryMachine.OUTLIVING`, which each such save waits."""

_SOME_PKS = st.lists(specimen_pks(), max_size=5)
_FIELDS = [name for name in Specimen.model_fields if name != "pk"]
_SOME_FIELDS = st.lists(st.sampled_from(_FIELDS), min_size=1, max_size=3)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(("save", "add")), specimens()),
        st.tuples(st.sampled_from(("get", "delete")), specimen_pks()),
    ),
    min_size=1,
    max_size=4,
)


class WritingRules(MachineBase):
    """Every way to change what is stored."""

    @rule(which=WHICH, item=specimens(), ttl=st.sampled_from((None, None, 3_600)))
    def save(self, which: int, item: Specimen, ttl: float | None) -> None:
        """Insert or replace."""
        self.oracle.save(item)
        assert self.repository(which).save(item, ttl=ttl) is item
        spoil(item)

    @rule(which=WHICH, items=st.lists(specimens(), max_size=4))
    def save_many(self, which: int, items: list[Specimen]) -> None:
        """Insert or replace several, perhaps one of them twice."""
        for item in items:
            self.oracle.save(item)
        assert set(self.repository(which).save_many(items)) == {item.pk for item in items}
        for item in items:
            spoil(item)

    @rule(which=WHICH, item=specimens())
    def add(self, which: int, item: Specimen) -> None:
        """Insert, or be refused."""
        copy = item.model_copy(deep=True)
        self.same(lambda: self.repository(which).add(item), lambda: self.oracle.add(copy), item)
        spoil(item)

    @rule(which=WHICH, pk=specimen_pks(), item=specimens(), in_place=st.booleans())
    def update(self, which: int, pk: str, item: Specimen, in_place: bool) -> None:
        """Change a record that may not be there."""
        change = _becoming(item, _FIELDS, in_place=in_place)
        self.same(
            lambda: self.repository(which).update(pk, change),
            lambda: self.oracle.update(pk, change),
        )

    @rule(which=WHICH, condition=conditions(), item=specimens(), names=_SOME_FIELDS)
    def update_many(
        self, which: int, condition: Condition, item: Specimen, names: list[str]
    ) -> None:
        """Change what a condition finds, so that it may find it again or not."""
        change = _becoming(item, names)
        changed = self.repository(which).update_many(change, condition)
        assert changed == self.oracle.update_many(change, condition)

    @precondition(lambda self: self.oracle.records)
    @rule(which=WHICH, data=st.data())
    def remember_version(self, which: int, data: st.DataObject) -> None:
        """Read a record's version, for a later save."""
        pk = data.draw(st.sampled_from(sorted(self.oracle.records)))
        item, version = self.repository(which).get_versioned(pk)
        assert identical(item, self.oracle.get(pk))
        self.versions.setdefault(pk, []).append((version, item))

    @precondition(lambda self: self.versions)
    @rule(which=WHICH, data=st.data(), item=specimens())
    def save_if_version(self, which: int, data: st.DataObject, item: Specimen) -> None:
        """Save a record if it is still of a version that was read at some time."""
        pk = data.draw(st.sampled_from(sorted(self.versions)))
        version, then = data.draw(st.sampled_from(self.versions[pk]))
        item = item.model_copy(update={"pk": pk})
        now = self.oracle.records.get(pk)
        try:
            self.repository(which).save(item, if_version=version)
        except ConflictError:
            # A version may be a counter: then one whose contents have come back is stale too.
            current = self.repository(which).get_versioned(pk)[1] if now is not None else None
            assert version != current
            return
        assert now is not None
        assert identical(now, then)
        self.oracle.save(item)

    @precondition(lambda self: self.oracle.records)
    @rule(which=WHICH, data=st.data(), theirs=specimens(), mine=specimens())
    def lose_a_race(
        self, which: int, data: st.DataObject, theirs: Specimen, mine: Specimen
    ) -> None:
        """Save a record that another store has replaced since it was read."""
        pk = data.draw(st.sampled_from(sorted(self.oracle.records)))
        then, version = self.repository(which).get_versioned(pk)
        theirs, mine = (item.model_copy(update={"pk": pk}) for item in (theirs, mine))
        self.repository(1 - which).save(theirs)
        self.oracle.save(theirs)
        if identical(then, theirs):
            return
        try:
            self.repository(which).save(mine, if_version=version)
        except ConflictError:
            return
        raise AssertionError("a stale version let a save pass")

    @rule(which=WHICH, pk=specimen_pks())
    def delete(self, which: int, pk: str) -> None:
        """Delete a record that may not be there."""
        self.same(lambda: self.repository(which).delete(pk), lambda: self.oracle.delete(pk))

    @rule(which=WHICH, pks=_SOME_PKS)
    def delete_many_pks(self, which: int, pks: list[str]) -> None:
        """Delete some pks."""
        assert self.repository(which).delete_many(pks) == self.oracle.delete_many(pks)

    @rule(which=WHICH, condition=conditions())
    def delete_many_where(self, which: int, condition: Condition) -> None:
        """Delete what a condition finds."""
        deleted = self.repository(which).delete_many(condition)
        assert deleted == self.oracle.delete_many(self.oracle.pks(condition))

    @rule(which=WHICH, steps=_STEPS, fails=st.booleans())
    def transaction(self, which: int, steps: Sequence[tuple[str, Any]], fails: bool) -> None:
        """Several steps at once; the first error, or one of the caller's, discards them all.

        They are all on one record where the store can do no more at once.
        """
        if Capability.WIDE_TRANSACTIONS in self.stores[which].lacks:
            steps = _on_one_record(steps)
        before = dict(self.oracle.records)

        def fail() -> None:
            if fails:
                raise CallerError

        def on_the_oracle() -> None:
            try:
                for name, argument in steps:
                    getattr(self.oracle, name)(argument)
                fail()
            except (SimstoreError, CallerError):
                self.oracle.records = before
                raise

        def on_the_store() -> None:
            with self.stores[which].transaction() as transaction:
                repository = transaction.repository(Specimen)
                for name, argument in steps:
                    getattr(repository, name)(
                        argument.model_copy(deep=True) if name in {"save", "add"} else argument
                    )
                fail()

        self.same(on_the_store, on_the_oracle)

    @rule(which=WHICH, item=specimens())
    def save_and_outlive(self, which: int, item: Specimen) -> None:
        """Save a record for a moment, and wait until it is gone."""
        self.repository(which).save(item, ttl=TINY_TTL)
        self.advance(self.OUTLIVING)
        self.oracle.delete_many([item.pk])
        assert not self.repository(1 - which).exists(pk=item.pk)

    @rule(which=WHICH, item=specimens())
    def save_nan(self, which: int, item: Specimen) -> None:
        """Be refused."""
        item.plain_score = float("nan")
        try:
            self.repository(which).save_many([item.model_copy(update={"plain_score": 0.0}), item])
        except InvalidRecordError:
            return
        raise AssertionError("NaN was stored")

    @rule(which=WHICH)
    def reopen(self, which: int) -> None:
        """Close one of the stores and open it anew."""
        self.stores[which].close()
        self.stores[which] = self.open_store()
        self.cleanup.callback(self.stores[which].close)


def _becoming(
    item: Specimen, names: Sequence[str], *, in_place: bool = True
) -> Callable[[Specimen], Specimen | None]:
    """A change that gives a record these fields of `item`."""

    def change(stored: Specimen) -> Specimen | None:
        values = {name: getattr(item.model_copy(deep=True), name) for name in names}
        if not in_place:
            return stored.model_copy(update=values)
        for name, value in values.items():
            setattr(stored, name, value)
        return None

    return change


def _on_one_record(steps: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The same steps, all with the pk of the first."""
    first = steps[0][1]
    pk = first.pk if isinstance(first, Specimen) else first
    return [
        (name, argument.model_copy(update={"pk": pk}) if isinstance(argument, Specimen) else pk)
        for name, argument in steps
    ]
