"""Chats, waiting rooms and leases on every backend that has a broker, between stores."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import simstore
from simstore import NotFoundError, Store
from simstore.domain.errors import NotHeldError
from simstore.services import (
    ChatSession,
    Lease,
    Match,
    WaitingRoom,
    join_session,
    open_session,
)
from tests.servers.fixtures import own_database, own_namespace
from tests.unit.chats import LONG, at_once, beside, meanwhile, watch_waits

SERVERS = {
    "redis": "redis_server",
    "redis (valkey)": "valkey_server",
    "redis+cluster": "redis_cluster",
    "redis+om": "redis_server",
}
"""The fixture that has the server of a scheme."""


@pytest.fixture(params=["memory", "sqlite", *SERVERS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "memory":
        return f"memory://{own_namespace()}"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/chats.db?synchronous=normal"
    server = request.getfixturevalue(SERVERS[request.param])
    scheme = request.param.partition(" ")[0]
    return own_database(f"{scheme}://{server.url.partition('://')[2]}")


@pytest.fixture
def stores(url: str) -> Iterator[tuple[Store, Store]]:
    """Two stores of one database, as two processes have them."""
    with simstore.connect(url) as one, simstore.connect(url) as two:
        yield one, two


@pytest.fixture
def session(stores: tuple[Store, Store]) -> ChatSession:
    return open_session(stores[0], client_id="ann", server_id="bot", session_id="s", expire_time=60)


def test_what_several_post_at_once_is_all_there_and_in_order(
    stores: tuple[Store, Store], session: ChatSession
) -> None:
    def post(writer: int) -> None:
        own = join_session(stores[writer % 2], "s")
        for n in range(25):
            own.post(f"w{writer}", str(n))

    at_once([partial(post, writer) for writer in range(4)])
    messages = join_session(stores[1], "s").messages()
    times = [message.seconds for message in messages]
    assert times == sorted(set(times))
    assert len(times) == 100
    for writer in range(4):
        own = [message.message for message in messages if message.sender == f"w{writer}"]
        assert own == [str(n) for n in range(25)]
    assert list(session.follow(timeout=0)) == messages


def test_a_conversation_takes_no_polling(stores: tuple[Store, Store], session: ChatSession) -> None:
    def answer() -> None:
        bot = join_session(stores[1], "s")
        heard = None
        for _ in range(10):
            heard = bot.wait_for(sender="ann", since=heard, timeout=LONG)
            assert heard is not None
            bot.post("bot", f"re: {heard.message}")

    def ask() -> list[str]:
        answers = []
        for n in range(10):
            asked = session.post("ann", str(n))
            reply = session.wait_for(sender="bot", since=asked, timeout=LONG)
            assert reply is not None
            answers.append(reply.message)
        return answers

    assert at_once([ask, answer])[0] == [f"re: {n}" for n in range(10)]


def test_tasks_talk_and_take_turns_too(
    stores: tuple[Store, Store], session: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = watch_waits(monkeypatch)

    async def chat() -> None:
        other = join_session(stores[1], "s")
        waiting = await beside(other.await_for(sender="ann", timeout=LONG), begun)
        posted = await session.apost("ann", "hello")
        assert await waiting == posted
        assert await session.atake_turn("ann")
        turn = await beside(other.atake_turn("bot", timeout=LONG), begun)
        await session.aend_turn("ann")
        assert await turn
        assert [message async for message in other.afollow(timeout=0.01)] == [posted]

    asyncio.run(asyncio.wait_for(chat(), 2 * LONG))
    with pytest.raises(NotHeldError) as caught:
        session.end_turn("ann")
    assert caught.value.holder == "bot"


def test_a_session_and_what_was_announced_of_it_expire(stores: tuple[Store, Store]) -> None:
    short = open_session(stores[0], client_id="ann", server_id="bot", expire_time=1)
    short.post("ann", "hello")
    end = time.monotonic() + LONG
    while stores[1].sessions.exists() or stores[1].broker.history(short.channel):
        assert time.monotonic() < end
        time.sleep(0.05)
    with pytest.raises(NotFoundError):
        short.post("ann", "still there?")
    assert stores[1].broker.history(short.channel) == []


def test_clients_of_two_stores_are_paired_each_once(stores: tuple[Store, Store]) -> None:
    def enter(n: int) -> Match | None:
        return WaitingRoom(stores[n % 2], "lobby").enter(f"c{n:02}", timeout=LONG)

    told = Counter(at_once([partial(enter, n) for n in range(20)]))
    assert None not in told
    assert set(told.values()) == {2}
    members = sorted(client for match in told if match for client in match.client_ids)
    assert members == [f"c{n:02}" for n in range(20)]
    assert stores[0].sessions.count() == 10
    assert not stores[0].waiting_rooms.exists()


def test_tasks_are_paired_give_up_and_are_cancelled(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = watch_waits(monkeypatch)
    one, two = (WaitingRoom(store, "lobby") for store in stores)

    async def enter() -> None:
        leaving = await beside(one.aenter("ann"), begun)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await two.aenter("bob", timeout=0) is None
        assert await two.aenter("bob", timeout=0.01) is None
        waiting = await beside(one.aenter("ann", timeout=LONG), begun)
        match = await two.aenter("bob", timeout=LONG)
        assert await waiting == match

    asyncio.run(asyncio.wait_for(enter(), 2 * LONG))
    assert stores[0].sessions.count() == 1
    assert not stores[0].waiting_rooms.exists()


def test_a_lease_excludes_ends_and_wakes(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = watch_waits(monkeypatch)
    one, two = (Lease(store, "judge", seconds=LONG, timeout=LONG) for store in stores)
    assert one.acquire()
    assert not Lease(stores[1], "judge", seconds=1, timeout=0).acquire()
    with meanwhile(two.acquire, begun) as taken:
        one.renew()
        one.release()
    assert taken.result()
    with pytest.raises(NotHeldError):
        one.release()
    two.renew(0.2)
    assert one.acquire(), "it ran out"
    with pytest.raises(NotHeldError) as caught:
        two.release()
    assert caught.value.holder is not None

    async def wait() -> None:
        waiting = await beside(two.aacquire(), begun)
        await one.arelease()
        assert await waiting
        await two.arelease()

    asyncio.run(asyncio.wait_for(wait(), LONG))


WAIT = """
import sys, simstore
from simstore.services import WaitingRoom
WaitingRoom(simstore.connect(sys.argv[1]), "lobby").enter("ann", timeout=float(sys.argv[2]))
"""


def test_a_client_whose_process_was_killed_is_not_paired_after_its_time(
    stores: tuple[Store, Store], url: str
) -> None:
    if url.startswith("memory:"):
        pytest.skip("memory:// is in one process")
    store = stores[0]
    with subprocess.Popen([sys.executable, "-c", WAIT, url, "1"]) as process:
        end = time.monotonic() + LONG
        while not store.waiting_rooms.exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    while store.sessions.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert WaitingRoom(store, "lobby").enter("bob", timeout=0) is None
