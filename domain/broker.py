"""The port of a message broker: what agents, front ends and services see of their channels."""

from collections.abc import AsyncIterable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import EllipsisType
from typing import Literal, Protocol, Self, TypeVar

from simstore.domain.channels import Channel, Delivery, Received
from simstore.domain.repository import Ttl

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)

Position = str | Literal["new"] | None  # noqa: PYI051 — it says which text is not an id
"""Where reading begins: None at the oldest message that is kept, ``"new"`` behind the newest,
an id behind the message that has it."""

DEFAULT_RETRY_AFTER = 60.0
"""Seconds until a message that was not acknowledged is given to another consumer."""

DEFAULT_MAX_TRIES = 5
"""How many times a group tries a message before it is a dead letter."""


class Subscription(
    Iterator[Received[M_co]], AbstractContextManager["Subscription[M_co]"], Protocol[M_co]
):
    """The messages of a channel, one after the other, as they come; for one thread at a time.

    Iteration ends when nothing came for the subscription's timeout, or once it is closed. If
    it raises, what failed may be tried again: the next message is the one behind `position`.
    """

    @property
    def position(self) -> str:
        """The id behind which it reads on; ``subscribe(channel, after=…)`` takes it up there.

        It is that of the last message that was taken from it, also of one that was corrupt.
        """
        ...

    def receive(self, timeout: float | EllipsisType | None = ...) -> Received[M_co] | None:
        """The next message; None if none came within `timeout` seconds, or it was closed.

        A `timeout` of None waits for ever; left out, it is the one that iteration has.

        Raises:
            CorruptMessageError: the message does not fit the channel's type; it was taken.
            BackendUnavailableError: the backend was away for longer than the store's timeout.
        """
        ...

    def close(self) -> None:
        """Stop, and release what it holds; a thread that waits in it is woken."""
        ...


class AsyncSubscription(
    AsyncIterable[Received[M_co]],
    AbstractAsyncContextManager["AsyncSubscription[M_co]"],
    Protocol[M_co],
):
    """As `Subscription`, for one task at a time.

    Nothing is asked of the backend before the first message is, or its ``async with`` begins:
    ``"new"`` means newer than that. A task that waits may be cancelled, and loses nothing.
    """

    @property
    def position(self) -> str | None:
        """As `Subscription.position`; None while ``"new"`` has not been looked up."""
        ...

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Received[M_co]: ...

    async def receive(self, timeout: float | EllipsisType | None = ...) -> Received[M_co] | None:  # noqa: ASYNC109 — as `Subscription.receive`; asyncio.timeout() works, too
        """As `Subscription.receive`."""
        ...

    async def aclose(self) -> None:
        """Stop, and release what it holds."""
        ...


class Consumer(Iterator[Delivery[M_co]], AbstractContextManager["Consumer[M_co]"], Protocol[M_co]):
    """What one consumer of a group is given, a message at a time; for one thread at a time."""

    def receive(self, timeout: float | EllipsisType | None = ...) -> Delivery[M_co] | None:
        """The next message; None if none came within `timeout` seconds, or it was closed.

        A `timeout` of None waits for ever; left out, it is the one that iteration has.

        Raises:
            CorruptMessageError: the message does not fit the channel's type. It counts as a
                try, and comes again like one that was not acknowledged.
            BackendUnavailableError: the backend was away for longer than the store's timeout.
        """
        ...

    def acknowledge(self, delivery: Delivery[object]) -> bool:
        """The group is done with a message: it never comes again.

        Returns whether it had not been acknowledged, given up or trimmed before. A consumer
        that took too long may still acknowledge what another one was given meanwhile. Any
        thread or task may acknowledge, while another receives, and after it was closed.
        """
        ...

    def close(self) -> None:
        """Stop, and release what it holds. What it did not acknowledge stays its own."""
        ...


class AsyncConsumer(
    AsyncIterable[Delivery[M_co]],
    AbstractAsyncContextManager["AsyncConsumer[M_co]"],
    Protocol[M_co],
):
    """As `Consumer`, for one task at a time. A task that waits may be cancelled."""

    def __aiter__(self) -> Self: ...

    async def __anext__(self) -> Delivery[M_co]: ...

    async def receive(self, timeout: float | EllipsisType | None = ...) -> Delivery[M_co] | None:  # noqa: ASYNC109 — as above
        """As `Consumer.receive`."""
        ...

    async def acknowledge(self, delivery: Delivery[object]) -> bool:
        """As `Consumer.acknowledge`."""
        ...

    async def aclose(self) -> None:
        """As `Consumer.close`."""
        ...


