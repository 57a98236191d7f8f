"""Consumers: entries that a group's state gives out, as the messages of a channel."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from simstore.adapters.messages.arguments import check_timeout
from simstore.adapters.messages.codec import ChannelCodec
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, MessageLog, Share, Taken
from simstore.adapters.messages.subscription import HeldFeed
from simstore.domain.broker import AsyncConsumer, Consumer
from simstore.domain.channels import Delivery
from simstore.domain.errors import InvalidArgumentError

M = TypeVar("M")


class LogConsumer(Consumer[M]):
    """A thread's share of a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        open_log: Callable[[], MessageLog],
        address: Address,
        share: Share,
        timeout: float | None,
    ) -> None:
        self._codec = codec
        self._open_log = open_log
        self._address = address
        self._feed = feed = open_log().feed(address)
        self._share = share
        self._timeout = timeout
        self._closed = False
        feed.join(share)

    def receive(self, timeout: float | None = None) -> Delivery[M] | None:
        wait = check_timeout(timeout)
        taken = None if self._closed else self._feed.take(self._share, wait)
        return None if taken is None else delivery_of(self._codec, taken)

    def acknowledge(self, delivery: Delivery[object]) -> bool:
        id_ = id_of(delivery)
        return self._open_log().acknowledge(self._address, self._share.group, id_)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Delivery[M]:
        delivery = self.receive(self._timeout)
        if delivery is None:
            raise StopIteration
        return delivery

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


class LogAsyncConsumer(AsyncConsumer[M]):
    """A task's share of a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        held: HeldFeed,
        share: Share,
        timeout: float | None,
    ) -> None:
        self._codec = codec
        self._held = held
        self._share = share
        self._timeout = timeout
        self._joined = False

    async def receive(self, timeout: float | None = None) -> Delivery[M] | None:  # noqa: ASYNC109 — the port's
        wait = check_timeout(timeout)
        if self._held.closed:
            return None
        taken = await (await self._join()).take(self._share, wait)
        return None if taken is None else delivery_of(self._codec, taken)

    async def acknowledge(self, delivery: Delivery[object]) -> bool:
        id_ = id_of(delivery)
        feed = await self._held.feed()
        return await feed.acknowledge(self._share.group, id_)

    async def _join(self) -> AsyncFeed:
        feed = await self._held.feed()
        if not self._joined:
            await feed.join(self._share)
            self._joined = True
        return feed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delivery[M]:
        delivery = await self.receive(self._timeout)
        if delivery is None:
            raise StopAsyncIteration
        return delivery

    async def aclose(self) -> None:
        await self._held.aclose()

    async def __aenter__(self) -> Self:
        await self._join()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        await self.aclose()


def delivery_of(codec: ChannelCodec[M], taken: Taken) -> Delivery[M]:
    """What is given to a consumer.

    Raises:
        CorruptMessageError: the channel's type cannot read it.
    """
    entry = taken.entry
    message = codec.decode(entry.id, entry.body)
    return Delivery(str(entry.id), message, entry.id.moment, None, taken.tries)


def id_of(delivery: Delivery[Any]) -> MessageId:
    """The id of what is acknowledged."""
    if not isinstance(delivery, Delivery):
        raise InvalidArgumentError(
            f"acknowledge() takes what the consumer was given, not {delivery!r}"
        )
    return MessageId.parse(delivery.id, "the delivery's id")
