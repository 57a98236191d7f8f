"""Sotopia's local files: `simstore.sotopia` begins with a copy of them."""

import errno
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from simstore.connection import connect
from simstore.domain.errors import BackendUnavailableError, ImportFileError, StoreURLError
from simstore.domain.store import Store
from simstore.sotopia import local_files, records
from simstore.sotopia.local_files import open_local

AGENT = {"pk": "ada", "first_name": "Ada", "last_name": "Osei", "age": 36}
OLD_EPISODE = {
    "environment": "env",
    "agents": ["ada", "bo"],
    "tag": None,
    "messages": [[["Environment", "Ada", "hello"]]],
    "rewards": [0.0, [1.5, {"goal": 3}]],
}
ENVIRONMENT = {"codename": "duel", "scenario": "At dawn.", "agent_goals": ["Win.", "Live."]}


def write(folder: Path, model: str, pk: str, document: Any) -> Path:
    path = folder / model / f"{pk}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(document, bytes):
        path.write_bytes(document)
    else:
        path.write_text(document if isinstance(document, str) else json.dumps(document, indent=2))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / ".sotopia" / "data"
    write(folder, "AgentProfile", "ada", AGENT)
    write(folder, "EpisodeLog", "e1", OLD_EPISODE)  # without its pk, and of an older version
    write(folder, "Foreign", "x", {"any": "thing"})
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*.json")}


def beside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.parent.iterdir())


def test_the_records_are_there(folder: Path) -> None:
    before = contents(folder)
    with open_local(folder) as store:
        assert store.agents.get("ada").age == 36
        assert store.episodes.get("e1").rewards == [0.0, (1.5, {"goal": 3.0})]
        assert store.collections() == ["AgentProfile", "EpisodeLog"]
        store.agents.delete("ada")
    assert contents(folder) == before
    assert beside(folder) == ["data", "simstore.db"]


def test_they_are_copied_once(folder: Path) -> None:
    with open_local(folder) as store:
        store.agents.delete("ada")
    write(folder, "AgentProfile", "bo", {**AGENT, "pk": "bo"})
    with open_local(folder) as store:
        assert store.agents.pks() == []


def test_where_there_are_none_the_store_is_empty(tmp_path: Path) -> None:
    with open_local(tmp_path / "a folder #1" / "data") as store:
        assert store.collections() == []
    assert (tmp_path / "a folder #1" / "simstore.db").is_file()


def test_more_than_are_held_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_files, "BATCH", 2)
    for pk in "abcde":
        write(folder, "AgentProfile", pk, {**AGENT, "pk": pk})
    with open_local(folder) as store:
        assert store.agents.pks() == ["a", "ada", "b", "c", "d", "e"]


def test_fields_that_are_not_declared_are_kept(folder: Path) -> None:
    write(folder, "AgentProfile", "ada", {**AGENT, "mood": {"now": ["calm"]}})
    with open_local(folder) as store:
        agent = store.repository(records.AgentProfile).get("ada")
    assert agent.model_dump()["mood"] == {"now": ["calm"]}


@pytest.mark.parametrize("pk", [None, "", "  "])
def test_a_blank_pk_means_the_files_name(folder: Path, pk: str | None) -> None:
    write(folder, "AgentProfile", "bo", {**AGENT, "pk": pk})
    with open_local(folder) as store:
        assert store.agents.pks() == ["ada", "bo"]


def deep(levels: int) -> str:
    return json.dumps({**ENVIRONMENT, "game_metadata": {"a": 0}}).replace(
        "0", "[" * levels + "]" * levels
    )


