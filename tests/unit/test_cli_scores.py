"""``simstore rewards``, ``agreement``, ``render`` and ``demo``."""

import csv
import time
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


@pytest.mark.parametrize("options", [[], ["--json"], ["--format", "table"]], ids=" ".join)
def test_rewards_of_nothing_say_so(options: list[str]) -> None:
    assert cli("rewards", "tag=none", *options) == (0, "", "no episodes\n")


def test_rewards_of_nothing_as_csv_have_columns_and_the_note_is_apart() -> None:
    ran = cli("rewards", "tag=none", "--format", "csv")
    assert ran.out.startswith("episode,environment,tag,")
    assert (ran.out.count("\n"), ran.err) == (1, "no episodes\n")


@pytest.mark.parametrize("options", [[], ["--json"], ["--format", "csv"]], ids=" ".join)
def test_as_many_rewards_as_are_asked_for(options: list[str]) -> None:
    everything = cli("rewards", *options).out.splitlines()
    limited = cli("rewards", "-n", "3", *options).out.splitlines()
    assert len(everything) - len(limited) == 9 - 3


def test_rewards_are_written_as_the_suffix_says() -> None:
    assert cli("rewards", "-o", "r.csv") == (0, "", "written to r.csv\n")
    with Path("r.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["goal"] for row in rows if row["tag"] == "sample_oak_birch"] == [
        "7.0",
        "9.0",
        "10.0",
        "10.0",
    ]
    cli("rewards", "-o", "r.jsonl")
    assert Path("r.jsonl").read_text(encoding="utf-8") == cli("rewards", "--json").out
    cli("rewards", "-o", "r.txt")
    assert Path("r.txt").read_text(encoding="utf-8") == cli("rewards").out
    assert "use .txt, .csv, .jsonl" in failure("rewards", "-o", "r.xls")
    assert "--json and --format csv exclude" in failure("rewards", "--json", "--format", "csv")


def test_thousands_of_rewards_go_into_a_pipe_in_no_time() -> None:
    with simstore.connect("memory://many") as store:
        (episode, *_) = simstore.connect("sqlite:///simstore.db").episodes.find(
            tag="sample_oak_birch"
        )
        store.episodes.save_many(
            episode.model_copy(update={"pk": f"e{number:05}"}) for number in range(3000)
        )
        begin = time.process_time()
        ran = cli("rewards", "--store", "memory://many")
        took = time.process_time() - begin
    assert ran.out.count("\n") == 6002
    assert took < 5  # on a quiet machine 1, and 12 by Rich


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
    assert ran.err.endswith("4 agents in 2 episodes\n")
    assert cli("agreement", "--json", "annotator_id=ann").json["agents"] == 4
    assert cli("agreement", "annotator_id=eve").err == note
    assert cli("agreement", "--each-annotation").code == 0
    assert cli("agreement", "annotator_id=eve", "--json").err == note
    assert "has no field 'tag'" in failure("agreement", "tag=x")


def annotate(episode: str, rewards: list[float | tuple[float, dict[str, float]]]) -> None:
    with simstore.connect("sqlite:///simstore.db") as store:
        store.annotations.save(
            simstore.AnnotationForEpisode(
                episode=episode, annotator_id="ann", rewards=rewards, reasoning=""
            )
        )


def test_why_there_is_no_correlation_is_a_footnote() -> None:
    annotate(EPISODE, [(1.0, {"goal": 1.0}), (1.0, {"goal": 1.0})])
    ran = cli("agreement")
    (goal,) = [line for line in ran.out.splitlines() if line.startswith("goal")]
    assert goal.endswith("[2]")
    assert max(map(len, ran.out.splitlines())) < 80
    assert "[2] all of people's scores are equal" in ran.err


def test_annotations_of_episodes_that_are_not_there() -> None:
    annotate("gone", [1.0, 1.0])
    line = failure("agreement", code=1)
    assert "'gone'" in line
    assert line.endswith("; --missing skip leaves their annotations out\n")
    assert cli("agreement", "--missing", "skip").code == 0


@pytest.mark.parametrize(
    ("name", "start"), [("e.txt", "Ines Okafor's"), ("e.md", "#"), ("e.html", "<!DOCTYPE html>")]
)
def test_an_episode_is_rendered_as_the_suffix_says(name: str, start: str) -> None:
    ran = cli("render", "01J03E47", "-o", name)
    assert ran == (0, "", f"episode {EPISODE} in {name}\n")
    assert Path(name).read_text(encoding="utf-8").startswith(start)


def test_an_episode_is_rendered_to_standard_output() -> None:
    ran = cli("render", EPISODE, "--format", "markdown")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("#")
    assert cli("render", EPISODE).out.startswith("Ines Okafor's perspective")
    assert cli("render", EPISODE, "-o", "-") == cli("render", EPISODE)
    assert not Path("-").exists()


def test_wrong_renderings_write_nothing() -> None:
    assert "use .txt, .md" in failure("render", EPISODE, "-o", "x.pdf")
    assert "is a folder" in failure("render", EPISODE, "-o", "x/", "--format", "html")
    assert "no such folder" in failure("render", EPISODE, "-o", "no/x.html")
    assert "several records" in failure("render", "01J03E")
    assert "'pdf' is not one of" in failure("render", EPISODE, "--format", "pdf")
    assert [path.name for path in Path().glob("*.*")] == ["simstore.db"]


def test_the_demo_and_its_failures() -> None:
    assert cli("demo").out.startswith("simstore: records in, answers out\n")
    assert cli("demo", "--data", "nowhere").code == 2
    assert cli("demo", "--store", "nonsense").code == 2
