"""``simstore leaderboard`` and ``simstore compare``."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")
pytest.importorskip("mpmath", reason="leaderboards need mpmath")

import simstore
from simstore import EpisodeLog
from tests.unit.cli_runs import cli, failure, import_samples


@pytest.fixture(autouse=True)
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples in the default store of an empty folder."""
    monkeypatch.delenv("SIMSTORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    import_samples("sqlite:///simstore.db")


def episode(models: list[str], goals: tuple[float, float], **fields: Any) -> EpisodeLog:
    rewards: list[Any] = [(goal, {"goal": goal}) for goal in goals]
    given = {"environment": "env", "agents": ["a", "b"], "messages": [], "rewards": rewards}
    return EpisodeLog(**{**given, "models": models, **fields})


@pytest.fixture
def played() -> None:
    """Episodes in which two models played the same parts, in the default store."""
    with simstore.connect("sqlite:///simstore.db") as store:
        store.episodes.delete_many(tag="sample_oak_birch")
        store.episodes.delete_many(store.episodes.pks())
        for number, (one, other) in enumerate(
            [(9, 1), (8.5, 3.25), (7.25, 8), (5, 5), (5.25, 1.75)]
        ):
            for model, goal in (("one", one), ("other", other)):
                store.episodes.save(
                    episode(["judge", model, "partner"], (goal, 0), environment=f"env{number}")
                )


def goal_margin(*options: str) -> float:
    (row,) = cli("leaderboard", "--model", "sample-oak", "--json", *options).json["rows"]
    margin: float = row["scores"]["goal"]["margin"]
    return margin


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
        (["--judge", "nobody"], 0),
        (["--agent-class", "nobody"], 0),
        (["--by", "model,partner"], 4),
        (["tag=none"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_a_leaderboard_is_narrowed_down(options: list[str], rows: int) -> None:
    assert len(cli("leaderboard", "--json", *options).json["rows"]) == rows
    assert cli("leaderboard", *options).code == 0


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("judge", "nobody"),
        ("partner", "sample-oak"),
        ("tag", "sample_oak_birch"),
        ("agent_class", "nobody"),
    ],
)
def test_the_filters_are_told(option: str, value: str) -> None:
    options = [f"--{option.replace('_', '-')}", value]
    assert cli("leaderboard", "--json", *options).json["filters"] == {option: value}


def test_only_play_with_a_partner_counts() -> None:
    rows = cli("leaderboard", "--json", "--partner", "sample-oak").json["rows"]
    assert {row["model"]: row["episodes"] for row in rows} == {"sample-birch": 2, "sample-oak": 1}


def test_only_episodes_with_a_tag_count_and_an_empty_one_means_none() -> None:
    with simstore.connect("sqlite:///simstore.db") as store:
        store.episodes.save(episode(["judge", "x", "y"], (1, 2), tag=None))
        store.episodes.save(episode(["judge", "x", "y"], (1, 2), tag=""))

    def counts(*options: str) -> dict[str, int]:
        rows = cli("leaderboard", "--json", *options).json["rows"]
        return {row["model"]: row["episodes"] for row in rows}

    assert counts("--tag", "") == {"x": 2, "y": 2}
    assert counts("--tag", "sample_oak_birch") == {"sample-birch": 2, "sample-oak": 2}


def test_settings_within_environments_have_margins_of_their_own() -> None:
    assert goal_margin() == pytest.approx(3.73, abs=0.01)
    assert goal_margin("--settings", "environment") == 0
    board = cli("leaderboard", "--json", "--settings", "environment").json
    assert board["settings"] == "environment"


def test_a_smaller_confidence_has_smaller_margins() -> None:
    assert goal_margin("--confidence", "0.5") < goal_margin() < goal_margin("--confidence", "0.99")


@pytest.mark.parametrize(("given", "told"), [("0.999", "99.9%"), ("0.5", "50%"), ("0.95", "95%")])
def test_the_confidence_is_told_as_it_is(given: str, told: str) -> None:
    assert f"the {told} interval" in cli("leaderboard", "--confidence", given).err


@pytest.mark.parametrize("form", ["table", "csv", "latex", "markdown", "json", "sotopia"])
def test_that_there_is_nothing_to_rank_is_said_apart(form: str) -> None:
    ran = cli("leaderboard", "tag=none", "--format", form)
    assert (ran.code, ran.err) == (0, "no episodes whose models are known\n")


def test_what_tells_nothing_of_chance_is_said() -> None:
    oak = "sample-birch: no setting has two scores, so the formula makes every margin 0"
    assert oak in cli("leaderboard").err
    every = cli("leaderboard", "--settings", "environment").err
    assert "all rows: no setting has two scores" in every


def test_episodes_that_name_no_model_are_counted() -> None:
    with simstore.connect("sqlite:///simstore.db") as store:
        store.episodes.save(episode([], (1, 2)))
    assert "counted for none: 1 episode\n" in cli("leaderboard").err


def test_self_play_is_explained_where_it_occurs() -> None:
    assert "plays with itself" not in cli("leaderboard", "tag=sample_oak_birch").err
    with simstore.connect("sqlite:///simstore.db") as store:
        store.episodes.save(episode(["judge", "x", "x"], (1, 2), tag="self"))
    assert "plays with itself counts once" in cli("leaderboard", "tag=self").err


@pytest.mark.parametrize("form", ["csv", "latex", "markdown", "json", "sotopia", "table"])
def test_a_leaderboard_is_written_to_files(form: str) -> None:
    printed = cli("leaderboard", "--format", form)
    assert printed.code == 0
    ran = cli("leaderboard", "--format", form, "-o", "board")
    assert (ran.out, "written to board\n" in ran.err) == ("", True)
    assert Path("board").read_text(encoding="utf-8") == printed.out
    assert "sample-birch" in printed.out


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("b.tex", "latex"),
        ("b.md", "markdown"),
        ("b.csv", "csv"),
        ("b.json", "json"),
        ("b.jsonl", "sotopia"),
        ("b.txt", "table"),
        ("b.TXT", "table"),
    ],
)
def test_the_suffix_of_the_output_says_the_format(name: str, form: str) -> None:
    cli("leaderboard", "-o", name)
    assert Path(name).read_text(encoding="utf-8") == cli("leaderboard", "--format", form).out


