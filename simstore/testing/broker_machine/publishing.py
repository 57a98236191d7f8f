"""The rules that write on channels, forget them, and read them."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from simstore.domain.broker import Position
from simstore.domain.channels import Channel
from simstore.domain.errors import InvalidRecordError
from simstore.testing.broker_machine.base import (
    CHANNEL,
    GROUPS,
    WHICH,
    Anything,
    BrokerMachineBase,
    Reader,
    check,
    notes,
    outcome,
)
from simstore.testing.messages import Note

TINY_TTL = 0.002
"""Seconds; shorter than `BrokerMachineBase.OUTLIVING`, which each such channel waits."""

MOST_READERS = 4


class PublishingRules(BrokerMachineBase):
    """Every way to change what a channel keeps, and to subscribe to it."""

    @rule(
        which=WHICH,
        name=CHANNEL,
        items=st.one_of(st.lists(notes(), min_size=1, max_size=12), st.lists(notes(), max_size=1)),
        ttl=st.sampled_from((None, None, 3_600)),
    )
    def publish(self, which: int, name: str, items: list[Note], ttl: float | None) -> None:
        """One message, several at once, or none."""
        self.send(which, name, items, ttl=ttl)

    @rule(which=WHICH, name=CHANNEL, before=st.lists(notes(), max_size=2))
    def publish_strange(self, which: int, name: str, before: list[Note]) -> None:
        """What the readers of the channel cannot read, and something that they can."""
        self.send(which, name, before)
        self.send_strange(which, name)

    @rule(which=WHICH, name=CHANNEL, items=st.lists(notes(), max_size=2), item=notes())
    def publish_nan(self, which: int, name: str, items: list[Note], item: Note) -> None:
        """Be refused."""
        item.score = float("nan")
        try:
            self.broker(which).publish_many(Channel(name, Note), [*items, item])
        except InvalidRecordError:
            return
        raise AssertionError("NaN was published")

    @rule(which=WHICH, name=CHANNEL, data=st.data())
    def trim(self, which: int, name: str, data: st.DataObject) -> None:
        """Keep the newest, or what is not older than a message, which may be forgotten itself."""
        channel = self.channels[name]
        if bool(channel.sent) and data.draw(st.booleans()):
            number = data.draw(st.integers(0, len(channel.sent) - 1))
            expected = channel.trim(number)
            id_ = channel.sent[number].id
            assert self.broker(which).trim(Channel(name, Note), before=id_) == expected
        else:
            keep = data.draw(st.sampled_from((4, 3, 2, 1, 0, 100)))
            expected = channel.trim(len(channel.sent) - keep)
            assert self.broker(which).trim(Channel(name, Note), keep=keep) == expected

    @rule(which=WHICH, name=CHANNEL, item=notes(), outlive=st.booleans())
    def forget(self, which: int, name: str, item: Note, outlive: bool) -> None:
        """Delete a channel that may not be there; or outlive it, after one more message."""
        channel = self.channels[name]
        if outlive:
            self.send(which, name, [item], ttl=TINY_TTL)
            self.advance(self.OUTLIVING)
            assert self.broker(1 - which).history(Channel(name, Anything)) == []
        else:
            was_there = self.broker(which).delete(Channel(name, Note))
            # One that has lost all its messages, or has only groups, may be there or not.
            if channel.kept():
                assert was_there is True
            elif channel.untouched:
                assert was_there is False
        channel.forget()

    @rule(which=WHICH, name=CHANNEL, group=st.sampled_from(GROUPS), keep=st.integers(0, 2))
    def trim_letters(self, which: int, name: str, group: str, keep: int) -> None:
        """Keep the newest dead letters."""
        letters = self.channels[name].letters.get(group, [])
        expected = max(0, len(letters) - keep)
        address = Channel(name, Note).dead_letters(group)
        assert self.broker(which).trim(address, keep=keep) == expected
        del letters[:expected]

    @rule(which=WHICH, name=CHANNEL, data=st.data(), newest=st.booleans())
    def history(self, which: int, name: str, data: st.DataObject, newest: bool) -> None:
        """A part of what is kept."""
        channel = self.channels[name]
        after = data.draw(st.sampled_from((None, *(sent.id for sent in channel.sent))))
        limit = data.draw(st.sampled_from((None, 0, 1, 2, 5)))
        expected = channel.kept(-1 if after is None else channel.number_of(after))
        if limit is not None:
            expected = expected[max(0, len(expected) - limit) :] if newest else expected[:limit]
        self.same_history(which, name, expected, after=after, limit=limit, newest=newest)

    @rule(which=WHICH, name=CHANNEL, data=st.data(), times=st.integers(0, 3))
    def subscribe(self, which: int, name: str, data: st.DataObject, times: int) -> None:
        """One more subscription, and its first messages."""
        reader = self.subscribed(which, name, *self.start(data, name))
        for _ in range(times):
            self._receive(reader)

    def subscribed(self, which: int, name: str, after: Position, position: int) -> Reader:
        """A new subscription, which begins behind that message."""
        subscription = self.broker(which).subscribe(Channel(name, Note), after=after, timeout=0)
        reader = Reader(subscription, name, which, position)
        self.readers.append(reader)
        if len(self.readers) > MOST_READERS:
            self.readers.pop(0).subscription.close()
        return reader

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), which=WHICH, resume=st.booleans(), times=st.integers(1, 20))
    def receive(self, data: st.DataObject, which: int, resume: bool, times: int) -> None:
        """The next messages of a subscription; perhaps another one takes it up before."""
        reader = data.draw(st.sampled_from(self.readers))
        if resume:
            reader.subscription.close()
            assert list(reader.subscription) == []
            reader.subscription = self.broker(which).subscribe(
                Channel(reader.channel, Note), after=reader.subscription.position, timeout=0
            )
            reader.which = which
            reader.ahead.clear()
        while times and self._receive(reader):
            times -= 1

    def _receive(self, reader: Reader) -> bool:
        """Whether there was a message: the next, or one that was trimmed after it was read."""
        channel = self.channels[reader.channel]
        received = outcome(lambda: reader.subscription.receive(timeout=0))
        first = channel.first_kept(reader.position + 1)
        if received is None:
            assert first is None, f"there is a message behind {reader.subscription.position}"
            return False
        id_ = received if isinstance(received, str) else getattr(received, "id", "")
        number = channel.number_of(id_)
        trimmed = number in reader.ahead and reader.position < number < channel.kept_from
        assert number == first or trimmed
        sent = channel.sent[number]
        if isinstance(received, str):
            assert sent.note is None
        else:
            check(received, sent)  # type: ignore[arg-type]  # what receive returned
        assert reader.subscription.position == sent.id
        reader.position = number
        reader.ahead |= set(range(channel.kept_from, len(channel.sent)))
        return True

    @rule(which=WHICH)
    def reopen(self, which: int) -> None:
        """Close one of the stores, with all that reads through it, and open it anew."""
        for reader in [each for each in self.readers if each.which == which]:
            reader.subscription.close()
            self.readers.remove(reader)
        for taker in [each for each in self.takers if each.which == which]:
            taker.consumer.close()
            self.takers.remove(taker)
        self.stores[which].close()
        self.stores[which] = self.open_store()
