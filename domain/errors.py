"""Every error that simstore raises, in one tree.

::

    SimstoreError
    ├── ModelError             a class that cannot be used as a record        (TypeError)
    ├── WrongModelError        an item of another model than the repository's (TypeError)
    ├── InvalidRecordError     an item that cannot be stored as it is         (ValueError)
    ├── InvalidPkError         a primary key that no backend could keep       (ValueError)
    ├── InvalidArgumentError   an argument out of its range                   (ValueError)
    ├── QueryError             a condition that does not fit the model        (ValueError)
    ├── StoreURLError          a URL that no backend understands              (ValueError)
    ├── EvaluationError        dimensions that make no score model            (ValueError)
    ├── ImportFileError        a line of a file that makes no record          (ValueError)
    ├── ImportFaultsError      every such line of a file; ``faults``          (ValueError)
    ├── RewardsUnavailableError  an episode without the scores asked for      (ValueError)
    ├── NotFoundError          no such record; ``pks`` names them all         (LookupError)
    ├── MultipleFoundError     several records where one was asked for        (LookupError)
    ├── DuplicateError         the primary key is taken; ``pk``
    ├── ConflictError          somebody else wrote in between; ``pk``
    ├── CorruptRecordError     a stored document that cannot be read; ``pk``, ``field``
    ├── CorruptMessageError    a message that does not fit its channel's type; ``id``
    ├── SaveManyError          a bulk write that stopped; ``stored``, ``not_stored``
    ├── TransferError          records that are not in the target as they should be; ``pks``
    ├── NotHeldError           a turn or a lease that is not the caller's; ``holder``
    ├── LeaseTimeoutError      a lease that others held for too long          (TimeoutError)
    ├── TransactionError       a transaction used out of its time, or too wide for its store
    ├── StoreClosedError       a call on a closed store
    ├── NotBoundError          a model of simstore.sotopia without a store    (RuntimeError)
    ├── UnsupportedError       something the backend lacks (`Store.lacks`)    (NotImplementedError)
    ├── MissingDependencyError an extra that is not installed                 (ImportError)
    ├── BenchmarkError         something that cannot be measured
    └── BackendError           the backend failed
        ├── BackendUnavailableError  it cannot be reached                     (ConnectionError)
        └── BackendTimeoutError      it did not answer in time                (TimeoutError)

An outage is never a NotFoundError: "missing" always means that the backend answered.
"""

from collections.abc import Iterable, Sequence
from typing import Any

SHOWN_NAMES = 5
"""How many names a message lists before it counts the rest."""

SHOWN_LENGTH = 200
"""How many characters of a condition a message shows: with `in_` it may be of any length."""


class SimstoreError(Exception):
    """The root of the tree: ``except SimstoreError`` catches all that simstore raises."""


class ModelError(SimstoreError, TypeError):
    """A class that cannot be used as a record; the message says what it lacks."""


class WrongModelError(SimstoreError, TypeError):
    """An item was given to the repository of another model."""


class InvalidRecordError(SimstoreError, ValueError):
    """An item that would not come back as it is: invalid after a change, NaN, not JSON."""


class InvalidPkError(SimstoreError, ValueError):
    """A primary key with characters or a length that no backend could keep."""


class InvalidArgumentError(SimstoreError, ValueError):
    """An argument out of its range, or two that exclude each other."""


class QueryError(SimstoreError, ValueError):
    """A condition that does not fit the model: unknown field, wrong type, wrong operator."""


class StoreURLError(SimstoreError, ValueError):
    """A store URL with an unknown scheme, option or value."""


class EvaluationError(SimstoreError, ValueError):
    """Evaluation dimensions that make no score model."""


class ImportFileError(SimstoreError, ValueError):
    """A line of a file that does not make a record.

    `line` counts from 1; it is 0 where the file as a whole is at fault. `field` is the place
    within the line, by the file's own keys, such as ``raw_rewards[0]``; it is empty where the
    line as a whole is at fault.
    """

    def __init__(self, path: str, line: int, field: str, reason: str) -> None:
        super().__init__(path, line, field, reason)
        self.path = path
        self.line = line
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        where = f", line {self.line}" if self.line else ""
        if self.field:
            where += f", field {self.field!r}"
        return f"{self.path}{where}: {self.reason}"


