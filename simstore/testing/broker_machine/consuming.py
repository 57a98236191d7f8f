"""The rules of groups: joining, being given messages, and acknowledging them."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from simstore.domain.broker import Position
from simstore.domain.channels import Channel, Delivery
from simstore.testing.broker_machine.base import (
    CHANNEL,
    GROUPS,
    MAX_TRIES,
    NEVER,
    QUICK,
    WHICH,
    Anything,
    BrokerMachineBase,
    Taker,
    check,
    outcome,
)
from simstore.testing.broker_machine.oracle import Letter, OracleGroup
from simstore.testing.messages import Note


class ConsumingRules(BrokerMachineBase):
    """Consumers that come, die and come back."""

    def group_of(self, name: str, group: str, start: int) -> OracleGroup:
        """A group, which begins at `start` if it is not there."""
        return self.channels[name].group(
            group, always_due=group == "quick", max_tries=MAX_TRIES, start=start
        )

    @rule(
        which=WHICH,
        name=CHANNEL,
        group=st.sampled_from(GROUPS),
        consumer=st.sampled_from("cd"),
        data=st.data(),
        times=st.integers(0, 4),
    )
    def join(
        self,
        which: int,
        name: str,
        group: str,
        consumer: str,
        data: st.DataObject,
        times: int,
    ) -> None:
        """A consumer begins, and is given something."""
        after, position = self.start(data, name)
        self._take_some(self.joined(which, name, group, consumer, after, position), times)

    def joined(
        self, which: int, name: str, group: str, consumer: str, after: Position, position: int
    ) -> Taker:
        """A new consumer; if one of its name is there, that one dies."""
        for old in self.takers.copy():
            if (old.channel, old.group, old.name) == (name, group, consumer):
                old.consumer.close()
                self.takers.remove(old)
        self.group_of(name, group, position + 1).return_of(consumer)
        opened = self.broker(which).consume(
            Channel(name, Note),
            group,
            consumer,
            after=after,
            timeout=0,
            retry_after=QUICK if group == "quick" else NEVER,
            max_tries=MAX_TRIES,
        )
        taker = Taker(opened, name, group, consumer, which)
        self.takers.append(taker)
        return taker

    @precondition(lambda self: self.takers)
    @rule(
        data=st.data(),
        which=WHICH,
        returns=st.booleans(),
        times=st.integers(1, 6),
        acknowledge=st.booleans(),
    )
    def take(
        self, data: st.DataObject, which: int, returns: bool, times: int, acknowledge: bool
    ) -> None:
        """What a consumer is given; perhaps it dies and comes back before."""
        taker = data.draw(st.sampled_from(self.takers))
        if returns:
            taker = self.joined(which, taker.channel, taker.group, taker.name, None, -1)
        self._take_some(taker, times, acknowledge=acknowledge)

    @rule(which=WHICH, name=CHANNEL)
    def give_up(self, which: int, name: str) -> None:
        """A consumer of the quick group tries the next message in vain until it is given up."""
        taker = self.joined(which, name, "quick", "c", None, -1)
        self._take_some(taker, MAX_TRIES + 1)

    def _take_some(self, taker: Taker, times: int, *, acknowledge: bool = False) -> None:
        while times and self._take(taker, acknowledge=acknowledge):
            times -= 1

    @precondition(lambda self: self.takers and self.deliveries)
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        """Something that was given out at some time, to this consumer or another."""
        taker = data.draw(st.sampled_from(self.takers))
        of_group = [
            at
            for at, (name, group, _, _) in enumerate(self.deliveries)
            if (name, group) == (taker.channel, taker.group)
        ]
        if of_group:
            self._acknowledge(taker, data.draw(st.sampled_from(of_group)))

    def _acknowledge(self, taker: Taker, at: int) -> None:
        name, group, number, delivery = self.deliveries[at]
        state = self.channels[name].groups.get(group)
        pending = None if state is None else state.pending.pop(number, None)
        assert taker.consumer.acknowledge(delivery) is (pending is not None)

    def _take(self, taker: Taker, *, acknowledge: bool) -> bool:
        """Whether the consumer was given something: any that it may be given."""
        channel = self.channels[taker.channel]
        # A group that was forgotten with its channel is made anew, at its beginning.
        group = self.group_of(taker.channel, taker.group, 0)
        if group.always_due:
            self.advance(self.RETRYING)
        allowed = channel.next_of(group, taker.name)
        given = outcome(lambda: taker.consumer.receive(timeout=0))
        if given is None:
            number = None
        else:
            id_ = given if isinstance(given, str) else getattr(given, "id", "")
            number = channel.number_of(id_)
        assert number in allowed, f"given message {number}, not of {allowed}"
        self._bury(taker, group, number)
        if number is None:
            return False
        sent = channel.sent[number]
        tries = group.give(number, taker.name)
        if isinstance(given, str):
            assert sent.note is None
            return True
        assert isinstance(given, Delivery)
        assert given.tries == tries
        self.deliveries.append((taker.channel, taker.group, number, given))
        check(given, sent)
        if acknowledge:
            self._acknowledge(taker, len(self.deliveries) - 1)
        return True

    def _bury(self, taker: Taker, group: OracleGroup, given: int | None) -> None:
        """Find the dead letters that were made on the way to what was given."""
        channel = self.channels[taker.channel]
        known = channel.letters.setdefault(taker.group, [])
        address = Channel(taker.channel, Anything).dead_letters(taker.group)
        found = self.broker(1 - taker.which).history(address)
        assert [one.id for one in found[: len(known)]] == [letter.id for letter in known]
        new = [
            Letter(one.id, channel.number_of(one.original_id or "")) for one in found[len(known) :]
        ]
        numbers = [letter.number for letter in new]
        certain, perhaps = (
            channel.given_up(group, taker.name, given, perhaps=each) for each in (False, True)
        )
        assert set(certain) <= set(numbers) <= set(perhaps)
        assert numbers == sorted(set(numbers))
        for number in numbers:
            del group.pending[number]
        known += new
        self._same_letters(taker, known)

    def _same_letters(self, taker: Taker, letters: list[Letter]) -> None:
        """Each letter that can be read is the message that it was."""
        channel = self.channels[taker.channel]
        address = Channel(taker.channel, Note).dead_letters(taker.group)
        sent = [channel.sent[letter.number] for letter in letters]
        if all(one.note is not None for one in sent):
            found = self.broker(taker.which).history(address)
            assert [one.message for one in found] == [one.note for one in sent]
