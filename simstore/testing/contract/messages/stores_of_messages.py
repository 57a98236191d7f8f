"""Stores and their messages: namespaces, closed stores, records beside them, and processes."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from simstore.connection import connect
from simstore.domain.broker import MessageBroker
from simstore.domain.errors import StoreClosedError, StoreURLError
from simstore.domain.store import Capability, Store
from simstore.testing.binding import OpenStore, need
from simstore.testing.contract.helpers import contents, specimen
from simstore.testing.contract.messages.base import (
    LITTLE,
    NEVER,
    BrokerBinding,
    begin,
    given,
    texts,
    there,
)
from simstore.testing.contract.processes import CONNECT, run
from simstore.testing.messages import NOTES, note
from simstore.testing.models import Specimen

CALLS: dict[str, Callable[[MessageBroker], object]] = {
    "publish": lambda broker: broker.publish(NOTES, note("a")),
    "publish_many": lambda broker: broker.publish_many(NOTES, [note("a")]),
    "subscribe": lambda broker: broker.subscribe(NOTES, after="new"),
    "subscribe and receive": lambda broker: broker.subscribe(NOTES).receive(timeout=0),
    "history": lambda broker: broker.history(NOTES),
    "consume": lambda broker: broker.consume(NOTES, "g", "c"),
    "trim": lambda broker: broker.trim(NOTES, keep=1),
    "delete": lambda broker: broker.delete(NOTES),
}

WORK = """
import sys
import simstore
from simstore.testing.messages import NOTES, note

url, name, count = sys.argv[1:]
with simstore.connect(url) as store:
    for n in range(int(count)):
        store.broker.publish(NOTES, note(f"{name} {n:02}"))
    with store.broker.consume(NOTES, "g", name, timeout=0.5, retry_after=3_600) as consumer:
        for delivery in consumer:
            assert delivery.tries == 1
            assert consumer.acknowledge(delivery)
            print(delivery.message.text)
