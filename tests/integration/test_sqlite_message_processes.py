"""Messages in a file between processes: soon there, each once, and killed at any moment."""

import asyncio
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import BaseModel

import simstore
from simstore import Channel
from simstore.adapters.messages.log import Address
from simstore.adapters.sqlite import listening
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.messages import SqliteLog
from simstore.domain.broker import AsyncSubscription

SOON = 20.0
"""Seconds within which what is sure to come has come, on the slowest machine."""


class Move(BaseModel):
    number: int
    at: float = 0.0
    """When it was published, by the clock that all processes of the machine share."""


MOVES: Channel[Move] = Channel("moves", Move)
ANSWERS: Channel[Move] = Channel("answers", Move)

PREAMBLE = """
import sys, time, simstore
from pydantic import BaseModel

class Move(BaseModel):
    number: int
    at: float = 0.0

MOVES, ANSWERS = simstore.Channel("moves", Move), simstore.Channel("answers", Move)
store = simstore.connect(sys.argv[1])
broker = store.broker
def say(*words):
    print(*words, flush=True)
"""

RECEIVE = """
with broker.subscribe(MOVES) as moves:
    say("ready")
    for received in moves:
        if received.message.number < 0:
            break
        say(received.message.number, time.time() - received.message.at)
"""

CONSUME = """
with broker.consume(MOVES, "players", sys.argv[2]) as moves:
    say("ready")
    for delivery in moves:
        if sys.argv[3] == "acknowledge":
            moves.acknowledge(delivery)
        if delivery.message.number < 0:
            break
        say(delivery.message.number, delivery.tries)
"""

PUBLISH_BATCHES = """
batch = 0
while True:
    batch += 1
    broker.publish_many(MOVES, [Move(number=batch)] * 50)
    say(batch)
"""

ANSWER = """
for received in broker.subscribe(MOVES):
    broker.publish(ANSWERS, received.message)
"""


