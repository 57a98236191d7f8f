"""A hypothesis state machine: random calls on two stores of one database, against the oracle."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from simstore.testing.binding import OpenStore
from simstore.testing.machine.reading import ReadingRules
from simstore.testing.machine.writing import WritingRules

NewDatabase = Callable[[], AbstractContextManager[OpenStore]]
"""Makes an empty database: a context manager of a function that opens stores on it."""


class RepositoryMachine(WritingRules, ReadingRules):
    """Plays random calls on a backend and on a dict; every answer and error must be the same.

    A subclass overrides `new_database`; `repository_machine` makes one.
    """


def repository_machine(new_database: NewDatabase) -> type[RepositoryMachine]:
    """A machine on `new_database`; its ``TestCase`` is what a test runner runs."""

    class Machine(RepositoryMachine):
        def new_database(self) -> AbstractContextManager[OpenStore]:
            return new_database()

    return Machine


__all__ = ["NewDatabase", "RepositoryMachine", "repository_machine"]
