"""Exports and imports in processes of their own: killed, out of room, through pipes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import simstore
from simstore import Annotator
from simstore.services.exporting import export_records
from simstore.services.importing import import_records

ROOT = Path(__file__).resolve().parents[2]

EXPORT = """
import sys, time
from simstore import Annotator
from simstore.services.exporting import export_records

def records():
    for number in range({count}):
        yield Annotator(pk=f"p{{number:06}}", name="n" * 500, email="e")
    {then}

export_records(records(), sys.argv[1], format="jsonl")
"""

IMPORT = """
import sys, simstore
from simstore.services.importing import import_records
with simstore.connect("memory://") as store:
    print(import_records(sys.argv[1], store, format="jsonl", on_error="skip").stored)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and signals are POSIX's")


def python(code: str, path: str, **options: object) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # the options are of many types
        [sys.executable, "-c", code, path],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        **options,
    )


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_a_process_that_is_killed_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")
    code = EXPORT.format(count=20_000, then='print("all", flush=True); time.sleep(60)')
    with python(code, str(path), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"all\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    (beside,) = set(tmp_path.iterdir()) - {path}
    assert beside.name.startswith(".simstore-")
    assert beside.name.endswith(".partial")
    export_records([Annotator(pk="a", name="n", email="e")], path)
    with simstore.connect("memory://") as store:
        assert import_records(path, store).stored == {"Annotator": 1}


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_disk_without_room_leaves_the_old_file_and_no_other(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))\n"
    code = limit + EXPORT.format(count=20_000, then="pass")
    with python(code, str(path), stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"OSError" in process.stderr.read().splitlines()[-1]
    assert process.returncode == 1
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("target", ["-", "/dev/stdout", "/dev/fd/1"])
def test_records_go_through_a_pipe_from_process_to_process(target: str) -> None:
    writing = python(EXPORT.format(count=1_500, then="pass"), target, stdout=subprocess.PIPE)
    with writing, python(IMPORT, "-", stdin=writing.stdout, stdout=subprocess.PIPE) as reading:
        out, _ = reading.communicate(timeout=60)
    assert (out, writing.returncode) == (b"{'Annotator': 1500}\n", 0)


@pytest.mark.parametrize("target", ["-", "/dev/stdout"])
def test_standard_output_that_is_a_file_is_written_on_in(tmp_path: Path, target: str) -> None:
    path = tmp_path / "out"
    code = 'print("before")\n' + EXPORT.format(count=2, then="pass") + 'print("after")'
    with path.open("wb") as out, python(code, target, stdout=out):
        pass
    lines = path.read_text().splitlines()
    assert (lines[0], len(lines), lines[-1]) == ("before", 4, "after")


@pytest.mark.parametrize("target", ["-", "/dev/stdin"])
def test_standard_input_that_is_a_file_is_imported(tmp_path: Path, target: str) -> None:
    path = tmp_path / "in.jsonl"
    export_records([Annotator(name="n", email="e") for _ in range(3)], path)
    with path.open("rb") as stdin:
        done = python(IMPORT, target, stdin=stdin, stdout=subprocess.PIPE)
        assert done.communicate(timeout=60)[0] == b"{'Annotator': 3}\n"


def test_standard_input_is_imported_from_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    line = b'{"name":"n","email":"e"}\n'
    path.write_bytes(line * 4)
    with path.open("rb") as stdin:
        os.lseek(stdin.fileno(), len(line), os.SEEK_SET)
        done = python(IMPORT, "-", stdin=stdin, stdout=subprocess.PIPE)
        assert done.communicate(timeout=60)[0] == b"{'Annotator': 3}\n"


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_a_named_pipe_is_imported(tmp_path: Path, suffix: str) -> None:
    pipe, path = tmp_path / f"pipe.{suffix}", tmp_path / f"a.{suffix}"
    export_records([Annotator(name="n" * 20_000, email="e") for _ in range(300)], path)
    os.mkfifo(pipe)
    with python(IMPORT, str(pipe), stdout=subprocess.PIPE) as reading:
        pipe.write_bytes(path.read_bytes())
        out, _ = reading.communicate(timeout=60)
    assert out == b"{'Annotator': 300}\n"


def test_a_reader_that_goes_away_is_an_error() -> None:
    code = EXPORT.format(count=20_000, then="pass")
    with python(code, "-", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
    assert b"BrokenPipeError" in errors
    assert process.returncode != 0
