"""Dead letters: messages on which a group gave up."""

import pytest

from simstore.domain.broker import MessageBroker
from simstore.domain.channels import Channel
from simstore.domain.errors import CorruptMessageError
from simstore.testing.contract.messages.base import (
    LITTLE,
    NEVER,
    BrokerBinding,
    begin,
    given,
    texts,
    there,
)
from simstore.testing.messages import NOTES, STRANGERS, Gone, Note, note

LETTERS = NOTES.dead_letters("g")


def try_in_vain(
    broker: MessageBroker, times: int, max_tries: int, group: str = "g", name: str = "c"
) -> list[str]:
    """What a consumer that dies so many times is given, one message each time."""
    found = []
    for _ in range(times):
        with broker.consume(NOTES, group, name, retry_after=NEVER, max_tries=max_tries) as consumer:
            delivery = consumer.receive(timeout=0)
            if delivery is not None:
                found.append(f"{delivery.message.text}{delivery.tries}")
    return found


class DeadLetterContract(BrokerBinding):
    """A message that had all its tries goes to the dead letters of its group, and no further."""

    @pytest.mark.parametrize("tries", [1, 2, 5])
    def test_a_message_is_given_up_after_its_tries(self, broker: MessageBroker, tries: int) -> None:
        first = broker.publish(NOTES, note("a"))
        second = broker.publish(NOTES, note("b"))
        expected = [f"{text}{n}" for text in "ab" for n in range(1, tries + 1)]
        assert try_in_vain(broker, 2 * tries + 3, tries) == expected
        received = broker.history(LETTERS)
        assert texts(received) == ["a", "b"]
        assert [one.original_id for one in received] == [first, second]
        assert len({one.id for one in received}) == 2
        # It is the group that gave up; the channel keeps it, and other groups try it.
        assert there(broker, NOTES) == ["a", "b"]
        assert broker.history(NOTES.dead_letters("h")) == []
        with broker.consume(NOTES, "h", "c") as other:
            assert given(other) == ["a", "b"]

    def test_by_default_it_has_five_tries(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        for _ in range(5):
            assert broker.history(LETTERS) == []
            with broker.consume(NOTES, "g", "c") as consumer:
                assert consumer.receive(timeout=0) is not None
        with broker.consume(NOTES, "g", "c") as consumer:
            assert consumer.receive(timeout=0) is None
        assert texts(broker.history(LETTERS)) == ["a"]

    def test_before_it_is_due_again_it_is_no_dead_letter(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with (
            broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=1) as one,
            broker.consume(NOTES, "g", "d", retry_after=NEVER, max_tries=1) as two,
        ):
            delivery = next(one)
            assert two.receive(timeout=0) is None
            assert broker.history(LETTERS) == []
            assert one.acknowledge(delivery)
        assert try_in_vain(broker, 2, 1) == []
        assert broker.history(LETTERS) == []

    def test_in_time_it_is_given_up_without_another_consumer_s_return(
        self, broker: MessageBroker
    ) -> None:
        retry = 0.1
        broker.publish(NOTES, note("a"))
        with broker.consume(NOTES, "g", "c", retry_after=retry, max_tries=2) as consumer:
            assert next(consumer).tries == 1
            self.advance(retry * 1.5)
            last = next(consumer)
            assert last.tries == 2
            self.advance(retry * 1.5)
            assert consumer.receive(timeout=0) is None
            assert not consumer.acknowledge(last)
        assert texts(broker.history(LETTERS)) == ["a"]

    def test_behind_what_is_given_up_comes_what_is_due(self, broker: MessageBroker) -> None:
        broker.publish_many(NOTES, [note("a"), note("b"), note("c")])
        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            assert texts([next(consumer)]) == ["a"]
        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            assert texts([next(consumer), next(consumer)]) == ["a", "b"]
        with broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=2) as consumer:
            assert given(consumer) == ["b", "c"]
        assert texts(broker.history(LETTERS)) == ["a"]

    def test_dead_letters_are_not_given_again(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        assert try_in_vain(broker, 2, 1) == ["a1"]
        for name in "cd":
            with broker.consume(NOTES, "g", name, retry_after=NEVER) as consumer:
                assert given(consumer) == []
        broker.publish(NOTES, note("b"))
        with broker.consume(NOTES, "g", "d", retry_after=NEVER) as consumer:
            assert given(consumer) == ["b"]
        assert texts(broker.history(LETTERS)) == ["a"]

    def test_dead_letters_are_read_as_any_channel(self, broker: MessageBroker) -> None:
        for text in "abcd":
            broker.publish(NOTES, note(text))
        try_in_vain(broker, 8, 1)
        received = broker.history(LETTERS)
        assert there(broker, LETTERS) == list("abcd")
        assert there(broker, LETTERS, after=received[1].id) == ["c", "d"]
        assert texts(broker.history(LETTERS, limit=1, newest=True)) == ["d"]
        with broker.subscribe(LETTERS, timeout=0) as subscription:
            assert [one.original_id for one in subscription] == [
                one.id for one in broker.history(NOTES)
            ]

        async def main() -> list[str]:
            return texts([one async for one in broker.asubscribe(LETTERS, timeout=0)])

        assert self.run(main) == list("abcd")
        assert broker.trim(LETTERS, keep=1) == 3
        assert there(broker, LETTERS) == ["d"]
        assert there(broker, NOTES) == list("abcd")

    def test_who_waits_for_dead_letters_is_woken(self, broker: MessageBroker) -> None:
        with broker.subscribe(LETTERS, after="new") as subscription:
            waiting = begin(lambda: next(subscription))
            first = broker.publish(NOTES, note("a"))
            try_in_vain(broker, 2, 1)
            received = waiting.result(self.soon)
            assert received.message == note("a")
            assert received.original_id == first
            assert subscription.receive(timeout=LITTLE) is None

    def test_a_trimmed_channel_keeps_its_dead_letters(self, broker: MessageBroker) -> None:
        first = broker.publish(NOTES, note("a"))
        try_in_vain(broker, 2, 1)
        assert broker.trim(NOTES, keep=0) == 1
        (received,) = broker.history(LETTERS)
        assert received.message == note("a")
        assert received.original_id == first

    def test_what_cannot_be_read_is_given_up_in_the_end(self, broker: MessageBroker) -> None:
        corrupt = broker.publish(STRANGERS, Gone(who="x"))
        for _ in range(2):
            with broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=2) as consumer:
                with pytest.raises(CorruptMessageError) as caught:
                    consumer.receive(timeout=0)
                assert caught.value.id == corrupt
        assert try_in_vain(broker, 1, 2) == []
        with pytest.raises(CorruptMessageError):
            broker.history(LETTERS)
        (received,) = broker.history(STRANGERS.dead_letters("g"))
        assert received.message == Gone(who="x")
        assert received.original_id == corrupt

    def test_the_dead_letters_of_groups_and_channels_are_apart(self, broker: MessageBroker) -> None:
        # Joined by what a backend may put between them, some of these would be the same.
        pairs = [("a", "b:c"), ("a:b", "c"), ("a", "b"), ("b", "a"), ("{a}", "b"), ("a{", "}b")]
        for name, group in pairs:
            channel = Channel(name, Note)
            broker.delete(channel)
            broker.publish(channel, note(f"{name} {group}"))
            for _ in range(2):
                with broker.consume(
                    channel, group, "c", retry_after=NEVER, max_tries=1
                ) as consumer:
                    consumer.receive(timeout=0)
            letters = channel.dead_letters(group)
            assert texts(broker.history(letters)) == [f"{name} {group}"]
        for name, group in pairs:
            found = texts(broker.history(Channel(name, Note).dead_letters(group)))
            # Deleting a channel takes the letters of all of its groups, and no others.
            last = [pair for pair in pairs if pair[0] == name][-1]
            assert found == ([f"{name} {group}"] if (name, group) == last else [])
