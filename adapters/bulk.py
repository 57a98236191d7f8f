"""Writes in bulk, a batch at a time: to some pks, or to the records that fulfil a query."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from pydantic import BaseModel

from simstore.adapters.attempts import attempts
from simstore.adapters.codec import version_of
from simstore.adapters.query import Query
from simstore.adapters.reading import PKS_AT_A_TIME, Reader, chunks, pk_of
from simstore.adapters.storage import Collection, Content, Delete, PartlyWritten, Put, Storage
from simstore.domain.errors import (
    BackendError,
    BackendTimeoutError,
    BackendUnavailableError,
    ConflictError,
)

T = TypeVar("T", bound=BaseModel)


class BulkWriter(Generic[T]):
    """Changes and deletes the records of one collection.

    What fulfils a query is read in batches, by pk, and each record is written by compare and set:
    one that somebody else wrote to in between is read again, and passed over if it is gone or does
    not fulfil the query any more.
    """

    def __init__(
        self, collection: Collection, reader: Reader[T], storage: Callable[[], Storage]
    ) -> None:
        self._collection = collection
        self._reader = reader
        self._storage = storage

    def delete(self, pks: Sequence[str]) -> int:
        """Delete the records of `pks`, which are all different; return how many there were."""
        tally = _Tally(self._collection.name, "deleted")
        for some in chunks(pks, PKS_AT_A_TIME):
            with tally.told():
                found = self._storage().write([Delete(self._collection, pk) for pk in some])
            tally.number += found.count(True)
        return tally.number

    def delete_found(self, query: Query) -> int:
        """Delete the records that fulfil `query` when they are deleted; return how many."""

        def deletion(item: T, stored: Content) -> Delete:
            return Delete(self._collection, pk_of(item), version_of(stored))

        return self._write_found(query, deletion, "deleted")

    def change_found(self, query: Query, change: Callable[[T, Content], Put]) -> int:
        """Write what `change` makes of each record that fulfils `query`; return how many.

        It is given a record and what is stored of it, of which the operation that it returns
        expects the version.
        """
        return self._write_found(query, change, "changed")

    def _write_found(
        self, query: Query, operation_of: Callable[[T, Content], Put | Delete], done: str
    ) -> int:
        tally = _Tally(self._collection.name, done)
        for candidates in self._candidates(query, tally):
            pks = candidates
            for _ in attempts():
                with tally.told():
                    found = self._reader.found(query, pks)
                # Not within `told`: an error of the caller's own change is passed on as it is.
                operations = [operation_of(item, stored) for item, stored in found]
                with tally.told():
                    written = self._storage().write(operations)
                tally.number += written.count(True)
                # Somebody wrote to these in between.
                pks = [
                    operation.pk
                    for operation, was_there in zip(operations, written, strict=True)
                    if was_there is None
                ]
                if not pks:
                    break
            else:
                raise ConflictError(self._collection.name, pks[0])
        return tally.number

    def _candidates(self, query: Query, tally: "_Tally") -> Iterator[Sequence[str]]:
        batches = self._reader.candidates(query)
        while True:
            with tally.told():
                pks = next(batches, None)
            if pks is None:
                return
            yield pks


class _Tally:
    """How many records a call has written to, told when the backend fails half-way."""

    def __init__(self, collection: str, done: str) -> None:
        self.number = 0
        self._collection = collection
        self._done = done

    @contextmanager
    def told(self) -> Iterator[None]:
        """Let the errors of the backend say how many there were before."""
        try:
            yield
        except PartlyWritten as error:
            cause = error.__cause__
            raise self._error(cause, self.number + len(error.done)) from cause
        except BackendError as error:
            if not self.number:
                raise
            raise self._error(error, self.number) from error

    def _error(self, cause: BaseException | None, number: int) -> BackendError:
        many = "1 record of {} was" if number == 1 else f"{number} records of {{}} were"
        message = f"{many.format(self._collection)} {self._done} before this: {cause}"
        for kind in (BackendUnavailableError, BackendTimeoutError):
            if isinstance(cause, kind):
                return kind(message)
        return BackendError(message)
