"""Subscriptions: entries of a log as the messages of a channel, a batch read ahead."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from simstore.adapters.messages.arguments import check_timeout
from simstore.adapters.messages.codec import ChannelCodec
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, Entry, Feed, MessageLog
from simstore.adapters.reading import BYTES_AT_A_TIME
from simstore.domain.broker import AsyncSubscription, Subscription
from simstore.domain.channels import Received
from simstore.domain.errors import InvalidArgumentError

M = TypeVar("M")

FEWEST_AT_A_TIME = 10
"""How many entries are asked for while it is not known how large they are."""
MOST_AT_A_TIME = 100


class _ReadAhead:
    """The entries that were read and not yet taken."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()
        self.limit = FEWEST_AT_A_TIME
        """How many to read next: what keeps within the bytes that may be held."""

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, entries: Sequence[Entry]) -> None:
        self._entries += entries
        size = sum(len(entry.body) for entry in entries)
        fitting = BYTES_AT_A_TIME * len(entries) // max(size, 1)
        self.limit = min(max(fitting, 1), MOST_AT_A_TIME)

    def take(self) -> Entry:
        return self._entries.popleft()


class LogSubscription(Subscription[M]):
    """A thread's subscription to a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        open_log: Callable[[], MessageLog],
        feed: Feed,
        after: MessageId,
        timeout: float | None,
    ) -> None:
        self._codec = codec
        self._open_log = open_log
        self._feed = feed
        self._position = after
        self._timeout = timeout
        self._ahead = _ReadAhead()
        self._closed = False

    @property
    def position(self) -> str:
        return str(self._position)

    def receive(self, timeout: float | None = None) -> Received[M] | None:
        wait = check_timeout(timeout)
        if not self._ahead and not self._closed:
            self._ahead.add(self._feed.read(self._position, self._ahead.limit, wait))
        if not self._ahead or self._closed:
            return None
        self._open_log()  # what was read ahead ends with the store, too
        entry = self._ahead.take()
        self._position = entry.id
        return self._codec.received(entry)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Received[M]:
        received = self.receive(self._timeout)
        if received is None:
            raise StopIteration
        return received

    def close(self) -> None:
        self._closed = True
        self._feed.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()


class LogAsyncSubscription(AsyncSubscription[M]):
    """A task's subscription to a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        held: "HeldFeed",
        after: MessageId | None,
        timeout: float | None,
    ) -> None:
        self._codec = codec
        self._held = held
        self._position = after
        self._timeout = timeout
        self._ahead = _ReadAhead()

    @property
    def position(self) -> str | None:
        return None if self._position is None else str(self._position)

    async def receive(self, timeout: float | None = None) -> Received[M] | None:  # noqa: ASYNC109 — the port's
        wait = check_timeout(timeout)
        if self._held.closed:
            return None
        position = await self._start()
        if not self._ahead:
            feed = await self._held.feed()
            self._ahead.add(await feed.read(position, self._ahead.limit, wait))
        if not self._ahead:
            return None
        self._held.open_log()  # what was read ahead ends with the store, too
        entry = self._ahead.take()
        self._position = entry.id
        return self._codec.received(entry)

    async def _start(self) -> MessageId:
        if self._position is None:
            self._position = await (await self._held.feed()).last_id()
        return self._position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Received[M]:
        received = await self.receive(self._timeout)
        if received is None:
            raise StopAsyncIteration
        return received

    async def aclose(self) -> None:
        await self._held.aclose()

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        await self.aclose()


class HeldFeed:
    """An asynchronous feed that is opened when it is first needed, and never left open.

    Nobody closes what ``async for`` is left from by a ``break``. But event loops close the
    asynchronous generators that nobody holds any more: so one of them has the feed.
    """

    def __init__(self, open_log: Callable[[], MessageLog], address: Address) -> None:
        self.open_log = open_log
        self._address = address
        self._holder: AsyncGenerator[AsyncFeed, None] | None = None
        self._feed: AsyncFeed | None = None
        self.closed = False

    async def feed(self) -> AsyncFeed:
        """The feed.

        Raises:
            InvalidArgumentError: it was closed.
        """
        if self.closed:
            raise InvalidArgumentError("it was closed; subscribe or consume anew")
        if self._feed is None:
            self._holder = _holding(self.open_log().async_feed(self._address))
            self._feed = await anext(self._holder)
        return self._feed

    async def aclose(self) -> None:
        """Close it."""
        self.closed = True
        holder, self._holder, self._feed = self._holder, None, None
        if holder is not None:
            await holder.aclose()


async def _holding(feed: AsyncFeed) -> AsyncGenerator[AsyncFeed, None]:
    try:
        yield feed
    finally:
        await feed.aclose()
