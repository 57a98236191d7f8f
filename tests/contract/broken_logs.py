"""Logs of messages that are broken on purpose: what a backend may get wrong."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from simstore.adapters.messages.bell import AsyncBellFeed, Bell, BellFeed, Look
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, Entry, Feed, Share
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


class IgnoresMaxTries(MemoryLog):
    """It never gives up."""

    def look(self, address: Address, share: Share) -> Look:
        return super().look(address, share._replace(max_tries=10**9))


class AcknowledgesAll(MemoryLog):
    """What it gives out is done."""

    def look(self, address: Address, share: Share) -> Look:
        found = super().look(address, share)
        if found.taken is not None:
            self.acknowledge(address, share.group, found.taken.entry.id)
        return found


class GivesTwice(MemoryLog):
    """Now and then, a message is given to two consumers."""

    def look(self, address: Address, share: Share) -> Look:
        found = super().look(address, share)
        if found.taken is not None and found.taken.tries == 1:
            group = self._database.logs[self.place(address)].groups[share.group]
            taken = found.taken.entry.id
            self.given = getattr(self, "given", 0) + 1
            if self.given % 4 == 0:
                group.last_given = MessageId(taken.milliseconds, taken.number - 1)
        return found


class SaysEverythingWasAcknowledged(MemoryLog):
    """It always thanks."""

    def acknowledge(self, *arguments: Any) -> bool:
        super().acknowledge(*arguments)
        return True


class AcknowledgesWhatWasTrimmed(MemoryLog):
    """It thanks for what is trimmed."""

    def acknowledge(self, address: Address, group: str, message: MessageId) -> bool:
        log = self._database.find(self.place(address))
        state = None if log is None else log.groups.get(group)
        return state is not None and state.pending.pop(message, None) is not None


class LettersLackTheirOrigin(MemoryLog):
    """A dead letter does not say which message it was."""

    def _bury(self, at: Address, group: str, entry: Entry) -> None:
        self._database.append(at._replace(dead_letters_of=group), [(entry.body, None)])


class BuriesNothing(MemoryLog):
    """What was given up is gone."""

    def _bury(self, at: Address, group: str, entry: Entry) -> None:
        pass


class BuriesAndGoesOn(MemoryLog):
    """A message is tried once more than it should be before it is a dead letter."""

    def look(self, address: Address, share: Share) -> Look:
        return super().look(address, share._replace(max_tries=share.max_tries + 1))


class GroupsBeginAtTheEnd(MemoryLog):
    """A new group begins at what is new."""

    def join(self, address: Address, share: Share) -> None:
        super().join(address, share._replace(start=None))


class EveryConsumerBeginsAnew(MemoryLog):
    """A group that is there is made anew by whoever joins."""

    def join(self, address: Address, share: Share) -> None:
        log = self._database.find(self.place(address))
        if log is not None:
            log.groups.pop(share.group, None)
        super().join(address, share)


class EveryConsumerIsAGroup(MemoryLog):
    """Each consumer is given everything."""

    def join(self, address: Address, share: Share) -> None:
        super().join(address, share._replace(group=share.group + share.consumer))

    def look(self, address: Address, share: Share) -> Look:
        return super().look(address, share._replace(group=share.group + share.consumer))


class NeverRetries(MemoryLog):
    """What a consumer left waits for its return."""

    def look(self, address: Address, share: Share) -> Look:
        return super().look(address, share._replace(retry_after=float("inf")))


class RetriesAtOnce(MemoryLog):
    """What one consumer holds is given to the next."""

    def look(self, address: Address, share: Share) -> Look:
        return super().look(address, share._replace(retry_after=0.0))


class RetriesWhenAsked(MemoryLog):
    """What is due wakes nobody."""

    def look(self, address: Address, share: Share) -> Look:
        return super().look(address, share)._replace(due_in=None)


class ForgetsWhoCameBack(MemoryLog):
    """A consumer that comes back waits for what it left."""

    def join(self, address: Address, share: Share) -> None:
        super().join(address, share._replace(consumer=f"new {share.consumer}"))


class CountsNoTries(MemoryLog):
    """Every try is the first."""

    def look(self, address: Address, share: Share) -> Look:
        found = super().look(address, share)
        return found if found.taken is None else Look(found.taken._replace(tries=1))


class GivesNewFirst(MemoryLog):
    """What is due comes behind what is new."""

    def look(self, address: Address, share: Share) -> Look:
        with self._lock:
            found = super().look(address, share._replace(retry_after=float("inf")))
            return found if found.taken is not None else super().look(address, share)

    def join(self, address: Address, share: Share) -> None:
        super().join(address, share)
        for group in self._database.logs[self.place(address)].groups.values():
            for id_, pending in group.pending.items():
                if pending.given_at < 0:
                    group.pending[id_] = pending._replace(given_at=0.0)


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
    KnowsNoNewest, NewIsOldest, IgnoresCaseOfNames, LosesTheSign, IgnoresMaxTries,
    AcknowledgesAll, GivesTwice, SaysEverythingWasAcknowledged, AcknowledgesWhatWasTrimmed,
    LettersLackTheirOrigin, BuriesNothing, BuriesAndGoesOn, GroupsBeginAtTheEnd,
    EveryConsumerBeginsAnew, EveryConsumerIsAGroup, NeverRetries, RetriesAtOnce,
    RetriesWhenAsked, ForgetsWhoCameBack, CountsNoTries, GivesNewFirst, NeverForgets,
    TheFirstTtlCounts, WithoutATtlItLives, KeepsGroupsAtDelete, KeepsLettersAtDelete, IsDeaf,
    HearsItselfAlone, ClosesInSilence, FeedsCloseInSilence, ForgetsThatItIsClosed,
    TakesAThreadEach, BlocksTheLoop,
)  # fmt: skip
