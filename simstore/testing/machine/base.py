"""The state that the rules share: two stores of one database, and the oracle."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from simstore.domain.errors import NotFoundError, SimstoreError
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import OpenStore
from simstore.testing.conditions import specimens
from simstore.testing.identity import identical
from simstore.testing.models import Part, Specimen
from simstore.testing.oracle import Oracle

WHICH = st.sampled_from((0, 1))
"""Which of the two stores."""


class MachineBase(RuleBasedStateMachine):
    """Opens the stores, compares outcomes, and holds everything against the dict at each step."""

    OUTLIVING = 0.006
    """Seconds to wait for a record with `TINY_TTL` to be gone."""

    def new_database(self) -> AbstractContextManager[OpenStore]:
        """An empty database, for one run."""
        raise NotImplementedError(f"{type(self).__name__} overrides new_database")

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for the backend."""
        time.sleep(seconds)

    def __init__(self) -> None:
        super().__init__()
        self.cleanup = ExitStack()
        self.stores: list[Store] = []
        self.oracle: Oracle[Specimen] = Oracle()
        self.versions: dict[str, list[tuple[str, Specimen]]] = {}
        self.written: list[Specimen] = []
        """Every record that was ever stored, as it was then."""

    @initialize(items=st.lists(specimens(), max_size=6))
    def open(self, items: list[Specimen]) -> None:
        """Open two stores on a new database, and store something to begin with."""
        self.open_store = self.cleanup.enter_context(self.new_database())
        for _ in range(2):
            store = self.open_store()
            self.cleanup.callback(store.close)
            self.stores.append(store)
        for item in items:
            self.oracle.save(item)
        self.repository(0).save_many(items)

    def teardown(self) -> None:
        """Close what was opened."""
        self.cleanup.close()

    @invariant()
    def everything_is_the_same(self) -> None:
        """Both stores hold what the dict holds, and no more."""
        stored = self.oracle.records.values()
        self.written += [item for item in stored if all(item is not old for old in self.written)]
        for store in self.stores:
            repository = store.repository(Specimen)
            found = repository.find()
            check(found, self.oracle.find())
            assert repository.pks() == sorted(self.oracle.records)
            assert repository.count() == len(self.oracle.records)
            if found:
                spoil(found[0])

    def repository(self, which: int) -> Repository[Specimen]:
        return self.stores[which].repository(Specimen)

    def same(
        self,
        call: Callable[[], object],
        on_the_oracle: Callable[[], object],
        returned: object = None,
    ) -> None:
        """Both calls return the same, or raise errors of the same class about the same records."""
        expected, found = outcome(on_the_oracle), outcome(call)
        if expected == (None, None) and returned is not None:
            expected = (returned, None)
        check(found[0], expected[0])
        assert found[1] == expected[1]


class CallerError(Exception):
    """An exception that is none of simstore's."""


def spoil(item: Specimen) -> None:
    """Change `item` deep down; nothing stored may change with it."""
    item.extra["spoilt"] = True
    item.labels.append("spoilt")
    item.plain_labels.append("spoilt")
    item.parts.append(Part(label="spoilt"))
    if item.home is not None:
        item.home.label = "spoilt"
    if item.marks is not None:
        item.marks.append(0)
    item.tag = "spoilt"


def outcome(call: Callable[[], object]) -> tuple[object, object]:
    """(what the call returned, None) or (None, what it raised)."""
    try:
        return call(), None
    except NotFoundError as error:
        return None, (NotFoundError, error.pks)
    except (SimstoreError, CallerError) as error:
        return None, type(error)


def check(found: object, expected: object) -> None:
    """Both are the same, to the last bit."""
    assert found == expected
    assert identical(found, expected), f"equal, but not the same: {found!r} and {expected!r}"
