"""The README's example, the demonstration and the command line's main job, on every backend.

They run on the real records where those are beside the checkout, else on the samples.
"""

import json
from pathlib import Path

import pytest

import simstore
from simstore.demo.story import tell
from simstore.domain.store import Capability
from simstore.samples import sample_path
from tests.servers.fixtures import own_database
from tests.unit.cli_runs import cli
from tests.unit.test_readme import ROOT, blocks

DATA = ROOT.parent / "shared" / "data"
FILES = sorted((DATA if DATA.is_dir() else sample_path()).glob("*.jsonl"))

SERVERS = {
    "redis": "redis_server",
    "redis (valkey)": "valkey_server",
    "redis+cluster": "redis_cluster",
    "redis+om": "redis_server",
}
"""The fixture that has the server of a scheme."""


@pytest.fixture(params=["sqlite", *SERVERS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param not in SERVERS:
        return f"sqlite:///{tmp_path}/records.db"
    server = request.getfixturevalue(SERVERS[request.param])
    scheme = request.param.partition(" ")[0]
    return own_database(f"{scheme}://{server.url.partition('://')[2]}")


def test_the_example_of_the_readme(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its transaction spans two collections, which a cluster refuses."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "__main__"}
    with simstore.connect(url) as store:
        wide = Capability.WIDE_TRANSACTIONS not in store.lacks
    for line, code in blocks(ROOT / "README.md"):
        on_it = code.replace('connect("memory://")', f'connect("{url}")', 1)
        if line == blocks(ROOT / "README.md")[0][0]:
            assert on_it != code, "the first block connects to memory"
        program = compile("\n" * line + on_it, "README.md", "exec")
        if "store.transaction()" in code and not wide:
            with pytest.raises(simstore.TransactionError, match="slots"):
                exec(program, namespace)  # noqa: S102 — our own page
            return
        if "samples = " in code:
            return  # from here on it is about files
        exec(program, namespace)  # noqa: S102 — our own page


def test_the_demonstration(url: str) -> None:
    def told(url: str) -> list[str]:
        lines: list[str] = []
        with simstore.connect(url) as store:
            tell(store, sample_path(), "the samples", lines.append, lambda: 0.0)
        return lines[2:]

    expected = told("memory://")
    if url.startswith("redis+cluster"):
        place = next(n for n, line in enumerate(expected) if "annotations of the episode" in line)
        expected[place] = "      TransactionError, and nothing is written: see store.lacks"
    assert told(url) == expected


def test_the_main_job_of_the_command_line(url: str, tmp_path: Path) -> None:
    def answers(url: str, folder: Path) -> list[str]:
        folder.mkdir()
        commands: list[list[str | Path]] = [
            ["import", *FILES],
            ["list"],
            ["leaderboard", "--json"],
            ["find", "agents", "age>=40", "--fields", "first_name,age", "--json"],
            ["export", "all", folder / "all.jsonl"],
            ["export", "episodes", folder / "episodes.csv"],
        ]
        outputs = [cli(*command, "--store", url) for command in commands]
        assert all(ran.code == 0 for ran in outputs), outputs
        doctor = cli("doctor", "--store", url, "--json")
        assert doctor.code == 0
        assert json.loads(doctor.out)["healthy"]
        files = [(folder / name).read_text() for name in ("all.jsonl", "episodes.csv")]
        return [*(ran.out.replace(str(folder), "") for ran in outputs), *files]

    expected = answers(f"sqlite:///{tmp_path}/expected.db", tmp_path / "expected")
    found = answers(url, tmp_path / "found")
    assert found == expected
    assert cli("check", url, f"sqlite:///{tmp_path}/expected.db").code == 0
