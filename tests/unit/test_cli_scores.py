"""``simstore rewards``, ``leaderboard``, ``agreement``, ``render`` and ``demo``."""

import csv
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")
pytest.importorskip("mpmath", reason="leaderboards need mpmath")

import simstore
from tests.unit.cli_runs import cli, failure, import_samples

EPISODE = "01J03E4700K6BNDZ56HMTKX0EE"


@pytest.fixture(autouse=True)
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples in the default store of an empty folder."""
    monkeypatch.delenv("SIMSTORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    import_samples("sqlite:///simstore.db")


def test_rewards_have_a_row_for_each_agent() -> None:
    ran = cli("rewards", "tag=sample_oak_birch")
    assert (ran.code, ran.out.count("\n")) == (0, 6)
    assert "GOAL" in ran.out
    rows = cli("rewards", "tag=sample_oak_birch", "--json").lines
    assert [row["goal"] for row in rows] == [7, 9, 10, 10]
    assert cli("rewards", "tag=none") == (0, "", "no episodes\n")


def test_models_are_ranked() -> None:
    ran = cli("leaderboard")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()[2:]] == ["sample-birch", "sample-oak"]
    assert ran.err.startswith("mean ± margin: the 95% interval")
    board = cli("leaderboard", "--json").json
    assert [row["model"] for row in board["rows"]] == ["sample-birch", "sample-oak"]


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        (["--model", "sample-oak"], 1),
        (["--model", "nobody"], 1),
        (["--partner", "sample-oak"], 2),
        (["--judge", "nobody"], 0),
        (["--tag", "sample_oak_birch"], 2),
        (["--agent-class", "nobody"], 0),
        (["--by", "model,partner"], 4),
        (["--settings", "environment"], 2),
        (["--confidence", "0.5"], 2),
        (["tag=none"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_leaderboard_is_narrowed_down(options: list[str], rows: int) -> None:
    assert len(cli("leaderboard", "--json", *options).json["rows"]) == rows
    assert cli("leaderboard", *options).code == 0


def test_a_leaderboard_of_nothing_says_so() -> None:
    assert cli("leaderboard", "tag=none") == (0, "", "no episodes whose models are known\n")


@pytest.mark.parametrize("form", ["csv", "latex", "markdown", "json", "sotopia"])
def test_a_leaderboard_is_written_to_files(form: str) -> None:
    printed = cli("leaderboard", "--format", form)
    assert (printed.code, printed.err) == (0, "")
    assert cli("leaderboard", "--format", form, "-o", "board").out == "written to board\n"
    assert Path("board").read_text(encoding="utf-8") == printed.out
    assert "sample-birch" in printed.out


def test_a_leaderboard_in_a_folder_of_sotopia_is_named_after_the_partner() -> None:
    Path("boards").mkdir()
    options = ["--format", "sotopia", "-o", "boards"]
    assert "say --partner" in failure("leaderboard", *options)
    assert cli("leaderboard", *options, "--partner", "sample-oak").code == 0
    (written,) = Path("boards").iterdir()
    assert json.loads(written.read_text().splitlines()[0])["model_name"]


def test_two_models_are_compared() -> None:
    ran = cli("leaderboard", "--compare", "sample-oak", "sample-birch")
    assert ran.code == 0
    assert ran.out.startswith("Dimension")
    assert ran.err == "no pairs: nowhere did both play the same part\n"
    options = ["--compare", "sample-oak", "sample-birch", "--seed", "7"]
    assert cli("leaderboard", *options, "--json").json["model_a"] == "sample-oak"
    assert "table, json, markdown" in failure("leaderboard", *options, "--format", "csv")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--by", "nope"], "cannot be grouped by 'nope'"),
        (["--confidence", "95"], "between 0 and 1"),
        (["--confidence", "x"], "--confidence"),
        (["-o", "x.csv"], "--output needs a --format"),
        (["--format", "csv", "-o", "no/x.csv"], "there is no such folder"),
        (["--format", "xls"], "'xls' is not one of"),
        (["--compare", "a"], "requires 2 arguments"),
        (["goal>=5"], "EpisodeLog has no field 'goal'"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(value),
)
def test_wrong_leaderboards(options: list[str], part: str) -> None:
    assert part in failure("leaderboard", *options)


def test_a_leaderboard_without_mpmath_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    assert "pip install 'simstore[stats]'" in failure("leaderboard")


def test_agreement_is_of_annotations() -> None:
    note = "no annotations of episodes that are in the store\n"
    assert cli("agreement") == (0, "", note)
    with simstore.connect("sqlite:///simstore.db") as store:
        for episode in store.episodes.find(tag="sample_oak_birch"):
            store.annotations.save(
                simstore.AnnotationForEpisode(
                    episode=episode.pk, annotator_id="ann", rewards=episode.rewards, reasoning=""
                )
            )
    ran = cli("agreement")
    assert ran.out.startswith("dimension")
    assert ran.err == "4 agents in 2 episodes\n"
    assert cli("agreement", "--json", "annotator_id=ann").json["agents"] == 4
    assert cli("agreement", "annotator_id=eve").err == note
    assert cli("agreement", "--each-annotation").code == 0
    assert "has no field 'tag'" in failure("agreement", "tag=x")


@pytest.mark.parametrize(
    ("name", "start"), [("e.txt", "Ines Okafor's"), ("e.md", "#"), ("e.html", "<!DOCTYPE html>")]
)
def test_an_episode_is_rendered_as_the_suffix_says(name: str, start: str) -> None:
    assert cli("render", "01J03E47", "-o", name).out == f"episode {EPISODE} in {name}\n"
    assert Path(name).read_text(encoding="utf-8").startswith(start)


def test_an_episode_is_rendered_to_standard_output() -> None:
    ran = cli("render", EPISODE, "--format", "markdown")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("#")
    assert cli("render", EPISODE).out.startswith("Ines Okafor's perspective")


def test_wrong_renderings_write_nothing() -> None:
    assert "use .txt, .md" in failure("render", EPISODE, "-o", "x.pdf")
    assert "no such folder" in failure("render", EPISODE, "-o", "no/x.html")
    assert "several records" in failure("render", "01J03E")
    assert "'pdf' is not one of" in failure("render", EPISODE, "--format", "pdf")
    assert [path.name for path in Path().glob("*.*")] == ["simstore.db"]


def test_the_demo_and_its_failures() -> None:
    assert cli("demo").out.startswith("simstore: records in, answers out\n")
    assert cli("demo", "--data", "nowhere").code == 2
    assert cli("demo", "--store", "nonsense").code == 2


def test_a_leaderboard_as_csv_is_csv() -> None:
    rows = list(csv.reader(cli("leaderboard", "--format", "csv").out.splitlines()))
    assert len({len(row) for row in rows}) == 1
