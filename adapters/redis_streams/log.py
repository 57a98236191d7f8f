"""The logs of a namespace of a Redis server or cluster, as streams."""

import math
from collections.abc import Sequence
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakSet

from redis import asyncio as redis_asyncio

from simstore.adapters.forking import survive_forks
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, Entry, MessageLog, Share
from simstore.adapters.redis_connection.errors import translated
from simstore.adapters.redis_connection.link import Call, Link, command, script_call
from simstore.adapters.redis_connection.names import escaped
from simstore.adapters.redis_streams.async_line import AsyncLine
from simstore.adapters.redis_streams.entries import entries_of, id_of
from simstore.adapters.redis_streams.feed import AsyncStreamFeed, StreamFeed
from simstore.adapters.redis_streams.layout import ChannelKeys
from simstore.adapters.redis_streams.line import Line
from simstore.adapters.redis_streams.scripts import ACKNOWLEDGE, APPEND, DELETE, JOIN, LAST
from simstore.domain.errors import InvalidArgumentError, StoreClosedError

L = TypeVar("L", Line, AsyncLine)

ENTRIES_AT_A_TIME = 1_000
"""How many entries one answer has: others are served in between."""

MOST_AT_ONCE = 1_000_000
"""How many messages one call can publish: servers take 2**20 arguments."""


class StreamLog(MessageLog):
    """The channels of one namespace, by way of `link`.

    A feed for asyncio makes a connection like those of `async_pool`, or else of the link.
    """

    def __init__(
        self,
        link: Link,
        namespace: str = "",
        async_pool: redis_asyncio.ConnectionPool | None = None,
    ) -> None:
        self.link = link
        self.keys = ChannelKeys(namespace)
        self.async_pool = async_pool
        self._lock = Lock()
        self._lines: WeakSet[Line | AsyncLine] = WeakSet()
        self._is_closed = False
        survive_forks(self)

    def before_fork(self) -> None:
        """Wait for the thread that adds a feed."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Go on."""
        self._lock.release()

    def append(
        self, address: Address, bodies: Sequence[bytes], ttl: float | None
    ) -> list[MessageId]:
        if len(bodies) > MOST_AT_ONCE:
            raise InvalidArgumentError(
                f"{len(bodies)} messages are too many to be published together on Redis, which "
                f"takes {MOST_AT_ONCE}; publish some at a time"
            )
        if not bodies:
            return []
        milliseconds = "" if ttl is None else math.ceil(ttl * 1_000)
        dead = self.keys.dead_letters(address)
        call = script_call(APPEND, [self.keys.log(address)], milliseconds, dead, *bodies)
        return [id_of(id_) for id_ in self._write(call)]

    def last_id(self, address: Address) -> MessageId:
        return id_of(self._read(script_call(LAST, [self.keys.log(address)])))

    def entries(
        self, address: Address, after: MessageId, limit: int | None, *, newest: bool
    ) -> list[Entry]:
        backwards = newest and limit is not None
        name, first, last = (
            ("XREVRANGE", "+", f"({after}") if backwards else ("XRANGE", f"({after}", "+")
        )
        found: list[Entry] = []
        while limit is None or len(found) < limit:
            count = (
                ENTRIES_AT_A_TIME if limit is None else min(ENTRIES_AT_A_TIME, limit - len(found))
            )
            some = entries_of(
                self._read(command(name, self.keys.log(address), first, last, "COUNT", count))
            )
            found += some
            if len(some) < count:
                break
            first = f"({some[-1].id}"
        return found[::-1] if backwards else found

    def join(self, address: Address, share: Share) -> None:
        """As `Feed.join`."""
        start = "$" if share.start is None else str(share.start)
        group = escaped(share.group)
        self._read(script_call(JOIN, [self.keys.log(address)], group, share.consumer, start))

    def acknowledge(self, address: Address, group: str, message: MessageId) -> bool:
        key = self.keys.log(address)
        return bool(self._write(script_call(ACKNOWLEDGE, [key], escaped(group), str(message))))

    def trim(self, address: Address, *, keep: int | None, before: MessageId | None) -> int:
        how = ("MINID", "=", str(before)) if keep is None else ("MAXLEN", "=", keep)
        return int(self._write(command("XTRIM", self.keys.log(address), *how)))

    def delete(self, address: Address) -> bool:
        dead = "" if address.dead_letters_of else self.keys.dead_letters(address)
        return bool(self._write(script_call(DELETE, [self.keys.log(address)], dead)))

    def feed(self, address: Address) -> StreamFeed:
        return StreamFeed(self, address)

    def async_feed(self, address: Address) -> AsyncStreamFeed:
        return AsyncStreamFeed(self, address)

    def _read(self, call: Call) -> Any:
        self.check_open()
        return self.link.read([call])[0]

    def _write(self, call: Call) -> Any:
        self.check_open()
        [reply] = self.link.write([call])
        if isinstance(reply, Exception):
            with translated(self.link.shown):
                raise reply
        return reply

    def add(self, line: L) -> L:
        """Take a line that ends with the log."""
        with self._lock:
            self.check_open()
            self._lines.add(line)
        return line

    def check_open(self) -> None:
        """Raise StoreClosedError if it is closed."""
        if self._is_closed:
            raise StoreClosedError(f"the store {self.link.shown} is closed; connect() to it again")

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            lines = list(self._lines)
        for line in lines:
            line.end()
