"""A hypothesis state machine: random calls on the brokers of two stores, against the oracle."""

from contextlib import AbstractContextManager

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from simstore.testing.binding import OpenStore
from simstore.testing.broker_machine.base import GROUPS, NAMES, notes
from simstore.testing.broker_machine.consuming import ConsumingRules
from simstore.testing.broker_machine.publishing import PublishingRules
from simstore.testing.machine import NewDatabase
from simstore.testing.messages import Note


class BrokerMachine(PublishingRules, ConsumingRules):
    """Plays random calls on a broker and on lists; every answer must be one that is right.

    A subclass overrides `new_database`; `broker_machine` makes one.
    """

    @initialize(items=st.lists(notes(), min_size=1, max_size=8))
    def open(self, items: list[Note]) -> None:
        """Open two stores, publish something, and let some begin to read it."""
        self.open_stores()
        self.send(0, NAMES[0], items)
        self.subscribed(0, NAMES[0], None, -1)
        for which, group in enumerate(GROUPS):
            self.joined(which, NAMES[0], group, "c", None, -1)


def broker_machine(new_database: NewDatabase) -> type[BrokerMachine]:
    """A machine on `new_database`; its ``TestCase`` is what a test runner runs."""

    class Machine(BrokerMachine):
        def new_database(self) -> AbstractContextManager[OpenStore]:
            return new_database()

    return Machine


__all__ = ["BrokerMachine", "broker_machine"]
