"""Waiting rooms: everybody in one pair or in none, whoever dies, gives up or comes late."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simstore
from simstore import MatchingInWaitingRoom, SessionTransaction, Store
from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.adapters.messages.broker import LogBroker
from simstore.domain.errors import (
    BackendUnavailableError,
    InvalidArgumentError,
    InvalidPkError,
    UnsupportedError,
)
from simstore.services import Match, WaitingRoom
from simstore.services.sessions import waiting_room
from simstore.services.sessions.waiting import Deadline
from tests.unit.chats import (
    LONG,
    at_once,
    before_the_next_commit,
    beside,
    meanwhile,
    watch_waits,
)


@pytest.fixture
def room(store: Store) -> WaitingRoom:
    return WaitingRoom(store, "lobby")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    return watch_waits(monkeypatch)


def assert_paired(store: Store, matches: Sequence[Match | None], clients: int) -> None:
    """Each client is in one match, both of whose clients were told of it, and nothing is left."""
    told = Counter(match for match in matches if match is not None)
    assert set(told.values()) == {2}
    members = sorted(client for match in told for client in match.client_ids)
    assert members == sorted(f"c{n:02}" for n in range(clients))
    sessions = {
        session.pk: (session.client_id, session.server_id) for session in store.sessions.find()
    }
    assert sessions == {match.session_id: match.client_ids for match in told}
    assert not store.waiting_rooms.exists()


def test_who_waits_is_woken_by_who_comes(
    store: Store,
    room: WaitingRoom,
    begun: threading.Semaphore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_room, "SIGN_OF_LIFE", LONG)
    started = time.monotonic()
    with meanwhile(lambda: room.enter("ann", timeout=LONG), begun) as waiting:
        (shown,) = store.waiting_rooms.find()
        match = room.enter("bob", timeout=0)
    assert time.monotonic() - started < LONG / 2
    assert match is not None
    assert (
        waiting.result()
        == match
        == Match(session_id=shown.session_ids[0], client_ids=("ann", "bob"))
    )
    session = store.sessions.get(match.session_id)
    assert session == SessionTransaction(
        pk=match.session_id, session_id=match.session_id, client_id="ann", server_id="bob"
    )
    assert not store.waiting_rooms.exists()


def test_the_record_shows_who_waits_and_then_the_pair(store: Store) -> None:
    room = WaitingRoom(store, "lobby", expire_time=99)
    before = time.time()
    place = sit_down(room, "ann")
    shown = store.waiting_rooms.get("lobby")
    assert before <= shown.timestamp <= time.time()
    assert shown.client_ids == ["ann"]
    assert shown.session_ids == [place.session_id]
    assert shown.session_id_retrieved == [""]
    half = store.sessions.get(place.session_id)
    assert (half.client_id, half.server_id, half.expire_time) == ("ann", "", 99)
    room.enter("bob")
    shown = store.waiting_rooms.get("lobby")
    assert shown.client_ids == ["ann", "bob"]
    assert shown.session_ids == [place.session_id] * 2
    assert shown.session_id_retrieved == ["", "true"]


def sit_down(room: WaitingRoom, client: str, timeout: float | None = LONG) -> Any:
    """What a client leaves in the room whose program is killed while it waits."""
    place = room._sit_down(client, Deadline(timeout))
    assert not isinstance(place, Match | None)
    return place


def test_nobody_comes(store: Store, room: WaitingRoom) -> None:
    assert room.enter("ann", timeout=0) is None
    assert room.enter("ann", timeout=0.01) is None
    assert asyncio.run(room.aenter("ann", timeout=0)) is None
    assert asyncio.run(room.aenter("ann", timeout=0.01)) is None
    assert not store.sessions.exists()
    assert not store.waiting_rooms.exists()


@pytest.mark.parametrize("clients", [20, 21])
def test_many_threads_of_two_stores_are_paired_each_once(clients: int) -> None:
    with simstore.connect("memory://rooms") as one, simstore.connect("memory://rooms") as two:

        def enter(n: int) -> Match | None:
            return WaitingRoom((one, two)[n % 2], "lobby").enter(f"c{n:02}", timeout=LONG)

        def last() -> Match | None:
            return WaitingRoom(one, "lobby").enter("c21", timeout=LONG) if clients % 2 else None

        calls: list[Callable[[], Match | None]] = [partial(enter, n) for n in range(clients)]
        matches = at_once([*calls, last])
        assert_paired(one, matches, clients + clients % 2)


def test_many_that_give_up_are_never_in_half_a_pair() -> None:
    with simstore.connect("memory://") as store:
        calls = [
            partial(WaitingRoom(store, "lobby").enter, f"c{n}", timeout=0.002 * (n % 5))
            for n in range(24)
        ]
        matches = [match for match in at_once(calls) if match is not None]
        told = Counter(matches)
        assert set(told.values()) <= {2}
        assert store.sessions.count() == len(told)
        assert not store.waiting_rooms.exists()


def test_tasks_are_paired_too(store: Store, room: WaitingRoom) -> None:
    async def enter_all() -> list[Match | None]:
        return await asyncio.gather(*(room.aenter(f"c{n:02}", timeout=LONG) for n in range(20)))

    assert_paired(store, asyncio.run(asyncio.wait_for(enter_all(), LONG)), 20)


def test_rooms_are_apart(store: Store, room: WaitingRoom) -> None:
    sit_down(room, "ann")
    assert WaitingRoom(store, "other").enter("bob", timeout=0) is None


def test_a_client_that_was_killed_is_not_paired_once_its_time_is_over(
    store: Store, room: WaitingRoom
) -> None:
    place = sit_down(room, "ann", timeout=0.05)
    end = time.monotonic() + LONG
    while store.sessions.exists(pk=place.session_id):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert room.enter("bob", timeout=0) is None
    assert not store.sessions.exists()


def test_a_client_that_was_killed_is_not_waited_for_until_its_timeout(
    room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    sit_down(room, "ann", timeout=None)
    now += waiting_room.PRESENCE
    assert room.enter("bob", timeout=0) is None


def test_a_client_that_lives_keeps_its_place(
    store: Store,
    room: WaitingRoom,
    begun: threading.Semaphore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_room, "PRESENCE", 0.6)
    monkeypatch.setattr(waiting_room, "SIGN_OF_LIFE", 0.05)
    with meanwhile(lambda: room.enter("ann"), begun) as waiting:
        (first,) = store.sessions.find()
        time.sleep(0.8)
        match = room.enter("bob", timeout=0)
    assert waiting.result() == match
    assert match is not None
    assert match.session_id == first.pk


def test_a_client_that_lost_its_place_takes_another(
    store: Store,
    room: WaitingRoom,
    begun: threading.Semaphore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waiting_room, "SIGN_OF_LIFE", 0.05)
    with meanwhile(lambda: room.enter("ann"), begun) as waiting:
        (lost,) = store.sessions.pks()
        store.sessions.delete(lost)  # as if its program had slept for too long
        match = room.enter("bob")
    assert waiting.result() == match
    assert match is not None
    assert match.session_id != lost


def test_a_client_that_enters_twice_is_not_paired_with_itself(
    store: Store, room: WaitingRoom, begun: threading.Semaphore
) -> None:
    with (
        meanwhile(lambda: room.enter("ann", timeout=LONG), begun) as first,
        meanwhile(lambda: room.enter("ann", timeout=LONG), begun) as second,
    ):
        assert room.enter("ann", timeout=0.01) is None
        match = room.enter("bob", timeout=LONG)
    assert first.result() == second.result() == match
    assert store.sessions.count() == 1


def test_a_client_whose_program_died_when_it_was_paired_gets_the_match(room: WaitingRoom) -> None:
    sit_down(room, "ann")
    match = room.enter("bob")
    assert room.enter("ann", timeout=0) == match
    assert room.enter("ann", timeout=0) is None, "once told, it comes for another"


def test_a_match_of_which_nobody_was_told_does_not_block_the_room(
    room: WaitingRoom, begun: threading.Semaphore
) -> None:
    sit_down(room, "ann")
    old = room.enter("bob")
    with meanwhile(lambda: room.enter("bob", timeout=LONG), begun) as waiting:
        match = room.enter("cid")
    assert waiting.result() == match
    assert match is not None
    assert match.client_ids == ("bob", "cid")
    assert old != match


def test_who_was_paired_as_its_time_ended_gets_the_match(
    room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    paired: list[Match | None] = []

    def pair(*_: Any) -> bool:
        paired.append(room.enter("bob", timeout=0))
        return False  # as it says when the time is over

    monkeypatch.setattr(waiting_room, "SIGN_OF_LIFE", 0.01)
    monkeypatch.setattr(WaitingRoom, "_stays", pair)
    match = room.enter("ann", timeout=LONG)
    assert match is not None
    assert paired == [match]


def test_who_is_paired_as_it_gives_up_gets_the_match(
    room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = sit_down(room, "ann")
    matches: list[Match | None] = []
    before_the_next_commit(monkeypatch, lambda: matches.append(room.enter("bob", timeout=0)))
    match = room._leave(place)
    assert match is not None
    assert matches == [match]


def test_of_two_that_come_at_once_one_is_paired(
    store: Store, room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = sit_down(room, "ann")
    matches: list[Match | None] = []
    pair: Any = WaitingRoom._pair

    def overtaken(self: WaitingRoom, *found: Any) -> Match | None:
        monkeypatch.setattr(WaitingRoom, "_pair", pair)
        matches.append(room.enter("cid", timeout=0))
        late: Match | None = pair(self, *found)
        return late

    monkeypatch.setattr(WaitingRoom, "_pair", overtaken)
    assert room.enter("bob", timeout=0) is None
    assert matches == [Match(session_id=place.session_id, client_ids=("ann", "cid"))]
    assert store.sessions.get(place.session_id).server_id == "cid"


def test_a_pair_that_was_told_is_shown_no_more_whoever_wrote_last(
    store: Store, room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = sit_down(room, "ann")
    (waiting,) = store.waiting_rooms.find()
    match = room.enter("bob")
    assert match is not None
    (paired,) = store.waiting_rooms.find()
    store.waiting_rooms.save(waiting)  # "bob" writes it a little later, as "ann" is told
    assert room._give_up(place) == match
    before_the_next_commit(monkeypatch, lambda: store.waiting_rooms.save(paired))
    room._clear(place.session_id)
    assert not store.waiting_rooms.exists()


def test_an_outage_after_the_pairing_does_not_undo_it(
    room: WaitingRoom,
    begun: threading.Semaphore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> str:
        raise BackendUnavailableError("away")

    monkeypatch.setattr(waiting_room, "SIGN_OF_LIFE", 0.05)
    with meanwhile(lambda: room.enter("ann", timeout=LONG), begun) as waiting:
        monkeypatch.setattr(LogBroker, "publish", fail)
        match = room.enter("bob")
    assert match is not None
    assert waiting.result() == match


@pytest.mark.parametrize("paired", [False, True])
def test_a_task_that_is_cancelled_leaves_the_room(
    store: Store, room: WaitingRoom, begun: threading.Semaphore, *, paired: bool
) -> None:
    async def chat() -> None:
        waiting = await beside(room.aenter("ann"), begun)
        match = await room.aenter("bob", timeout=0) if paired else None
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert store.sessions.count() == int(paired)
        if paired:
            assert await room.aenter("ann", timeout=0) == match
        assert not store.waiting_rooms.exists()

    asyncio.run(asyncio.wait_for(chat(), LONG))


def test_a_task_that_is_cancelled_as_it_sits_down_leaves_the_room(
    store: Store, room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    sit = WaitingRoom._sit_down

    def slowly(self: WaitingRoom, client_id: str, deadline: Deadline) -> Any:
        begun.set()
        go_on.wait(LONG)
        return sit(self, client_id, deadline)

    monkeypatch.setattr(WaitingRoom, "_sit_down", slowly)

    async def chat() -> None:
        entering = asyncio.ensure_future(room.aenter("ann"))
        await asyncio.to_thread(begun.wait, LONG)
        entering.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    asyncio.run(chat())
    assert not store.sessions.exists()
    assert not store.waiting_rooms.exists()


def test_an_exception_while_it_waits_leaves_the_room(
    store: Store, room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting_room, "SIGN_OF_LIFE", 0.01)
    monkeypatch.setattr(WaitingRoom, "_stays", interrupted)
    with pytest.raises(KeyboardInterrupt):
        room.enter("ann")
    assert not store.sessions.exists()
    assert not store.waiting_rooms.exists()


names = st.lists(st.sampled_from(["ann", "bob", ""]), max_size=3)


@given(names, names, names)
def test_whatever_a_record_of_the_name_holds_clients_are_paired(
    client_ids: list[str], session_ids: list[str], retrieved: list[str]
) -> None:
    with simstore.connect("memory://") as store:
        foreign = MatchingInWaitingRoom(
            pk="lobby",
            timestamp=0,
            client_ids=client_ids,
            session_ids=session_ids,
            session_id_retrieved=retrieved,
        )
        store.waiting_rooms.save(foreign)
        room = WaitingRoom(store, "lobby")
        sit_down(room, "ann")
        match = room.enter("bob", timeout=0)
        assert match is not None
        assert match.client_ids == ("ann", "bob")


def test_what_is_wrong_is_refused(store: Store, room: WaitingRoom) -> None:
    for client in ("", " ", None, 7, "no action"):
        with pytest.raises(InvalidArgumentError):
            room.enter(client)  # type: ignore[arg-type]  # on purpose
    for timeout in (-1, float("nan"), float("inf"), "1", True):
        with pytest.raises(InvalidArgumentError, match="timeout is a number of seconds"):
            room.enter("ann", timeout=timeout)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(InvalidPkError):
        WaitingRoom(store, "a/b")
    with pytest.raises(InvalidArgumentError, match="expire_time"):
        WaitingRoom(store, "a", expire_time=0)
    assert repr(room) == "<waiting room 'lobby'>"
    with (
        StorageStore("bare://", MemoryStorage(MemoryDatabase())) as bare,
        pytest.raises(UnsupportedError),
    ):
        WaitingRoom(bare, "lobby").enter("ann")
    assert not store.sessions.exists()
