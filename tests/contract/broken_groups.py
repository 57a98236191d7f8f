"""Logs of messages that are broken on purpose: what a backend may get wrong of groups."""

from typing import Any

from simstore.adapters.messages.bell import Look
from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, Entry, Share
from simstore.adapters.messages.memory import MemoryLog


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


BROKEN_GROUPS = (
    IgnoresMaxTries, AcknowledgesAll, GivesTwice, SaysEverythingWasAcknowledged,
    AcknowledgesWhatWasTrimmed, LettersLackTheirOrigin, BuriesNothing, BuriesAndGoesOn,
    GroupsBeginAtTheEnd, EveryConsumerBeginsAnew, EveryConsumerIsAGroup, NeverRetries,
    RetriesAtOnce, RetriesWhenAsked, ForgetsWhoCameBack, CountsNoTries, GivesNewFirst,
)  # fmt: skip
