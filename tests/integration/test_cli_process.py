"""The script ``simstore`` in a process of its own: pipes, terminals, signals, locales."""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

import simstore
from simstore.samples import sample_path

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-W", "error", "-c", "from simstore.cli import main; main()"]
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in {"SIMSTORE_URL", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
} | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
SAMPLES = [str(path) for path in sorted(sample_path().glob("*.jsonl"))]


@pytest.fixture(autouse=True)
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples in the default store of an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert run("import", *SAMPLES).returncode == 0


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )


def on_a_terminal(
    arguments: Sequence[str],
    columns: int = 80,
    *,
    keys: bytes = b"",
    stdout: int | None = None,
    **environment: str,
) -> tuple[int, str]:
    """The exit code, and what a terminal so wide receives, when `keys` answer a question."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")
    import fcntl  # noqa: PLC0415 — where there is a pty, there are these
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    # In the child's own code: what is run between fork and exec may wait for ever for a lock.
    controlling = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    process = subprocess.Popen(
        [*COMMAND[:-1], controlling + COMMAND[-1], *arguments],
        env=ENVIRONMENT | environment,
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    received = b""
    with contextlib.suppress(OSError):  # how Linux says that the other side is closed
        while select.select([ours], [], [], 60)[0] and (data := os.read(ours, 65_536)):
            received += data
            if keys and b"[y/N]" in received:
                os.write(ours, keys)
                keys = b""
    os.close(ours)
    return process.wait(timeout=60), received.decode().replace("\r\n", "\n")


def plain(shown: str) -> str:
    """What is seen of it: without the escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


