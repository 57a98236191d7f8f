"""A contender's process that dies, hangs or fails says why, and leaves nothing behind."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from simstore.bench.entrants import Entrant
from simstore.bench.process import Process
from simstore.bench.starting import started
from simstore.domain.errors import BenchmarkError

PROGRAM = """
from simstore.bench.workers.loop import Contender, Timed, run
import os, time

class Small(Contender):
    def works(self):
        return {"good": lambda: Timed(lambda: sum(range(1000)), 10, int), "bad": self.bad}
    def versions(self): return {"small": "1"}
    def clear(self): print("noise on standard output")
    def fill(self): os._exit(3)
    def grow(self, start, stop): time.sleep(60)
    def small(self, start, stop): pass
    def bad(self): raise KeyError("no such thing")

run(Small)
"""


@contextmanager
def process(folder: Path, program: str = PROGRAM, *, timeout: float = 30.0) -> Iterator[Process]:
    path = folder / "small.py"
    path.write_text(dedent(program))
    setting = {"episodes": 1, "kilobytes": 1, "folder": str(folder)}
    command = [sys.executable, str(path)]
    with Process(command, setting, environment={}, log=folder / "log", timeout=timeout) as started:
        yield started


def test_a_work_is_timed_and_what_is_printed_does_not_disturb(tmp_path: Path) -> None:
    with process(tmp_path) as running:
        assert running.works == {"good", "bad"}
        assert running.versions == {"small": "1"}
        assert running.ask("clear") == {"answer": None}
        answer = running.ask("work", work="good")
    assert answer["units"] == 10
    assert answer["answer"] == 499_500
    assert 0 < answer["seconds"] < 1
    assert "noise" in (tmp_path / "log").read_text()


def test_a_failure_is_an_answer_and_the_process_goes_on(tmp_path: Path) -> None:
    with process(tmp_path) as running:
        assert running.ask("work", work="bad") == {"error": "KeyError: 'no such thing'"}
        assert running.ask("work", work="good")["answer"] == 499_500
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_process_that_dies_is_an_error(tmp_path: Path) -> None:
    with (
        process(tmp_path) as running,
        pytest.raises(BenchmarkError, match="its process ended"),
    ):
        running.ask("fill")


def test_a_process_that_hangs_is_killed(tmp_path: Path) -> None:
    with (
        process(tmp_path, timeout=2.0) as running,
        pytest.raises(BenchmarkError, match="did not answer within 2 seconds"),
    ):
        running.ask("grow", start=0, stop=1)


def test_one_that_does_not_start_tells_why(tmp_path: Path) -> None:
    with (
        pytest.raises(BenchmarkError, match=r"its process ended; .*ModuleNotFoundError: No module"),
        process(tmp_path, "import no_such_module_at_all"),
    ):
        pass


@pytest.mark.parametrize(
    ("command", "reason"),
    [(["false"], "its process ended"), (["/no/such/python"], "/no/such/python cannot be run")],
)
def test_a_peer_that_does_not_start_is_left_out(
    tmp_path: Path, command: list[str], reason: str
) -> None:
    left_out: dict[str, str] = {}
    peer = Entrant("broken", "a peer", command, peer=True)
    with started([peer], tmp_path, episodes=1, kilobytes=1.0, left_out=left_out) as processes:
        assert processes == {}
    assert left_out["broken"].startswith(reason)
    store = Entrant("broken", "a store", command)
    with (
        pytest.raises(BenchmarkError, match=f"broken: {reason}"),
        started([store], tmp_path, episodes=1, kilobytes=1.0),
    ):
        pass


def test_what_fails_while_it_starts_is_told_without_a_traceback(tmp_path: Path) -> None:
    program = PROGRAM.replace("run(Small)", "run(lambda setting: 1 / 0)")
    with pytest.raises(BenchmarkError) as told, process(tmp_path, program):
        pass
    assert str(told.value) == "ZeroDivisionError: division by zero"


def test_its_setting_is_not_on_its_command_line(tmp_path: Path) -> None:
    program = PROGRAM.replace('{"small": "1"}', '{"arguments": " ".join(__import__("sys").argv)}')
    with process(tmp_path, program) as running:
        assert running.versions == {"arguments": str(tmp_path / "small.py")}


def test_anything_but_an_answer_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(BenchmarkError, match="its process said 'Welcome'"),
        process(tmp_path, "print('Welcome', flush=True); input()"),
    ):
        pass
