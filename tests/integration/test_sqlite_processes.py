"""SQLite with several processes: killed at any moment, writing at once, forked."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import simstore
from simstore import AgentProfile, field

# Prints a pk only after its save has returned: what is printed was acknowledged.
SAVE_ONE_BY_ONE = """
import sys, simstore
store = simstore.connect(sys.argv[1])
number = 0
while True:
    number += 1
    agent = simstore.AgentProfile(first_name="A", last_name="B", age=number, tag=f"t{number % 7}")
    store.agents.save(agent)
    if number % 3 == 0:
        agent.tag = "changed"
        store.agents.save(agent)
    print(agent.pk, agent.tag, flush=True)
"""

SAVE_MANY = """
import sys, simstore
store = simstore.connect(sys.argv[1])
batch = 0
while True:
    batch += 1
    store.agents.save_many(
        [simstore.AgentProfile(first_name="A", last_name="B", tag=str(batch)) for _ in range(200)]
    )
    print(batch, flush=True)
"""

COUNT_UP = """
import sys, simstore
store = simstore.connect(sys.argv[1])
def older(agent):
    agent.age += 1
for _ in range(int(sys.argv[2])):
    store.agents.update("counter", older)
    store.agents.save(simstore.AgentProfile(first_name="A", last_name="B", tag=sys.argv[3]))
"""


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_after(process: subprocess.Popen[str], seconds: float) -> list[str]:
    """Let the process write for a while, kill it, and return its lines."""
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    # Not communicate(): it would pass over what readline() has buffered.
    rest, errors = process.stdout.read(), process.stderr.read()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=30) == -signal.SIGKILL, errors
    # The kill may have cut the last line short.
    return [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


def check_file(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        dangling = connection.execute(
            "SELECT count(*) FROM simstore_entries "
            "WHERE pk NOT IN (SELECT pk FROM simstore_records)"
        ).fetchone()
        assert dangling == (0,)


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.11, 0.27, 0.5])
def test_a_killed_writer_loses_nothing_that_was_acknowledged(
    tmp_path: Path, seconds: float
) -> None:
    url = f"sqlite:///{tmp_path}/killed.db"
    lines = kill_after(start(SAVE_ONE_BY_ONE, url), seconds)
    acknowledged = dict(line.split() for line in lines)
    assert acknowledged
    with simstore.connect(url) as store:
        stored = {agent.pk: agent.tag for agent in store.agents.iterate()}
        assert acknowledged.items() <= stored.items()
        assert len(stored) <= len(acknowledged) + 1
        for tag in {"changed", *(f"t{n}" for n in range(7))}:
            by_index = set(store.agents.pks(tag=tag))
            assert by_index == {pk for pk, value in stored.items() if value == tag}
        store.agents.save(AgentProfile(first_name="New", last_name="Writer"))
    check_file(tmp_path / "killed.db")


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.17])
def test_a_killed_save_many_stores_all_of_a_batch_or_none(tmp_path: Path, seconds: float) -> None:
    url = f"sqlite:///{tmp_path}/killed.db"
    lines = kill_after(start(SAVE_MANY, url), seconds)
    with simstore.connect(url) as store:
        batches = {tag: store.agents.count(tag=str(tag)) for tag in range(1, len(lines) + 2)}
        unfinished = batches.pop(len(lines) + 1)
        assert unfinished in {0, 200}
        assert set(batches.values()) == {200}
        assert store.agents.count() == 200 * len(lines) + unfinished
    check_file(tmp_path / "killed.db")


def test_two_processes_write_at_once_and_no_update_is_lost(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    with simstore.connect(url) as store:
        store.agents.save(AgentProfile(pk="counter", first_name="C", last_name="D"))
        writers = [start(COUNT_UP, url, "60", name) for name in ("one", "two")]
        for writer in writers:
            _, errors = writer.communicate(timeout=60)
            assert writer.returncode == 0, errors
        assert store.agents.get("counter").age == 120
        assert store.agents.count(tag="one") == store.agents.count(tag="two") == 60
        assert store.agents.count(field("tag").in_(["one", "two"])) == 120


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_store_can_be_used_on_both_sides_of_a_fork(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/forked.db") as store:
        store.agents.save(AgentProfile(pk="before", first_name="A", last_name="B"))
        child = os.fork()
        if child == 0:
            status = 1
            try:
                store.agents.save(AgentProfile(pk="child", first_name="A", last_name="B"))
                status = 0 if store.agents.pks() == ["before", "child"] else 2
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        store.agents.save(AgentProfile(pk="parent", first_name="A", last_name="B"))
        assert store.agents.pks() == ["before", "child", "parent"]
    check_file(tmp_path / "forked.db")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_that_outlives_its_parents_store_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/forked.db"
    ready, go = os.pipe(), os.pipe()
    with simstore.connect(url) as store:
        store.agents.save(AgentProfile(pk="parent", first_name="A", last_name="B"))
        child = os.fork()
        if child == 0:
            try:
                store.agents.save(AgentProfile(first_name="A", last_name="B", tag="child"))
                os.write(ready[1], b"1")
                os.read(go[0], 1)
                for _ in range(20):
                    store.agents.save(AgentProfile(first_name="A", last_name="B", tag="child"))
            finally:
                os._exit(0)
        os.read(ready[0], 1)
    # Closing the parent's connection must not take the child's log away.
    os.write(go[1], b"1")
    os.waitpid(child, 0)
    with simstore.connect(url) as store:
        assert store.agents.count(tag="child") == 21
    check_file(tmp_path / "forked.db")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("url", ["memory://", "sqlite:///{}/threads.db"])
def test_a_fork_while_another_thread_writes(tmp_path: Path, url: str) -> None:
    with simstore.connect(url.format(tmp_path)) as store:
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                store.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))

        thread = threading.Thread(target=work)
        thread.start()
        for number in range(5):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    signal.alarm(20)  # a lock that is held for ever must not hang the tests
                    store.agents.save(AgentProfile(pk=str(number), first_name="A", last_name="B"))
                    status = 0 if store.agents.exists(pk=str(number)) else 2
                finally:
                    os._exit(status)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 0
        stop.set()
        thread.join()


def save_and_wait(store: simstore.Store) -> None:
    store.agents.save(AgentProfile(pk="b", first_name="A", last_name="B"))
    time.sleep(2)  # where the wait for the lock is not interrupted, this is


def test_an_interrupt_while_waiting_for_the_lock_leaves_the_store_usable(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    with (
        simstore.connect(f"sqlite:///{path}?timeout=1") as store,
        closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other,
    ):
        store.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))
        other.execute("BEGIN IMMEDIATE")
        main = threading.main_thread().ident
        assert main is not None
        interrupt = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
        release = threading.Timer(0.5, other.execute, ("ROLLBACK",))
        interrupt.start()
        release.start()
        with pytest.raises(KeyboardInterrupt):
            save_and_wait(store)
        release.join()
        store.agents.save(AgentProfile(pk="c", first_name="A", last_name="B"))
        assert store.agents.exists(pk="c")