@pytest.mark.parametrize(
    ("model", "document", "said"),
    [
        ("AgentProfile", "", "bad.json: is not JSON: Expecting value"),
        ("AgentProfile", "{", "is not JSON: Expecting property name.* line 1 column 2"),
        ("AgentProfile", "[]", "is not a JSON object"),
        ("AgentProfile", b'{"first_name": "\xff"}', "is not UTF-8: invalid start byte at byte 17"),
        ("AgentProfile", b"\xef\xbb\xbf{}", "byte order mark"),
        ("AgentProfile", '{"age": NaN}', "field 'age': NaN is not JSON"),
        ("AgentProfile", '{"tag": "\\ud800"}', "field 'tag': .* half of a surrogate pair"),
        ("AgentProfile", {"first_name": "Ada"}, "field 'last_name': it is missing"),
        ("AgentProfile", {**AGENT, "pk": "bad", "age": "many"}, "field 'age': .* not 'many'"),
        ("AgentProfile", AGENT, "field 'pk': it is 'ada', and the file's name says 'bad'"),
        ("AgentProfile", {**AGENT, "pk": 5}, "field 'pk'"),
        (
            "EnvironmentProfile",
            {**ENVIRONMENT, "game_metadata": {"seed": 123456789012345678901234567890}},
            "field 'game_metadata': .* 123456789012345678901234567890 is beyond 64 bits",
        ),
        ("EnvironmentProfile", {**ENVIRONMENT, "seed": 1 << 64}, "stored: seed: .* is beyond 64"),
        ("EnvironmentProfile", deep(300), "field 'game_metadata': .* depth exceeded"),
        ("EnvironmentProfile", deep(100_000), "is nested too deeply"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_makes_no_record_is_named_and_nothing_is_copied(
    folder: Path, model: str, document: Any, said: str
) -> None:
    path = write(folder, model, "bad", document)
    with pytest.raises(ImportFileError, match=said) as caught:
        open_local(folder)
    assert caught.value.path == str(path)
    assert str(caught.value).endswith("; mend it or move it away; nothing was copied")
    assert beside(folder) == ["data"]
    path.unlink()
    with open_local(folder) as store:
        assert store.agents.pks() == ["ada"]


@pytest.mark.parametrize("name", [".json", " .json"])
def test_a_files_name_without_a_pk(folder: Path, name: str) -> None:
    (folder / "AgentProfile" / "ada.json").rename(folder / "AgentProfile" / name)
    with pytest.raises(ImportFileError, match="the file's name says"):
        open_local(folder)
    assert beside(folder) == ["data"]


def make_folder(place: Path) -> None:
    place.mkdir()


def make_dangling(place: Path) -> None:
    place.symlink_to("nowhere")


def make_pipe(place: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("needs mkfifo")
    os.mkfifo(place)


@pytest.mark.parametrize("make", [make_folder, make_dangling, make_pipe])
def test_what_is_no_file_but_is_called_so(folder: Path, make: Any) -> None:
    make(folder / "EpisodeLog" / "x.json")
    with pytest.raises(ImportFileError, match=r"x\.json: (is not a file|cannot be read)"):
        open_local(folder)
    assert beside(folder) == ["data"]


@pytest.mark.parametrize("name", ["", "EpisodeLog"])
@pytest.mark.parametrize("make", [Path.touch, make_dangling, make_pipe])
def test_what_is_no_folder_but_is_called_so(folder: Path, name: str, make: Any) -> None:
    place = folder / name
    place.rename(folder.parent.parent / "elsewhere")
    make(place)
    with pytest.raises(ImportFileError, match="cannot be read as a folder") as caught:
        open_local(folder)
    assert caught.value.path == str(place)
    assert beside(folder) == ["data"]


def test_links_that_lead_somewhere_are_followed(folder: Path) -> None:
    for name in ["AgentProfile/ada.json", "EpisodeLog", ""]:
        target = folder.parent.parent / f"elsewhere{len(name)}"
        (folder / name).rename(target)
        (folder / name).symlink_to(target)
    with open_local(folder) as store:
        assert store.agents.pks() == ["ada"]
        assert store.episodes.pks() == ["e1"]


@pytest.mark.parametrize("name", ["", "EpisodeLog", "EpisodeLog/e1.json"])
def test_what_may_not_be_read_is_not_empty(folder: Path, name: str) -> None:
    mode = (folder / name).stat().st_mode
    (folder / name).chmod(0)
    try:
        if os.access(folder / name, os.R_OK):
            pytest.skip("root may read all")
        with pytest.raises(ImportFileError, match="Permission denied") as caught:
            open_local(folder)
    finally:
        (folder / name).chmod(mode)
    assert caught.value.path == str(folder / name)
    assert beside(folder) == ["data"]


def test_a_folder_that_cannot_be_listed_is_not_empty(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterdir = Path.iterdir

    def refusing(path: Path) -> Iterator[Path]:
        if path.name == "EpisodeLog":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    with pytest.raises(ImportFileError, match=r"EpisodeLog: .*Permission denied") as caught:
        open_local(folder)
    assert isinstance(caught.value.__cause__, PermissionError)
    monkeypatch.undo()
    assert beside(folder) == ["data"]


@pytest.mark.parametrize("make", [make_folder, make_dangling, make_pipe])
def test_what_is_no_database_but_is_called_so(folder: Path, make: Any) -> None:
    make(folder.parent / "simstore.db")
    with pytest.raises(BackendUnavailableError, match=r"simstore\.db"):
        open_local(folder)
    assert beside(folder) == ["data", "simstore.db"]


def test_a_link_to_a_database_is_followed(folder: Path) -> None:
    open_local(folder).close()
    (folder.parent / "simstore.db").rename(folder.parent.parent / "moved.db")
    (folder.parent / "simstore.db").symlink_to(folder.parent.parent / "moved.db")
    with open_local(folder) as store:
        assert store.agents.pks() == ["ada"]


def test_the_log_of_a_database_that_was_removed_is_not_taken_for_the_new_ones(
    folder: Path,
) -> None:
    log = folder.parent / "simstore.db-wal"
    log.write_bytes(b"left")
    with pytest.raises(BackendUnavailableError, match=r"simstore\.db-wal belongs to a database"):
        open_local(folder)
    assert beside(folder) == ["data", "simstore.db-wal"]
    assert log.read_bytes() == b"left"


@pytest.mark.parametrize("place", ["", ".sotopia"])
def test_where_no_folder_can_be_made(tmp_path: Path, place: str) -> None:
    (tmp_path / ".sotopia").touch()
    with pytest.raises(BackendUnavailableError, match="set SIMSTORE_URL") as caught:
        open_local(tmp_path / ".sotopia" / place / "data")
    assert isinstance(caught.value.__cause__, OSError)


def test_a_home_whose_name_is_not_unicode(tmp_path: Path) -> None:
    # Some file systems take no such name at all.
    with pytest.raises((StoreURLError, BackendUnavailableError)):
        open_local(tmp_path / "\udcff" / "data")


@pytest.mark.parametrize(
    "cause", [PermissionError(errno.EPERM, "Not permitted"), OSError(errno.ENOTSUP, "Unsupported")]
)
def test_a_file_system_without_hard_links(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cause: OSError
) -> None:
    monkeypatch.setattr(os, "link", Mock(side_effect=cause))
    with pytest.raises(BackendUnavailableError, match=r"hard link.*set SIMSTORE_URL") as caught:
        open_local(folder)
    assert caught.value.__cause__ is cause
    assert beside(folder) == ["data"]


def test_a_disk_that_is_full_while_records_are_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def small(url: str) -> Store:
        store = connect(url)
        with store._storage._connection.reading() as connection:  # type: ignore[attr-defined]
            connection.execute("PRAGMA max_page_count = 10")
        return store

    monkeypatch.setattr(local_files, "connect", small)
    for number in range(20):
        write(folder, "AgentProfile", f"a{number}", {**AGENT, "pk": "", "secret": "x" * 20_000})
    with pytest.raises(BackendUnavailableError, match=r"cannot be copied into .* full"):
        open_local(folder)
    assert beside(folder) == ["data"]


def test_records_that_stay_in_the_log_are_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the disk is full when they are moved from there into the file."""
    with ExitStack() as held:

        def read_by_another(url: str) -> Store:
            store = connect(url)
            other = sqlite3.connect(url.removeprefix("sqlite:///"))
            held.enter_context(closing(other))
            other.execute("SELECT count(*) FROM sqlite_master")
            return store

        monkeypatch.setattr(local_files, "connect", read_by_another)
        with pytest.raises(BackendUnavailableError, match="could not be completed"):
            open_local(folder)
    assert beside(folder) == ["data"]


# Programs, as in containers that share a home: each is process 1 there.

BEGIN = """
import os, signal, sys
from pathlib import Path
from simstore.sotopia import local_files
os.getpid = lambda: 1
folder = Path(sys.argv[1])
"""

AT_ONCE = """
link = os.link
def when_told(source, target):
    print("copied", flush=True)
    sys.stdin.readline()
    link(source, target)
os.link = when_told
with local_files.open_local(folder) as store:
    agent = store.agents.get("ada")
    agent.pk = sys.argv[2]
    store.agents.save(agent)
"""

KILLED = """
iterdir = Path.iterdir
def half_way(path):
    if path.name == "EpisodeLog":
        signal.raise_signal(signal.SIGKILL)
    return iterdir(path)
Path.iterdir = half_way
local_files.open_local(folder)
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_copy_at_once_use_one_copy(folder: Path) -> None:
    with start(AT_ONCE, folder, "bo") as bo, start(AT_ONCE, folder, "cy") as cy:
        for process in (bo, cy):
            assert process.stdout is not None
            assert process.stdout.readline() == "copied\n"
        assert len(list(folder.parent.glob("simstore.db.copying-*/simstore.db"))) == 2
        for process in (bo, cy):
            _, errors = process.communicate("go\n", timeout=60)
            assert process.returncode == 0, errors
    with open_local(folder) as store:
        assert store.agents.pks() == ["ada", "bo", "cy"]
        assert store.episodes.pks() == ["e1"]
    assert beside(folder) == ["data", "simstore.db"]


def test_nothing_is_left_to_go_on_with_by_a_process_that_was_killed(folder: Path) -> None:
    backups = ["simstore.db.1.bak", "simstore.db.17"]
    for name in backups:
        (folder.parent / name).write_text("a user's")
    with start(KILLED, folder) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    (partial,) = folder.parent.glob("simstore.db.copying-*")
    left = {path: path.read_bytes() for path in partial.iterdir()}
    assert left
    assert beside(folder) == ["data", *backups, partial.name]
    (folder / "AgentProfile" / "ada.json").unlink()
    with open_local(folder) as store:
        assert store.agents.pks() == []
        assert store.episodes.pks() == ["e1"]
    assert {path: path.read_bytes() for path in partial.iterdir()} == left
    assert beside(folder) == sorted(["data", "simstore.db", *backups, partial.name])
    assert {(folder.parent / name).read_text() for name in backups} == {"a user's"}
