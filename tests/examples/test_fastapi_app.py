"""The chat for browsers, as programs see it: HTTP and WebSockets, over a real connection."""

import asyncio
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast

import pytest
from websockets.asyncio.client import connect as aconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import simstore
from simstore import BackendUnavailableError, Store
from simstore.server.ports import LOOPBACK
from simstore.services import ChatSession, WaitingRoom, open_session
from tests.examples.serving import BOUND, ROOT, InThread, Served, eventually
from tests.examples.terminal import Terminal


@pytest.fixture(scope="module")
def server() -> Iterator[InThread]:
    """One for all tests here; each has a store of its own."""
    with simstore.connect("memory://") as store, InThread(store) as server:
        yield server


@pytest.fixture
def memory() -> Iterator[Store]:
    with simstore.connect("memory://") as store:
        yield store


@pytest.fixture
def served(server: InThread, memory: Store, caplog: pytest.LogCaptureFixture) -> Iterator[InThread]:
    server.store = memory
    yield server
    eventually(lambda: server.is_idle, "nothing is left of the connections")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture
def session(memory: Store) -> ChatSession:
    return open_session(memory, client_id="Ada", server_id="Grace")


def get(served: Served, path: str) -> tuple[int, str]:
    """The status and the body of an answer."""
    connection = HTTPConnection(LOOPBACK, served.port, timeout=BOUND)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def dial(served: Served, path: str) -> ClientConnection:
    return connect(served.ws(path), open_timeout=BOUND, close_timeout=BOUND)


def receive(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=BOUND))


def said(socket: ClientConnection) -> tuple[str, str]:
    """(who, what) of the next message."""
    message = receive(socket)
    return message["sender"], message["message"]


def say(socket: ClientConnection, text: str) -> None:
    socket.send(json.dumps({"text": text}))


