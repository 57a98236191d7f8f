"""The sotopia package itself and simstore.sotopia: one database, and the same scripts."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore.bench.environments import python_of
from simstore.bench.peers import PEERS
from simstore.bench.process import Process
from simstore.domain.errors import BenchmarkError, MissingDependencyError
from simstore.services import import_records
from tests.integration.script_runs import FOLDER, ROOT, SCRIPTS, expected, fill, printed_by
from tests.servers.binaries import both_modules, redis_binary, unavailable
from tests.servers.redis_server import RedisServer

RUNNER = ROOT / "tests" / "golden" / "sotopia_runner.py"

DATA = ROOT.parent / "shared" / "data"

TOGETHER = FOLDER / "together"

NO_PK = "ExpressionProxy"
"""It does not make some records without a pk: its default is no pk, but what makes conditions."""

FAILING = {
    "bind_tasks": "cannot import name 'bind'",
    "export_all": "agent_constraint",
    "import_all": "agent_constraint",
    "make_and_save": NO_PK,
    "migrate": "A query expression should start with either a field",
    "sessions": "server_id",
    "values": "has no attribute 'values'",
}
"""The scripts that do not run on the package itself, and of what they die there."""


class Both:
    """The package and simstore.sotopia, on one server; each has a folder for files."""

    def __init__(self, server: RedisServer, sotopia: Process, folder: Path) -> None:
        self.server = server
        self._sotopia = sotopia
        self.folder = folder
        (folder / "ours").mkdir()
        (folder / "theirs").mkdir()
        with server.client() as client:
            client.flushall()
        sotopia.ask("indexes")

    def ours(self, script: Path, folder: str = "ours") -> str:
        """What it prints with simstore."""
        return printed_by(script, self.folder / folder, REDIS_OM_URL=self.server.url)

    def asked(self, script: Path, folder: str = "theirs") -> dict[str, str]:
        """What it prints with the package, and how it fails."""
        where = str(self.folder / folder)
        answer: dict[str, str] = self._sotopia.ask("run", script=str(script), folder=where)
        return answer

    def theirs(self, script: Path, folder: str = "theirs") -> str:
        """What it prints with the package, where it does not fail."""
        answer = self.asked(script, folder)
        assert not answer["failed"], answer["failed"]
        return answer["printed"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of this file's own: Sotopia's keys have no namespace."""
    folder = tmp_path_factory.mktemp("itself")
    with RedisServer(redis_binary(), both_modules(), folder) as server:
        yield server


@pytest.fixture(scope="module")
def python() -> Path:
    """One that has the package."""
    peer = next(peer for peer in PEERS if peer.program == "sotopia" and peer.server)
    assert peer.environment is not None
    try:
        return python_of(peer.environment)
    except (BenchmarkError, MissingDependencyError) as error:
        # Sotopia is not for Python 3.13.
        unavailable(str(error), expected=sys.version_info >= (3, 13))


def started(python: Path, url: str, folder: Path, **variables: str) -> Process:
    """A process with the package."""
    return Process(
        [str(python), "-W", "ignore", str(RUNNER)],
        {"url": url},
        environment=variables,
        log=folder / "sotopia.log",
        timeout=60.0,
    )


@pytest.fixture(scope="module")
def sotopia(server: RedisServer, python: Path) -> Iterator[Process]:
    with started(python, server.url, server.folder) as process:
        yield process


@pytest.fixture
def both(server: RedisServer, sotopia: Process, tmp_path: Path) -> Both:
    return Both(server, sotopia, tmp_path)


@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_they_read_change_and_find_what_the_other_wrote(both: Both, first: str) -> None:
    second = "ours" if first == "theirs" else "theirs"
    assert getattr(both, first)(TOGETHER / "write.py") == ""
    tell, find = TOGETHER / "tell.py", TOGETHER / "find.py"
    assert both.theirs(tell) == both.ours(tell)
    before = both.ours(find)
    assert both.theirs(find) == before
    assert getattr(both, second)(TOGETHER / "change.py") == ""
    told = both.ours(tell)
    assert both.theirs(tell) == told == elsewhere(both.folder)
    found = both.ours(find)
    assert found != before
    assert both.theirs(find) == found
    assert_exports_agree(both.folder / "ours", both.folder / "theirs")
    load = TOGETHER / "load.py"
    loaded = both.ours(load, "theirs")
    assert loaded.count("\n") == loaded_number(both.folder / "ours")
    assert both.ours(load, "ours") == both.theirs(load, "ours") == loaded
    assert both.theirs(load, "theirs") == loaded


def elsewhere(folder: Path) -> str:
    """What is told where neither Sotopia nor Redis has a hand in it."""
    (folder / "elsewhere").mkdir()
    *_, told = (
        printed_by(TOGETHER / f"{name}.py", folder / "elsewhere", SIMSTORE_URL="sqlite:///file.db")
        for name in ("write", "change", "tell")
    )
    return told


def assert_exports_agree(ours: Path, theirs: Path) -> None:
    """Ours have all that theirs have, in its order, and end with what theirs leave out."""
    names = sorted(path.name for path in theirs.iterdir())
    assert sorted(path.name for path in ours.iterdir()) == names
    assert len(names) == 10
    for name in names:
        for our, their in zip(rows(ours / name), rows(theirs / name), strict=True):
            assert [(key, our[key]) for key in our if key in their] == list(their.items())


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file))
        return [json.loads(line) for line in file]


def loaded_number(folder: Path) -> int:
    number = sum(len(rows(path)) for path in folder.glob("*.jsonl"))
    assert number > 20
    return number


@pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data is not beside this checkout, in ../shared/data"
)
def test_they_tell_the_same_of_real_records(both: Both) -> None:
    with simstore.connect(f"{both.server.url_for(scheme='redis+om')}?layout=sotopia") as store:
        for path in sorted(DATA.glob("*.jsonl")):
            import_records(path, store)
    tell = TOGETHER / "tell.py"
    told = both.ours(tell)
    assert both.theirs(tell) == told
    assert told.count("EpisodeLog") == 20
    assert_exports_agree(both.folder / "ours", both.folder / "theirs")


def test_what_it_kept_in_files_is_there(python: Path, server: RedisServer, tmp_path: Path) -> None:
    local = {
        "SOTOPIA_STORAGE_BACKEND": "local",
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
    }
    tell = TOGETHER / "tell.py"
    with started(python, server.url, tmp_path, **local) as sotopia:
        wrote, told = (
            sotopia.ask("run", script=str(script), folder=str(tmp_path))
            for script in (TOGETHER / "write.py", tell)
        )
    assert (wrote["failed"], told["failed"]) == ("", "")
    assert len(list(tmp_path.glob(".sotopia/data/EpisodeLog/*.json"))) == 16
    assert printed_by(tell, tmp_path, **local) == told["printed"] != ""


def test_what_it_finds_wrongly_is_found(both: Both) -> None:
    faults = TOGETHER / "faults.py"
    found = both.ours(faults)
    assert found == expected(faults)
    theirs = both.theirs(faults).splitlines()
    wrong = [line for line, right in zip(theirs, found.splitlines(), strict=True) if line != right]
    assert wrong == theirs


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_prints_the_same_on_the_package_itself(both: Both, script: str) -> None:
    with simstore.connect(f"{both.server.url_for(scheme='redis+om')}?layout=sotopia") as store:
        fill(store)
    answer = both.asked(SCRIPTS[script])
    if script in FAILING:
        assert FAILING[script] in answer["failed"]
    else:
        assert (answer["printed"], answer["failed"]) == (expected(SCRIPTS[script]), "")
