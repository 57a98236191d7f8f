"""Logs of messages that are broken on purpose: what a backend may get wrong of channels."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from simstore.adapters.messages.bell import AsyncBellFeed, Bell, BellFeed
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, Entry, Feed
from simstore.adapters.messages.memory import MemoryLog


class LosesOneMoreAtTrim(MemoryLog):
    """It keeps one message too few."""

    def trim(self, address: Address, *, keep: int | None, before: MessageId | None) -> int:
        return super().trim(address, keep=keep and keep - 1, before=before)


class CountsWrongAtTrim(MemoryLog):
    """It does not say how many messages it forgot."""

    def trim(self, address: Address, *, keep: int | None, before: MessageId | None) -> int:
        return min(1, super().trim(address, keep=keep, before=before))


class RestartsIds(MemoryLog):
    """A message's id is one more than that of the newest which is kept."""

    def append(
        self, address: Address, bodies: Sequence[bytes], ttl: float | None
    ) -> list[MessageId]:
        at = self.place(address)
        with self._lock:
            super().append(address, [], ttl)
            log = self._database.logs[at]
            for body in bodies:
                log.last_id = (log.entries[-1].id if log.entries else ORIGIN).next(0)
                log.entries.append(Entry(log.last_id, body))
            self.bell.ring(at)
            return [entry.id for entry in log.entries[len(log.entries) - len(bodies) :]]


class ReadsBackwards(MemoryLog):
    """What it reads at once comes the newest first."""

    def entries(self, *arguments: Any, **options: Any) -> list[Entry]:
        return super().entries(*arguments, **options)[::-1]


class ReadsTwice(MemoryLog):
    """It reads from a message on, not behind it."""

    def entries(self, address: Address, after: MessageId, *others: Any, **options: Any) -> Any:
        before = MessageId(after.milliseconds, after.number - 1) if after.number else after
        return super().entries(address, before, *others, **options)


class SkipsAtRead(MemoryLog):
    """Of what it reads at once, one of many is lost."""

    def entries(self, *arguments: Any, **options: Any) -> list[Entry]:
        found = super().entries(*arguments, **options)
        return found[:7] + found[8:]


class KnowsNoNewest(MemoryLog):
    """Of too many messages, it gives the oldest whatever is asked."""

    def entries(self, *arguments: Any, newest: bool) -> list[Entry]:
        return super().entries(*arguments, newest=False)


class NewIsOldest(MemoryLog):
    """It does not know its newest message."""

    def last_id(self, address: Address) -> MessageId:
        return ORIGIN


class IgnoresCaseOfNames(MemoryLog):
    """Channels of names that differ in case are one."""

    def place(self, address: Address) -> Address:
        return super().place(address._replace(channel=address.channel.casefold()))


class LosesTheSign(MemoryLog):
    """To it, there is one zero."""

    def append(self, address: Address, bodies: Sequence[bytes], ttl: float | None) -> Any:
        return super().append(address, [body.replace(b"-0.0", b"0.0") for body in bodies], ttl)


class NeverForgets(MemoryLog):
    """A channel has no end."""

    def append(self, address: Address, bodies: Sequence[bytes], ttl: float | None) -> Any:
        return super().append(address, bodies, None)


class TheFirstTtlCounts(MemoryLog):
    """A later ttl changes nothing."""

    def append(self, address: Address, bodies: Sequence[bytes], ttl: float | None) -> Any:
        log = self._database.find(self.place(address))
        told = log is not None and log.expires_at is not None
        return super().append(address, bodies, None if told else ttl)


class WithoutATtlItLives(MemoryLog):
    """Whoever publishes without a ttl makes the channel immortal."""

    def append(self, address: Address, bodies: Sequence[bytes], ttl: float | None) -> Any:
        ids = super().append(address, bodies, ttl)
        if ttl is None:
            self._database.logs[self.place(address)].expires_at = None
        return ids


class KeepsGroupsAtDelete(MemoryLog):
    """Deleting a channel leaves its groups."""

    def delete(self, address: Address) -> bool:
        log = self._database.find(self.place(address))
        was_there = super().delete(address)
        if log is not None and log.groups:
            log.entries = []
            self._database.logs[self.place(address)] = log
        return was_there


class KeepsLettersAtDelete(MemoryLog):
    """Deleting a channel leaves its dead letters."""

    def delete(self, address: Address) -> bool:
        log = self._database.logs.pop(self.place(address), None)
        if log is not None:
            self._database.newest_forgotten = max(self._database.newest_forgotten, log.last_id)
        return log is not None


class IsDeaf(MemoryLog):
    """Who waits is not woken."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.bell = Bell()


class HearsItselfAlone(IsDeaf):
    """Who waits is woken by what the same store publishes."""

    def append(self, address: Address, bodies: Sequence[bytes], ttl: float | None) -> Any:
        ids = super().append(address, bodies, ttl)
        self.bell.ring(self.place(address))
        return ids


class ClosesInSilence(MemoryLog):
    """When the store is closed, who waits is not woken."""

    def close(self) -> None:
        self.closed = True


class FeedsCloseInSilence(MemoryLog):
    """When a subscription is closed, who waits in it is not woken."""

    def feed(self, address: Address) -> Feed:
        class Silent(BellFeed):
            def close(self) -> None:
                self._closed = True

        return Silent(self, address)


class ForgetsThatItIsClosed(MemoryLog):
    """What was opened before the store was closed goes on."""

    def check_open(self) -> None:
        pass


class TakesAThreadEach(MemoryLog):
    """Every task that waits has a thread that waits for it."""

    def async_feed(self, address: Address) -> AsyncFeed:
        sync = self.feed(address)

        class Threaded(AsyncBellFeed):
            async def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
                loop = asyncio.get_running_loop()
                future: asyncio.Future[list[Entry]] = loop.create_future()

                def work() -> None:
                    found = sync.read(after, limit, wait)
                    with suppress(RuntimeError):  # the loop may have ended before
                        loop.call_soon_threadsafe(settle, future, found)

                def settle(future: asyncio.Future[list[Entry]], found: list[Entry]) -> None:
                    if not future.done():
                        future.set_result(found)

                Thread(target=work, daemon=True).start()
                return await future

            async def aclose(self) -> None:
                sync.close()

        return Threaded(self, address)


class BlocksTheLoop(MemoryLog):
    """Who waits in a task keeps all others waiting."""

    def async_feed(self, address: Address) -> AsyncFeed:
        sync = self.feed(address)

        class Blocking(AsyncBellFeed):
            async def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
                return sync.read(after, limit, 0.2 if wait is None else wait)

        return Blocking(self, address)


BROKEN_LOGS = (
    LosesOneMoreAtTrim, CountsWrongAtTrim, RestartsIds, ReadsBackwards, ReadsTwice, SkipsAtRead,
    KnowsNoNewest, NewIsOldest, IgnoresCaseOfNames, LosesTheSign, NeverForgets,
    TheFirstTtlCounts, WithoutATtlItLives, KeepsGroupsAtDelete, KeepsLettersAtDelete, IsDeaf,
    HearsItselfAlone, ClosesInSilence, FeedsCloseInSilence, ForgetsThatItIsClosed,
    TakesAThreadEach, BlocksTheLoop,
)  # fmt: skip