@pytest.mark.parametrize("command", [["leaderboard"], ["compare", "sample-oak", "sample-birch"]])
@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_a_dash_is_standard_output(command: list[str], form: str) -> None:
    options = [*command, "--format", form]
    assert cli(*options, "-o", "-") == cli(*options)
    assert cli(*command, "-o", "-") == cli(*command)
    assert [path.name for path in Path().iterdir()] == ["simstore.db"]


def test_json_is_a_format_of_its_own() -> None:
    for command in (["leaderboard"], ["compare", "a", "b"]):
        line = failure(*command, "--json", "--format", "csv")
        assert "--json and --format csv exclude each other" in line
        assert cli(*command, "--json", "--format", "json") == cli(*command, "--json")


@pytest.mark.parametrize("given", ["boards", "boards/"])
def test_a_leaderboard_in_a_folder_of_sotopia_is_named_after_the_partner(given: str) -> None:
    Path("boards").mkdir()
    assert "say --partner" in failure("leaderboard", "-o", given)
    assert "is a folder" in failure("leaderboard", "-o", given, "--format", "csv")
    assert cli("leaderboard", "-o", given, "--partner", "sample-oak").code == 0
    (written,) = Path("boards").iterdir()
    assert written.name == "models_vs_sample-oak.jsonl"
    assert json.loads(written.read_text().splitlines()[0])["model_name"]


def test_a_folder_that_is_not_there_is_no_file() -> None:
    options = ["--partner", "sample-oak", "-o", "no/"]
    assert "there is no such folder" in failure("leaderboard", *options)
    assert "is a folder" in failure("leaderboard", "--format", "csv", "-o", "no/")
    assert not Path("no").exists()


