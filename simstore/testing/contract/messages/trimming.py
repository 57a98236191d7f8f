"""Trimming: old messages are forgotten, and everything goes on behind them."""

import pytest

from simstore.domain.broker import MessageBroker
from simstore.testing.contract.messages.base import (
    NEVER,
    BrokerBinding,
    given,
    texts,
    there,
)
from simstore.testing.messages import NOTES, OTHERS, note


class TrimmingContract(BrokerBinding):
    """trim() forgets from the old end, and nothing else."""

    @pytest.fixture
    def six_ids(self, broker: MessageBroker) -> list[str]:
        """The ids of the messages 0 to 5; there is one on another channel, too."""
        broker.publish(OTHERS, note("elsewhere"))
        return broker.publish_many(NOTES, [note(f"{n}") for n in range(6)])

    @pytest.mark.parametrize("keep", [0, 1, 5, 6, 7, 2**53])
    def test_all_but_the_newest_are_forgotten(
        self, broker: MessageBroker, six_ids: list[str], keep: int
    ) -> None:
        assert broker.trim(NOTES, keep=keep) == max(0, 6 - keep)
        assert there(broker, NOTES) == [f"{n}" for n in range(max(0, 6 - keep), 6)]
        assert broker.trim(NOTES, keep=keep) == 0
        assert there(broker, OTHERS) == ["elsewhere"]

    @pytest.mark.parametrize("before", range(6))
    def test_those_older_than_an_id_are_forgotten(
        self, broker: MessageBroker, six_ids: list[str], before: int
    ) -> None:
        assert broker.trim(NOTES, before=six_ids[before]) == before
        assert there(broker, NOTES) == [f"{n}" for n in range(before, 6)]
        assert broker.trim(NOTES, before=six_ids[before]) == 0
        assert broker.trim(NOTES, before=six_ids[0]) == 0
        assert there(broker, OTHERS) == ["elsewhere"]

    def test_nothing_is_trimmed_where_there_is_nothing(self, broker: MessageBroker) -> None:
        elsewhere = broker.publish(OTHERS, note("elsewhere"))
        assert broker.trim(NOTES, keep=0) == 0
        assert broker.trim(NOTES, before=elsewhere) == 0
        assert broker.trim(NOTES.dead_letters("g"), keep=0) == 0
        assert not broker.delete(NOTES)

    def test_ids_grow_over_trimming(self, broker: MessageBroker) -> None:
        seen: list[str] = []
        for n in range(10):
            seen.append(broker.publish(NOTES, note(f"{n}")))
            assert broker.trim(NOTES, keep=0) == 1
        last = broker.publish(NOTES, note("last"))
        assert len({*seen, last}) == 11
        for one in seen:
            assert there(broker, NOTES, after=one) == ["last"]
        assert there(broker, NOTES, after=last) == []

    def test_a_subscription_misses_only_what_is_trimmed(
        self, broker: MessageBroker, six_ids: list[str]
    ) -> None:
        with broker.subscribe(NOTES, after=six_ids[1], timeout=0) as subscription:
            broker.trim(NOTES, keep=0)
            broker.publish(NOTES, note("6"))
            assert texts(subscription) == ["6"]
            broker.publish(NOTES, note("7"))
            broker.trim(NOTES, keep=1)
            broker.publish(NOTES, note("8"))
            assert texts(subscription) == ["7", "8"]

    def test_a_new_subscription_to_a_trimmed_channel(
        self, broker: MessageBroker, six_ids: list[str]
    ) -> None:
        broker.trim(NOTES, keep=0)
        with (
            broker.subscribe(NOTES, after="new", timeout=0) as new,
            broker.subscribe(NOTES, after=six_ids[-1], timeout=0) as last,
        ):
            broker.publish(NOTES, note("6"))
            assert texts(new) == texts(last) == ["6"]

    def test_no_group_is_given_what_was_trimmed(
        self, broker: MessageBroker, six_ids: list[str]
    ) -> None:
        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            assert texts([next(consumer), next(consumer)]) == ["0", "1"]
            broker.trim(NOTES, before=six_ids[4])
            assert given(consumer) == ["4", "5"]
            broker.publish(NOTES, note("6"))
            broker.trim(NOTES, keep=0)
            broker.publish(NOTES, note("7"))
            assert given(consumer) == ["7"]

    def test_what_was_trimmed_does_not_come_again(
        self, broker: MessageBroker, six_ids: list[str]
    ) -> None:
        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            deliveries = [next(consumer) for _ in range(3)]
        broker.trim(NOTES, before=six_ids[2])
        with broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=2) as consumer:
            assert not consumer.acknowledge(deliveries[0])
            assert given(consumer, acknowledge=False) == ["2", "3", "4", "5"]
        broker.trim(NOTES, keep=0)
        with broker.consume(NOTES, "g", "c", retry_after=NEVER, max_tries=2) as consumer:
            assert given(consumer) == []
            assert not any(consumer.acknowledge(delivery) for delivery in deliveries)
        # What was trimmed is no dead letter, either, though it had all its tries.
        assert broker.history(NOTES.dead_letters("g")) == []

    def test_a_new_group_begins_behind_what_was_trimmed(
        self, broker: MessageBroker, six_ids: list[str]
    ) -> None:
        broker.trim(NOTES, before=six_ids[3])
        for group, start in (("g", None), ("h", six_ids[0]), ("i", six_ids[2])):
            with broker.consume(NOTES, group, "c", after=start) as consumer:
                assert given(consumer) == ["3", "4", "5"]
