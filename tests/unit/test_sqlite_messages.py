"""SQLite's messages, beyond the contract: what is in the file, and when it is written."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import simstore
from simstore import AgentProfile
from simstore.adapters.messages.ids import MOST, ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Share, Taken
from simstore.adapters.sqlite.connection import Connection
from simstore.adapters.sqlite.message_logs import FORGOTTEN_AT_A_TIME
from simstore.adapters.sqlite.messages import SqliteLog

MOVES = Address("moves")
OTHERS = Address("others")
DEAD_LETTERS = Address("moves", "players")


def share(
    consumer: str = "ann", *, retry_after: float = 60.0, max_tries: int = 5, group: str = "players"
) -> Share:
    return Share(group, consumer, ORIGIN, retry_after, max_tries)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "messages.db"


OpenLog = Callable[..., SqliteLog]


@pytest.fixture
def open_log(path: Path) -> Iterator[OpenLog]:
    opened: list[tuple[SqliteLog, Connection]] = []

    def open_log(namespace: str = "", timeout: float = 5.0) -> SqliteLog:
        connection = Connection(str(path), timeout=timeout, synchronous="normal")
        log = SqliteLog(connection, namespace)
        opened.append((log, connection))
        return log

    yield open_log
    for log, connection in opened:
        log.close()
        connection.close()


@pytest.fixture
def log(open_log: OpenLog) -> SqliteLog:
    return open_log()


@pytest.fixture
def file(log: SqliteLog, path: Path) -> Iterator[sqlite3.Connection]:  # noqa: ARG001 — it made it
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        yield file


def rows(file: sqlite3.Connection) -> dict[str, int]:
    names = ("channels", "messages", "groups", "pending")
    return {
        name: file.execute(f"SELECT count(*) FROM simstore_{name}").fetchone()[0] for name in names
    }


def bodies(log: SqliteLog, address: Address = MOVES) -> list[bytes]:
    return [entry.body for entry in log.entries(address, ORIGIN, None, newest=False)]


def take(log: SqliteLog, by: Share | None = None) -> Taken:
    taken = log.look(MOVES, by or share()).taken
    assert taken is not None
    return taken


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that turns the clock on the wall by so many seconds."""
    real, offset = time.time, 0.0

    def turn(seconds: float) -> None:
        nonlocal offset
        offset += seconds

    monkeypatch.setattr(time, "time", lambda: real() + offset)
    return turn


def test_a_file_is_left_as_it_is_until_the_broker_is_used(
    log: SqliteLog, file: sqlite3.Connection
) -> None:
    before = list(file.execute("SELECT name FROM sqlite_master ORDER BY name"))
    assert bodies(log) == []
    assert log.last_id(MOVES) == ORIGIN
    assert log.trim(MOVES, keep=0, before=None) == 0
    assert log.look(MOVES, share()) == (None, None)
    assert not log.delete(MOVES)
    assert not log.acknowledge(MOVES, "players", MessageId(1, 0))
    assert list(file.execute("SELECT name FROM sqlite_master ORDER BY name")) == before
    log.append(MOVES, [b"1"], None)
    assert bodies(log) == [b"1"]


def test_a_file_that_was_made_before_there_were_messages_takes_them(path: Path) -> None:
    url = f"sqlite:///{path}"
    with simstore.connect(url) as store:
        store.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))
    with closing(sqlite3.connect(path)) as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    assert "simstore_channels" not in tables
    with simstore.connect(url) as store:
        channel: simstore.Channel[AgentProfile] = simstore.Channel("agents", AgentProfile)
        store.broker.publish(channel, store.agents.get("a"))
        assert [received.message.pk for received in store.broker.history(channel)] == ["a"]


def test_a_publication_that_fails_leaves_nothing(log: SqliteLog, file: sqlite3.Connection) -> None:
    log.append(MOVES, [b"1"], None)
    file.execute(
        "CREATE TRIGGER fail AFTER INSERT ON simstore_messages WHEN NEW.body = x'33' "
        "BEGIN SELECT RAISE(FAIL, 'no room for it'); END"
    )
    last = log.last_id(MOVES)
    with pytest.raises(simstore.BackendError, match="no room for it"):
        log.append(MOVES, [b"2", b"3"], 60.0)
    with pytest.raises(simstore.BackendError, match="no room for it"):
        log.append(OTHERS, [b"3"], None)
    assert bodies(log) == [b"1"]
    assert log.last_id(MOVES) == last
    assert file.execute("SELECT name, expires_at FROM simstore_channels").fetchall() == [
        ("moves", None)
    ]


