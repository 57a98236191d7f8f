"""``simstore bench``: what is asked of the benchmark, and where its report goes."""

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")
pytest.importorskip("matplotlib", reason="pages with charts need matplotlib")

from simstore.bench.report import Report, Settings
from simstore.domain.errors import BenchmarkError
from simstore.services.progress import OnProgress
from tests.unit.bench_reports import small_report
from tests.unit.cli_runs import cli, failure


class Asked:
    """Stands for the benchmark: keeps what it was asked for, and returns a report at once."""

    def __init__(self) -> None:
        self.times = 0
        self.settings = Settings()
        self.stores: Sequence[str] = ()
        self.peers = False
        self.works: Collection[str] = ()
        self.report: Callable[[], Report] = small_report

    def __call__(
        self,
        settings: Settings,
        *,
        stores: Sequence[str],
        peers: bool,
        works: Collection[str],
        progress: OnProgress,
    ) -> Report:
        assert progress is not None
        self.times += 1
        self.settings, self.stores, self.peers, self.works = settings, stores, peers, works
        return self.report()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    asked = Asked()
    monkeypatch.setattr("simstore.bench.run.run_benchmark", asked)
    monkeypatch.setenv("SIMSTORE_URL", "sqlite:///mine.db")
    monkeypatch.chdir(tmp_path)
    return asked


def test_without_options_it_measures_what_is_installed_here(asked: Asked) -> None:
    ran = cli("bench")
    assert ran.code == 0
    assert ran.out.startswith("What storage costs\n")
    assert (asked.stores, asked.peers, asked.works) == ((), False, ())
    assert asked.settings == Settings()


def test_options_reach_the_benchmark(asked: Asked) -> None:
    ran = cli(
        *("bench", "--store", "memory://", "--store", "sqlite:///x.db", "--peers"),
        *("--episodes", "1000", "--size", "2.5", "--rounds", "3", "--link", "5", "--link", "0.5"),
        *("--work", "get", "--work", "all"),
    )
    assert ran.code == 0
    assert (asked.stores, asked.peers) == (["memory://", "sqlite:///x.db"], True)
    assert asked.works == ["get", "all"]
    assert asked.settings == Settings(
        episodes=1_000,
        kilobytes=2.5,
        rounds=3,
        links=[0.5, 5],
        growth=[500, 2_000, 8_000],
        ids=50_000,
    )


def test_no_link_is_a_link_of_0(asked: Asked) -> None:
    assert cli("bench", "--link", "0", "--episodes", "10").code == 0
    assert asked.settings.links == []
    assert asked.settings.growth == [200, 800, 3_200]


def test_json_is_the_report(asked: Asked) -> None:
    ran = cli("bench", "--json")
    assert Report.model_validate(ran.json) == small_report()
    assert asked.times == 1


def test_files_are_written_in_the_form_of_their_suffix(asked: Asked, tmp_path: Path) -> None:
    ran = cli("bench", "--markdown", "-o", "a.html", "-o", "a.json", "--output", "a.md")
    assert asked.times == 1
    assert (tmp_path / "a.html").read_text().startswith("<!DOCTYPE html>")
    assert Report.model_validate(json.loads((tmp_path / "a.json").read_text())) == small_report()
    assert (tmp_path / "a.md").read_text() == ran.out
    assert ran.out.startswith("## What storage costs\n")
    assert ran.err == "".join(f"the report is in a.{form}\n" for form in ("html", "json", "md"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--json", "--markdown"], "exclude each other"),
        (["--output", "report.pdf"], "the suffix names no form of a report; use .html, .json"),
        (["--output", "report"], "the suffix names no form of a report"),
        (["--output", "."], "is a folder; name a file in it"),
        (["--output", "no/such/report.md"], "there is no folder no/such"),
        (["--output", "-"], "say --json or --markdown instead of -"),
        (["--episodes", "9"], "--episodes"),
        (["--episodes", "many"], "--episodes"),
        (["--size", "0"], "--size"),
        (["--rounds", "0"], "--rounds"),
        (["--link", "-1"], "--link"),
        (["--size", "nan"], "--size"),
    ],
)
def test_what_cannot_be_is_refused_before_minutes_are_spent(
    asked: Asked, arguments: list[str], said: str
) -> None:
    assert said in failure("bench", *arguments)
    assert asked.times == 0


def test_a_report_that_is_not_sound_is_a_problem(asked: Asked, tmp_path: Path) -> None:
    asked.report = lambda: small_report(failures=["redis://: work get: ValueError: no"])
    ran = cli("bench", "-o", "a.json")
    assert ran.code == 1
    assert "redis://: work get: ValueError: no" in ran.out
    assert (tmp_path / "a.json").exists()


def test_a_benchmark_that_cannot_start_says_why(asked: Asked) -> None:
    def fail() -> Report:
        raise BenchmarkError("redis://: its process ended")

    asked.report = fail
    assert failure("bench") == "simstore: redis://: its process ended\n"


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_file_that_cannot_be_written_costs_no_other(asked: Asked, tmp_path: Path) -> None:
    ran = cli("bench", "--markdown", "-o", "/proc/a.md", "-o", "a.json")
    assert ran.code == 2
    assert ran.out.startswith("## What storage costs\n")
    assert "simstore: /proc/" in ran.err
    assert (tmp_path / "a.json").exists()
    assert asked.times == 1
