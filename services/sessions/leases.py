"""Leases: locks between processes that end by themselves, if their owner does not end them."""

import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from simstore.domain.channels import Channel
from simstore.domain.errors import (
    ConflictError,
    DuplicateError,
    InvalidArgumentError,
    LeaseTimeoutError,
    NotFoundError,
    NotHeldError,
    SimstoreError,
)
from simstore.domain.fields import check_pk, new_pk
from simstore.domain.leases import LeaseRecord, LeaseReleased
from simstore.domain.store import Store
from simstore.services.sessions.waiting import Deadline, check_seconds, in_thread

SHORTEST_WAIT = 0.05
"""Seconds until a lease that should have ended by the owner's clock is asked for again."""

RELEASE_KEPT = 60.0
"""Seconds for which a release is to be heard of; who waits for it listens at once."""

RAN_OUT = "it ran out: ask for more seconds, or renew it in time"


class Lease:
    """A lock that one owner has for `seconds`, longer if it renews it, or until it releases it.

    ::

        with Lease(store, "judge of e1", seconds=30, timeout=5):
            ...

    One object is one owner, and takes it once at a time; ``async with`` works as well. Leases
    of one `name` exclude each other, in all threads, processes and machines that use the store.
    Waiting takes `timeout` seconds at most, None for ever; whoever waits is woken by a release,
    and when the lease runs out.

    A lease is no fence: a process that sleeps for longer than `seconds` does not know that it
    lost it. It learns so from `renew` and `release`, which never touch another's.

    Taking a free one is one round trip; releasing it is three, and renewing it two.

    Raises:
        InvalidArgumentError: `seconds` or `timeout` is out of its range.
        InvalidPkError: `name` cannot be a primary key.
    """

    def __init__(
        self, store: Store, name: str, *, seconds: float, timeout: float | None = None
    ) -> None:
        self.name = check_pk(name)
        self.seconds = _check_term(seconds)
        Deadline(timeout)
        self._store = store
        self._timeout = timeout
        self._token: str | None = None

    def __repr__(self) -> str:
        return f"<lease {self.name!r}{'' if self._token is None else ' (acquired)'}>"

    def acquire(self) -> bool:
        """Take the lease, waiting for it if need be; whether it was to be had in time.

        Raises:
            InvalidArgumentError: this object has taken it, and has not released it.
            BackendTimeoutError: whether it was taken is not known; if so, it runs out.
        """
        self._check_unused()
        deadline, broker = Deadline(self._timeout), self._store.broker
        while (holder := self._take()) is not None:
            if deadline.has_passed:
                return False
            # The channel is this owner's alone, so what it holds already counts, too.
            with broker.subscribe(_channel_of(holder.owner)) as released:
                released.receive(deadline.cap(_left_of(holder)))
        return True

    async def aacquire(self) -> bool:
        """As `acquire`. A task that is cancelled has not taken it."""
        self._check_unused()
        deadline, broker = Deadline(self._timeout), self._store.broker
        try:
            while (holder := await in_thread(self._take)) is not None:
                if deadline.has_passed:
                    return False
                async with broker.asubscribe(_channel_of(holder.owner)) as released:
                    await released.receive(deadline.cap(_left_of(holder)))
        except BaseException:
            if self._token is not None:
                with suppress(SimstoreError):  # what ended the wait is to be seen, not this
                    await in_thread(self.release)
            raise
        return True

    def renew(self, seconds: float | None = None) -> None:
        """Have it for `seconds` from now, None for as many as at first.

        Raises:
            NotHeldError: it ran out, and perhaps another has it now.
        """
        term = self.seconds if seconds is None else _check_term(seconds)
        self._change(term)

    async def arenew(self, seconds: float | None = None) -> None:
        """As `renew`."""
        await in_thread(self.renew, seconds)

    def release(self) -> None:
        """Give it up, and wake who waits for it.

        Raises:
            NotHeldError: it was not taken, or ran out, and perhaps another has it now.
        """
        broker = self._store.broker
        token = self._change(None)
        broker.publish(_channel_of(token), LeaseReleased(name=self.name), ttl=RELEASE_KEPT)

    async def arelease(self) -> None:
        """As `release`."""
        await in_thread(self.release)

    def __enter__(self) -> Self:
        if not self.acquire():
            raise self._too_late()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        try:
            self.release()
        except NotHeldError as lost:
            _tell(lost, error)

    async def __aenter__(self) -> Self:
        if not await self.aacquire():
            raise self._too_late()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        try:
            await self.arelease()
        except NotHeldError as lost:
            _tell(lost, error)

    def _check_unused(self) -> None:
        if self._token is not None:
            raise InvalidArgumentError(
                f"this object has taken lease {self.name!r}, which it would wait for; "
                "renew it, release it, or make another Lease"
            )

    def _take(self) -> LeaseRecord | None:
        """Take the lease, or say who has it."""
        leases = self._store.repository(LeaseRecord)
        while True:
            mine = LeaseRecord(pk=self.name, owner=new_pk(), expires_at=time.time() + self.seconds)
            try:
                leases.add(mine, ttl=self.seconds)
            except DuplicateError:
                try:
                    return leases.get(self.name)
                except NotFoundError:
                    continue  # it ended just now
            self._token = mine.owner
            return None

    def _change(self, term: float | None) -> str:
        """Have it for `term` seconds more, None to end it; the token under which it was had."""
        token = self._token
        if token is None:
            raise self._lost(None, "this object has not taken it; call acquire() first")
        while True:
            try:
                with self._store.transaction() as tx:
                    leases = tx.repository(LeaseRecord)
                    record = leases.get(self.name)
                    if record.owner != token:
                        self._token = None
                        raise self._lost(record.owner, RAN_OUT)
                    if term is None:
                        leases.delete(self.name)
                    else:
                        record.expires_at = time.time() + term
                        leases.save(record, ttl=term)
            except ConflictError:
                continue  # it ran out, or another thread renews it: look again
            except NotFoundError as error:
                self._token = None
                raise self._lost(None, RAN_OUT) from error
            if term is None:
                self._token = None
            return token

    def _lost(self, holder: str | None, hint: str) -> NotHeldError:
        return NotHeldError(f"lease {self.name!r}", holder, hint)

    def _too_late(self) -> LeaseTimeoutError:
        return LeaseTimeoutError(
            f"lease {self.name!r} was not free within {self._timeout} s; wait longer, or let its "
            "owner have it for less"
        )


def _tell(lost: NotHeldError, error: BaseException | None) -> None:
    """Raise `lost`, unless the block failed by itself: that is the error to be seen."""
    if error is None:
        raise lost
    error.add_note(str(lost))


def _left_of(holder: LeaseRecord) -> float:
    return max(SHORTEST_WAIT, holder.expires_at - time.time())


def _channel_of(token: str) -> Channel[LeaseReleased]:
    """Where the release of a lease is announced: a channel for each time that one is taken."""
    return Channel(f"lease:{token}", LeaseReleased)


def _check_term(seconds: object) -> float:
    if check_seconds("seconds", seconds, "above 0", least=0.0) == 0:
        raise InvalidArgumentError("seconds is a number of seconds, above 0, not 0")
    return float(seconds)  # type: ignore[arg-type]  # it was checked