def test_ids_grow_though_the_clock_goes_back(
    log: SqliteLog, clock: Callable[[float], None]
) -> None:
    (first,) = log.append(MOVES, [b"1"], None)
    clock(-3600.0)
    (second,) = log.append(MOVES, [b"2"], None)
    assert log.trim(MOVES, keep=0, before=None) == 2
    (third,) = log.append(MOVES, [b"3"], None)
    assert log.delete(MOVES)
    assert log.last_id(MOVES) == ORIGIN
    (fourth, fifth) = log.append(MOVES, [b"4", b"5"], None)
    assert first < second < third < fourth < fifth
    assert fifth.milliseconds == first.milliseconds
    assert bodies(log) == [b"4", b"5"]


def test_what_is_forgotten_leaves_no_rows(log: SqliteLog, file: sqlite3.Connection) -> None:
    log.append(MOVES, [b"1", b"2"], None)
    log.append(OTHERS, [b"3"], None)
    once = share(retry_after=0.0, max_tries=1)
    assert (take(log, once).entry.body, take(log, once).entry.body) == (b"1", b"2")
    assert bodies(log, DEAD_LETTERS) == [b"1"]
    assert log.delete(MOVES)
    assert rows(file) == {"channels": 1, "messages": 1, "groups": 0, "pending": 0}
    assert bodies(log, DEAD_LETTERS) == []
    assert bodies(log, OTHERS) == [b"3"]


def test_a_channel_whose_time_has_come_is_gone_from_every_answer(
    log: SqliteLog, file: sqlite3.Connection, clock: Callable[[float], None]
) -> None:
    log.append(MOVES, [b"1", b"2"], 60.0)
    once = share(retry_after=0.0, max_tries=1)
    first = take(log, once)
    second = take(log, once)
    assert bodies(log, DEAD_LETTERS) == [b"1"]
    clock(60.5)
    assert bodies(log) == bodies(log, DEAD_LETTERS) == []
    assert log.last_id(MOVES) == ORIGIN
    assert log.look(MOVES, share("bob", retry_after=0.0)).taken is None
    assert not log.acknowledge(MOVES, "players", second.entry.id)
    assert log.trim(MOVES, keep=0, before=None) == 0
    log.append(OTHERS, [b"3"], None)
    assert rows(file) == {"channels": 1, "messages": 1, "groups": 0, "pending": 0}
    assert not log.delete(MOVES)
    (anew,) = log.append(MOVES, [b"4"], None)
    assert anew > first.entry.id
    assert take(log).entry.body == b"4"


def test_a_publication_on_an_expired_channel_begins_it_anew_however_many_have_expired(
    log: SqliteLog, file: sqlite3.Connection, clock: Callable[[float], None]
) -> None:
    for number in range(2 * FORGOTTEN_AT_A_TIME):
        log.append(Address(f"channel {number}"), [b"old"], 1.0)
    log.append(MOVES, [b"old"], 2.0)
    clock(2.5)
    log.append(MOVES, [b"new"], None)
    assert bodies(log) == [b"new"]
    assert rows(file)["channels"] == FORGOTTEN_AT_A_TIME + 1
    log.append(MOVES, [b"newer"], None)
    assert rows(file)["channels"] == 1
    clock(3600.0)
    assert bodies(log) == [b"new", b"newer"]  # without a time of its own


@pytest.mark.parametrize("names", [("", "elsewhere"), ("a", "a:b")])
def test_namespaces_are_apart(open_log: OpenLog, names: tuple[str, str]) -> None:
    one, two = (open_log(name) for name in names)
    shorter, longer = Address("b:c"), Address("c")
    one.append(shorter, [b"one"], None)
    two.append(longer, [b"two"], None)
    two.append(shorter, [b"three"], None)
    assert bodies(one, shorter) == [b"one"]
    assert bodies(one, longer) == []
    assert two.delete(shorter)
    assert bodies(one, shorter) == [b"one"]
    assert bodies(two, longer) == [b"two"]


def test_looking_for_what_is_not_there_takes_no_write_lock(
    open_log: OpenLog, file: sqlite3.Connection
) -> None:
    impatient = open_log(timeout=0.0)
    impatient.append(MOVES, [b"1"], None)
    impatient.join(MOVES, share())
    taken = take(impatient)
    impatient.join(MOVES, share("bob"))
    file.execute("BEGIN IMMEDIATE")
    found, due_in = impatient.look(MOVES, share("bob"))
    assert found is None
    assert due_in == pytest.approx(60.0, abs=2.0)
    impatient.join(MOVES, share("bob"))  # has nothing to do
    with pytest.raises(simstore.BackendTimeoutError):
        impatient.acknowledge(MOVES, "players", taken.entry.id)
    file.execute("ROLLBACK")
    assert impatient.acknowledge(MOVES, "players", taken.entry.id)
    assert impatient.look(MOVES, share("bob")) == (None, None)