class ImportFaultsError(SimstoreError, ValueError):
    """The lines of a file that cannot be imported, when all of them were asked for.

    ``faults`` holds an ImportFileError for each, the first thousand of them; ``count`` is how
    many there are. Nothing of the file was stored.
    """

    def __init__(self, path: str, faults: Iterable[ImportFileError], count: int) -> None:
        self.path = path
        self.faults = tuple(faults)
        self.count = count
        super().__init__(path, self.faults, count)

    def __str__(self) -> str:
        shown = "\n".join(f"  {fault}" for fault in self.faults[:SHOWN_NAMES])
        more = self.count - min(len(self.faults), SHOWN_NAMES)
        rest = f"\n  and {more} more" if more > 0 else ""
        lines = "1 line" if self.count == 1 else f"{self.count} lines"
        return f"{self.path}: {lines} cannot be imported; nothing was stored\n{shown}{rest}"


class RewardsUnavailableError(SimstoreError, ValueError):
    """An episode does not have the rewards that were asked for; ``pk`` names it."""

    def __init__(self, pk: str, reason: str) -> None:
        super().__init__(pk, reason)
        self.pk = pk
        self.reason = reason

    def __str__(self) -> str:
        return f"episode {self.pk!r} {self.reason}"


class NotFoundError(SimstoreError, LookupError):
    """Records that are not there.

    ``pks`` holds every missing primary key, in the order asked for; it is empty when a
    condition, not a key, found nothing. ``condition`` is all of it, where the message has its
    beginning. ``hint`` says what to do, where that is known.
    """

    def __init__(
        self, collection: str, pks: Sequence[str] = (), condition: str = "", hint: str = ""
    ) -> None:
        super().__init__(collection, tuple(pks), condition, hint)
        self.collection = collection
        self.pks = tuple(pks)
        self.condition = condition
        self.hint = hint

    def __str__(self) -> str:
        where = _where(self.condition)
        which = f" {_names(self.pks)}" if self.pks else where
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.collection} has no record{which}{hint}"


class MultipleFoundError(SimstoreError, LookupError):
    """``one`` found more than one record; ``pks`` are the first two.

    ``condition`` is all of it, where the message has its beginning.
    """

    def __init__(self, collection: str, pks: Sequence[str], condition: str = "") -> None:
        super().__init__(collection, tuple(pks), condition)
        self.collection = collection
        self.pks = tuple(pks)
        self.condition = condition

    def __str__(self) -> str:
        where, pks = _where(self.condition), _names(self.pks)
        return f"{self.collection} has several records{where}: {pks}, and perhaps more"


class DuplicateError(SimstoreError):
    """``add`` met a primary key that is taken."""

    def __init__(self, collection: str, pk: str) -> None:
        super().__init__(collection, pk)
        self.collection = collection
        self.pk = pk

    def __str__(self) -> str:
        return f"{self.collection} already has a record {self.pk!r}; use save() to replace it"


class ConflictError(SimstoreError):
    """A record changed between a read and the write that relied on it; nothing was written."""

    def __init__(self, collection: str, pk: str) -> None:
        super().__init__(collection, pk)
        self.collection = collection
        self.pk = pk

    def __str__(self) -> str:
        return (
            f"record {self.pk!r} of {self.collection} was changed or deleted since it was read; "
            "read it again and repeat the change"
        )


class CorruptRecordError(SimstoreError):
    """A stored document that its model cannot read.

    ``pk`` names the record, ``field`` the first field at fault (empty when the document is
    not JSON at all). The document is left as it is.
    """

    def __init__(self, collection: str, pk: str, field: str, reason: str) -> None:
        super().__init__(collection, pk, field, reason)
        self.collection = collection
        self.pk = pk
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        where = f", field {self.field!r}" if self.field else ""
        return f"record {self.pk!r} of {self.collection}{where} cannot be read: {self.reason}"


class CorruptMessageError(SimstoreError):
    """A message that the type of its channel cannot read; ``id`` names it, and it stays."""

    def __init__(self, channel: str, id: str, reason: str) -> None:  # noqa: A002 — its attribute
        super().__init__(channel, id, reason)
        self.channel = channel
        self.id = id
        self.reason = reason

    def __str__(self) -> str:
        return f"message {self.id} of {self.channel} cannot be read: {self.reason}"


