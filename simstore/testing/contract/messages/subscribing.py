"""Subscriptions: where they begin, what they give, where they are, and how they end."""

import pytest

from simstore.domain.broker import MessageBroker, Position
from simstore.testing.binding import OpenStore
from simstore.testing.contract.messages.base import LITTLE, BrokerBinding, texts, there
from simstore.testing.messages import NOTES, OTHERS, note


class SubscribingContract(BrokerBinding):
    """Each subscription gives every message behind its beginning, once and in order."""

    @pytest.mark.parametrize(
        ("start", "expected"),
        [(None, "01234"), ("new", ""), (0, "1234"), (3, "4"), (4, "")],
        ids=("oldest", "new", "first", "last but one", "last"),
    )
    def test_a_subscription_begins_where_it_is_told(
        self, broker: MessageBroker, ids: list[str], start: int | str | None, expected: str
    ) -> None:
        after: Position = ids[start] if isinstance(start, int) else start
        with broker.subscribe(NOTES, after=after, timeout=0) as subscription:
            assert "".join(texts(subscription)) == expected
            broker.publish(NOTES, note("5"))
            assert texts(subscription) == ["5"]

    def test_new_means_newer_than_the_call_of_subscribe(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.subscribe(NOTES, after="new", timeout=0) as subscription:
            broker.publish(NOTES, note("5"))
            broker.publish(NOTES, note("6"))
            assert texts(subscription) == ["5", "6"]

    def test_a_subscription_to_what_is_not_there_yet(self, broker: MessageBroker) -> None:
        with (
            broker.subscribe(NOTES, timeout=0) as old,
            broker.subscribe(NOTES, after="new", timeout=0) as new,
        ):
            assert list(old) == list(new) == []
            assert not broker.delete(NOTES)
            broker.publish(OTHERS, note("elsewhere"))
            broker.publish(NOTES, note("first"))
            assert texts(old) == texts(new) == ["first"]

    def test_every_subscription_gets_everything(
        self, open_store: OpenStore, broker: MessageBroker, ids: list[str]
    ) -> None:
        with (
            open_store() as other,
            broker.subscribe(NOTES, timeout=0) as one,
            broker.subscribe(NOTES, timeout=0) as two,
            other.broker.subscribe(NOTES, after=ids[1], timeout=0) as three,
        ):
            assert texts([next(one), next(one)]) == ["0", "1"]
            assert texts(two) == list("01234")
            assert texts(one) == texts(three) == list("234")
            other.broker.publish(NOTES, note("5"))
            assert texts(three) == texts(two) == texts(one) == ["5"]

    def test_receive_gives_one_message_or_none(self, broker: MessageBroker, ids: list[str]) -> None:
        with broker.subscribe(NOTES, after=ids[2]) as subscription:
            for n in (3, 4):
                received = subscription.receive(timeout=0)
                assert received is not None
                assert (received.id, received.message) == (ids[n], note(f"{n}"))
            assert subscription.receive(timeout=0) is None
            assert subscription.receive(timeout=LITTLE) is None
            broker.publish(NOTES, note("5"))
            received = subscription.receive(timeout=LITTLE)
            assert received is not None
            assert received.message == note("5")

    def test_receive_has_a_timeout_of_its_own(self, broker: MessageBroker) -> None:
        with broker.subscribe(NOTES, timeout=None) as endless:
            assert endless.receive(timeout=0) is None
            assert endless.receive(timeout=LITTLE) is None

    def test_the_position_is_that_of_the_last_message_taken(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.subscribe(NOTES, timeout=0) as subscription:
            at_first = subscription.position
            for expected in ids:
                received = next(subscription)
                assert received.id == subscription.position == expected
            assert list(subscription) == []
            assert subscription.position == ids[-1]
        assert there(broker, NOTES, after=at_first) == list("01234")

    @pytest.mark.parametrize("start", [None, "new", 1], ids=("oldest", "new", "id"))
    def test_a_position_is_known_before_the_first_message(
        self, broker: MessageBroker, ids: list[str], start: int | str | None
    ) -> None:
        after: Position = ids[start] if isinstance(start, int) else start
        with broker.subscribe(NOTES, after=after, timeout=0) as subscription:
            position = subscription.position
            broker.publish(NOTES, note("5"))
            expected = texts(subscription)
        with broker.subscribe(NOTES, after=position, timeout=0) as again:
            assert texts(again) == expected

    def test_the_first_new_position_of_a_channel_that_is_not_there(
        self, broker: MessageBroker
    ) -> None:
        with broker.subscribe(NOTES, after="new") as subscription:
            position = subscription.position
        broker.publish(NOTES, note("0"))
        assert there(broker, NOTES, after=position) == ["0"]

    def test_a_subscription_is_taken_up_by_another_one(
        self, open_store: OpenStore, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.subscribe(NOTES, timeout=0) as subscription:
            assert texts([next(subscription), next(subscription)]) == ["0", "1"]
        broker.publish(NOTES, note("5"))
        with (
            open_store() as other,
            other.broker.subscribe(NOTES, after=subscription.position, timeout=0) as resumed,
        ):
            assert texts(resumed) == list("2345")

    def test_what_is_closed_ends(self, broker: MessageBroker, ids: list[str]) -> None:
        subscription = broker.subscribe(NOTES)
        assert texts([next(subscription)]) == ["0"]
        subscription.close()
        assert list(subscription) == []
        assert subscription.position == ids[0]
        subscription.close()

    def test_subscriptions_end_with_their_block(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        with broker.subscribe(NOTES) as subscription:
            for received in subscription:
                if received.id == ids[2]:
                    break
        assert list(subscription) == []
        assert subscription.position == ids[2]

    def test_a_subscription_goes_on_over_what_was_trimmed(
        self, broker: MessageBroker, ids: list[str]
    ) -> None:
        broker.trim(NOTES, keep=2)
        with broker.subscribe(NOTES, timeout=0) as oldest:
            assert texts(oldest) == ["3", "4"]
        for trimmed in ids[:3]:
            with broker.subscribe(NOTES, after=trimmed, timeout=0) as subscription:
                assert texts(subscription) == ["3", "4"]
        with broker.subscribe(NOTES, after=ids[3], timeout=0) as subscription:
            assert texts(subscription) == ["4"]
