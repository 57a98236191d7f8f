"""Many who publish, subscribe and consume at once, in threads of several stores."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import TypeVar

from simstore.domain.broker import MessageBroker
from simstore.testing.binding import OpenStore
from simstore.testing.contract.messages.base import (
    NEVER,
    BrokerBinding,
    begin,
    texts,
)
from simstore.testing.messages import NOTES, note

STORES = 2
THREADS = 4
"""Over all stores."""
EACH = 25
"""Messages of each thread."""

R = TypeVar("R")


def at_once(open_store: OpenStore, work: Callable[[MessageBroker, int], R]) -> list[R]:
    """What `work` returns in each of several threads of several stores that start together."""
    start = Barrier(THREADS)

    def run(broker: MessageBroker, number: int) -> R:
        broker.history(NOTES, limit=1)  # connected before the start
        start.wait(timeout=30)
        return work(broker, number)

    with ExitStack() as stack:
        brokers = [stack.enter_context(open_store()).broker for _ in range(STORES)]
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(run, brokers[n % STORES], n) for n in range(THREADS)]
            return [future.result(timeout=60) for future in futures]


def _publish(broker: MessageBroker, number: int) -> list[str]:
    """Publish messages such as ``2 07``, some of them together; their ids."""
    ids: list[str] = []
    while len(ids) < EACH:
        n = len(ids)
        if n % 5 == 0:
            ids += broker.publish_many(NOTES, [note(f"{number} {m:02}") for m in range(n, n + 3)])
        else:
            ids.append(broker.publish(NOTES, note(f"{number} {n:02}")))
    return ids[:EACH]


class TogetherContract(BrokerBinding):
    """Nothing is lost or doubled, and all see the same order."""

    def test_everything_that_many_publish_is_there(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        published = at_once(open_store, _publish)
        received = broker.history(NOTES)
        by_id = {one.id: one.message.text for one in received}
        assert len(by_id) == len(received)
        for number, ids in enumerate(published):
            found = [text for text in texts(received) if text.startswith(f"{number} ")]
            assert found == [f"{number} {n:02}" for n in range(len(found))]
            assert [by_id[one] for one in ids] == found[:EACH]
        # What was published together stands together.
        order = texts(received)
        for number in range(THREADS):
            at = order.index(f"{number} 00")
            assert order[at : at + 3] == [f"{number} {n:02}" for n in range(3)]

    def test_all_subscribers_see_one_order(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        with open_store() as other, ExitStack() as stack:
            subscriptions = [
                stack.enter_context(each.subscribe(NOTES, after="new", timeout=self.soon))
                for each in (broker, broker, other.broker)
            ]

            def read(number: int) -> list[str]:
                found: list[str] = []
                ended = 0
                for received in subscriptions[number]:
                    found.append(received.message.text)
                    ended += found[-1] == "end"
                    if ended:
                        break
                return found

            reading = [begin(lambda n=n: read(n)) for n in range(len(subscriptions))]  # type: ignore[misc]  # a default that mypy does not infer
            at_once(open_store, _publish)
            broker.publish(NOTES, note("end"))
            expected = texts(broker.history(NOTES))
            for each in reading:
                assert each.result(6 * self.soon) == expected

    def test_consumers_share_without_loss_or_double(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        expected = [f"{n:03}" for n in range(THREADS * EACH)]
        broker.publish_many(NOTES, [note(text) for text in expected])

        def work(mine: MessageBroker, number: int) -> list[str]:
            found = []
            with mine.consume(NOTES, "g", f"{number}", timeout=0, retry_after=NEVER) as consumer:
                for delivery in consumer:
                    assert delivery.tries == 1
                    found.append(delivery.message.text)
                    assert consumer.acknowledge(delivery)
            return found

        shares = at_once(open_store, work)
        assert sorted(text for share in shares for text in share) == expected
        for share in shares:
            assert share == sorted(share)

    def test_consumers_that_die_lose_and_double_nothing(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        total = THREADS * EACH
        broker.publish_many(NOTES, [note(f"{n:03}") for n in range(total)])

        def work(mine: MessageBroker, number: int) -> list[str]:
            done = []
            for _ in range(200):
                with mine.consume(
                    NOTES, "g", f"{number}", timeout=0, retry_after=NEVER, max_tries=10
                ) as consumer:
                    for nth, delivery in enumerate(consumer):
                        if nth == 5:
                            break  # and die, before it is done with this one
                        assert consumer.acknowledge(delivery)
                        done.append(delivery.message.text)
                    else:
                        return done
            raise AssertionError("200 lives, and no end")

        done = Counter(text for share in at_once(open_store, work) for text in share)
        assert done == Counter(f"{n:03}" for n in range(total))
        assert broker.history(NOTES.dead_letters("g")) == []

    def test_of_all_who_acknowledge_one_does(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        broker.publish_many(NOTES, [note(f"{n}") for n in range(EACH)])
        with broker.consume(NOTES, "g", "c", timeout=0, retry_after=NEVER) as consumer:
            deliveries = list(consumer)

        def work(mine: MessageBroker, number: int) -> int:
            with mine.consume(NOTES, "g", f"d{number}", retry_after=NEVER) as consumer:
                return sum(consumer.acknowledge(delivery) for delivery in deliveries)

        assert sum(at_once(open_store, work)) == EACH

    def test_groups_are_made_once(self, open_store: OpenStore, broker: MessageBroker) -> None:
        def work(mine: MessageBroker, number: int) -> list[str]:
            found = []
            for n in range(10):
                with mine.consume(
                    NOTES, f"g{n}", f"{number}", timeout=0, retry_after=NEVER
                ) as consumer:
                    found += [f"{n}" for _ in consumer]
            return found

        broker.publish(NOTES, note("a"))
        shares = at_once(open_store, work)
        assert sorted(text for share in shares for text in share) == [f"{n}" for n in range(10)]

    def test_trimming_and_reading_at_once(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        def work(mine: MessageBroker, number: int) -> None:
            if number == 0:
                for _ in range(EACH):
                    mine.trim(NOTES, keep=3)
            elif number == 1:
                for _ in range(EACH):
                    found = texts(mine.history(NOTES))
                    assert found == sorted(found)
                with mine.subscribe(NOTES, timeout=0) as subscription:
                    found = texts(subscription)
                assert found == sorted(found)
            elif number == 2:
                for n in range(EACH):
                    mine.publish(NOTES, note(f"{n:02}"))
            else:
                with mine.consume(NOTES, "g", "c", timeout=0) as consumer:
                    for _ in range(EACH):
                        found = texts(consumer)
                        assert found == sorted(found)

        at_once(open_store, work)
        broker.trim(NOTES, keep=3)
        assert texts(broker.history(NOTES)) == [f"{n:02}" for n in range(EACH - 3, EACH)]
