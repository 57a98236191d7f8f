"""Feeds of streams: what a subscription or a consumer reads from."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, Entry, Feed, Share, Taken
from simstore.adapters.redis_streams.async_line import AsyncLine
from simstore.adapters.redis_streams.line import Line
from simstore.adapters.redis_streams.reading import reading
from simstore.adapters.redis_streams.steps import Steps
from simstore.adapters.redis_streams.taking import Hand, taking

if TYPE_CHECKING:
    from simstore.adapters.redis_streams.log import StreamLog


class _Reads:
    """What feeds of either kind ask."""

    def __init__(self, log: "StreamLog", address: Address) -> None:
        self._log = log
        self._address = address
        self._hand = Hand()

    def _reading(self, after: MessageId, limit: int, wait: float | None) -> Steps[Sequence[Entry]]:
        log = self._log
        return reading(log.link, log.keys.log(self._address), after, limit, wait)

    def _taking(self, share: Share, wait: float | None) -> Steps[Taken | None]:
        log = self._log
        dead = log.keys.log(self._address._replace(dead_letters_of=share.group))
        keys = log.keys.log(self._address), dead
        return taking(log.link, keys, share, self._hand, wait)


class StreamFeed(Feed, _Reads):
    """A thread's feed."""

    def __init__(self, log: "StreamLog", address: Address) -> None:
        super().__init__(log, address)
        self._line = log.add(Line(log.link, log.keys.log(address)))

    def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
        entries = self._line.follow(self._reading(after, limit, wait))
        self._log.check_open()
        return list(entries or ())

    def join(self, share: Share) -> None:
        self._log.join(self._address, share)

    def take(self, share: Share, wait: float | None) -> Taken | None:
        taken = self._line.follow(self._taking(share, wait))
        self._log.check_open()
        return taken

    def close(self) -> None:
        self._line.end()


class AsyncStreamFeed(AsyncFeed, _Reads):
    """A task's feed. What is answered quickly goes over the connections of all."""

    def __init__(self, log: "StreamLog", address: Address) -> None:
        super().__init__(log, address)
        self._line = log.add(AsyncLine(log.link, log.keys.log(address), log.async_pool))

    async def last_id(self) -> MessageId:
        return await asyncio.to_thread(self._log.last_id, self._address)

    async def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
        entries = await self._line.follow(self._reading(after, limit, wait))
        self._log.check_open()
        return list(entries or ())

    async def join(self, share: Share) -> None:
        await asyncio.to_thread(self._log.join, self._address, share)

    async def take(self, share: Share, wait: float | None) -> Taken | None:
        taken = await self._line.follow(self._taking(share, wait))
        self._log.check_open()
        return taken

    async def aclose(self) -> None:
        await self._line.aclose()