def test_what_is_due_comes_by_id_however_it_was_given(log: SqliteLog) -> None:
    log.append(MOVES, [b"1", b"2", b"3"], None)
    ann, bob = share("ann"), share("bob")
    assert [take(log, who).entry.body for who in (ann, bob, ann)] == [b"1", b"2", b"3"]
    log.join(MOVES, bob)
    log.append(MOVES, [b"4"], None)
    assert [take(log, bob) for _ in range(2)] == [
        (log.entries(MOVES, ORIGIN, 2, newest=False)[1], 2),
        (log.entries(MOVES, ORIGIN, None, newest=False)[3], 1),
    ]
    log.join(MOVES, ann)
    assert [take(log, bob).entry.body for _ in range(2)] == [b"1", b"3"]


def test_any_number_of_messages_is_given_up_at_once(log: SqliteLog) -> None:
    count = 250
    log.append(MOVES, [b"%d" % number for number in range(count)], None)
    one_try = share(max_tries=1)
    for number in range(count):
        assert take(log, one_try).entry.body == b"%d" % number
    log.join(MOVES, one_try)
    assert log.look(MOVES, one_try) == (None, None)
    letters = log.entries(DEAD_LETTERS, ORIGIN, None, newest=False)
    assert [letter.body for letter in letters] == [b"%d" % number for number in range(count)]
    assert [letter.original for letter in letters] == [
        entry.id for entry in log.entries(MOVES, ORIGIN, None, newest=False)
    ]


def test_what_is_trimmed_is_not_pending_any_more(log: SqliteLog, file: sqlite3.Connection) -> None:
    ids = log.append(MOVES, [b"1", b"2", b"3"], None)
    other = share(group="watchers")
    for by in (share(), other):
        for _ in ids:
            take(log, by)
    assert log.trim(MOVES, keep=MOST, before=None) == 0
    assert log.trim(MOVES, keep=None, before=ids[1]) == 1
    assert rows(file)["pending"] == 4
    assert not log.acknowledge(MOVES, "players", ids[0])
    assert log.trim(MOVES, keep=1, before=None) == 1
    log.join(MOVES, share())
    assert take(log).entry.body == b"3"
    assert log.trim(MOVES, keep=0, before=None) == 1
    assert rows(file)["pending"] == 0
    assert log.last_id(MOVES) == ids[2]


def test_a_message_that_was_taken_out_of_the_file_is_passed_over(
    log: SqliteLog, file: sqlite3.Connection
) -> None:
    log.append(MOVES, [b"1", b"2"], None)
    take(log)
    log.join(MOVES, share())
    file.execute("DELETE FROM simstore_messages WHERE body = x'31'")
    assert take(log) == (log.entries(MOVES, ORIGIN, 1, newest=True)[0], 1)
    assert rows(file)["pending"] == 1


def test_a_write_that_does_not_wait_leaves_the_others_patient(path: Path) -> None:
    with (
        closing(Connection(str(path), timeout=7.0, synchronous="normal")) as connection,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(simstore.BackendTimeoutError), connection.writing_at_once():
            pass
        assert time.monotonic() - begun < 2.0
        with connection.reading() as reading:
            assert reading.execute("PRAGMA busy_timeout").fetchone() == (7000,)


def test_a_closed_log_refuses_every_call(open_log: OpenLog) -> None:
    log = open_log()
    log.append(MOVES, [b"1"], None)
    feed = log.feed(MOVES)
    log.close()
    calls: list[Callable[[], object]] = [
        lambda: log.append(MOVES, [b"2"], None),
        lambda: log.last_id(MOVES),
        lambda: bodies(log),
        lambda: log.look(MOVES, share()),
        lambda: log.join(MOVES, share()),
        lambda: log.acknowledge(MOVES, "players", ORIGIN),
        lambda: log.trim(MOVES, keep=0, before=None),
        lambda: log.delete(MOVES),
        lambda: feed.read(ORIGIN, 1, None),
        lambda: feed.take(share(), None),
    ]
    for call in calls:
        with pytest.raises(simstore.StoreClosedError):
            call()
    log.close()
