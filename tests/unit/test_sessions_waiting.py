"""Waiting for a message: found in the record or woken by the channel, from threads and tasks."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from simstore import MessageTransaction, NotFoundError, SessionTransaction, Store, connect
from simstore.services import ChatSession, open_session
from tests.unit.chats import LONG, beside, meanwhile, watch_waits


@pytest.fixture
def session(store: Store) -> ChatSession:
    return open_session(store, client_id="ann", server_id="bot")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    return watch_waits(monkeypatch)


def store_silently(session: ChatSession, sender: str, message: str) -> MessageTransaction:
    """What is left of a poster that was killed between storing and announcing."""
    silent = MessageTransaction(timestamp_str=str(time.time()), sender=sender, message=message)

    def append(record: SessionTransaction) -> None:
        record.message_list.append(silent)

    session.store.sessions.update(session.pk, append)
    return silent


def test_what_is_stored_already_is_found_at_once(session: ChatSession) -> None:
    one, two, three = (session.post(f"p{n % 2}", str(n)) for n in range(3))
    assert session.wait_for() == session.wait_for(sender="p0") == one
    assert session.wait_for(since=one) == session.wait_for(sender="p1") == two
    assert session.wait_for(sender="p0", since=one) == three
    assert session.wait_for(lambda message: message.message == "2") == three
    assert session.wait_for(lambda message: message.message == "0", since=one, timeout=0) is None
    assert session.wait_for(since=three, timeout=0) is None
    assert session.wait_for(since=three, timeout=0.01) is None


def test_a_thread_that_waits_is_woken_by_the_message_that_fits(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    mine = session.post("ann", "hello")
    started = time.monotonic()
    with meanwhile(
        lambda: session.wait_for(sender="bot", since=mine, timeout=LONG), begun
    ) as reply:
        session.post("ann", "are you there?")
        session.post("bot", "late", timestamp=1.0)
        assert begun.acquire(timeout=LONG), "what does not fit is passed over"
        assert not reply.done()
        posted = session.post("bot", "hi")
    assert reply.result() == posted
    assert time.monotonic() - started < LONG / 2


def test_of_several_that_fit_it_is_the_first_by_time(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    with meanwhile(lambda: session.wait_for(timeout=LONG), begun) as found:
        unannounced = store_silently(session, "bot", "first")
        session.post("bot", "second")
    assert found.result() == unannounced


def test_a_poster_that_died_before_it_announced_is_heard_when_the_time_is_over(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    with meanwhile(lambda: session.wait_for(sender="bot", timeout=0.2), begun) as found:
        message = store_silently(session, "bot", "my last words")
    assert found.result() == message

    async def chat() -> MessageTransaction | None:
        waiting = await beside(session.await_for(since=message, timeout=0.2), begun)
        await asyncio.to_thread(store_silently, session, "bot", "once more")
        return await waiting

    last = asyncio.run(chat())
    assert last is not None
    assert last.message == "once more"


def test_waiting_in_a_session_that_is_gone_fails(session: ChatSession) -> None:
    session.store.sessions.delete(session.pk)
    for timeout in (0, LONG):
        with pytest.raises(NotFoundError):
            session.wait_for(timeout=timeout)
        with pytest.raises(NotFoundError):
            asyncio.run(session.await_for(timeout=timeout))


def test_tasks_that_wait_are_woken_without_a_thread_each(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    async def chat() -> None:
        assert await session.await_for(timeout=0) is None
        assert await session.await_for(timeout=0.01) is None
        waiting = [await beside(session.await_for(sender="bot"), begun) for _ in range(50)]
        threads = threading.active_count()
        await session.apost("ann", "hello")
        posted = await session.apost("bot", "hi")
        assert await asyncio.gather(*waiting) == [posted] * 50
        assert threads < 40
        assert await session.await_for(lambda message: message.sender != "ann") == posted

    asyncio.run(asyncio.wait_for(chat(), LONG))


def test_a_task_that_is_cancelled_leaves_the_others_their_messages(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    async def chat() -> None:
        leaving, staying = [await beside(session.await_for(), begun) for _ in range(2)]
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        posted = await session.apost("ann", "hello")
        assert await staying == posted

    asyncio.run(asyncio.wait_for(chat(), LONG))


def test_a_cancelled_post_is_seen_to_its_end(session: ChatSession) -> None:
    async def chat() -> None:
        posting = asyncio.ensure_future(session.apost("ann", "hello"))
        await asyncio.sleep(0)
        posting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await posting
        assert [message.message for message in session.messages()] == ["hello"]

    asyncio.run(chat())


def test_following_gives_what_is_there_and_what_comes_each_once(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    one, two = session.post("ann", "1"), session.post("ann", "2")
    following = session.follow(one)
    assert next(following) == two
    with meanwhile(lambda: [next(following) for _ in range(4)], begun) as found:
        silent = store_silently(session, "bot", "unannounced")
        late = session.post("bot", "late", timestamp=(one.seconds + two.seconds) / 2)
        twin = session.post("bot", "twin", timestamp=two.seconds + 1000)
        again = session.post("bot", "twin", timestamp=two.seconds + 1000)
        session.post("bot", "before it began", timestamp=one.seconds - 1)
    assert sorted(found.result(), key=str) == sorted([silent, late, twin, again], key=str)
    following.close()
    assert list(session.follow(twin, timeout=0)) == []
    assert list(session.follow(one, timeout=0)) == session.messages(one)


def test_tasks_follow_too(session: ChatSession, begun: threading.Semaphore) -> None:
    async def read(count: int) -> list[MessageTransaction]:
        found = []
        async with aclosing(session.afollow()) as messages:
            async for message in messages:
                found.append(message)
                if len(found) == count:
                    break
        return found

    async def chat() -> None:
        first = await session.apost("ann", "0")
        readers = [await beside(read(4), begun) for _ in range(3)]
        posted = [await session.apost("bot", str(n)) for n in range(1, 4)]
        assert await asyncio.gather(*readers) == [[first, *posted]] * 3
        assert [message async for message in session.afollow(first, timeout=0.01)] == posted

    asyncio.run(asyncio.wait_for(chat(), LONG))


@pytest.mark.parametrize("wait", ["wait_for", "follow", "take_turn"])
def test_a_wait_without_end_ends_with_the_session(
    monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    for module in ("session", "turns"):
        monkeypatch.setattr(f"simstore.services.sessions.{module}.LOOK_AGAIN", 0.02)
    with connect("memory://") as store, ThreadPoolExecutor() as pool:
        chat = open_session(store, client_id="Ada", server_id="bot")
        assert chat.take_turn("bot")
        waits: dict[str, Callable[[], object]] = {
            "wait_for": chat.wait_for,
            "follow": lambda: list(chat.follow()),
            "take_turn": lambda: chat.take_turn("Ada", timeout=None),
        }
        waiting = pool.submit(waits[wait])
        store.sessions.delete(chat.pk)
        with pytest.raises(NotFoundError):
            waiting.result(10)
