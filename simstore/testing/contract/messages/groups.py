"""Groups of consumers: each message is for one of them, until it is acknowledged."""

import pytest

from simstore.domain.broker import MessageBroker, Position
from simstore.domain.channels import Delivery
from simstore.testing.binding import OpenStore
from simstore.testing.contract.messages.base import NEVER, BrokerBinding, given, texts, there
from simstore.testing.messages import NOTES, OTHERS, note
from simstore.testing.texts import HOSTILE_PKS


class GroupContract(BrokerBinding):
    """A group is given every message behind its beginning, each to one of its consumers."""

    def test_a_consumer_alone_is_given_everything_in_order(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        received = broker.history(NOTES)
        with broker.consume(NOTES, "g", "c", timeout=0) as consumer:
            for delivery, expected in zip(consumer, received, strict=True):
                assert type(delivery) is Delivery
                assert delivery.id == expected.id
                assert delivery.message == expected.message
                assert delivery.published_at == expected.published_at
                assert delivery.original_id is None
                assert delivery.tries == 1
                assert consumer.acknowledge(delivery)

    def test_each_message_is_for_one_consumer(
        self, open_store: OpenStore, broker: MessageBroker, ids: list[str]
    ) -> None:
        with (
            open_store() as other,
            broker.consume(NOTES, "g", "c", timeout=0) as one,
            other.broker.consume(NOTES, "g", "d", timeout=0) as two,
        ):
            assert texts([next(one), next(two), next(two), next(one), next(two)]) == list("01234")
            assert list(one) == list(two) == []
            broker.publish(NOTES, note("5"))
            assert given(two) == ["5"]
            assert given(one) == []

    def test_groups_and_subscriptions_are_independent(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with (
            broker.consume(NOTES, "g", "c") as one,
            broker.consume(NOTES, "h", "c") as two,
            broker.subscribe(NOTES, timeout=0) as subscription,
        ):
            delivery = next(one)
            assert one.acknowledge(delivery)
            assert given(two) == list("01234")
            assert given(one) == list("1234")
            assert texts(subscription) == list("01234")
        assert there(broker, NOTES) == list("01234")

    def test_a_group_of_the_same_name_on_another_channel_is_another(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        broker.publish(OTHERS, note("other"))
        with broker.consume(NOTES, "g", "c") as one, broker.consume(OTHERS, "g", "c") as two:
            assert given(one) == list("01234")
            assert given(two) == ["other"]

    @pytest.mark.parametrize(
        ("start", "expected"),
        [(None, "01234"), ("new", ""), (0, "1234"), (3, "4"), (4, "")],
        ids=("oldest", "new", "first", "last but one", "last"),
    )
    def test_a_group_begins_where_its_first_consumer_says(
        self, broker: MessageBroker, ids: list[str], start: int | str | None, expected: str
    ) -> None:
        after: Position = ids[start] if isinstance(start, int) else start
        with broker.consume(NOTES, "g", "c", after=after) as consumer:
            broker.publish(NOTES, note("5"))
            assert "".join(given(consumer)) == expected + "5"

    def test_a_group_that_is_there_goes_on_where_it_is(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.consume(NOTES, "g", "c", after=ids[1]) as first:
            assert first.acknowledge(next(first))
        for after in (None, "new", ids[0], ids[4]):
            with broker.consume(NOTES, "g", "c", after=after):
                pass
        with broker.consume(NOTES, "g", "d") as second:
            assert given(second) == ["3", "4"]

    def test_a_group_waits_for_a_channel_that_is_not_there(self, broker: MessageBroker) -> None:
        with (
            broker.consume(NOTES, "g", "c") as one,
            broker.consume(NOTES, "h", "c", after="new") as two,
        ):
            assert given(one) == given(two) == []
            assert there(broker, NOTES) == []
            broker.publish(NOTES, note("a"))
            assert given(one) == given(two) == ["a"]

    def test_a_message_is_acknowledged_once(self, broker: MessageBroker, ids: list[str]) -> None:
        with broker.consume(NOTES, "g", "c") as consumer:
            delivery = next(consumer)
            assert consumer.acknowledge(delivery) is True
            assert consumer.acknowledge(delivery) is False

    def test_another_of_the_group_may_acknowledge_it(
        self, open_store: OpenStore, broker: MessageBroker, ids: list[str]
    ) -> None:
        with (
            open_store() as other,
            broker.consume(NOTES, "g", "c") as one,
            other.broker.consume(NOTES, "g", "d") as two,
            broker.consume(NOTES, "h", "c") as stranger,
        ):
            delivery = next(one)
            assert not stranger.acknowledge(delivery)
            assert two.acknowledge(delivery)
            assert not one.acknowledge(delivery)

    def test_what_is_acknowledged_never_comes_again(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.consume(NOTES, "g", "c") as consumer:
            assert given(consumer) == list("01234")
        with broker.consume(NOTES, "g", "c") as consumer:
            assert given(consumer) == []

    def test_a_consumer_that_comes_back_is_given_what_it_left_at_once(
        self, open_store: OpenStore, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            left = [next(consumer) for _ in range(4)]
            assert consumer.acknowledge(left[1])
        with (
            open_store() as other,
            other.broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer,
        ):
            again = [next(consumer) for _ in range(4)]
        assert texts(again) == ["0", "2", "3", "4"]
        assert [delivery.tries for delivery in again] == [2, 2, 2, 1]

    def test_what_another_holds_is_not_given_out(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with (
            broker.consume(NOTES, "g", "c", retry_after=NEVER) as one,
            broker.consume(NOTES, "g", "d", retry_after=NEVER) as two,
        ):
            assert texts([next(one), next(one)]) == ["0", "1"]
            assert given(two, acknowledge=False) == ["2", "3", "4"]
            assert given(one) == given(two) == []
        # d comes back, and c does not.
        with broker.consume(NOTES, "g", "d", retry_after=NEVER) as two:
            assert given(two) == ["2", "3", "4"]

    def test_tries_are_counted(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        for expected in (1, 2, 3, 4):
            with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
                assert next(consumer).tries == expected
        with broker.consume(NOTES, "h", "c", retry_after=NEVER) as other:
            assert next(other).tries == 1

    def test_what_comes_again_comes_before_what_is_new(self, broker: MessageBroker) -> None:
        broker.publish_many(NOTES, [note("0"), note("1"), note("2")])
        for n in (3, 4):
            with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
                assert texts([next(consumer), next(consumer)]) == ["0", "1"]
                broker.publish(NOTES, note(f"{n}"))
        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            assert given(consumer) == ["0", "1", "2", "3", "4"]

    def test_everything_may_be_the_name_of_a_group_and_of_a_consumer(
        self, broker: MessageBroker
    ) -> None:
        broker.publish(NOTES, note("a"))
        for name in HOSTILE_PKS:
            with broker.consume(NOTES, name, name, retry_after=NEVER) as consumer:
                assert texts([next(consumer)]) == ["a"]
        for name in HOSTILE_PKS:
            with broker.consume(NOTES, name, name, retry_after=NEVER) as consumer:
                delivery = next(consumer)
                assert delivery.tries == 2
                assert consumer.acknowledge(delivery)
                assert consumer.receive(timeout=0) is None

    def test_what_is_acknowledged_is_a_delivery_of_the_group(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.consume(NOTES, "g", "c") as consumer:
            (received,) = broker.history(NOTES, limit=1)
            never_given = Delivery(received.id, received.message, received.published_at)
            assert not consumer.acknowledge(never_given)
            assert given(consumer) == list("01234")

    def test_a_closed_consumer_ends(self, broker: MessageBroker, ids: list[str]) -> None:
        consumer = broker.consume(NOTES, "g", "c", retry_after=NEVER)
        assert texts([next(consumer)]) == ["0"]
        consumer.close()
        assert list(consumer) == []
        assert consumer.receive(timeout=0) is None
        consumer.close()
        with broker.consume(NOTES, "g", "d", retry_after=NEVER) as other:
            assert given(other) == ["1", "2", "3", "4"]
