"""Channels that are deleted, and channels whose time is over."""

from datetime import timedelta

import pytest

from simstore.domain.broker import MessageBroker
from simstore.domain.channels import Channel
from simstore.testing.contract.messages.base import NEVER, BrokerBinding, given, texts, there
from simstore.testing.messages import NOTES, OTHERS, Note, note

SHORT_TTL = 0.05
"""Seconds that a mortal channel lives."""

LONGER_TTL = 1.0
"""Seconds: enough for a slow machine to make some calls meanwhile."""

SLACK = 0.05
"""Seconds that a channel may live too long."""

LETTERS = NOTES.dead_letters("g")


class ForgettingContract(BrokerBinding):
    """With a channel go its messages, its groups and their dead letters; and it may come back."""

    def _fill(self, broker: MessageBroker, ttl: float | None = None) -> list[str]:
        """Messages 0 to 3, the first a dead letter of g, the second given to it."""
        ids = [broker.publish(NOTES, note(f"{n}"), ttl=ttl) for n in range(4)]
        for _ in range(2):
            with broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=1) as consumer:
                next(consumer)
        assert texts(broker.history(LETTERS)) == ["0"]
        return ids

    def _is_forgotten(self, broker: MessageBroker) -> None:
        assert there(broker, NOTES) == there(broker, LETTERS) == []
        assert broker.trim(NOTES, keep=0) == 0
        assert not broker.delete(NOTES)
        broker.publish(NOTES, note("anew"))
        assert there(broker, NOTES) == ["anew"]
        assert there(broker, LETTERS) == []
        # The group as well: it would begin behind what it was given.
        with broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=1) as consumer:
            assert given(consumer) == ["anew"]
        assert there(broker, LETTERS) == []

    def test_a_deleted_channel_is_forgotten(self, broker: MessageBroker) -> None:
        self._fill(broker)
        broker.publish(OTHERS, note("stays"))
        assert broker.delete(NOTES)
        self._is_forgotten(broker)
        assert there(broker, OTHERS) == ["stays"]

    def test_what_is_not_there_cannot_be_deleted(self, broker: MessageBroker) -> None:
        assert not broker.delete(NOTES)
        assert not broker.delete(LETTERS)
        broker.publish(NOTES, note("a"))
        assert not broker.delete(LETTERS)
        assert broker.delete(NOTES)
        assert not broker.delete(NOTES)

    def test_dead_letters_can_be_deleted_alone(self, broker: MessageBroker) -> None:
        self._fill(broker)
        assert broker.delete(LETTERS)
        assert there(broker, LETTERS) == []
        assert there(broker, NOTES) == ["0", "1", "2", "3"]
        with broker.consume(NOTES, "g", "d", retry_after=NEVER, max_tries=1) as consumer:
            assert given(consumer) == ["2", "3"]

    def test_ids_grow_over_deletion(self, broker: MessageBroker) -> None:
        seen = []
        for _ in range(10):
            seen += [broker.publish(NOTES, note("a")), broker.publish(NOTES, note("b"))]
            assert broker.delete(NOTES)
        last = broker.publish(NOTES, note("last"))
        assert len({*seen, last}) == 21
        for one in seen:
            assert there(broker, NOTES, after=one) == ["last"]

    def test_a_subscription_goes_on_over_deletion(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with (
            broker.subscribe(NOTES, timeout=0) as subscription,
            broker.subscribe(NOTES, after="new", timeout=0) as new,
        ):
            assert texts(subscription) == ["a"]
            broker.delete(NOTES)
            assert texts(subscription) == texts(new) == []
            broker.publish(NOTES, note("b"))
            assert texts(subscription) == texts(new) == ["b"]

    @pytest.mark.parametrize("start", [None, "new"], ids=("oldest", "new"))
    def test_a_consumer_goes_on_over_deletion(
        self, broker: MessageBroker, start: str | None
    ) -> None:
        broker.publish(NOTES, note("a"))
        with broker.consume(NOTES, "g", "c", after=start, retry_after=NEVER) as consumer:
            broker.publish(NOTES, note("b"))
            delivery = next(consumer)
            broker.delete(NOTES)
            assert not consumer.acknowledge(delivery)
            broker.publish(NOTES, note("c"))
            assert given(consumer) == ["c"]

    @pytest.mark.parametrize(
        "ttl", [SHORT_TTL, timedelta(seconds=SHORT_TTL)], ids=("seconds", "timedelta")
    )
    def test_a_channel_whose_time_is_over_is_forgotten(
        self, broker: MessageBroker, ttl: float | timedelta
    ) -> None:
        broker.publish(OTHERS, note("stays"))
        broker.publish(NOTES, note("a"))
        broker.publish_many(NOTES, [note("b"), note("c")], ttl=ttl)
        self.advance(SHORT_TTL + SLACK)
        self._is_forgotten(broker)
        # Nor does the new one inherit the old one's time.
        self.advance(SHORT_TTL + SLACK)
        assert there(broker, NOTES) == ["anew"]
        assert there(broker, OTHERS) == ["stays"]

    def test_groups_and_dead_letters_are_forgotten_with_it(self, broker: MessageBroker) -> None:
        self._fill(broker, ttl=LONGER_TTL)
        broker.publish(NOTES, note("last"), ttl=SHORT_TTL)
        self.advance(SHORT_TTL + SLACK)
        self._is_forgotten(broker)

    def test_ids_grow_over_the_end_of_a_channel(self, broker: MessageBroker) -> None:
        before = broker.publish(NOTES, note("a"), ttl=SHORT_TTL)
        with broker.subscribe(NOTES, timeout=0) as subscription:
            self.advance(SHORT_TTL + SLACK)
            after = broker.publish(NOTES, note("b"))
            assert before != after
            assert there(broker, NOTES, after=before) == ["b"]
            assert texts(subscription) == ["b"]

    def test_the_time_of_a_channel_is_that_of_its_last_ttl(self, broker: MessageBroker) -> None:
        prolonged, shortened, left, read = (Channel(name, Note) for name in "abcd")
        broker.publish(prolonged, note("1"), ttl=LONGER_TTL)
        broker.publish(prolonged, note("2"), ttl=NEVER)
        broker.publish(shortened, note("1"), ttl=NEVER)
        broker.publish_many(shortened, [note("2")], ttl=LONGER_TTL)
        broker.publish(left, note("1"), ttl=LONGER_TTL)
        broker.publish(left, note("2"))
        broker.publish_many(left, [note("3")])
        broker.publish_many(read, [note("1"), note("2")], ttl=LONGER_TTL)
        broker.trim(read, keep=1)
        with broker.consume(read, "g", "c") as consumer:
            assert given(consumer) == ["2"]
        assert there(broker, left) == ["1", "2", "3"]
        self.advance(LONGER_TTL + SLACK)
        assert there(broker, prolonged) == ["1", "2"]
        for channel in (shortened, left, read):
            assert there(broker, channel) == []
