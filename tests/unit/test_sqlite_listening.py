"""How those who wait hear of what others write into the file; two stores stand for processes."""

import gc
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

import simstore
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Entry, Share
from simstore.adapters.sqlite import listening
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.listening import LOOPBACK, ListeningBell, send
from simstore.adapters.sqlite.messages import SqliteLog

MOVES = Address("moves")
OTHERS = Address("others")
PLAYERS = Share("players", "ann", ORIGIN, 60.0, 5)

SOON = 10.0
"""Seconds within which what is sure to come has come, on the slowest machine."""


class CountingLog(SqliteLog):
    """Counts how often it was looked at."""

    looks = 0

    def entries(
        self, address: Address, after: MessageId, limit: int | None, *, newest: bool
    ) -> list[Entry]:
        self.looks += 1
        return super().entries(address, after, limit, newest=newest)


OpenLog = Callable[..., CountingLog]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "messages.db"


@pytest.fixture
def open_log(path: Path) -> Iterator[OpenLog]:
    opened: list[tuple[SqliteLog, Connection]] = []

    def open_log(namespace: str = "") -> CountingLog:
        connection = Connection(str(path), timeout=5.0, synchronous="normal")
        log = CountingLog(connection, namespace)
        opened.append((log, connection))
        return log

    yield open_log
    for log, connection in opened:
        log.close()
        connection.close()


@pytest.fixture
def listener(open_log: OpenLog) -> CountingLog:
    return open_log()


@pytest.fixture
def publisher(open_log: OpenLog, listener: CountingLog) -> CountingLog:  # noqa: ARG001 — closed first
    return open_log()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def waiting(
    pool: ThreadPoolExecutor, log: CountingLog, address: Address = MOVES
) -> "Future[list[Entry]]":
    """A thread that waits for the first entry of `address`, and is listening."""
    future = pool.submit(log.feed(address).read, ORIGIN, 10, SOON)
    until(lambda: address in log.bell._waiting)
    return future


def listening_on(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as file:
        try:
            return [port for (port,) in file.execute("SELECT port FROM simstore_listeners")]
        except sqlite3.OperationalError:
            return []


def threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("simstore-listener")]


def test_a_datagram_wakes_whoever_waits_in_another_store(
    pool: ThreadPoolExecutor,
    listener: CountingLog,
    publisher: CountingLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "LOOK_EVERY", SOON)  # so it is no look of the safety net
    future = waiting(pool, listener)
    until(lambda: len(listening_on(path)) == 1)
    time.sleep(0.05)
    begun = time.monotonic()
    publisher.append(MOVES, [b"1"], None)
    assert [entry.body for entry in future.result(SOON)] == [b"1"]
    assert time.monotonic() - begun < SOON / 2


def test_dead_letters_are_heard_of_too(
    pool: ThreadPoolExecutor,
    listener: CountingLog,
    publisher: CountingLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "LOOK_EVERY", SOON)
    publisher.append(MOVES, [b"1"], None)
    future = waiting(pool, listener, Address("moves", "players"))
    until(lambda: len(listening_on(path)) == 1)
    once = PLAYERS._replace(max_tries=1)
    assert publisher.look(MOVES, once).taken is not None
    publisher.join(MOVES, once)
    assert publisher.look(MOVES, once).taken is None
    assert [entry.body for entry in future.result(SOON / 2)] == [b"1"]


def test_who_waits_for_another_channel_or_in_another_namespace_is_not_woken(
    pool: ThreadPoolExecutor,
    open_log: OpenLog,
    publisher: CountingLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "LOOK_EVERY", SOON)
    logs = [open_log(), open_log("elsewhere"), open_log()]
    addresses = [MOVES, OTHERS, OTHERS]
    futures = [waiting(pool, *each) for each in zip(logs, addresses, strict=True)]
    until(lambda: len(listening_on(path)) == 3)
    time.sleep(0.1)
    looks = [log.looks for log in logs]
    publisher.append(OTHERS, [b"1"], None)
    assert len(futures[2].result(SOON)) == 1
    time.sleep(0.1)
    assert [log.looks for log in logs[:2]] == looks[:2]
    for log in logs[:2]:
        log.close()
    for future in futures[:2]:
        with pytest.raises(simstore.StoreClosedError):
            future.result(SOON)


