"""What subscriptions and consumers share: iteration by `receive`, and their ends."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from types import EllipsisType, TracebackType
from typing import Generic, Self, TypeVar

from simstore.adapters.messages.arguments import check_timeout
from simstore.adapters.messages.log import Address, AsyncFeed, Feed, MessageLog
from simstore.domain.errors import InvalidArgumentError

R = TypeVar("R")


class _Timed:
    """What has a timeout of its own."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout = timeout

    def _wait(self, timeout: float | EllipsisType | None) -> float | None:
        """How long to wait: as long as `timeout` says, or as the own one if that is left out."""
        return self._timeout if isinstance(timeout, EllipsisType) else check_timeout(timeout)


class Source(_Timed, ABC, Generic[R]):
    """What a thread receives messages from."""

    def __init__(self, feed: Feed, timeout: float | None) -> None:
        super().__init__(timeout)
        self._feed = feed
        self._closed = False

    @abstractmethod
    def receive(self, timeout: float | EllipsisType | None = ...) -> R | None:
        """The next message; None if none came in time."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        received = self.receive()
        if received is None:
            raise StopIteration
        return received

    def close(self) -> None:
        """Stop, and release what it holds; a thread that waits in it is woken."""
        self._closed = True
        self._feed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self.close()


class AsyncSource(_Timed, ABC, Generic[R]):
    """What a task receives messages from."""

    def __init__(
        self,
        held: "HeldFeed",
        timeout: float | None,
    ) -> None:
        super().__init__(timeout)
        self._held = held

    @abstractmethod
    async def receive(self, timeout: float | EllipsisType | None = ...) -> R | None:  # noqa: ASYNC109 — the port's
        """The next message; None if none came in time."""

    @abstractmethod
    async def _start(self) -> AsyncFeed:
        """The feed, once it is known where to begin."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        received = await self.receive()
        if received is None:
            raise StopAsyncIteration
        return received

    async def aclose(self) -> None:
        """Stop, and release what it holds; a task that waits in it is woken."""
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
        self.address = address
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
            self._holder = _holding(self.open_log().async_feed(self.address))
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