"""


class MessageStoreContract(BrokerBinding):
    """Messages are apart from records and from other namespaces, and end with their store."""

    def test_messages_and_records_are_apart(self, store: Store, broker: MessageBroker) -> None:
        specimens = store.repository(Specimen)
        specimens.save(specimen("a"))
        broker.publish(NOTES, note("a"), ttl=NEVER)
        with broker.consume(NOTES, "g", "c") as consumer:
            assert given(consumer) == ["a"]
        assert store.collections() == [specimens.collection]
        assert contents(specimens) == [specimen("a")]
        assert broker.delete(NOTES)
        assert contents(specimens) == [specimen("a")]
        broker.publish(NOTES, note("b"))
        specimens.delete_many(specimens.pks())
        assert there(broker, NOTES) == ["b"]
        assert store.collections() == []

    def test_namespaces_are_apart(self, store: Store, broker: MessageBroker) -> None:
        try:
            other = connect(self.other_namespace(store))
        except StoreURLError as error:
            pytest.skip(f"no other namespace of this store: {error}")
        with other:
            try:
                broker.publish(NOTES, note("here"))
                with other.broker.subscribe(NOTES, timeout=0) as elsewhere:
                    assert list(elsewhere) == []
                    other.broker.publish(NOTES, note("there"))
                    assert texts(elsewhere) == there(other.broker, NOTES) == ["there"]
                assert there(broker, NOTES) == ["here"]
                with broker.consume(NOTES, "g", "c") as consumer:
                    assert given(consumer) == ["here"]
                with other.broker.consume(NOTES, "g", "c") as consumer:
                    assert given(consumer) == ["there"]
                assert broker.delete(NOTES)
                assert there(other.broker, NOTES) == ["there"]
            finally:
                other.broker.delete(NOTES)

    def test_messages_outlive_the_store(self, open_store: OpenStore) -> None:
        with open_store() as first:
            need(first, Capability.MESSAGES)
            need(first, Capability.PERSISTENCE)
            ids = first.broker.publish_many(NOTES, [note("a"), note("b"), note("c")])
            with first.broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
                assert consumer.acknowledge(next(consumer))
                next(consumer)
        with open_store() as second:
            assert [one.id for one in second.broker.history(NOTES)] == ids
            with second.broker.consume(NOTES, "g", "c", retry_after=NEVER) as consumer:
                again = next(consumer)
                assert (again.message.text, again.tries) == ("b", 2)
                assert given(consumer) == ["c"]

    @pytest.mark.parametrize("call", CALLS)
    def test_every_call_of_a_closed_store_says_so(
        self, open_store: OpenStore, broker: MessageBroker, call: str
    ) -> None:
        closed = open_store()
        its_broker = closed.broker
        closed.close()
        with pytest.raises(StoreClosedError):
            CALLS[call](its_broker)
        with pytest.raises(StoreClosedError):
            CALLS[call](closed.broker)
        assert there(broker, NOTES) == []

    def test_every_asynchronous_call_of_a_closed_store_says_so(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        async def main() -> None:
            closed = open_store()
            its_broker = closed.broker
            opened = its_broker.asubscribe(NOTES)
            begun = its_broker.aconsume(NOTES, "g", "c")
            assert await opened.receive(timeout=0) is None
            assert await begun.receive(timeout=0) is None
            closed.close()
            calls: list[Callable[[], Any]] = [
                lambda: its_broker.apublish(NOTES, note("a")),
                lambda: its_broker.asubscribe(NOTES).receive(timeout=0),
                lambda: its_broker.aconsume(NOTES, "g", "c").receive(timeout=0),
                lambda: opened.receive(timeout=0),
                lambda: begun.receive(timeout=0),
            ]
            for call in calls:
                with pytest.raises(StoreClosedError):
                    await call()
            await opened.aclose()
            await begun.aclose()

        self.run(main)

    def test_what_was_opened_before_a_store_was_closed_says_so(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        broker.publish_many(NOTES, [note("a"), note("b"), note("c")])
        closed = open_store()
        subscription = closed.broker.subscribe(NOTES)
        consumer = closed.broker.consume(NOTES, "g", "c", retry_after=NEVER)
        received, delivery = next(subscription), next(consumer)
        closed.close()
        with pytest.raises(StoreClosedError):
            consumer.receive(timeout=0)
        with pytest.raises(StoreClosedError):
            consumer.acknowledge(delivery)
        with pytest.raises(StoreClosedError):
            next(consumer)
        with pytest.raises(StoreClosedError):
            subscription.receive(timeout=0)
        with pytest.raises(StoreClosedError):
            next(subscription)
        assert subscription.position == received.id
        subscription.close()
        consumer.close()

    @pytest.mark.parametrize("kind", ["subscription", "consumer"])
    def test_closing_a_store_wakes_who_waits_in_it_alone(
        self, open_store: OpenStore, broker: MessageBroker, kind: str
    ) -> None:
        closed = open_store()
        its_broker = closed.broker
        source = (
            its_broker.subscribe(NOTES)
            if kind == "subscription"
            else its_broker.consume(NOTES, "g", "c")
        )
        with broker.subscribe(NOTES) as other, source:
            waiting, staying = begin(source.receive), begin(other.receive)
            time.sleep(LITTLE)
            closed.close()
            with pytest.raises(StoreClosedError):
                waiting.result(self.soon)
            assert not staying.done()
            broker.publish(NOTES, note("a"))
            received = staying.result(self.soon)
            assert received is not None
            assert received.message == note("a")

    @pytest.mark.parametrize("kind", ["subscription", "consumer"])
    def test_closing_a_store_wakes_tasks(
        self, open_store: OpenStore, broker: MessageBroker, kind: str
    ) -> None:
        async def main() -> None:
            closed = open_store()
            its_broker = closed.broker
            source = (
                its_broker.asubscribe(NOTES)
                if kind == "subscription"
                else its_broker.aconsume(NOTES, "g", "c")
            )
            async with source:
                waiting = asyncio.create_task(source.receive())
                await asyncio.sleep(LITTLE)
                assert not waiting.done()
                await asyncio.to_thread(closed.close)
                with pytest.raises(StoreClosedError):
                    async with asyncio.timeout(self.soon):
                        await waiting

        self.run(main)

    def test_processes_share_channels_and_groups(self, open_store: OpenStore) -> None:
        count, names = 15, ("p", "q")
        with open_store() as store:
            need(store, Capability.MESSAGES)
            need(store, Capability.MULTI_PROCESS)
            url = self.full_url(store)
            why_not, _ = run(CONNECT, url).communicate(timeout=120)
            if why_not:
                pytest.skip(f"simstore.connect() does not know this store's URL: {why_not}")
            with store.broker.subscribe(NOTES, after="new", timeout=120) as subscription:
                store.broker.consume(NOTES, "g", "none").close()  # the group begins here
                running = [run(WORK, url, name, str(count)) for name in names]
                received = [next(subscription) for _ in range(count * len(names))]
            printed = [process.communicate(timeout=120)[0].split("\n") for process in running]
            assert [process.returncode for process in running] == [0] * len(running)
            expected = [f"{name} {n:02}" for name in names for n in range(count)]
            assert sorted(texts(received)) == expected
            assert received == store.broker.history(NOTES)
            for name in names:
                own = [text for text in texts(received) if text.startswith(name)]
                assert own == sorted(own)
            with store.broker.consume(NOTES, "g", "last") as consumer:
                rest = given(consumer)
            assert sorted(filter(None, [*printed[0], *printed[1], *rest])) == expected