def test_a_storm_of_datagrams_does_no_harm(
    pool: ThreadPoolExecutor, listener: CountingLog, publisher: CountingLog, path: Path
) -> None:
    future = waiting(pool, listener)
    until(lambda: len(listening_on(path)) == 1)
    ports = listening_on(path)
    time.sleep(0.1)
    looks, begun, used = listener.looks, time.monotonic(), time.process_time()
    for number in range(2_000):
        send(os.urandom(number % 200), ports)
    send(bytes(60_000), ports)
    time.sleep(0.1)
    storm = time.monotonic() - begun
    assert listener.looks - looks <= 2 + 2 * storm / listening.LOOK_EVERY
    idle = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - idle < 0.15, f"it is busy; the storm took {idle - used:.3f} s"
    digest = listener.bell._digest(MOVES)  # type: ignore[attr-defined]  # a ListeningBell
    for _ in range(200):
        send(digest, ports)
    publisher.append(MOVES, [b"1"], None)
    assert [entry.body for entry in future.result(SOON)] == [b"1"]


def test_where_datagrams_are_lost_the_file_is_looked_at(
    pool: ThreadPoolExecutor,
    listener: CountingLog,
    publisher: CountingLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "send", lambda *_: None)
    monkeypatch.setattr(listening, "LOOK_EVERY", 0.2)
    future = waiting(pool, listener)
    until(lambda: len(listening_on(path)) == 1)
    time.sleep(0.5)
    looks = listener.looks
    time.sleep(0.5)
    assert listener.looks == looks, "nobody has written, and it looked"
    publisher.append(MOVES, [b"1"], None)
    assert [entry.body for entry in future.result(SOON)] == [b"1"]


def test_where_no_socket_can_be_had_the_file_is_looked_at_more_often(
    pool: ThreadPoolExecutor,
    listener: CountingLog,
    publisher: CountingLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> socket.socket:
        raise PermissionError("no sockets here")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(listening, "LOOK_EVERY", SOON)
    future = waiting(pool, listener)
    time.sleep(0.2)
    publisher.append(MOVES, [b"1"], None)
    assert [entry.body for entry in future.result(SOON / 2)] == [b"1"]
    assert listening_on(path) == []


def test_a_loopback_that_cannot_be_bound_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "LOOPBACK", "192.0.2.1")  # an address of nobody's
    assert listening._open_socket() is None


def test_waiting_does_not_wait_for_another_s_write(
    pool: ThreadPoolExecutor, listener: CountingLog, path: Path
) -> None:
    listener.append(OTHERS, [b"0"], None)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        assert listener.feed(MOVES).read(ORIGIN, 1, 0.2) == []
        assert time.monotonic() - begun < 2.0
        future = waiting(pool, listener)
        time.sleep(0.2)
        assert listening_on(path) == []
        other.execute("ROLLBACK")
        until(lambda: len(listening_on(path)) == 1)
    listener.append(MOVES, [b"1"], None)
    assert len(future.result(SOON)) == 1


def test_the_thread_ends_with_the_store_and_its_port_is_forgotten(
    pool: ThreadPoolExecutor, listener: CountingLog, path: Path
) -> None:
    before = threads()
    future = waiting(pool, listener)
    until(lambda: len(listening_on(path)) == 1)
    assert len(threads()) == len(before) + 1
    listener.close()
    assert threads() == before
    assert listening_on(path) == []
    with pytest.raises(simstore.StoreClosedError):
        future.result(SOON)
    with listener.bell.calling(MOVES, threading.Event().set):
        assert threads() == before


def test_the_thread_ends_when_nobody_waits_and_comes_back(
    pool: ThreadPoolExecutor,
    listener: CountingLog,
    publisher: CountingLog,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "RENEW_EVERY", 0.1)
    monkeypatch.setattr(listening, "LEASE", 0.3)
    before = threads()
    future = waiting(pool, listener)
    until(lambda: len(listening_on(path)) == 1)
    (port,) = listening_on(path)
    time.sleep(0.5)  # longer than the lease
    publisher.append(OTHERS, [b"0"], None)
    assert listening_on(path) == [port], "the lease was not renewed"
    publisher.append(MOVES, [b"1"], None)
    assert len(future.result(SOON)) == 1
    until(lambda: threads() == before and listening_on(path) == [])
    publisher.append(OTHERS, [b"2"], None)
    again = pool.submit(listener.feed(OTHERS).read, publisher.last_id(OTHERS), 1, SOON)
    until(lambda: len(listening_on(path)) == 1)
    publisher.append(OTHERS, [b"3"], None)
    assert [entry.body for entry in again.result(SOON)] == [b"3"]


