"""Scripts as Sotopia's users write them, on every backend: they print what is written beside them.

All that says simstore in them is the line of the import. Each runs on a database of its own that
has the samples.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import simstore
from simstore.domain.record import dump_record
from simstore.domain.store import RECORD_MODELS
from tests.integration.script_runs import (
    FOLDER,
    ROOT,
    SCRIPTS,
    VARIABLES,
    expected,
    fill,
    printed_by,
)
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.fixtures import own_database, own_namespace
from tests.servers.redis_server import RedisServer

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
]


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


@pytest.mark.parametrize(("backend", "script"), RUNS)
def test_a_script_prints_the_same_on_every_backend(
    backend: str, script: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = new_url(backend, request, tmp_path)
    with simstore.connect(url) as store:  # which keeps what is in memory
        fill(store)
        printed = printed_by(SCRIPTS[script], tmp_path, SIMSTORE_URL=url)
    assert printed == expected(SCRIPTS[script])


def test_all_that_says_simstore_in_a_script_is_its_import() -> None:
    assert len(SCRIPTS) > 20
    for path in FOLDER.rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert code.count("simstore") == code.count("from simstore.sotopia import ") == 1, path


def run(script: str, folder: Path, **variables: str) -> str:
    """What a script prints as a program of its own."""
    environment = {name: text for name, text in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [sys.executable, str(SCRIPTS[script])],
        env={**environment, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_program_uses_the_store_that_the_environment_names(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/records.db"
    with simstore.connect(url) as store:
        fill(store)
    assert run("delete", tmp_path, SIMSTORE_URL=url) == expected(SCRIPTS["delete"])
    with simstore.connect(url) as store:
        assert store.agents.count() == store.episodes.count() == 0
        assert store.env_agent_combos.count() == 5


def test_a_program_works_on_sotopias_redis_in_place(
    sotopia_server: RedisServer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with simstore.connect(new_url(SOTOPIA, request, tmp_path)) as store:
        fill(store)
    url = f"{sotopia_server.url}?decode_responses=True"
    assert run("change", tmp_path, REDIS_OM_URL=url) == expected(SCRIPTS["change"])
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
                path = folder / model.__name__ / f"{document['pk']}.json"
                # As Sotopia writes them: indented, in ASCII.
                path.write_text(json.dumps(document, indent=2), encoding="ascii")
    before = {path: path.read_bytes() for path in folder.glob("*/*.json")}
    assert len(before) == 27
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    local = {"SOTOPIA_STORAGE_BACKEND": "local", **home}
    assert run("get_in_loops", tmp_path, **local) == expected(SCRIPTS["get_in_loops"])
    # The agent that it deleted is deleted for the next program, too; the files are as they were.
    all_pks = expected(SCRIPTS["all_pks"]).replace("AgentProfile 6", "AgentProfile 5")
    assert run("all_pks", tmp_path, **local) == all_pks.replace("6 read", "5 read")
    assert {path: path.read_bytes() for path in folder.glob("*/*.json")} == before
