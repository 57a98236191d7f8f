"""Chat sessions: opened, joined, and posted to, in order and without a loss."""

import asyncio
import math
import sys
import time
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simstore
from simstore import MessageTransaction, NotFoundError, SessionTransaction, Store
from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.domain.errors import (
    DuplicateError,
    InvalidArgumentError,
    InvalidPkError,
    MultipleFoundError,
    SimstoreError,
    UnsupportedError,
)
from simstore.domain.messaging import NO_ACTION
from simstore.services import (
    ChatSession,
    ajoin_session,
    aopen_session,
    join_session,
    open_session,
)
from tests.unit.chats import at_once


def opened(store: Store, session_id: str = "s", **others: Any) -> ChatSession:
    return open_session(store, client_id="ann", server_id="bot", session_id=session_id, **others)


def texts(session: ChatSession) -> list[str]:
    return [message.message for message in session.messages()]


def announced(session: ChatSession) -> list[MessageTransaction]:
    return [received.message for received in session.store.broker.history(session.channel)]


def test_a_session_is_a_record_under_its_id(store: Store) -> None:
    session = opened(store, expire_time=77)
    expected = SessionTransaction(
        pk="s", session_id="s", client_id="ann", server_id="bot", expire_time=77
    )
    assert session.record() == store.sessions.get("s") == expected
    assert expected.client_action_lock == NO_ACTION
    assert join_session(store, "s") == session


def test_a_session_without_an_id_gets_one_of_its_own(store: Store) -> None:
    first, second = (open_session(store, client_id="a", server_id="b") for _ in range(2))
    assert first.session_id != second.session_id
    assert first.record().pk == first.record().session_id == first.session_id


def test_an_id_that_is_taken_is_refused(store: Store) -> None:
    opened(store).post("ann", "hello")
    with pytest.raises(DuplicateError):
        opened(store)
    assert texts(join_session(store, "s")) == ["hello"]


def test_a_session_that_sotopia_stored_is_joined_by_its_field(store: Store) -> None:
    for session_id in ("a/b", "plain"):
        old = SessionTransaction(session_id=session_id, client_id="a", server_id="b")
        store.sessions.save(old)
        session = join_session(store, session_id)
        assert (session.pk, session.session_id) == (old.pk, session_id)
        assert session.post("a", "hello") in store.sessions.get(old.pk).message_list


def test_a_record_whose_pk_is_another_session_s_id_is_not_taken_for_it(store: Store) -> None:
    store.sessions.save(SessionTransaction(pk="x", session_id="y", client_id="a", server_id="b"))
    right = SessionTransaction(session_id="x", client_id="a", server_id="b")
    store.sessions.save(right)
    assert join_session(store, "x").pk == right.pk


def test_what_cannot_be_joined_says_why(store: Store) -> None:
    with pytest.raises(NotFoundError, match="'gone'; it was never opened, or has expired"):
        join_session(store, "gone")
    for _ in range(2):
        store.sessions.save(SessionTransaction(session_id="s", client_id="a", server_id="b"))
    with pytest.raises(MultipleFoundError):
        join_session(store, "s")


def test_a_post_is_stored_and_announced_and_returned(store: Store) -> None:
    session = opened(store)
    before = time.time()
    posted = session.post("ann", "hello")
    assert before <= posted.seconds <= time.time()
    assert (posted.sender, posted.message) == ("ann", "hello")
    assert session.messages() == announced(session) == [posted]


def test_a_late_message_takes_its_place_and_equal_times_keep_their_order(store: Store) -> None:
    session = opened(store)
    times: list[tuple[str, float | str]] = [("c", 3), ("a", 1.0), ("b1", "2.50"), ("b2", 2.5)]
    for message, timestamp in [*times, ("d", "3e0")]:
        assert session.post("ann", message, timestamp=timestamp).timestamp_str == str(timestamp)
    assert texts(session) == ["a", "b1", "b2", "c", "d"]
    assert [message.message for message in announced(session)] == ["c", "a", "b1", "b2", "d"]


@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53) | st.none()
    )
)
def test_messages_are_always_in_the_order_of_time(times: list[float | None]) -> None:
    times = [moment for moment in times if moment is None or abs(moment) < 1e300]
    with simstore.connect("memory://") as store:
        session = opened(store)
        for moment in times:
            newest = max((message.seconds for message in session.messages()), default=-math.inf)
            posted = session.post("ann", "x", timestamp=moment)
            assert posted.seconds > newest if moment is None else posted.seconds == moment
        posted_times = [message.seconds for message in announced(session)]
        assert [message.seconds for message in session.messages()] == sorted(posted_times)