def test_the_thread_of_a_store_that_nobody_closed_ends(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LOOK_EVERY", 0.05)
    before = threads()
    with closing(Connection(str(path), timeout=5.0, synchronous="normal")) as connection:
        log = SqliteLog(connection)
        assert log.feed(MOVES).read(ORIGIN, 1, 0.1) == []
        assert len(threads()) == len(before) + 1
        del log
        gc.collect()
        until(lambda: threads() == before)
        assert listening_on(path) == []


def test_whose_lease_has_run_out_is_not_told_and_forgotten(
    publisher: CountingLog, path: Path
) -> None:
    publisher.append(OTHERS, [b"0"], None)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alive,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead,
        closing(sqlite3.connect(path)) as file,
    ):
        for each, left in ((alive, 60.0), (dead, -1.0)):
            each.bind((LOOPBACK, 0))
            each.settimeout(SOON if each is alive else 0.05)
            with file:
                file.execute(
                    "INSERT INTO simstore_listeners VALUES (?, ?)",
                    (each.getsockname()[1], time.time() + left),
                )
        publisher.append(MOVES, [b"1"], None)
        assert alive.recv(100) == publisher.bell._digest(MOVES)  # type: ignore[attr-defined]  # a ListeningBell
        with pytest.raises(TimeoutError):
            dead.recv(100)
        assert listening_on(path) == [alive.getsockname()[1]]


def test_a_store_sends_no_datagram_to_itself(
    pool: ThreadPoolExecutor, listener: CountingLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[int]] = []
    future = waiting(pool, listener)
    until(lambda: len(listening_on(path)) == 1)
    monkeypatch.setattr(listening, "send", lambda _, ports: sent.append(ports))
    listener.append(MOVES, [b"1"], None)
    assert len(future.result(SOON)) == 1
    assert sent == []


def test_a_port_at_which_nobody_is_any_more_does_no_harm(
    publisher: CountingLog, path: Path
) -> None:
    publisher.append(OTHERS, [b"0"], None)
    with closing(sqlite3.connect(path)) as file, file:
        for port in (1, 0, 70_000):
            file.execute("INSERT INTO simstore_listeners VALUES (?, 1e12)", (port,))
    assert len(publisher.append(MOVES, [b"1", b"2"], None)) == 2


def test_what_is_published_before_others_know_of_the_port_is_not_missed(
    pool: ThreadPoolExecutor,
    listener: CountingLog,
    publisher: CountingLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listening, "LOOK_EVERY", SOON)
    note = Connection.writing_at_once

    def publish_and_note(connection: Connection) -> AbstractContextManager[sqlite3.Connection]:
        until(lambda: listener.looks == 2)  # before it rings for others, and after
        time.sleep(0.05)
        publisher.append(MOVES, [b"1"], None)
        return note(connection)

    monkeypatch.setattr(Connection, "writing_at_once", publish_and_note)
    future = pool.submit(listener.feed(MOVES).read, ORIGIN, 1, SOON)
    assert [entry.body for entry in future.result(SOON / 2)] == [b"1"]
    monkeypatch.undo()


def test_a_damaged_file_is_an_error_for_whoever_waits(
    pool: ThreadPoolExecutor, listener: CountingLog, path: Path
) -> None:
    listener.append(OTHERS, [b"0"], None)
    future = waiting(pool, listener)
    with closing(sqlite3.connect(path)) as file:
        file.execute("ALTER TABLE simstore_messages RENAME COLUMN body TO nobody")
    with pytest.raises(simstore.BackendError):
        listener.append(MOVES, [b"1"], None)
    listener.bell.ring_all()
    with pytest.raises(simstore.BackendError):
        pool.submit(listener.entries, OTHERS, ORIGIN, None, newest=False).result(SOON)
    listener.close()
    with pytest.raises(simstore.SimstoreError):
        future.result(SOON)


def test_the_bell_is_one_of_its_own_in_each_store(open_log: OpenLog) -> None:
    one, two = open_log(), open_log()
    assert isinstance(one.bell, ListeningBell)
    assert one.bell is not two.bell
