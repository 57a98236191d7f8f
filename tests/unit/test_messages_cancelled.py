"""Tasks that are cancelled while they wait for messages: nothing is lost, and nothing doubled."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import simstore
from simstore.domain.errors import CorruptMessageError
from simstore.services import Lease, WaitingRoom
from simstore.testing.messages import NOTES, note


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store in which every look takes a thread, and so may be cancelled."""
    return f"sqlite:///{tmp_path}/database.db"


def test_new_stays_where_a_cancelled_look_up_has_found_it(url: str) -> None:
    async def main(store: simstore.Store) -> None:
        for attempt in range(20):
            async with asyncio.timeout(10):
                subscription = store.broker.asubscribe(NOTES, after="new")
                asking = asyncio.create_task(subscription.receive())
                await asyncio.sleep(0)  # it asks by now
                asking.cancel()
                await asyncio.wait([asking])
                await asyncio.sleep(0.01)
                store.broker.publish(NOTES, note(str(attempt)))
                received = await subscription.receive(timeout=5)
                await subscription.aclose()
            assert received is not None
            assert received.message.text == str(attempt)

    with simstore.connect(url) as store:
        asyncio.run(main(store))


def test_what_was_taken_for_a_cancelled_task_is_given_to_one_alone(url: str) -> None:
    retry = 0.05

    async def main(store: simstore.Store) -> None:
        for attempt in range(20):
            store.broker.publish(NOTES, note(str(attempt)))
            async with (
                store.broker.aconsume(NOTES, "g", "one", retry_after=retry) as one,
                store.broker.aconsume(NOTES, "g", "two", retry_after=retry) as two,
            ):
                asking = asyncio.create_task(one.receive())
                await asyncio.sleep(0.0005 * (attempt % 5))
                asking.cancel()
                await asyncio.wait([asking])
                await asyncio.sleep(1.5 * retry)  # by now it is due again
                delivery = await two.receive(timeout=5)
                assert delivery is not None
                assert await two.acknowledge(delivery)
                assert await one.receive(timeout=0) is None

    with simstore.connect(url) as store:
        asyncio.run(main(store))


def test_a_program_that_ends_leaves_nobody_in_a_room(url: str) -> None:
    async def leave(room: WaitingRoom) -> None:
        entering = asyncio.create_task(room.aenter("Ada"))
        await asyncio.sleep(0.002)
        assert not entering.done()
        # asyncio.run cancels it, and whatever else is under way.

    with simstore.connect(url) as store:
        for number in range(10):
            room = WaitingRoom(store, f"room {number}")
            asyncio.run(leave(room))
            assert room.enter("Bob", timeout=0) is None


def test_a_lease_that_ran_out_meanwhile_does_not_hide_that_its_task_was_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with simstore.connect("memory://") as store:
        lease = Lease(store, "a", seconds=60, timeout=0)

        def take_and_fail() -> None:
            lease._token = "mine"  # noqa: S105 — no password
            raise KeyError

        monkeypatch.setattr(lease, "_take", take_and_fail)
        with pytest.raises(KeyError):  # not NotHeldError, of the release
            asyncio.run(lease.aacquire())


def test_a_corrupt_row_of_a_file_is_one_corrupt_message(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/database.db") as store:
        store.broker.publish_many(NOTES, [note("a"), note("b")])
        with closing(sqlite3.connect(tmp_path / "database.db")) as file, file:
            file.execute(
                "UPDATE simstore_messages SET body = 1e3, original = 'zz' "
                "WHERE id = (SELECT min(id) FROM simstore_messages)"
            )
        subscription = store.broker.subscribe(NOTES, timeout=0)
        with pytest.raises(CorruptMessageError):
            next(subscription)
        assert [received.message.text for received in subscription] == ["b"]
