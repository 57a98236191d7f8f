"""Consumers: entries that a group's state gives out, as the messages of a channel."""

import asyncio
from collections.abc import Callable
from types import EllipsisType
from typing import Any, TypeVar

from simstore.adapters.messages.codec import ChannelCodec
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, MessageLog, Share, Taken
from simstore.adapters.messages.sources import AsyncSource, HeldFeed, Source
from simstore.domain.broker import AsyncConsumer, Consumer
from simstore.domain.channels import Delivery
from simstore.domain.errors import InvalidArgumentError

M = TypeVar("M")


class LogConsumer(Source[Delivery[M]], Consumer[M]):
    """A thread's share of a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        open_log: Callable[[], MessageLog],
        address: Address,
        share: Share,
        timeout: float | None,
    ) -> None:
        super().__init__(open_log().feed(address), timeout)
        self._codec = codec
        self._open_log = open_log
        self._address = address
        self._share = share
        try:
            self._feed.join(share)
        except BaseException:
            self._feed.close()
            raise

    def receive(self, timeout: float | EllipsisType | None = ...) -> Delivery[M] | None:
        wait = self._wait(timeout)
        taken = None if self._closed else self._feed.take(self._share, wait)
        return None if taken is None else _delivery_of(self._codec, taken)

    def acknowledge(self, delivery: Delivery[object]) -> bool:
        id_ = _id_of(delivery)
        return self._open_log().acknowledge(self._address, self._share.group, id_)


class LogAsyncConsumer(AsyncSource[Delivery[M]], AsyncConsumer[M]):
    """A task's share of a log."""

    def __init__(
        self,
        codec: ChannelCodec[M],
        held: HeldFeed,
        share: Share,
        timeout: float | None,
    ) -> None:
        super().__init__(held, timeout)
        self._codec = codec
        self._share = share
        self._joined = False

    async def receive(self, timeout: float | EllipsisType | None = ...) -> Delivery[M] | None:  # noqa: ASYNC109 — the port's
        wait = self._wait(timeout)
        if self._held.closed:
            return None
        taken = await (await self._start()).take(self._share, wait)
        return None if taken is None else _delivery_of(self._codec, taken)

    async def acknowledge(self, delivery: Delivery[object]) -> bool:
        id_, log = _id_of(delivery), self._held.open_log()
        return await asyncio.to_thread(log.acknowledge, self._held.address, self._share.group, id_)

    async def _start(self) -> AsyncFeed:
        feed = await self._held.feed()
        if not self._joined:
            await feed.join(self._share)
            self._joined = True
        return feed


def _delivery_of(codec: ChannelCodec[M], taken: Taken) -> Delivery[M]:
    """What is given to a consumer.

    Raises:
        CorruptMessageError: the channel's type cannot read it.
    """
    entry = taken.entry
    message = codec.decode(entry.id, entry.body)
    return Delivery(str(entry.id), message, entry.id.moment, None, taken.tries)


def _id_of(delivery: Delivery[Any]) -> MessageId:
    """The id of what is acknowledged."""
    if not isinstance(delivery, Delivery):
        raise InvalidArgumentError(
            f"acknowledge() takes what the consumer was given, not {delivery!r}"
        )
    return MessageId.parse(delivery.id, "the delivery's id")