READING = [
    ["--help"],
    ["list"],
    ["list", "agents"],
    ["find", "agents", "age>=18", "--json"],
    ["show", "episodes", "01J03E47"],
    ["rewards"],
    ["leaderboard"],
    ["leaderboard", "--json"],
    ["rewards", "--format", "csv"],
    ["render", "01J03E47"],
    ["export", "all", "-"],
    ["doctor"],
    ["demo"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_reader_that_leaves_early_is_no_failure(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=ENVIRONMENT,
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_no_colours_in_a_pipe_and_no_letter_that_cannot_be_written(arguments: list[str]) -> None:
    narrow = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run(*arguments, **narrow, FORCE_COLOR="1", TTY_COMPATIBLE="1", COLUMNS="40")
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.stdout


@pytest.mark.parametrize("stream", [1, 2])
def test_a_closed_stream_is_no_failure(stream: int) -> None:
    line = f'"$@" {stream}>&-'
    done = subprocess.run(
        ["sh", "-c", line, "sh", *COMMAND, "list", "agents"],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)


def test_a_pipe_gets_whole_cells_whatever_its_width() -> None:
    with simstore.connect("sqlite:///simstore.db") as store:
        store.agents.save(
            simstore.AgentProfile(first_name="A", last_name="B", occupation="o" * 3000)
        )
    done = run("list", "agents", COLUMNS="40")
    assert b"o" * 3000 in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize(
    "arguments",
    [
        ["list", "episodes"],
        ["list", "agents"],
        ["rewards"],
        ["leaderboard"],
        ["check", "sqlite:///simstore.db", "sqlite:///simstore.db"],
    ],
    ids=" ".join,
)
def test_tables_fit_the_terminal(arguments: list[str], columns: int) -> None:
    code, shown = on_a_terminal(arguments, columns)
    shown = plain(shown)
    assert code == 0
    table = [line for line in shown.splitlines() if "─" in line or "  " in line]
    assert table
    if columns >= 80:
        assert max(map(len, table)) <= columns
        assert "─\n" in shown


def test_a_leaderboard_is_turned_where_it_is_too_wide() -> None:
    narrow = plain(on_a_terminal(["leaderboard"], 80)[1])
    assert "GOAL [0, 10]   9.50 ± 0.00   9.00 ± 3.73" in narrow
    wide = plain(on_a_terminal(["leaderboard"], 200)[1])
    assert "sample-birch   0.00 ± 0.00  -0.50 ± 0.00" in wide
    tiny = plain(on_a_terminal(["leaderboard"], 34)[1])
    assert tiny.count("GOAL [0, 10]") == 2  # a model below the other


def test_a_terminal_shows_the_first_rewards_and_a_pipe_all() -> None:
    with simstore.connect("sqlite:///simstore.db") as store:
        (episode, *_) = store.episodes.find(tag="sample_oak_birch")
        store.episodes.save_many(
            episode.model_copy(update={"pk": f"e{number:05}"}) for number in range(3000)
        )
    _, shown = on_a_terminal(["rewards"], 200)
    assert shown.count("sample-birch") == 50
    assert "the first 50 rows; more are not shown: --limit" in shown
    _, shown = on_a_terminal(["rewards", "tag=none"], 200)
    assert "not shown" not in shown
    assert run("rewards").stdout.count(b"\n") == 2 + 6000 + 9


def test_columns_that_have_no_room_are_named() -> None:
    _, shown = on_a_terminal(["rewards"], 60)
    assert "no room for" in shown
    assert "partner, missing; a pipe has it" in shown


def test_a_bar_is_on_the_terminal_and_not_in_what_is_written() -> None:
    with Path("out").open("wb") as out:
        code, shown = on_a_terminal(["import", *SAMPLES, "--json"], 100, stdout=out.fileno())
    assert code == 0
    assert "episodes.jsonl: store EpisodeLog" in plain(shown)
    assert "\x1b" in shown
    reports = json.loads(Path("out").read_bytes())
    assert [sum(report["stored"].values()) for report in reports] == [6, 8, 4, 4, 5]
    done = run("import", *SAMPLES)
    assert (done.stderr, done.stdout.count(b"\n")) == (b"", 5)


@pytest.mark.parametrize(
    ("keys", "code", "left"),
    [(b"y\n", 0, 5), (b"n\n", 0, 6), (b"\n", 0, 6), (b"\x04", 0, 6), (b"\x03", 130, 6)],
    ids=["yes", "no", "nothing", "end", "interrupt"],
)
def test_delete_asks_at_a_terminal(keys: bytes, code: int, left: int) -> None:
    ran, shown = on_a_terminal(["delete", "agents", "first_name=Ines"], keys=keys)
    assert ran == code
    assert "Delete 1 record of AgentProfile from sqlite:///simstore.db? [y/N]" in shown
    assert "Traceback" not in shown
    with simstore.connect("sqlite:///simstore.db") as store:
        assert store.agents.count() == left


def test_delete_without_a_terminal_deletes_nothing() -> None:
    done = run("delete", "agents", "age>=18")
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"say --yes" in done.stderr


def test_an_interrupt_stops_it_in_one_line() -> None:
    process = subprocess.Popen(
        [*COMMAND, "import", "-"], env=ENVIRONMENT, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(b'{"pk": "a", "name": "Ann", "email": "x"}\n')
    process.stdin.flush()
    time.sleep(3)  # it has started by then, or has not: either way it says little
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in said
    with simstore.connect("sqlite:///simstore.db") as store:
        assert store.annotators.count() == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["list"], 0), (["show", "agents", "nope"], 1), (["list", "--store", "x"], 2), ([], 2)],
    ids=["done", "problem", "usage", "nothing"],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    done = run(*arguments)
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False)


def test_a_store_in_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("this user may write everywhere")
    tmp_path.chmod(0o500)
    try:
        done = run("import", *SAMPLES, "--store", "sqlite:///new.db")
    finally:
        tmp_path.chmod(0o700)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["find", "agents", "age>=18"]])
def test_what_is_not_needed_is_not_imported(arguments: list[str]) -> None:
    code = (
        "import sys, atexit\n"
        "heavy = {'pyarrow', 'pandas', 'polars', 'mpmath', 'redis', 'hypothesis', 'pytest'}\n"
        "atexit.register(lambda: print(sorted(heavy & sys.modules.keys()), file=sys.stderr))\n"
        "from simstore.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=ENVIRONMENT, capture_output=True, check=True
    )
    assert done.stderr.splitlines()[-1] == b"[]"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_can_complete_commands(shell: str) -> None:
    done = run(
        _SIMSTORE_COMPLETE=f"complete_{shell}",
        COMP_WORDS="simstore lea",
        COMP_CWORD="1",
        _TYPER_COMPLETE_ARGS="simstore lea",
        _TYPER_COMPLETE_FISH_ACTION="get-args",
    )
    assert b"leaderboard" in done.stdout
