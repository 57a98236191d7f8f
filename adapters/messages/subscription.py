"""Subscriptions: entries of a log as the messages of a channel, a batch read ahead."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import EllipsisType
from typing import TypeVar

from simstore.adapters.messages.codec import ChannelCodec
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import AsyncFeed, Entry, Feed, MessageLog
from simstore.adapters.messages.sources import AsyncSource, HeldFeed, Source
from simstore.adapters.reading import BYTES_AT_A_TIME
from simstore.domain.broker import AsyncSubscription, Subscription
from simstore.domain.channels import Received

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
        """Entries that were read."""
        if not entries:
            return
        self._entries += entries
        size = sum(len(entry.body) for entry in entries)
        fitting = BYTES_AT_A_TIME * len(entries) // max(size, 1)
        self.limit = min(max(fitting, 1), MOST_AT_A_TIME)

    def take(self) -> Entry:
        """The next."""
        return self._entries.popleft()


class LogSubscription(Source[Received[M]], Subscription[M]):
    """A thread's subscription to a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        open_log: Callable[[], MessageLog],
        feed: Feed,
        after: MessageId,
        timeout: float | None,
    ) -> None:
        super().__init__(feed, timeout)
        self._codec = codec
        self._open_log = open_log
        self._position = after
        self._ahead = _ReadAhead()

    @property
    def position(self) -> str:
        return str(self._position)

    def receive(self, timeout: float | EllipsisType | None = ...) -> Received[M] | None:
        wait = self._wait(timeout)
        if not self._ahead and not self._closed:
            self._ahead.add(self._feed.read(self._position, self._ahead.limit, wait))
        if not self._ahead or self._closed:
            return None
        self._open_log()  # what was read ahead ends with the store, too
        entry = self._ahead.take()
        self._position = entry.id
        return self._codec.received(entry)


class LogAsyncSubscription(AsyncSource[Received[M]], AsyncSubscription[M]):
    """A task's subscription to a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        held: HeldFeed,
        after: MessageId | None,
        timeout: float | None,
    ) -> None:
        super().__init__(held, timeout)
        self._codec = codec
        self._position = after
        self._looking_up: asyncio.Future[MessageId] | None = None
        self._ahead = _ReadAhead()

    @property
    def position(self) -> str | None:
        return None if self._position is None else str(self._position)

    async def receive(self, timeout: float | EllipsisType | None = ...) -> Received[M] | None:  # noqa: ASYNC109 — the port's
        wait = self._wait(timeout)
        if self._held.closed:
            return None
        feed = await self._start()
        if not self._ahead:
            assert self._position is not None  # noqa: S101 — _start has looked it up
            self._ahead.add(await feed.read(self._position, self._ahead.limit, wait))
        if not self._ahead:
            return None
        self._held.open_log()  # what was read ahead ends with the store, too
        entry = self._ahead.take()
        self._position = entry.id
        return self._codec.received(entry)

    async def _start(self) -> AsyncFeed:
        feed = await self._held.feed()
        if self._position is None:
            if self._looking_up is None:
                self._looking_up = asyncio.ensure_future(feed.last_id())
                self._looking_up.add_done_callback(_see_to_its_end)
            try:
                # A task that is cancelled has asked all the same: its answer is for the next.
                self._position = await asyncio.shield(self._looking_up)
            finally:
                if self._looking_up.done():
                    self._looking_up = None
        return feed


def _see_to_its_end(looking_up: asyncio.Future[MessageId]) -> None:
    """Look at its error, of which asyncio would warn if nobody awaits it any more."""
    if not looking_up.cancelled():
        looking_up.exception()
