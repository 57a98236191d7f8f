"""Messages that were not acknowledged: due after a time, and for anybody of the group."""

import time

import pytest

from simstore.domain.broker import Consumer, MessageBroker
from simstore.domain.errors import CorruptMessageError
from simstore.testing.contract.messages.base import (
    LITTLE,
    NEVER,
    BrokerBinding,
    begin,
    given,
    texts,
)
from simstore.testing.messages import NOTES, STRANGERS, Gone, Note, note

RETRY = 0.1
"""Seconds after which a message is due again."""

AFTER_RETRY = 0.15
"""Seconds after which it has been due for a while."""


class RetryingContract(BrokerBinding):
    """What a consumer does not acknowledge in time is given to the next one that asks."""

    def _consumer(self, broker: MessageBroker, name: str, tries: int = 5) -> Consumer[Note]:
        return broker.consume(NOTES, "g", name, retry_after=RETRY, max_tries=tries)

    def test_what_is_due_goes_to_the_next_that_asks(self, broker: MessageBroker) -> None:
        broker.publish_many(NOTES, [note(f"{n}") for n in range(4)])
        with self._consumer(broker, "c") as one, self._consumer(broker, "d") as two:
            held = [next(one) for _ in range(3)]
            assert one.acknowledge(held[1])
            self.advance(AFTER_RETRY)
            # By id, before what is new; and not twice.
            found = [two.receive(timeout=0) for _ in range(3)]
            assert [(each.message.text, each.tries) for each in found if each is not None] == [
                ("0", 2),
                ("2", 2),
                ("3", 1),
            ]

    def test_it_goes_to_the_same_consumer_as_well(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with self._consumer(broker, "c") as consumer:
            assert next(consumer).tries == 1
            self.advance(AFTER_RETRY)
            delivery = consumer.receive(timeout=0)
            assert delivery is not None
            assert delivery.tries == 2

    def test_it_comes_to_who_waits_for_it(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with self._consumer(broker, "c") as one, self._consumer(broker, "d") as two:
            assert next(one).tries == 1
            begun = time.monotonic()
            delivery = two.receive(timeout=self.soon)
            assert delivery is not None
            assert delivery.tries == 2
            # Not because the time to wait was over, but because the message was due.
            assert time.monotonic() - begun < self.soon

    def test_it_is_not_due_before_its_time(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with (
            broker.consume(NOTES, "g", "c", retry_after=NEVER) as one,
            broker.consume(NOTES, "g", "d", retry_after=NEVER) as two,
        ):
            next(one)
            for consumer in (one, two):
                assert consumer.receive(timeout=LITTLE) is None

    def test_its_time_counts_from_when_it_was_last_given(self, broker: MessageBroker) -> None:
        retry = 1.0
        broker.publish(NOTES, note("a"))
        names = iter("abc")
        for expected in (1, 2):
            with broker.consume(NOTES, "g", next(names), retry_after=retry) as consumer:
                delivery = consumer.receive(timeout=0)
                assert delivery is not None
                assert delivery.tries == expected
            if expected == 1:
                self.advance(retry * 1.05)
        with broker.consume(NOTES, "g", next(names), retry_after=retry) as consumer:
            assert consumer.receive(timeout=0) is None

    def test_who_took_too_long_may_still_acknowledge_it(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with self._consumer(broker, "c") as slow, self._consumer(broker, "d") as other:
            late = next(slow)
            self.advance(AFTER_RETRY)
            again = next(other)
            assert slow.acknowledge(late) is True
            assert other.acknowledge(again) is False
            self.advance(AFTER_RETRY)
            assert given(slow) == given(other) == []

    def test_who_took_too_long_may_acknowledge_it_unless_it_was_given_up(
        self, broker: MessageBroker
    ) -> None:
        broker.publish(NOTES, note("a"))
        with self._consumer(broker, "c", tries=1) as slow:
            late = next(slow)
            self.advance(AFTER_RETRY)
            with self._consumer(broker, "d", tries=1) as other:
                assert given(other) == []
            assert slow.acknowledge(late) is False

    def test_what_is_acknowledged_in_time_is_not_due(self, broker: MessageBroker) -> None:
        broker.publish_many(NOTES, [note("a"), note("b")])
        with self._consumer(broker, "c") as one, self._consumer(broker, "d") as two:
            assert given(one) == ["a", "b"]
            self.advance(AFTER_RETRY)
            assert given(one) == given(two) == []

    def test_what_is_published_meanwhile_does_not_wait_for_it(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with (
            broker.consume(NOTES, "g", "c", retry_after=NEVER) as one,
            broker.consume(NOTES, "g", "d", retry_after=NEVER) as two,
        ):
            next(one)
            waiting = begin(lambda: next(two))
            time.sleep(LITTLE)
            broker.publish(NOTES, note("b"))
            assert texts([waiting.result(self.soon)]) == ["b"]

    def test_what_a_consumer_cannot_read_comes_again(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        corrupt = broker.publish(STRANGERS, Gone(who="x"))
        broker.publish(NOTES, note("b"))
        with self._consumer(broker, "c") as one, self._consumer(broker, "d") as two:
            assert one.acknowledge(next(one))
            with pytest.raises(CorruptMessageError) as caught:
                one.receive(timeout=0)
            assert caught.value.id == corrupt
            delivery = next(one)
            assert delivery.message == note("b")
            assert one.acknowledge(delivery)
            self.advance(AFTER_RETRY)
            with pytest.raises(CorruptMessageError) as caught:
                two.receive(timeout=0)
            assert caught.value.id == corrupt
        # Who knows its type is given it, and hears that it was tried before.
        self.advance(AFTER_RETRY)
        with broker.consume(STRANGERS, "g", "e", retry_after=RETRY) as knowing:
            found = knowing.receive(timeout=0)
            assert found is not None
            assert (found.message, found.tries) == (Gone(who="x"), 3)
            assert knowing.acknowledge(found)
