"""A small benchmark of every backend: sound, complete, and gone afterwards."""

import os
import subprocess
from pathlib import Path

import pytest

import simstore
from simstore import AgentProfile
from simstore.bench.report import Report, Settings
from simstore.bench.run import run_benchmark
from simstore.bench.works import ALL_IDS, GROWTH_WORKS, LINK_WORKS, WORKS
from simstore.domain.errors import (
    BackendUnavailableError,
    InvalidArgumentError,
    StoreURLError,
)
from simstore.server.ports import free_port
from simstore.services.progress import Progress
from tests.servers.binaries import both_modules, redis_binary

SMALL = Settings(episodes=20, kilobytes=2, rounds=1, links=[1.0], growth=[200, 300], ids=150)
BACKENDS = ["memory://", "sqlite://", "redis://", "redis+om://"]


@pytest.fixture(scope="module")
def measured() -> tuple[Report, list[Progress]]:
    redis_binary(), both_modules()  # or else this is skipped, with the reason
    told: list[Progress] = []
    return run_benchmark(SMALL, progress=told.append), told


def test_every_backend_gives_the_same_answers(measured: tuple[Report, list[Progress]]) -> None:
    report, _ = measured
    assert (report.disagreements, report.failures, report.left_out) == ([], [], {})
    assert [each.name for each in report.contenders] == BACKENDS


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_work_of_every_part_is_measured(
    measured: tuple[Report, list[Progress]], backend: str
) -> None:
    report, _ = measured
    found = {(f.part, f.work, f.link, f.records) for f in report.figures if f.contender == backend}
    expected: set[tuple[str, str, float, int]] = {("works", w.name, 0.0, 20) for w in WORKS}
    expected.add(("memory", "held", 0.0, 20))
    grown = [work.name for work in GROWTH_WORKS] + ["grown_save"]
    expected |= {("growth", name, 0.0, size) for name in grown for size in SMALL.growth}
    if backend.startswith("redis"):
        expected |= {("links", name, 1.0, 10) for name in LINK_WORKS}
        expected.add(("links", ALL_IDS.name, 1.0, 150))
    assert found == expected


def test_figures_are_plausible(measured: tuple[Report, list[Progress]]) -> None:
    report, _ = measured
    for figure in report.figures:
        assert figure.samples
        assert all(sample > 0 for sample in figure.samples), figure
    slow = report.find("redis://", "get", link=1.0)
    quick = report.find("redis://", "get")
    assert slow is not None
    assert quick is not None
    assert slow.median > quick.median + 500  # µs, of the 1,000 that a round trip takes
    (server,) = (each for each in report.contenders if each.name == "redis://")
    assert server.versions.keys() >= {"simstore", "pydantic", "redis", "Redis"}


def test_the_progress_comes_to_its_end(measured: tuple[Report, list[Progress]]) -> None:
    _, told = measured
    assert [each.done for each in told] == list(range(1, len(told) + 1))
    assert {each.total for each in told} == {len(told)}


def test_a_report_survives_json(measured: tuple[Report, list[Progress]]) -> None:
    report, _ = measured
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_nothing_is_left_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    run_benchmark(SMALL, works=["save"])
    assert list(tmp_path.iterdir()) == []
    children = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "args="],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "simstore.bench" not in children.stdout


def test_what_else_a_store_holds_is_neither_read_nor_changed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/mine.db"
    with simstore.connect(url) as store:
        ada = store.agents.save(AgentProfile(first_name="Ada", last_name="Lovelace"))
        report = run_benchmark(SMALL, stores=[url], works=["save_many", "all"])
        assert report.sound
        assert report.settings.links == []
        assert "slow links" in report.left_out
        assert [each.name for each in report.contenders] == [url]
        assert {figure.work for figure in report.figures} == {"save_many", "all"}
        assert store.agents.find() == [ada]
        assert list(store.collections()) == ["AgentProfile"]


def test_wrong_calls_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="no work 'git'; did you mean 'get'"):
        run_benchmark(SMALL, works=["git"])
    with pytest.raises(InvalidArgumentError, match=r"memory:// is given twice"):
        run_benchmark(SMALL, stores=["memory://", "memory://"])
    with pytest.raises(InvalidArgumentError, match="leave the namespace out"):
        run_benchmark(SMALL, stores=["memory://?namespace=mine"])
    with pytest.raises(StoreURLError):
        run_benchmark(SMALL, stores=["memry://"])
    with pytest.raises(BackendUnavailableError):
        run_benchmark(SMALL, stores=[f"sqlite:///{tmp_path}/no/folder.db"])
    with pytest.raises(BackendUnavailableError):
        run_benchmark(SMALL, stores=[f"redis://127.0.0.1:{free_port()}"])