@pytest.mark.parametrize("ahead", [0.0, 3600.0])
def test_messages_without_a_time_are_in_the_order_of_posting(
    store: Store, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    session = opened(store)
    session.post("ann", "0", timestamp=now + ahead)
    last = None
    for n in range(1, 4):
        last = session.post("ann", str(n))
    assert texts(session) == ["0", "1", "2", "3"]
    assert session.messages(last) == []
    assert len({message.timestamp_str for message in session.messages()}) == 4


def test_at_the_end_of_time_messages_can_still_be_posted(store: Store) -> None:
    session = opened(store)
    for message in ("a", "b"):
        session.post("ann", message, timestamp=None if message == "b" else sys.float_info.max)
    assert texts(session) == ["a", "b"]


def test_the_messages_since_a_moment_are_those_that_are_newer(store: Store) -> None:
    session = opened(store)
    one, two, three = (session.post("ann", str(n), timestamp=n) for n in (1, 2, 3))
    assert session.messages() == session.messages(-1) == [one, two, three]
    for since in (1, 1.0, "1.0", one):
        assert session.messages(since) == [two, three]
    assert session.messages(2.5) == [three]
    assert session.messages(since=three) == []


def test_a_session_that_is_gone_is_not_posted_to(store: Store) -> None:
    session = opened(store)
    store.sessions.delete("s")
    for call in (partial(session.post, "ann", "x"), session.messages, session.record):
        with pytest.raises(NotFoundError):
            call()
    assert announced(session) == []
    assert not store.sessions.exists()


def test_a_post_lets_the_session_live_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    session = opened(store, expire_time=10)
    now += 9
    session.post("ann", "x")
    now += 9
    assert texts(session) == ["x"]
    now += 2
    with pytest.raises(NotFoundError):
        session.messages()


def test_what_is_posted_at_once_is_never_lost() -> None:
    with simstore.connect("memory://chats") as one, simstore.connect("memory://chats") as two:
        opened(one, "together")

        def post(writer: int) -> None:
            session = join_session((one, two)[writer % 2], "together")
            for n in range(25):
                session.post(f"w{writer}", str(n))

        at_once([partial(post, writer) for writer in range(4)])
        session = join_session(two, "together")
        messages = session.messages()
        assert len(messages) == len({message.seconds for message in messages}) == 100
        assert [message.seconds for message in messages] == sorted(m.seconds for m in messages)
        for writer in range(4):
            own = [message.message for message in messages if message.sender == f"w{writer}"]
            assert own == [str(n) for n in range(25)]
        key = MessageTransaction.to_tuple
        assert sorted(map(key, announced(session))) == list(map(key, messages))


def test_a_post_is_one_update_and_one_publication(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(store)
    calls: list[str] = []
    for name in ("fetch", "commit", "append"):
        owner: Any = type(store._messages if name == "append" else store._storage)  # type: ignore[attr-defined]  # the memory store's
        original = getattr(owner, name)

        def counted(*args: Any, name: str = name, original: Any = original, **others: Any) -> Any:
            calls.append(name)
            return original(*args, **others)

        monkeypatch.setattr(owner, name, counted)
    session.post("ann", "hello")
    assert calls == ["fetch", "commit", "append"]


def test_the_same_from_asyncio(store: Store) -> None:
    async def chat() -> None:
        session = await aopen_session(store, client_id="ann", server_id="bot", session_id="s")
        assert await ajoin_session(store, "s") == session
        posted = await asyncio.gather(*(session.apost("ann", str(n)) for n in range(20)))
        assert sorted(posted, key=lambda m: m.seconds) == await session.amessages()
        assert await session.amessages(posted[0]) == session.messages(posted[0])
        assert await session.arecord() == session.record()
        late = await session.apost("ann", "late", timestamp=1.5)
        assert session.messages()[0] == late

    asyncio.run(chat())


def test_a_store_without_a_broker_can_be_read_and_stores_no_post() -> None:
    with StorageStore("bare://", MemoryStorage(MemoryDatabase())) as store:
        session = opened(store)
        for call in (
            partial(session.post, "ann", "x"),
            partial(session.wait_for, timeout=1),
            partial(session.take_turn, "ann"),
            partial(session.end_turn, "ann"),
            lambda: next(iter(session.follow())),
        ):
            with pytest.raises(UnsupportedError, match="bare:// has no message broker"):
                call()
        assert join_session(store, "s").messages() == []
        assert session.wait_for(timeout=0) is None
        assert session.record().client_action_lock == NO_ACTION


WRONG: list[tuple[Any, str]] = [
    (lambda s, _: s.post("", "x"), "sender is a str that is not blank, not ''"),
    (lambda s, _: s.post(" ", "x"), "sender is a str that is not blank"),
    (lambda s, _: s.post(None, "x"), "sender is a str, not None"),
    (lambda s, _: s.post("ann", 7), "message is a str, not 7"),
    (lambda s, _: s.post("ann", "\ud800"), "half a character"),
    (lambda s, _: s.post("\ud800", "x"), "half a character"),
    (lambda s, _: s.post("ann", "x", timestamp=math.nan), "timestamp is a finite number"),
    (lambda s, _: s.post("ann", "x", timestamp=math.inf), "timestamp is a finite number"),
    (lambda s, _: s.post("ann", "x", timestamp="noon"), "'1732367000.25', not 'noon'"),
    (lambda s, _: s.post("ann", "x", timestamp=True), "timestamp is a finite number"),
    (lambda s, _: s.post("ann", "x", timestamp=10**5000), "timestamp is a finite number"),
    (lambda s, _: s.post("ann", "x", timestamp=[1.0]), "timestamp is a finite number"),
    (lambda s, _: s.messages(math.nan), "since is a finite number .* or a message"),
    (lambda s, _: s.messages("noon"), "since is a finite number"),
    (lambda s, _: s.wait_for("bot"), "to wait for somebody's message, write sender="),
    (lambda s, _: s.wait_for(sender=""), "sender is a str that is not blank"),
    (lambda s, _: s.wait_for(timeout=-1), "timeout is a number of seconds, 0 or more"),
    (lambda s, _: s.wait_for(timeout=math.nan), "timeout is a number of seconds"),
    (lambda s, _: s.wait_for(timeout=math.inf), "None to wait for ever"),
    (lambda s, _: s.wait_for(timeout="1"), "timeout is a number of seconds"),
    (lambda s, _: next(s.follow(timeout=-1)), "timeout is a number of seconds"),
    (lambda s, _: s.take_turn(""), "client_id is a str that is not blank"),
    (lambda s, _: s.take_turn(NO_ACTION), "'no action' is what a session has when nobody acts"),
    (lambda s, _: s.take_turn("ann", timeout=-0.1), "timeout is a number of seconds"),
    (lambda s, _: s.end_turn(7), "client_id is a str, not 7"),
    (lambda _, t: opened(t, "t", expire_time=0), "expire_time is a positive int"),
    (lambda _, t: opened(t, "t", expire_time=1.5), "expire_time is a positive int"),
    (lambda _, t: opened(t, "t", expire_time=True), "expire_time is a positive int"),
    (lambda _, t: open_session(t, client_id="", server_id="b"), "client_id is a str that"),
    (lambda _, t: open_session(t, client_id="a", server_id=None), "server_id is a str"),  # type: ignore[arg-type]  # on purpose
    (lambda _, t: opened(t, "s" * 250), "the name of a channel: .* at most 255"),
    (lambda _, t: join_session(t, " "), "session_id is a str that is not blank"),
]


@pytest.mark.parametrize(("call", "says"), WRONG, ids=[f"{n}" for n in range(len(WRONG))])
def test_what_is_wrong_is_refused_before_anything_happens(
    store: Store, call: Any, says: str
) -> None:
    session = opened(store)
    before = store.sessions.find()
    with pytest.raises(InvalidArgumentError, match=says) as caught:
        call(session, store)
    assert isinstance(caught.value, SimstoreError)
    assert store.sessions.find() == before
    assert announced(session) == []


@pytest.mark.parametrize("session_id", ["", " ", "a/b", 7])
def test_an_id_that_cannot_be_a_key_is_refused(store: Store, session_id: Any) -> None:
    with pytest.raises(InvalidPkError):
        opened(store, session_id)