class SaveManyError(SimstoreError):
    """A bulk write stopped part of the way; the cause is chained.

    ``stored`` and ``not_stored`` are the primary keys that are and are not in the store. A
    key whose fate is unknown, because the connection broke before the reply, counts as not
    stored: saving it again does no harm. ``reason`` is why, where no cause is chained.
    """

    def __init__(
        self,
        collection: str,
        stored: Iterable[str],
        not_stored: Iterable[str],
        reason: str = "",
    ) -> None:
        self.collection = collection
        self.stored = tuple(stored)
        self.not_stored = tuple(not_stored)
        self.reason = reason
        super().__init__(collection, self.stored, self.not_stored, reason)

    def __str__(self) -> str:
        why = self._why()
        return (
            f"{len(self.not_stored)} of {len(self.stored) + len(self.not_stored)} records of "
            f"{self.collection} were not stored: {_names(self.not_stored)}"
            + (f"; {why}" if why else "")
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # No cause crosses a process; what it says does.
        arguments = (self.collection, self.stored, self.not_stored, self._why())
        return type(self), arguments, {**vars(self), "reason": self._why()}

    def _why(self) -> str:
        if self.reason or self.__cause__ is None:
            return self.reason
        return str(self.__cause__) or type(self.__cause__).__name__


class TransferError(SimstoreError):
    """Records of one store are not, or cannot be, in another as they should.

    ``pks`` are the first of them, in order; ``count`` is how many there are.
    """

    def __init__(self, collection: str, pks: Sequence[str], count: int, reason: str) -> None:
        super().__init__(collection, tuple(pks), count, reason)
        self.collection = collection
        self.pks = tuple(pks)
        self.count = count
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.collection} {_names(self.pks, self.count)}: {self.reason}"


class NotHeldError(SimstoreError):
    """A turn or a lease was to be ended or renewed by somebody who does not have it.

    Nothing was changed. ``holder`` is who has it, None if nobody has.
    """

    def __init__(self, what: str, holder: str | None, hint: str) -> None:
        super().__init__(what, holder, hint)
        self.what = what
        self.holder = holder
        self.hint = hint

    def __str__(self) -> str:
        held = "nobody has" if self.holder is None else f"{self.holder!r} has"
        return f"{held} {self.what}; {self.hint}"


class LeaseTimeoutError(SimstoreError, TimeoutError):
    """A lease was not to be had within the time that its caller would wait."""


class TransactionError(SimstoreError):
    """A transaction was used outside its ``with`` block, or over more than its store can."""


class StoreClosedError(SimstoreError):
    """The store was closed before the call."""


class NotBoundError(SimstoreError, RuntimeError):
    """A model of `simstore.sotopia` was used where no store is bound, nor named anywhere."""


class UnsupportedError(SimstoreError, NotImplementedError):
    """A call for something that the store's backend lacks."""


class BenchmarkError(SimstoreError):
    """Something that cannot be measured: a process that died, say, or a peer that is not there."""


class BackendError(SimstoreError):
    """The backend failed; its own error is chained."""


class BackendUnavailableError(BackendError, ConnectionError):
    """The backend cannot be reached or opened."""


class BackendTimeoutError(BackendError, TimeoutError):
    """The backend did not answer in time; whether a write took effect is unknown."""


class MissingDependencyError(SimstoreError, ImportError):
    """A part of simstore needs a package that is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(purpose, extra)
        self.purpose = purpose
        self.extra = extra

    def __str__(self) -> str:
        return (
            f"{self.purpose}: an extra is missing. Install it with: "
            f"pip install 'simstore[{self.extra}]'"
        )


def _where(condition: str) -> str:
    """The beginning of a condition, for a message; nothing if it is empty."""
    if len(condition) > SHOWN_LENGTH:
        condition = f"{condition[: SHOWN_LENGTH - 3]}..."
    return f" where {condition}" if condition else ""


def _names(pks: Sequence[str], count: int | None = None) -> str:
    """The first of `pks`, and how many more there are, of `count` in all."""
    shown = ", ".join(repr(pk) for pk in pks[:SHOWN_NAMES])
    more = (len(pks) if count is None else count) - min(len(pks), SHOWN_NAMES)
    return f"{shown} and {more} more" if more > 0 else shown