class MessageBroker(Protocol):
    """Channels of messages, which many may write and read at once; see `Store.broker`.

    A channel keeps its messages, in the order of their publication, until they are trimmed. All
    who subscribe get all of them, from where they begin. Of a group of consumers, each message
    is for one: it comes again, to whoever of the group asks next, until one acknowledges it.
    Everything is delivered at least once.

    The names of methods for asyncio begin with an ``a``. Every call may raise `BackendError`,
    `StoreClosedError`, and `InvalidArgumentError` for what is no channel, name or id.
    """

    def publish(self, channel: Channel[M], message: M, *, ttl: Ttl = None) -> str:
        """Put `message` at the end of `channel`; return its id.

        With `ttl`, the whole channel is forgotten when nothing has been published on it with
        a ttl for so long: its messages, its groups and their dead letters.

        Raises:
            WrongModelError: `message` is not of the channel's type.
            InvalidRecordError: it would not come back as it is.
            BackendTimeoutError: whether it was published is not known.
        """
        ...

    def publish_many(
        self, channel: Channel[M], messages: Iterable[M], *, ttl: Ttl = None
    ) -> list[str]:
        """Put `messages` at the end of `channel`, together: all or none; return their ids."""
        ...

    async def apublish(self, channel: Channel[M], message: M, *, ttl: Ttl = None) -> str:
        """As `publish`. Whether a call that is cancelled has published is not known."""
        ...

    async def apublish_many(
        self, channel: Channel[M], messages: Iterable[M], *, ttl: Ttl = None
    ) -> list[str]:
        """As `publish_many`. Whether a call that is cancelled has published is not known."""
        ...

    def subscribe(
        self, channel: Channel[M], *, after: Position = None, timeout: float | None = None
    ) -> Subscription[M]:
        """All messages of `channel` behind `after`, and those to come.

        Iteration ends when no message came for `timeout` seconds: 0 gives what is there, None
        waits for ever.
        """
        ...

    def asubscribe(
        self, channel: Channel[M], *, after: Position = None, timeout: float | None = None
    ) -> AsyncSubscription[M]:
        """As `subscribe`: ``async for received in broker.asubscribe(channel)``."""
        ...

    def history(
        self,
        channel: Channel[M],
        *,
        after: str | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Received[M]]:
        """The messages that are kept, those behind `after` alone, in order.

        Of more than `limit` the oldest, or with `newest` the newest.

        Raises:
            CorruptMessageError: one of them does not fit the channel's type.
        """
        ...

    async def ahistory(
        self,
        channel: Channel[M],
        *,
        after: str | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Received[M]]:
        """As `history`."""
        ...

    def consume(  # noqa: PLR0913 — where, who, and the rules of the group
        self,
        channel: Channel[M],
        group: str,
        consumer: str,
        *,
        after: Position = None,
        timeout: float | None = None,
        retry_after: float = DEFAULT_RETRY_AFTER,
        max_tries: int = DEFAULT_MAX_TRIES,
    ) -> Consumer[M]:
        """A share of the messages of `channel`: each is for one consumer of `group`.

        The first consumer makes the group, which begins at `after`. What is not acknowledged
        within `retry_after` seconds was left by a consumer that died, and is given to the next
        one that asks. A consumer that comes back under its name is given what it left at once,
        so two that live must not share a name. A message that was given `max_tries` times, and
        is due again, becomes a dead letter (see `Channel.dead_letters`).

        Iteration ends when no message came for `timeout` seconds.
        """
        ...

    def aconsume(  # noqa: PLR0913 — as `consume`
        self,
        channel: Channel[M],
        group: str,
        consumer: str,
        *,
        after: Position = None,
        timeout: float | None = None,
        retry_after: float = DEFAULT_RETRY_AFTER,
        max_tries: int = DEFAULT_MAX_TRIES,
    ) -> AsyncConsumer[M]:
        """As `consume`: ``async for delivery in broker.aconsume(channel, group, name)``."""
        ...

    def trim(
        self, channel: Channel[M], *, keep: int | None = None, before: str | None = None
    ) -> int:
        """Forget old messages: all but the newest `keep`, or those older than the id `before`.

        Returns how many it was. No group is given them again; a subscription may still give
        what it has read ahead. Ids go on growing.
        """
        ...

    def delete(self, channel: Channel[M]) -> bool:
        """Forget a channel: its messages, its groups and their dead letters.

        Returns whether it was there; a group makes it be there, too. A consumer that is open
        goes on, and its group begins anew.
        """
        ...
