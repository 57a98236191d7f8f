"""Scripts as Sotopia's users write them, on every backend: they print what is written beside them.

All that says simstore in them is the line of the import. Each runs on a database of its own that
has the samples.
"""

import json
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import simstore
from simstore.domain.record import dump_record
from simstore.domain.store import RECORD_MODELS, Store
from simstore.samples import sample_path
from simstore.services import import_records
from simstore.sotopia import binding, current_store
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.fixtures import own_database, own_namespace
from tests.servers.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {path.stem: path for path in sorted((ROOT / "tests" / "scripts").glob("*.py"))}

OWN_MODELS = {"own_models", "seed_document"}
"""These have models that Sotopia does not have."""

SERVERS = {
    "redis": "valkey_server",
    "redis+cluster": "redis_cluster",
    "redis+om": "redis_server",
}
"""The fixture that has the server of a scheme."""

SOTOPIA = "redis+om, Sotopia's layout"

BACKENDS = ["memory", "sqlite", *SERVERS, SOTOPIA]

RUNS = [
    pytest.param(backend, script, id=f"{script}-{backend}")
    for backend in BACKENDS
    for script in SCRIPTS
    if not (backend == SOTOPIA and script in OWN_MODELS)
]

VARIABLES = ("SIMSTORE_URL", "SOTOPIA_STORAGE_BACKEND", "REDIS_OM_URL")
"""Those that name the environment's store."""


@pytest.fixture(scope="module")
def sotopia_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of this file's own: Sotopia's keys have no namespace."""
    folder = tmp_path_factory.mktemp("sotopia")
    with RedisServer(redis_binary(), both_modules(), folder) as server:
        yield server


def new_url(backend: str, request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty database."""
    if backend == "memory":
        return f"memory://{own_namespace()}"
    if backend == "sqlite":
        return f"sqlite:///{folder}/records.db"
    if backend == SOTOPIA:
        server = request.getfixturevalue("sotopia_server")
        with server.client() as client:
            client.flushall()
        return f"{server.url_for(scheme='redis+om')}?layout=sotopia"
    server = request.getfixturevalue(SERVERS[backend])
    return own_database(f"{backend}://{server.url.partition('://')[2]}")


def fill(store: Store) -> None:
    for path in sorted(sample_path().glob("*.jsonl")):
        import_records(path, store)


def expected(script: str) -> str:
    return SCRIPTS[script].with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("backend", "script"), RUNS)
def test_a_script_prints_the_same_on_every_backend(
    backend: str,
    script: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = new_url(backend, request, tmp_path)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIMSTORE_URL", url)
    # Each script is to open it, as a program would.
    monkeypatch.setattr(binding, "_environment", binding._Environment())
    monkeypatch.chdir(tmp_path)
    with simstore.connect(url) as store, warnings.catch_warnings():
        fill(store)
        warnings.simplefilter("ignore")  # some use pydantic's old names
        try:
            runpy.run_path(str(SCRIPTS[script]), run_name="__main__")
        finally:
            current_store().close()
    assert capsys.readouterr().out == expected(script)


def test_every_script_has_its_text_and_imports_from_one_place() -> None:
    assert len(SCRIPTS) > 20
    texts = {path.stem for path in (ROOT / "tests" / "scripts").glob("*.txt")}
    assert texts == SCRIPTS.keys()
    for path in SCRIPTS.values():
        code = path.read_text(encoding="utf-8")
        assert code.count("simstore") == code.count("from simstore.sotopia import") == 1, path.name


def run(script: str, folder: Path, **variables: str) -> str:
    """What a script prints as a program of its own."""
    environment = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, str(SCRIPTS[script])],
        env={**environment, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_a_program_uses_the_store_that_the_environment_names(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    with simstore.connect(url) as store:
        fill(store)
    assert run("delete", tmp_path, SIMSTORE_URL=url) == expected("delete")
    with simstore.connect(url) as store:
        assert store.agents.count() == store.episodes.count() == 0
        assert store.env_agent_combos.count() == 5


def test_a_program_works_on_sotopias_redis_in_place(
    sotopia_server: RedisServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with simstore.connect(new_url(SOTOPIA, request, tmp_path)) as store:
        fill(store)
    url = f"{sotopia_server.url}?decode_responses=True"
    assert run("change", tmp_path, REDIS_OM_URL=url) == expected("change")
    with sotopia_server.client() as client:
        key = ":sotopia.database.logs.EpisodeLog:a-copy"
        assert json.loads(client.execute_command("JSON.GET", key))["tag"] == "copy"


def test_a_program_begins_with_sotopias_local_files(tmp_path: Path) -> None:
    folder = tmp_path / ".sotopia" / "data"
    with simstore.connect("memory://") as store:
        fill(store)
        for model in RECORD_MODELS:
            (folder / model.__name__).mkdir(parents=True)
            for item in store.repository(model).find():
                document = dump_record(item)
                # As Sotopia writes them: indented, in ASCII.
                path = folder / model.__name__ / f"{document['pk']}.json"
                path.write_text(json.dumps(document, indent=2), encoding="ascii")
    before = {path: path.read_bytes() for path in folder.glob("*/*.json")}
    assert len(before) == 27
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    local = {"SOTOPIA_STORAGE_BACKEND": "local", **home}
    assert run("get_in_loops", tmp_path, **local) == expected("get_in_loops")
    # What that deleted is deleted, for the next program as well; the files are as they were.
    assert "AgentProfile 5\n" in run_all_pks(tmp_path, local)
    assert {path: path.read_bytes() for path in folder.glob("*/*.json")} == before


def run_all_pks(folder: Path, variables: dict[str, str]) -> str:
    return run("all_pks", folder, **variables)
