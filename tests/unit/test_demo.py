"""``python -m simstore.demo``: the story it tells, and how it fails."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import simstore
from simstore.demo import main
from simstore.demo.story import FILES, WIDTH, tell
from simstore.samples import sample_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def far_from_other_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "somewhere" / "else"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the samples, to be spoilt."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name in FILES:
        shutil.copy(sample_path() / name, folder)
    return folder


def told(url: str, folder: Path) -> list[str]:
    """The story with a clock on which every call takes 1.5 ms."""
    lines: list[str] = []
    ticks: Iterator[float] = itertools.count(0.0, 0.0015)
    with simstore.connect(url) as store:
        tell(store, folder, "the samples", lines.append, ticks.__next__)
    return lines


def test_the_story_of_the_samples() -> None:
    lines = told("memory://", sample_path())
    assert 30 <= len(lines) <= 45
    assert max(map(len, lines)) <= WIDTH
    timed = [line for line in lines if line.endswith(" 1.50 ms")]
    assert len(timed) == 21
    story = "\n".join(" ".join(line.removesuffix("1.50 ms").split()) for line in lines)
    for part in (
        "from the samples into memory://",
        "6 x AgentProfile from agent_profiles.jsonl",
        "4 x EnvironmentProfile from environment_profiles.jsonl",
        "5 x RelationshipProfile from relationship_profiles.jsonl",
        "8 x EnvAgentComboStorage from env_agent_combo_storages.jsonl",
        "4 x EpisodeLog from episodes.jsonl",
        "store.agents.find(first_name='Ines') -> 1 found: Ines Okafor (Tram Driver)",
        "3 found: Ravi Thornbury (52), Tobias Lindqvist (41), Ines Okafor (34)",
        "1 found: shared_allotment",
        "by index: tag == 'sample_oak_birch'",
        "store.agents.get_many(episode.agents) -> Ines Okafor and Tobias Lindqvist",
        "3 found: borrowed_ladder (3), shared_allotment (2), stuck_piano (2)",
        "sample-birch scores 9.50 of 10 for its goals, the mean over all 2 agents that it played",
        "sample-oak scores 7.75 of 10 for its goals, the mean over all 4 agents that it played",
        "Ines Okafor is now a Former Tram Driver",
        "ConflictError: it has changed since",
        "annotations of the episode: 1",
        "the episode is still there",
        "contains('Ines Okafor')) -> 1",
    ):
        assert part in story


def test_the_story_is_the_same_on_a_store_that_knows_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    first = told(url, sample_path())
    assert told(url, sample_path()) == first
    assert first[2:] == told("memory://", sample_path())[2:]
    with simstore.connect(url) as store:
        assert store.episodes.count() == 4


def test_records_of_others_cannot_control_the_terminal(data: Path) -> None:
    agents = data / "agent_profiles.jsonl"
    text = agents.read_text(encoding="utf-8")
    agents.write_text(text.replace("Tram Driver", "Tram\\u001b[2J\\nDriver"), encoding="utf-8")
    lines = told("memory://", data)
    assert all(line.isprintable() for line in lines)
    assert any("Tram [2J Driver" in line for line in lines)


def test_the_shipped_samples_serve_without_other_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1] == "from the samples that come with simstore into memory://"
    assert err == ""


def test_no_folder_is_read_that_was_not_named(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for nearby in (Path(), Path("data"), Path("..") / "shared" / "data"):
        shutil.copytree(data, nearby, dirs_exist_ok=True)
    assert main([]) == 0
    assert "from the samples that come with simstore" in capsys.readouterr().out


def test_the_help_names_the_files_and_what_is_read_by_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert all(name in shown for name in FILES)
    assert "(default: the samples that come with simstore)" in shown
    assert "shared" not in shown


def test_the_last_line_is_a_command_that_keeps_the_records() -> None:
    *_, last = told("memory://", sample_path())
    *_, command = last.partition("python -m simstore.demo")
    assert main(command.split()) == 0
    with simstore.connect("sqlite:///demo.db") as store:  # in the folder of this test
        assert store.agents.count() == 6


def test_data_and_store_can_be_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'demo.db'}"
    assert main(["--data", str(data), "--store", url]) == 0
    assert str(data) in capsys.readouterr().out
    with simstore.connect(url) as store:
        assert store.agents.count() == 6


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    error = capsys.readouterr().err
    assert error.startswith("simstore.demo: ")
    assert error.count("\n") == 1
    return code, error


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, error = failure(capsys, "--data", "nowhere")
    assert (code, "nowhere: there is no such folder" in error) == (2, True)


def test_a_folder_that_lacks_files(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "episodes.jsonl").unlink()
    (data / "agent_profiles.jsonl").unlink()
    code, error = failure(capsys, "--data", str(data))
    assert (code, "lacks agent_profiles.jsonl, episodes.jsonl" in error) == (2, True)


@pytest.mark.parametrize(
    "url", ["nonsense", "papyrus://scroll", "sqlite:///no/such/folder/demo.db", ""]
)
def test_a_store_that_cannot_be_opened(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = failure(capsys, "--store", url)
    assert code == 2


def test_unknown_arguments_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--colour"])
    assert raised.value.code == 2
    assert "--colour" in capsys.readouterr().err


def test_a_bad_line_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / "relationship_profiles.jsonl"
    path.write_text(path.read_text(encoding="utf-8") + '{"relationship_id": 5}\n', encoding="utf-8")
    code, error = failure(capsys, "--data", str(data))
    assert (code, f"{path}, line 6, field " in error) == (1, True)


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_records(data: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (data / name).write_text("\n", encoding="utf-8")
    code, error = failure(capsys, "--data", str(data))
    assert (code, f"{name} has no records" in error) == (1, True)


def test_an_episode_whose_agents_are_missing(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data / "agent_profiles.jsonl"
    first, *_ = path.read_text(encoding="utf-8").splitlines()
    path.write_text(first, encoding="utf-8")
    code, error = failure(capsys, "--data", str(data))
    assert (code, "AgentProfile has no record" in error) == (1, True)


def change_episodes(folder: Path, **changes: object) -> None:
    path = folder / "episodes.jsonl"
    lines = [json.loads(line) | changes for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"experiment_model_name_pairs": None},
        {"experiment_model_name_pairs": ["judge"]},
        {"experiment_tag": None},
        {"raw_messages": []},
        {"raw_messages": [[]]},
    ],
)
def test_sparse_episodes_do_not_stop_the_story(
    data: Path, changes: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    change_episodes(data, **changes)
    assert main(["--data", str(data)]) == 0
    assert capsys.readouterr().err == ""


def test_episodes_that_nobody_plays(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change_episodes(data, agent_ids=[], raw_rewards=[])
    code, error = failure(capsys, "--data", str(data))
    assert (code, "nothing that could be shown" in error) == (1, True)


COMMAND = [sys.executable, "-W", "error", "-m", "simstore.demo"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def test_as_a_module_and_through_a_narrow_pipe() -> None:
    environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(COMMAND, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii").startswith("simstore: records in, answers out")


def test_a_reader_that_leaves_early() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            COMMAND, env=ENVIRONMENT, stdout=write, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