def test_a_leaderboard_as_csv_is_csv() -> None:
    rows = list(csv.reader(cli("leaderboard", "--format", "csv").out.splitlines()))
    assert len({len(row) for row in rows}) == 1


@pytest.mark.usefixtures("played")
def test_two_models_are_compared_in_pairs() -> None:
    ran = cli("compare", "one", "other")
    (goal,) = [line for line in ran.out.splitlines() if line.startswith("GOAL")]
    assert goal.split()[3:6] == ["7.00", "3.80", "3.20"]
    assert "one less other, with the 95% bootstrap interval" in ran.err
    compared = cli("compare", "one", "other", "--json").json
    assert (compared["model_a"], compared["model_b"], compared["pairs"]) == ("one", "other", 5)
    assert cli("compare", "one", "other", "environment=env0", "--json").json["pairs"] == 1


def goal_interval(*options: str) -> tuple[float, float]:
    compared = cli("compare", "one", "other", "--json", *options).json
    (goal,) = [each for each in compared["dimensions"] if each["dimension"] == "goal"]
    return goal["low"], goal["high"]


@pytest.mark.usefixtures("played")
def test_a_comparison_has_a_seed_and_a_confidence() -> None:
    assert cli("compare", "one", "other", "--seed", "7", "--json").json["seed"] == 7
    seeds = {goal_interval("--confidence", "0.9123", "--seed", str(n)) for n in range(5)}
    assert len(seeds) > 1
    wide, narrow = goal_interval("--confidence", "0.99"), goal_interval("--confidence", "0.5")
    assert wide[0] < narrow[0] <= narrow[1] < wide[1]
    assert "the 99.9% bootstrap" in cli("compare", "one", "other", "--confidence", "0.999").err


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize(
    ("name", "form"),
    [("c.md", "markdown"), ("c.tex", "latex"), ("c.csv", "csv"), ("c.json", "json")],
)
def test_a_comparison_is_written_to_files(name: str, form: str) -> None:
    assert cli("compare", "one", "other", "-o", name) == (0, "", f"written to {name}\n")
    text = Path(name).read_text(encoding="utf-8")
    assert text == cli("compare", "one", "other", "--format", form).out
    assert "other" in text


def test_no_pairs_are_one_line() -> None:
    note = "no pairs: nowhere did both play the same part\n"
    assert cli("compare", "sample-oak", "sample-birch") == (0, "", note)
    ran = cli("compare", "sample-oak", "sample-birch", "--json")
    assert (ran.json["pairs"], ran.err) == (0, note)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["leaderboard", "--by", "nope"], "cannot be grouped by 'nope'"),
        (["leaderboard", "--confidence", "95"], "between 0 and 1"),
        (["leaderboard", "--confidence", "x"], "--confidence"),
        (["leaderboard", "-o", "x.doc"], "use .txt, .json, .csv, .md, .tex, .jsonl, or say"),
        (["leaderboard", "--format", "csv", "-o", "no/x.csv"], "there is no such folder"),
        (["leaderboard", "--format", "xls"], "'xls' is not one of"),
        (["leaderboard", "--settings", "nope"], "'nope' is not one of"),
        (["leaderboard", "--compare", "a", "b"], "No such option"),
        (["leaderboard", "goal>=5"], "EpisodeLog has no field 'goal'"),
        (["compare", "a"], "Missing argument"),
        (["compare", "a", "a"], "cannot be compared with itself"),
        (["compare", "a", "b", "-o", "x.jsonl"], "use .txt, .json, .csv, .md, .tex, or say"),
        (["compare", "a", "b", "--by", "judge"], "No such option"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(value),
)
def test_wrong_calls(arguments: list[str], part: str) -> None:
    assert part in failure(*arguments)


def test_a_leaderboard_without_mpmath_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mpmath", None)
    assert "pip install 'simstore[stats]'" in failure("leaderboard")