def code_of_the_end(socket: ClientConnection) -> int:
    """The code with which the server closes the connection."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=BOUND)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_the_page_is_served(served: InThread) -> None:
    status, page = get(served, "/")
    assert status == 200
    assert page == (ROOT / "examples" / "fastapi_page.html").read_text(encoding="utf-8")


def test_two_are_paired_and_hear_each_other(served: InThread) -> None:
    with dial(served, "waiting-room?name=Ada") as first:
        with dial(served, "waiting-room?name=Grace") as second:
            match = receive(first)
            assert receive(second) == match
        assert sorted(match["client_ids"]) == ["Ada", "Grace"]
        assert code_of_the_end(first) == 1000
    session = f"sessions/{match['session_id']}"
    with dial(served, f"{session}?name=Ada") as ada, dial(served, f"{session}?name=Grace") as grace:
        say(ada, "Hello, Grace")
        assert said(ada) == said(grace) == ("Ada", "Hello, Grace")
        say(grace, "Hello, Ada")
        assert said(ada) == said(grace) == ("Grace", "Hello, Ada")
    status, body = get(served, f"/{session}/messages")
    first_one, second_one = json.loads(body)
    assert (status, first_one["message"], second_one["sender"]) == (200, "Hello, Grace", "Grace")
    status, body = get(served, f"/{session}/messages?since={first_one['timestamp_str']}")
    assert (status, json.loads(body)) == (200, [second_one])


def test_who_comes_back_gets_what_was_missed(served: InThread, session: ChatSession) -> None:
    path = f"sessions/{session.session_id}?name=Ada"
    with dial(served, path) as ada:
        session.post("Grace", "heard")
        last = receive(ada)
    session.post("Grace", "missed")
    with dial(served, f"{path}&since={last['timestamp_str']}") as ada:
        assert said(ada) == ("Grace", "missed")
        session.post("Grace", "new")
        assert said(ada) == ("Grace", "new")


def test_a_session_that_is_not_there_is_not_found(served: InThread) -> None:
    status, body = get(served, "/sessions/nobody/messages")
    assert status == 404
    assert "'nobody'" in json.loads(body)["detail"]
    with dial(served, "sessions/nobody?name=Ada") as socket:
        assert code_of_the_end(socket) == 4404


@pytest.mark.parametrize(
    "sent",
    [
        "hello",
        "{}",
        '{"text": 1}',
        '{"text": " "}',
        f'{{"text": "{"x" * 2001}"}}',
        b'{"text": "x"}',
    ],
    ids=["no JSON", "no text", "a number", "blank", "too long", "bytes"],
)
def test_what_is_no_message_ends_the_connection_and_is_not_kept(
    served: InThread, session: ChatSession, sent: str | bytes
) -> None:
    with dial(served, f"sessions/{session.session_id}?name=Ada") as socket:
        socket.send(sent)
        assert code_of_the_end(socket) == 4422
    assert session.messages() == []


def test_the_longest_message_is_kept(served: InThread, session: ChatSession) -> None:
    with dial(served, f"sessions/{session.session_id}?name=Ada") as socket:
        say(socket, "x" * 2000)
        assert said(socket) == ("Ada", "x" * 2000)


@pytest.mark.parametrize("query", ["", "?name=", f"?name={'x' * 41}", "?name=Ada&since=nan"])
def test_who_does_not_say_who_or_when_is_refused(
    served: InThread, session: ChatSession, query: str
) -> None:
    with pytest.raises(InvalidStatus), dial(served, f"sessions/{session.session_id}{query}"):
        pass


def test_a_name_that_nobody_can_have_is_refused(served: InThread) -> None:
    with dial(served, "waiting-room?name=no%20action") as socket:
        assert code_of_the_end(socket) == 4422


def test_a_moment_that_is_none_is_refused(served: InThread, session: ChatSession) -> None:
    assert get(served, f"/sessions/{session.session_id}/messages?since=nan")[0] == 422


def test_a_store_that_is_away_is_no_session_that_is_not_there(served: InThread) -> None:
    class Away:
        def __getattr__(self, name: str) -> object:
            raise BackendUnavailableError("the server is away")

    served.store = cast("Store", Away())
    assert get(served, "/sessions/s/messages") == (503, '{"detail":"the server is away"}')
    with dial(served, "sessions/s?name=Ada") as socket:
        assert code_of_the_end(socket) == 4503


def test_who_hangs_up_has_left_the_room(served: InThread, memory: Store) -> None:
    with dial(served, "waiting-room?name=Ada") as socket:
        socket.send("what is sent there does not matter")
        eventually(memory.waiting_rooms.find, "Ada is in the room")
    eventually(lambda: served.is_idle, "the connection is done with")
    assert WaitingRoom(memory, "bench").enter("Grace", timeout=0) is None


def test_listening_takes_no_thread_and_leaves_nothing(
    served: InThread, session: ChatSession
) -> None:
    path = served.ws(f"sessions/{session.session_id}?name=Ada")
    # Two pools of threads for calls that do not wait: this test's and the app's.
    most = threading.active_count() + 2 * min(32, (os.cpu_count() or 1) + 4)

    async def listen() -> int:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(aconnect(path)) for _ in range(2 * most)]
            await asyncio.to_thread(session.post, "Grace", "Hello, all")
            for socket in sockets:
                await asyncio.wait_for(socket.recv(), BOUND)
            return threading.active_count()

    assert asyncio.run(listen()) <= most
    # What is left of the connections is looked for behind every test.


def test_the_agent_of_the_terminal_may_sit_at_the_other_end(
    served: InThread, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/chat.db"
    with simstore.connect(url) as store:
        served.store = store
        with dial(served, "waiting-room?name=Ada") as socket:
            eventually(store.waiting_rooms.find, "Ada is in the room")
            with Terminal("agent", "--store", url) as agent:
                path = f"sessions/{receive(socket)['session_id']}?name=Ada"
                with dial(served, path) as ada:
                    say(ada, "Do you like boats?")
                    assert said(ada) == ("Ada", "Do you like boats?"), agent.shown
                    assert said(ada)[0] == "Grace"
                    say(ada, "left the conversation")
                    assert "Ada left the conversation.\n" in agent.end()
        eventually(lambda: served.is_idle, "nobody uses the store")
        assert store.episodes.one().agents == ["Ada", "Grace"]
