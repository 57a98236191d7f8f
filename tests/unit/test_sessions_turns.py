"""Turns: one client of a session acts at a time."""

import asyncio
import threading
import time
from functools import partial

import pytest

import simstore
from simstore import NotFoundError, Store
from simstore.domain.errors import NotHeldError
from simstore.domain.messaging import NO_ACTION
from simstore.services import ChatSession, join_session, open_session
from tests.unit.chats import LONG, at_once, beside, meanwhile, watch_waits


@pytest.fixture
def session(store: Store) -> ChatSession:
    return open_session(store, client_id="ann", server_id="bot", session_id="s")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    return watch_waits(monkeypatch)


def holder(session: ChatSession) -> str:
    return session.record().client_action_lock


def test_a_turn_is_taken_and_ended(session: ChatSession) -> None:
    assert session.take_turn("ann")
    assert session.take_turn("ann"), "it has it already"
    assert holder(session) == "ann"
    assert not session.take_turn("bot")
    assert not session.take_turn("bot", timeout=0.01)
    session.end_turn("ann")
    assert holder(session) == NO_ACTION
    assert session.take_turn("bot")


def test_only_who_has_the_turn_ends_it(session: ChatSession) -> None:
    with pytest.raises(NotHeldError) as free:
        session.end_turn("ann")
    assert free.value.holder is None
    assert str(free.value) == "nobody has the turn of session 's'; 'ann' cannot end it"
    session.take_turn("bot")
    with pytest.raises(NotHeldError, match="'bot' has the turn of session 's'") as held:
        session.end_turn("ann")
    assert held.value.holder == holder(session) == "bot"


def test_posts_keep_the_turn_and_turns_keep_the_posts(session: ChatSession) -> None:
    session.post("bot", "1")
    session.take_turn("ann")
    session.post("bot", "2")
    assert holder(session) == "ann"
    session.end_turn("ann")
    assert [message.message for message in session.messages()] == ["1", "2"]


def test_who_waits_for_the_turn_is_woken_when_it_ends(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    session.take_turn("bot")
    started = time.monotonic()
    with meanwhile(lambda: session.take_turn("ann", timeout=LONG), begun) as taken:
        session.post("bot", "this wakes nobody")
        assert not taken.done()
        session.end_turn("bot")
    assert taken.result()
    assert holder(session) == "ann"

    async def chat() -> bool:
        waiting = await beside(session.atake_turn("bot", timeout=None), begun)
        await session.aend_turn("ann")
        return await waiting

    assert asyncio.run(asyncio.wait_for(chat(), LONG))
    assert holder(session) == "bot"
    assert time.monotonic() - started < LONG / 2


def test_a_turn_that_ended_unannounced_is_taken_when_the_time_is_over(
    session: ChatSession, begun: threading.Semaphore
) -> None:
    session.take_turn("bot")
    with meanwhile(lambda: session.take_turn("ann", timeout=0.2), begun) as taken:
        session.store.sessions.update(
            session.pk, lambda record: setattr(record, "client_action_lock", NO_ACTION)
        )
    assert taken.result()


def test_from_asyncio_too(session: ChatSession) -> None:
    async def chat() -> None:
        assert await session.atake_turn("ann")
        assert not await session.atake_turn("bot")
        assert not await session.atake_turn("bot", timeout=0.01)
        with pytest.raises(NotHeldError):
            await session.aend_turn("bot")
        await session.aend_turn("ann")

    asyncio.run(chat())
    assert holder(session) == NO_ACTION


def test_of_many_that_take_the_turn_at_once_one_has_it() -> None:
    with simstore.connect("memory://turns") as one, simstore.connect("memory://turns") as two:
        open_session(one, client_id="ann", server_id="bot", session_id="s")
        inside: list[str] = []
        most: list[int] = []

        def act(client: str, store: Store) -> None:
            session = join_session(store, "s")
            for _ in range(5):
                assert session.take_turn(client, timeout=LONG)
                inside.append(client)
                most.append(len(inside))
                session.post(client, "acts")
                inside.remove(client)
                session.end_turn(client)

        at_once([partial(act, f"c{n}", (one, two)[n % 2]) for n in range(4)])
        assert set(most) == {1}
        assert len(join_session(one, "s").messages()) == 20


def test_a_session_that_is_gone_has_no_turns(session: ChatSession) -> None:
    session.store.sessions.delete(session.pk)
    for call in (session.take_turn, session.end_turn):
        with pytest.raises(NotFoundError):
            call("ann")
