"""The broker that every backend shares, over its `MessageLog`."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from pydantic import BaseModel

from simstore.adapters.arguments import check_int, seconds_of
from simstore.adapters.messages.arguments import (
    address_of,
    check_published,
    check_share,
    check_start,
    check_timeout,
)
from simstore.adapters.messages.codec import ChannelCodec
from simstore.adapters.messages.consumer import LogAsyncConsumer, LogConsumer
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import MessageLog
from simstore.adapters.messages.sources import HeldFeed
from simstore.adapters.messages.subscription import LogAsyncSubscription, LogSubscription
from simstore.domain.broker import (
    DEFAULT_MAX_TRIES,
    DEFAULT_RETRY_AFTER,
    MessageBroker,
    Position,
)
from simstore.domain.channels import Channel, Received
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.repository import Ttl
from simstore.domain.text import shown

M = TypeVar("M")


class LogBroker(MessageBroker):
    """The channels of one log, which `open_log` gives for as long as the store is open."""

    def __init__(self, open_log: Callable[[], MessageLog]) -> None:
        self._open_log = open_log

    def publish(self, channel: Channel[M], message: M, *, ttl: Ttl = None) -> str:
        return self._append(channel, [message], ttl)[0]

    def publish_many(
        self, channel: Channel[M], messages: Iterable[M], *, ttl: Ttl = None
    ) -> list[str]:
        several: object = messages
        if isinstance(several, str | BaseModel) or not isinstance(several, Iterable):
            raise InvalidArgumentError(
                f"messages is a list of messages, not {shown(several)}; publish() takes one"
            )
        return self._append(channel, messages, ttl)

    def _append(self, channel: Channel[M], messages: Iterable[M], ttl: Ttl) -> list[str]:
        address = check_published(channel)
        log = self._open_log()
        seconds = None if ttl is None else seconds_of(ttl)
        codec = ChannelCodec(channel)
        bodies = [codec.encode(message) for message in messages]
        return [str(id_) for id_ in log.append(address, bodies, seconds)] if bodies else []

    async def apublish(self, channel: Channel[M], message: M, *, ttl: Ttl = None) -> str:
        return await asyncio.to_thread(self.publish, channel, message, ttl=ttl)

    async def apublish_many(
        self, channel: Channel[M], messages: Iterable[M], *, ttl: Ttl = None
    ) -> list[str]:
        return await asyncio.to_thread(self.publish_many, channel, messages, ttl=ttl)

    def subscribe(
        self, channel: Channel[M], *, after: Position = None, timeout: float | None = None
    ) -> LogSubscription[M]:
        address = address_of(channel)
        start, wait = check_start(after), check_timeout(timeout)
        log, codec = self._open_log(), ChannelCodec(channel)
        begin = log.last_id(address) if start is None else start
        return LogSubscription(codec, self._open_log, log.feed(address), begin, wait)

    def asubscribe(
        self,
        channel: Channel[M],
        *,
        after: Position = None,
        timeout: float | None = None,
    ) -> LogAsyncSubscription[M]:
        address = address_of(channel)
        start, wait = check_start(after), check_timeout(timeout)
        self._open_log()
        held = HeldFeed(self._open_log, address)
        return LogAsyncSubscription(ChannelCodec(channel), held, start, wait)

    def history(
        self,
        channel: Channel[M],
        *,
        after: str | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Received[M]]:
        address = address_of(channel)
        start = ORIGIN if after is None else MessageId.parse(after, "after")
        most = None if limit is None else check_int("limit", limit, least=0)
        log, codec = self._open_log(), ChannelCodec(channel)
        if most == 0:
            return []
        entries = log.entries(address, start, most, newest=newest)
        return [codec.received(entry) for entry in entries]

    async def ahistory(
        self,
        channel: Channel[M],
        *,
        after: str | None = None,
        limit: int | None = None,
        newest: bool = False,
    ) -> list[Received[M]]:
        return await asyncio.to_thread(
            self.history, channel, after=after, limit=limit, newest=newest
        )

    def consume(  # noqa: PLR0913 — the port's
        self,
        channel: Channel[M],
        group: str,
        consumer: str,
        *,
        after: Position = None,
        timeout: float | None = None,
        retry_after: float = DEFAULT_RETRY_AFTER,
        max_tries: int = DEFAULT_MAX_TRIES,
    ) -> LogConsumer[M]:
        address = check_published(channel)
        share = check_share(group, consumer, after, retry_after, max_tries)
        wait = check_timeout(timeout)
        return LogConsumer(ChannelCodec(channel), self._open_log, address, share, wait)

    def aconsume(  # noqa: PLR0913 — the port's
        self,
        channel: Channel[M],
        group: str,
        consumer: str,
        *,
        after: Position = None,
        timeout: float | None = None,
        retry_after: float = DEFAULT_RETRY_AFTER,
        max_tries: int = DEFAULT_MAX_TRIES,
    ) -> LogAsyncConsumer[M]:
        address = check_published(channel)
        share = check_share(group, consumer, after, retry_after, max_tries)
        wait = check_timeout(timeout)
        self._open_log()
        held = HeldFeed(self._open_log, address)
        return LogAsyncConsumer(ChannelCodec(channel), held, share, wait)

    def trim(
        self, channel: Channel[M], *, keep: int | None = None, before: str | None = None
    ) -> int:
        address = address_of(channel)
        if (keep is None) == (before is None):
            raise InvalidArgumentError(
                "trim takes either keep, how many of the newest messages to keep, or before, "
                "the id of the oldest to keep"
            )
        count = None if keep is None else check_int("keep", keep, least=0)
        oldest = None if before is None else MessageId.parse(before, "before")
        return self._open_log().trim(address, keep=count, before=oldest)

    def delete(self, channel: Channel[M]) -> bool:
        return self._open_log().delete(address_of(channel))
