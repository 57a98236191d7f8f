"""Consumers in event loops."""

import asyncio
import time

from simstore.domain.broker import MessageBroker
from simstore.testing.contract.messages.base import LITTLE, NEVER, BrokerBinding, texts
from simstore.testing.messages import NOTES, Note, note


class AsyncGroupContract(BrokerBinding):
    """What consumers in threads do, those in tasks do."""

    def test_asynchronous_consumers_share(self, broker: MessageBroker) -> None:
        count = 40

        async def work(name: str, found: list[str]) -> None:
            async with broker.aconsume(NOTES, "g", name, timeout=LITTLE) as consumer:
                async for delivery in consumer:
                    assert delivery.tries == 1
                    found.append(delivery.message.text)
                    assert await consumer.acknowledge(delivery)
                    await asyncio.sleep(0)

        async def main() -> list[str]:
            found: list[str] = []
            workers = [asyncio.create_task(work(f"{n}", found)) for n in range(4)]
            for n in range(count):
                await broker.apublish(NOTES, note(f"{n:02}"))
            await asyncio.gather(*workers)
            await work("last", found)
            return found

        assert sorted(self.run(main)) == [f"{n:02}" for n in range(count)]

    def test_a_group_is_made_when_its_consumer_begins(self, broker: MessageBroker) -> None:
        async def main() -> None:
            waiting = broker.aconsume(NOTES, "g", "c", after="new", timeout=0)
            await broker.apublish(NOTES, note("0"))
            assert [one async for one in waiting] == []
            await broker.apublish(NOTES, note("1"))
            assert texts([one async for one in waiting]) == ["1"]
            async with broker.aconsume(NOTES, "h", "c", after="new", timeout=0) as entered:
                await broker.apublish(NOTES, note("2"))
                assert texts([one async for one in entered]) == ["2"]
            await waiting.aclose()

        self.run(main)

    def test_an_asynchronous_consumer_comes_back(self, broker: MessageBroker) -> None:
        first, _ = broker.publish_many(NOTES, [note("a"), note("b")])

        async def main() -> list[int]:
            tries = []
            for _ in range(2):
                async with broker.aconsume(
                    NOTES, "g", "c", retry_after=NEVER, max_tries=2
                ) as consumer:
                    tries.append((await anext(consumer)).tries)
            async with broker.aconsume(
                NOTES, "g", "c", retry_after=NEVER, max_tries=2, timeout=0
            ) as consumer:
                delivery = await anext(consumer)
                assert delivery.message == Note(text="b")
                assert await consumer.acknowledge(delivery) is True
                assert await consumer.acknowledge(delivery) is False
                assert [one async for one in consumer] == []
            await consumer.aclose()
            assert [one async for one in consumer] == []
            return tries

        assert self.run(main) == [1, 2]
        (letter,) = broker.history(NOTES.dead_letters("g"))
        assert (letter.original_id, letter.message.text) == (first, "a")

    def test_what_is_due_comes_to_a_task_that_waits(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))

        async def main() -> None:
            async with (
                broker.aconsume(NOTES, "g", "c", retry_after=0.1) as one,
                broker.aconsume(NOTES, "g", "d", retry_after=0.1) as two,
            ):
                late = await anext(one)
                begun = time.monotonic()
                again = await two.receive(timeout=self.soon)
                assert again is not None
                assert again.tries == 2
                assert time.monotonic() - begun < self.soon  # because it was due
                assert await one.acknowledge(late) is True
                assert await two.acknowledge(again) is False

        self.run(main)

    def test_a_consumer_in_a_thread_and_one_in_a_task_share(self, broker: MessageBroker) -> None:
        broker.publish_many(NOTES, [note("a"), note("b"), note("c")])

        async def main() -> list[str]:
            async with broker.aconsume(NOTES, "g", "d", timeout=0, retry_after=NEVER) as two:
                return texts([one async for one in two])

        with broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
            assert texts([next(consumer)]) == ["a"]
            assert self.run(main) == ["b", "c"]
            assert consumer.receive(timeout=0) is None
