"""The broker in event loops: iteration, waiting, cancelling, and leaving nothing behind."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from simstore.domain.broker import MessageBroker, Position
from simstore.testing.binding import OpenStore
from simstore.testing.contract.helpers import assert_identical
from simstore.testing.contract.messages.base import (
    LITTLE,
    NEVER,
    BrokerBinding,
    arriving,
    begin,
    texts,
    there,
)
from simstore.testing.messages import NOTES, note

SUBSCRIBERS = 50
HELPERS = 4
"""Threads that the event loop may use for quick calls."""


class AsyncSubscribingContract(BrokerBinding):
    """What threads get, tasks get."""

    @pytest.mark.parametrize(
        ("start", "expected"),
        [(None, "012"), ("new", ""), (0, "12"), (2, "")],
        ids=("oldest", "new", "first", "last"),
    )
    def test_asynchronous_iteration_begins_where_it_is_told(
        self, broker: MessageBroker, start: int | str | None, expected: str
    ) -> None:
        ids = broker.publish_many(NOTES, [note(f"{n}") for n in range(3)])
        after: Position = ids[start] if isinstance(start, int) else start

        async def main() -> None:
            async with broker.asubscribe(NOTES, after=after, timeout=0) as subscription:
                assert "".join(texts([one async for one in subscription])) == expected
                await broker.apublish(NOTES, note("3"))
                assert texts([one async for one in subscription]) == ["3"]

        self.run(main)

    def test_apublish_publishes(self, broker: MessageBroker) -> None:
        item = note("nul\x00", number=2**53 + 1, score=-0.0)

        async def main() -> str:
            return await broker.apublish(NOTES, item, ttl=NEVER)

        one = self.run(main)
        (received,) = broker.history(NOTES)
        assert received.id == one
        assert_identical(received.message, item)

    def test_nothing_is_asked_before_the_first_message_is(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("0"))

        async def main() -> None:
            waiting = broker.asubscribe(NOTES, after="new", timeout=0)
            assert waiting.position is None
            await broker.apublish(NOTES, note("1"))
            assert [one async for one in waiting] == []
            position = waiting.position
            assert isinstance(position, str)
            await broker.apublish(NOTES, note("2"))
            assert texts([one async for one in waiting]) == ["2"]
            assert there(broker, NOTES, after=position) == ["2"]
            async with broker.asubscribe(NOTES, after="new", timeout=0) as entered:
                assert isinstance(entered.position, str)
                await broker.apublish(NOTES, note("3"))
                assert texts([one async for one in entered]) == ["3"]

        self.run(main)

    def test_an_asynchronous_position_is_that_of_the_last_message(
        self, broker: MessageBroker
    ) -> None:
        ids = broker.publish_many(NOTES, [note(f"{n}") for n in range(3)])

        async def main() -> None:
            async with broker.asubscribe(NOTES, after=ids[0], timeout=0) as subscription:
                assert subscription.position == ids[0]
                assert (await anext(subscription)).id == subscription.position == ids[1]
            assert subscription.position == ids[1]
            resumed = broker.asubscribe(NOTES, after=subscription.position, timeout=0)
            assert texts([one async for one in resumed]) == ["2"]

        self.run(main)

    def test_a_closed_asynchronous_subscription_ends(self, broker: MessageBroker) -> None:
        broker.publish_many(NOTES, [note(f"{n}") for n in range(3)])

        async def main() -> None:
            subscription = broker.asubscribe(NOTES)
            assert texts([await anext(subscription)]) == ["0"]
            await subscription.aclose()
            assert [one async for one in subscription] == []
            assert await subscription.receive(timeout=0) is None
            await subscription.aclose()
            await broker.asubscribe(NOTES).aclose()

        self.run(main)

    @pytest.mark.parametrize("timeout", [0, LITTLE, None])
    def test_a_break_leaves_nothing_behind(
        self, broker: MessageBroker, timeout: float | None
    ) -> None:
        broker.publish_many(NOTES, [note(f"{n}") for n in range(3)])

        async def main() -> list[str]:
            found = []
            for _ in range(3):
                async for received in broker.asubscribe(NOTES, timeout=timeout):
                    found.append(received.message.text)
                    break
                async for delivery in broker.aconsume(NOTES, "g", "c", timeout=timeout):
                    found.append(delivery.message.text)
                    break
            return found

        assert self.run(main) == ["0"] * 6  # each consumer comes back for what the last one left

    def test_what_was_never_begun_leaves_nothing_behind(self, broker: MessageBroker) -> None:
        async def main() -> None:
            broker.asubscribe(NOTES)
            broker.aconsume(NOTES, "g", "c")
            await asyncio.sleep(0)

        self.run(main)

    def test_two_event_loops_one_after_the_other(self, broker: MessageBroker) -> None:
        async def main() -> list[str]:
            async with broker.asubscribe(NOTES, after="new") as subscription:
                waiting = asyncio.create_task(arriving(subscription, 2))
                await asyncio.sleep(0)
                for text in "ab":
                    await broker.apublish(NOTES, note(text))
                found = await waiting
            async with broker.aconsume(NOTES, "g", "c") as consumer:
                for _ in found:
                    assert await consumer.acknowledge(await anext(consumer))
            return found

        assert self.run(main) == self.run(main) == ["a", "b"]


class AsyncWaitingContract(BrokerBinding):
    """A task that waits is woken by whoever publishes, and may be cancelled at any moment."""

    def test_a_task_is_woken_by_another_task(self, broker: MessageBroker) -> None:
        async def main() -> None:
            async with broker.asubscribe(NOTES, after="new") as subscription:
                for text in "ab":
                    waiting = asyncio.create_task(arriving(subscription, 1))
                    await asyncio.sleep(LITTLE)
                    await broker.apublish(NOTES, note(text))
                    assert await waiting == [text]

        self.run(main)

    def test_a_task_is_woken_by_a_thread_of_another_store(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        async def main(other: MessageBroker) -> None:
            async with (
                broker.asubscribe(NOTES, after="new") as subscription,
                broker.aconsume(NOTES, "g", "c", after="new") as consumer,
            ):
                waiting = [
                    asyncio.create_task(arriving(subscription, 2)),
                    asyncio.create_task(arriving(consumer, 2)),
                ]
                await asyncio.sleep(LITTLE)
                begin(lambda: other.publish_many(NOTES, [note("a"), note("b")]))
                assert await asyncio.gather(*waiting) == [["a", "b"]] * 2

        with open_store() as store:
            self.run(lambda: main(store.broker))

    def test_asynchronous_timeouts(self, broker: MessageBroker) -> None:
        async def main() -> None:
            async with broker.asubscribe(NOTES) as subscription:
                assert await subscription.receive(timeout=0) is None
                assert await subscription.receive(timeout=LITTLE) is None
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(LITTLE):
                        await subscription.receive()
                await broker.apublish(NOTES, note("a"))
                assert await arriving(subscription, 1) == ["a"]
            begun = time.monotonic()
            brief = broker.asubscribe(NOTES, timeout=2 * LITTLE)
            assert texts([one async for one in brief]) == ["a"]
            assert time.monotonic() - begun >= LITTLE

        self.run(main)

    def test_many_subscribers_need_no_thread_each(self, broker: MessageBroker) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(HELPERS))
            before = threading.active_count()
            subscriptions = [broker.asubscribe(NOTES) for _ in range(SUBSCRIBERS)]
            waiting = [asyncio.create_task(arriving(each, 2)) for each in subscriptions]
            await broker.apublish(NOTES, note("a"))
            await asyncio.sleep(LITTLE)
            assert threading.active_count() - before <= 2 * HELPERS
            await broker.apublish(NOTES, note("b"))
            assert await asyncio.gather(*waiting) == [["a", "b"]] * SUBSCRIBERS
            assert threading.active_count() - before <= 2 * HELPERS
            for each in subscriptions:
                await each.aclose()

        self.run(main)

    def test_other_tasks_run_while_one_waits(self, broker: MessageBroker) -> None:
        async def main() -> None:
            async with broker.asubscribe(NOTES) as one, broker.aconsume(NOTES, "g", "c") as two:
                waiting = [asyncio.create_task(each.receive()) for each in (one, two)]
                turns = 0
                until = time.monotonic() + LITTLE
                while time.monotonic() < until:
                    await asyncio.sleep(0)
                    turns += 1
                assert turns > 5
                assert not any(task.done() for task in waiting)
                await broker.apublish(NOTES, note("a"))
                found = await asyncio.gather(*waiting)
                assert texts(each for each in found if each is not None) == ["a", "a"]

        self.run(main)

    def test_a_cancelled_subscriber_loses_nothing(self, broker: MessageBroker) -> None:
        async def main() -> None:
            async with broker.asubscribe(NOTES, after="new", timeout=self.soon) as subscription:
                waiting = asyncio.create_task(subscription.receive())
                await asyncio.sleep(LITTLE)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                await broker.apublish(NOTES, note("a"))
                assert await arriving(subscription, 1) == ["a"]

        self.run(main)

    def test_what_comes_while_a_task_is_cancelled_is_not_lost(self, broker: MessageBroker) -> None:
        rounds = 40

        async def main() -> list[str]:
            found: list[str] = []
            async with broker.asubscribe(NOTES, after="new") as subscription:
                for n in range(rounds):
                    waiting = asyncio.create_task(subscription.receive())
                    await asyncio.sleep(0.001 * (n % 4))
                    published = begin(lambda text=f"{n}": broker.publish(NOTES, note(text)))  # type: ignore[misc]  # a default that mypy does not infer
                    await asyncio.sleep(0.0005 * (n % 5))
                    waiting.cancel()
                    (outcome,) = await asyncio.gather(waiting, return_exceptions=True)
                    if not isinstance(outcome, BaseException) and outcome is not None:
                        found.append(outcome.message.text)
                    await asyncio.to_thread(published.result, self.soon)
                return found + await arriving(subscription, rounds - len(found))

        assert self.run(main) == [f"{n}" for n in range(rounds)]

    def test_what_comes_while_a_consumer_is_cancelled_comes_again(
        self, broker: MessageBroker
    ) -> None:
        rounds = 30

        async def main() -> set[str]:
            found: set[str] = set()
            async with broker.aconsume(NOTES, "g", "c", retry_after=NEVER) as consumer:
                for n in range(rounds):
                    waiting = asyncio.create_task(consumer.receive())
                    await asyncio.sleep(0.001 * (n % 4))
                    published = begin(lambda text=f"{n}": broker.publish(NOTES, note(text)))  # type: ignore[misc]  # as above
                    await asyncio.sleep(0.0005 * (n % 5))
                    waiting.cancel()
                    (outcome,) = await asyncio.gather(waiting, return_exceptions=True)
                    if not isinstance(outcome, BaseException) and outcome is not None:
                        found.add(outcome.message.text)
                        assert await consumer.acknowledge(outcome)
                    await asyncio.to_thread(published.result, self.soon)
            # It comes back, and is given what was on its way to it.
            async with broker.aconsume(NOTES, "g", "c", timeout=0, retry_after=NEVER) as consumer:
                async for delivery in consumer:
                    assert delivery.message.text not in found
                    found.add(delivery.message.text)
                    assert await consumer.acknowledge(delivery)
            return found

        assert self.run(main) == {f"{n}" for n in range(rounds)}