@contextmanager
def running(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process, which is killed if it has not ended by then."""
    process = subprocess.Popen(
        [sys.executable, "-c", PREAMBLE + program, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(SOON)


def line(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    words = process.stdout.readline().split()
    assert words, "the process has ended"
    return words


def lines(process: subprocess.Popen[str]) -> list[list[str]]:
    """All that it says to its end."""
    assert process.stdout is not None
    # The kill of a process may have cut the last line short.
    said = process.stdout.read().splitlines(keepends=True)
    return [each.split() for each in said if each.endswith("\n")]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/shared.db"


@pytest.fixture
def store(url: str) -> Iterator[simstore.Store]:
    with simstore.connect(url) as store:
        yield store


def test_a_message_is_soon_in_another_process(store: simstore.Store, url: str) -> None:
    with running(RECEIVE, url) as receiver:
        assert line(receiver) == ["ready"]
        time.sleep(0.3)  # it waits by then
        delays = []
        for number in range(60):
            store.broker.publish(MOVES, Move(number=number, at=time.time()))
            said, delay = line(receiver)
            assert int(said) == number
            delays.append(float(delay))
        store.broker.publish(MOVES, Move(number=-1))
        assert receiver.wait(SOON) == 0
    assert statistics.median(delays) < 0.010


def test_tasks_and_another_process_talk(store: simstore.Store, url: str) -> None:
    async def talk() -> list[int]:
        async def hear(answers: AsyncSubscription[Move]) -> list[int]:
            return [(await anext(answers)).message.number for _ in range(10)]

        async with (
            store.broker.asubscribe(ANSWERS, timeout=SOON) as one,
            store.broker.asubscribe(ANSWERS, timeout=SOON) as two,
        ):
            hearing = [asyncio.create_task(hear(answers)) for answers in (one, two)]
            for number in range(10):
                await store.broker.apublish(MOVES, Move(number=number))
            heard = await asyncio.gather(*hearing)
            assert heard[0] == heard[1]
            return heard[0]

    with running(ANSWER, url):
        assert asyncio.run(talk()) == list(range(10))


def test_a_killed_consumer_s_messages_come_again_once_each(store: simstore.Store, url: str) -> None:
    count = 20
    with running(CONSUME, url, "doomed", "keep") as doomed:
        assert line(doomed) == ["ready"]
        store.broker.publish_many(MOVES, [Move(number=number) for number in range(count)])
        given = [line(doomed) for _ in range(5)]
        doomed.send_signal(signal.SIGKILL)
        doomed.wait(SOON)
        given += lines(doomed)
    tries = dict.fromkeys(range(count), 1) | {int(number): 2 for number, _ in given}
    with store.broker.consume(MOVES, "players", "heir", timeout=1.0, retry_after=0.5) as heir:
        received = []
        for delivery in heir:
            heir.acknowledge(delivery)
            received.append((delivery.message.number, delivery.tries))
    # What was given to the process in the moment of its end, it had no time to say.
    unsaid = {number for number, times in received if times == 2} - {int(n) for n, _ in given}
    assert len(unsaid) <= 1
    assert sorted(received) == sorted((tries | dict.fromkeys(unsaid, 2)).items())


def test_consumers_in_several_processes_share_messages(store: simstore.Store, url: str) -> None:
    count = 60
    with (
        running(CONSUME, url, "one", "acknowledge") as one,
        running(CONSUME, url, "two", "acknowledge") as two,
    ):
        assert line(one) == line(two) == ["ready"]
        for number in range(count):
            store.broker.publish(MOVES, Move(number=number))
        # Each of them ends when it is given one of these: both were woken.
        store.broker.publish_many(MOVES, [Move(number=-1), Move(number=-1)])
        shares = [lines(one), lines(two)]
        assert one.wait(SOON) == two.wait(SOON) == 0
    taken = [(int(number), int(tries)) for share in shares for number, tries in share]
    assert sorted(taken) == [(number, 1) for number in range(count)]


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.07])
def test_a_killed_publisher_publishes_all_of_a_batch_or_none(
    store: simstore.Store, url: str, tmp_path: Path, seconds: float
) -> None:
    with running(PUBLISH_BATCHES, url) as publisher:
        line(publisher)
        time.sleep(seconds)
        publisher.send_signal(signal.SIGKILL)
        publisher.wait(SOON)
        said = 1 + len(lines(publisher))
    numbers = [received.message.number for received in store.broker.history(MOVES)]
    whole = [number for number in range(1, numbers[-1] + 1) for _ in range(50)]
    assert numbers == whole
    assert said <= numbers[-1] <= said + 1
    ids = [received.id for received in store.broker.history(MOVES)]
    store.broker.publish(MOVES, Move(number=0))
    assert [received.id for received in store.broker.history(MOVES)][:-1] == ids
    with closing(sqlite3.connect(tmp_path / "shared.db")) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_publisher_that_is_killed_before_it_tells_anybody_is_heard(
    store: simstore.Store, url: str
) -> None:
    killed = """
from simstore.adapters.messages.log import Address
from simstore.adapters.sqlite import listening
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.messages import SqliteLog
import os, signal
listening.send = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
broker.publish(MOVES, Move(number=7))
"""
    subscription = store.broker.subscribe(MOVES)
    assert subscription.receive(0.2) is None  # so that there is a port in the file
    with running(killed, url) as publisher:
        received = subscription.receive(SOON)
        assert received is not None
        assert received.message.number == 7
        assert publisher.wait(SOON) == -signal.SIGKILL


def test_stores_on_one_file_in_one_process_hear_one_another(
    store: simstore.Store, url: str
) -> None:
    async def relay() -> int:
        """Through all of them, there and back."""
        async with asyncio.timeout(SOON):
            with simstore.connect(url) as other, simstore.connect(url) as third:
                subscriptions = [each.broker.asubscribe(MOVES) for each in (store, other, third)]
                waiting = [asyncio.create_task(each.receive()) for each in subscriptions]
                await asyncio.sleep(0.05)
                await third.broker.apublish(MOVES, Move(number=3))
                received = [each for each in await asyncio.gather(*waiting) if each is not None]
                for each in subscriptions:
                    await each.aclose()
                return sum(each.message.number for each in received)

    assert asyncio.run(relay()) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_both_sides_of_a_fork_wait_and_are_heard(store: simstore.Store) -> None:
    broker = store.broker
    moves, answers = broker.subscribe(MOVES), broker.subscribe(ANSWERS)
    assert moves.receive(0.05) is None  # the parent listens
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(int(SOON))  # a lock that is held for ever must not hang the tests
            received = moves.receive(SOON)
            if received is not None:
                broker.publish(ANSWERS, received.message)
            received = moves.receive(SOON)
            status = 0 if received is not None and received.message.number == 2 else 2
            store.close()
        finally:
            os._exit(status)
    broker.publish(MOVES, Move(number=1))
    answer = answers.receive(SOON)
    broker.publish(MOVES, Move(number=2))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert answer is not None
    assert answer.message.number == 1
    assert [received.message.number for received in broker.history(MOVES)] == [1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_takes_no_datagram_of_its_parent_s(
    store: simstore.Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets: list[socket.socket | None] = []
    opened = listening._open_socket

    def open_socket() -> socket.socket | None:
        sockets.append(opened())
        return sockets[-1]

    monkeypatch.setattr(listening, "_open_socket", open_socket)
    monkeypatch.setattr(listening, "LOOK_EVERY", SOON)  # so it is no look of the safety net
    moves = store.broker.subscribe(MOVES)
    assert moves.receive(0.05) is None
    ready, ready_writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(int(SOON))
            assert sockets[0] is not None
            status = 0 if sockets[0].fileno() == -1 else 2
            waiting = store.broker.subscribe(ANSWERS)
            waiting.receive(0.05)
            os.write(ready_writer, b"1")
            waiting.receive(SOON)
        finally:
            os._exit(status)
    os.read(ready, 1)
    with simstore.connect(url) as other:
        for number in range(20):
            begun = time.monotonic()
            other.broker.publish(MOVES, Move(number=number))
            assert moves.receive(SOON) is not None
            assert time.monotonic() - begun < SOON / 2
        other.broker.publish(ANSWERS, Move(number=0))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    os.close(ready)
    os.close(ready_writer)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_does_not_ring_for_those_who_wait_in_its_parent(tmp_path: Path) -> None:
    called: list[int] = []
    with closing(Connection(f"{tmp_path}/forked.db", timeout=5.0, synchronous="normal")) as file:
        log = SqliteLog(file)
        with log.bell.calling(Address("moves"), lambda: called.append(1)):
            called_before = list(called)
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    called.clear()
                    log.append(Address("moves"), [b"1"], None)
                    status = 0 if called == [] else 2
                finally:
                    os._exit(status)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            log.append(Address("moves"), [b"2"], None)
            assert len(called) > len(called_before)
        log.close()
