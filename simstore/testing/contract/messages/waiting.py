"""Waiting for messages, in threads: woken by whoever publishes, by time, and by closing."""

import time
from functools import partial

import pytest

from simstore.domain.broker import MessageBroker
from simstore.testing.binding import OpenStore
from simstore.testing.contract.messages.base import LITTLE, BrokerBinding, begin, texts
from simstore.testing.messages import NOTES, OTHERS, Note, note

LONGER_THAN_CLOCKS = 1e12
"""Seconds: more than threads, sockets and event loops can be told to wait."""


class WaitingContract(BrokerBinding):
    """Who waits is given what comes when it comes, and does not wait longer than it asked."""

    @pytest.mark.parametrize("timeout", [None, LONGER_THAN_CLOCKS], ids=("none", "very long"))
    def test_a_subscription_that_waits_is_given_what_comes(
        self, broker: MessageBroker, timeout: float | None
    ) -> None:
        with broker.subscribe(NOTES, after="new", timeout=timeout) as subscription:
            for text in ("one", "two"):
                waiting = begin(lambda: texts([next(subscription)]))
                time.sleep(LITTLE)  # so that it waits; it is right either way
                broker.publish(OTHERS, note("elsewhere"))
                broker.publish(NOTES, note(text))
                assert waiting.result(self.soon) == [text]

    def test_a_consumer_that_waits_is_given_what_comes(self, broker: MessageBroker) -> None:
        with broker.consume(NOTES, "g", "c") as consumer:
            for text in ("one", "two"):
                waiting = begin(lambda: texts([next(consumer)]))
                time.sleep(LITTLE)
                broker.publish(NOTES, note(text))
                assert waiting.result(self.soon) == [text]

    def test_all_who_wait_are_given_what_another_store_publishes(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        with (
            open_store() as other,
            broker.subscribe(NOTES, after="new") as one,
            broker.subscribe(NOTES, after="new") as two,
            broker.consume(NOTES, "g", "c") as three,
        ):
            waiting = [begin(lambda source=source: next(source)) for source in (one, two, three)]  # type: ignore[misc]  # a default that mypy does not infer
            time.sleep(LITTLE)
            other.broker.publish_many(NOTES, [note("a"), note("b")])
            assert texts(each.result(self.soon) for each in waiting) == ["a"] * 3
            assert texts([next(one)]) == texts([next(two)]) == texts([next(three)]) == ["b"]

    def test_one_message_wakes_one_of_a_group(self, broker: MessageBroker) -> None:
        with (
            broker.consume(NOTES, "g", "c") as one,
            broker.consume(NOTES, "g", "d") as two,
        ):
            waiting = [begin(one.receive), begin(two.receive)]
            time.sleep(LITTLE)
            broker.publish(NOTES, note("a"))
            broker.publish(NOTES, note("b"))
            found = [each.result(self.soon) for each in waiting]
        assert sorted(texts(each for each in found if each is not None)) == ["a", "b"]

    def test_receive_without_a_timeout_waits_as_long_as_iteration(
        self, broker: MessageBroker
    ) -> None:
        with (
            broker.subscribe(NOTES, timeout=0) as subscription,
            broker.consume(NOTES, "g", "c", timeout=0) as consumer,
        ):
            assert begin(subscription.receive).result(self.soon) is None
            assert begin(consumer.receive).result(self.soon) is None

    def test_receive_waits_for_ever_if_it_is_told_to(self, broker: MessageBroker) -> None:
        with broker.subscribe(NOTES, timeout=0) as subscription:
            waiting = begin(partial(subscription.receive, None))
            time.sleep(LITTLE)
            assert not waiting.done()
            broker.publish(NOTES, note("a"))
            received = waiting.result(self.soon)
            assert received is not None
            assert received.message == note("a")

    def test_iteration_ends_when_nothing_came_for_so_long(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        for source in (
            broker.subscribe(NOTES, timeout=2 * LITTLE),
            broker.consume(NOTES, "g", "c", timeout=2 * LITTLE),
        ):
            with source:
                begun = time.monotonic()
                assert texts(begin(partial(list, source)).result(self.soon)) == ["a"]
                assert time.monotonic() - begun >= LITTLE

    @pytest.mark.parametrize("kind", ["subscription", "consumer"])
    def test_closing_wakes_who_waits(self, broker: MessageBroker, kind: str) -> None:
        source = (
            broker.subscribe(NOTES) if kind == "subscription" else broker.consume(NOTES, "g", "c")
        )
        iterating = begin(lambda: list(source))
        time.sleep(LITTLE)
        assert not iterating.done()
        source.close()
        assert iterating.result(self.soon) == []

    def test_closing_wakes_who_waits_in_receive(self, broker: MessageBroker) -> None:
        subscription = broker.subscribe(NOTES)
        waiting = begin(subscription.receive)
        time.sleep(LITTLE)
        subscription.close()
        assert waiting.result(self.soon) is None

    def test_what_comes_after_closing_wakes_nobody_else(self, broker: MessageBroker) -> None:
        with broker.subscribe(NOTES) as stays:
            closed = broker.subscribe(NOTES)
            waiting = begin(lambda: next(stays).message)
            closed.close()
            broker.publish(NOTES, note("a"))
            assert waiting.result(self.soon) == Note(text="a")
            assert list(closed) == []
