"""Sotopia's CSV files: the cells that are written, and those of its own and older tables read."""

import csv
import math
from pathlib import Path
from typing import Any

import pytest

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import ImportFileError, InvalidRecordError
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    RelationshipProfile,
    RelationshipType,
)
from simstore.services.sotopia_files.csv_tables import (
    agentprofiles_to_csv,
    csv_to_agentprofiles,
    csv_to_envagnetcombostorage,
    csv_to_environmentprofiles,
    csv_to_episodes,
    csv_to_relationshipprofiles,
    environmentprofiles_to_csv,
    episodes_to_csv,
    relationshipprofiles_to_csv,
)
from tests.unit.sotopia_examples import without


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def table(path: Path, *rows: dict[str, str]) -> Path:
    """A table as Python's csv module writes it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def only_row(path: Path) -> dict[str, str]:
    with path.open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    return row


EPISODE = {
    "episode_id": "p1",
    "environment_id": "e1",
    "agent_ids": "['a1', 'a2']",
    "experiment_tag": "t",
    "experiment_model_name_pairs": "['j', 'm', 'n']",
    "raw_messages": (
        "[[('Environment', 'Zoë', \"It's\\n\"), ('Zoë', 'Environment', 'said: \"Hi\"')]]"
    ),
    "raw_rewards_prompt": "Judge.",
    "raw_rewards": "[(8.0, {'goal': 9.0, 'overall_score': 8.0}), 0.0]",
    "scenario": "A queue.",
    "codename": "queue",
    "agents_background": "{'Zoë': 'Zoë is ...'}",
    "social_goals": "{'Zoë': 'First'}",
    "social_interactions": 'Zoë said: "Hi"',
    "reasoning": "Good.",
    "rewards": "[(1.0, {'goal': 1.0}), (1.0, {'goal': 1.0})]",
}


def test_agents_of_five_columns(path: Path) -> None:
    row = {"agent_id": "a", "first_name": "Zoë", "last_name": "", "age": "30", "occupation": "Cook"}
    (agent,) = csv_to_agentprofiles(csv_file_path=table(path, row))
    assert agent == AgentProfile(pk="a", first_name="Zoë", last_name="", age=30, occupation="Cook")


@pytest.mark.parametrize("relationship", ["2", "RelationshipType.acquaintance"])
@pytest.mark.parametrize(
    ("constraint", "expected"),
    [("", None), ("none", None), ("[]", []), ("[['a', 'b'], ['c']]", [["a", "b"], ["c"]])],
)
def test_environments(
    path: Path, relationship: str, constraint: str, expected: list[list[str]] | None
) -> None:
    row = {
        "env_id": "e",
        "codename": "queue",
        "source": "",
        "scenario": "A queue.",
        "agent_goals": "['One', \"It's two\"]",
        "relationship": relationship,
        "age_constraint": "[(18, 70), (18, 70)]",
        "occupation_constraint": "",
        "agent_constraint": constraint,
    }
    (environment,) = csv_to_environmentprofiles(csv_file_path=table(path, row))
    assert environment == EnvironmentProfile(
        pk="e",
        codename="queue",
        scenario="A queue.",
        agent_goals=["One", "It's two"],
        relationship=RelationshipType.acquaintance,
        age_constraint="[(18, 70), (18, 70)]",
        agent_constraint=expected,
    )


@pytest.mark.parametrize("relationship", ["3", "RelationshipType.friend"])
@pytest.mark.parametrize(("story", "expected"), [("", None), ("A dance.", "A dance.")])
def test_relationships(path: Path, relationship: str, story: str, expected: str | None) -> None:
    row = {
        "relationship_id": "r",
        "agent1_id": "a",
        "agent2_id": "b",
        "relationship": relationship,
        "background_story": story,
    }
    assert csv_to_relationshipprofiles(csv_file_path=table(path, row)) == [
        RelationshipProfile(
            pk="r",
            agent_1_id="a",
            agent_2_id="b",
            relationship=RelationshipType.friend,
            background_story=expected,
        )
    ]


def test_combos(path: Path) -> None:
    row = {"combo_id": "c", "env_id": "e", "agent_ids": "['a', 'b']"}
    assert csv_to_envagnetcombostorage(csv_file_path=table(path, row)) == [
        EnvAgentComboStorage(pk="c", env_id="e", agent_ids=["a", "b"])
    ]


def test_episodes(path: Path) -> None:
    assert csv_to_episodes(csv_file_path=table(path, EPISODE)) == [
        EpisodeLog(
            pk="p1",
            environment="e1",
            agents=["a1", "a2"],
            tag="t",
            models=["j", "m", "n"],
            messages=[
                [("Environment", "Zoë", "It's\n"), ("Zoë", "Environment", 'said: "Hi"')],
            ],
            reasoning="Good.",
            rewards=[(8.0, {"goal": 9.0, "overall_score": 8.0}), 0.0],
            rewards_prompt="Judge.",
        )
    ]


SCORES = {"goal": 9.0, "overall_score": 9.0}


@pytest.mark.parametrize("raw", [{}, {"raw_rewards": ""}])
@pytest.mark.parametrize("rewards", [[SCORES, 0.0], [(9.0, SCORES), 0.0]])
def test_rewards_serve_where_raw_ones_are_missing(
    path: Path, raw: dict[str, str], rewards: list[Any]
) -> None:
    row = without(EPISODE, "raw_rewards") | {"rewards": repr(rewards)} | raw
    (episode,) = csv_to_episodes(table(path, row))
    assert episode.rewards == [(9.0, SCORES), 0.0]


def test_infinite_rewards_in_pythons_notation(path: Path) -> None:
    row = EPISODE | {"raw_rewards": "[-inf, (inf, {'goal': inf})]"}
    (episode,) = csv_to_episodes(table(path, row))
    assert episode.rewards == [-math.inf, (math.inf, {"goal": math.inf})]


def test_derived_columns_and_unknown_ones_are_left_aside(path: Path) -> None:
    row = EPISODE | {"rewards": "never read", "unheard_of": "[("}
    assert [episode.pk for episode in csv_to_episodes(table(path, row))] == ["p1"]


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"agent_ids": "[("}, "agent_ids", "is neither JSON nor a Python literal: '[('"),
        ({"raw_messages": "[f()]"}, "raw_messages", "is neither JSON nor a Python literal"),
        ({"raw_messages": ""}, "raw_messages", "valid list, not None"),
        ({"raw_rewards": "[nan, 0.0]"}, "raw_rewards", "is neither JSON nor a Python literal"),
        ({"raw_rewards": "['high', 0.0]"}, "raw_rewards[0]", "not 'high'"),
        ({"raw_rewards": "[0.0]"}, "", "1 rewards for 2 agents"),
        ({"episode_id": "a/b"}, "episode_id", "slashes"),
    ],
)
def test_bad_cells(path: Path, changes: dict[str, str], field: str, reason: str) -> None:
    with pytest.raises(ImportFileError) as raised:
        csv_to_episodes(table(path, EPISODE, EPISODE | changes))
    error = raised.value
    assert (error.path, error.line, error.field) == (str(path), 3, field)
    assert reason in error.reason


def test_a_row_that_is_too_short(path: Path) -> None:
    path.write_text("combo_id,env_id,agent_ids\nc,e\n")
    with pytest.raises(ImportFileError, match="line 2: has 2 cells, the header 3"):
        csv_to_envagnetcombostorage(path)


def test_a_table_of_another_kind(path: Path) -> None:
    path.write_text("combo,env_id,agent_ids\nc,e,[]\n")
    with pytest.raises(
        ImportFileError, match="'combo_id': is missing; 'combo' may be meant for it"
    ):
        csv_to_envagnetcombostorage(path)


def test_lists_are_written_as_python_prints_them(path: Path) -> None:
    record = EpisodeLog(
        pk="p",
        environment="e",
        agents=["a", "it's"],
        tag=None,
        models=None,
        messages=[[("A", "B", "two\nlines")], []],
        rewards=[math.inf, (1.0, {"goal": -math.inf})],
        agent_classes=["X"],
    )
    episodes_to_csv([record], path)
    assert only_row(path) == {
        "episode_id": "p",
        "environment_id": "e",
        "agent_ids": "['a', \"it's\"]",
        "experiment_tag": "null",
        "experiment_model_name_pairs": "",
        "raw_messages": "[[('A', 'B', 'two\\nlines')], []]",
        "raw_rewards_prompt": "",
        "raw_rewards": "[inf, (1.0, {'goal': -inf})]",
        "scenario": "",
        "codename": "",
        "agents_background": "",
        "social_goals": "",
        "social_interactions": "",
        "reasoning": "",
        "rewards": "",
        "agent_classes": "['X']",
    }


def test_every_field_of_an_agent_has_a_column(path: Path) -> None:
    record = AgentProfile(
        pk="a", first_name="A", last_name="B", age=-1, moral_values=["x"], secret=" s ", tag="t"
    )
    agentprofiles_to_csv([record], path)
    filled = {"agent_id": "a", "first_name": "A", "last_name": "B", "age": "-1", "secret": " s "}
    row = only_row(path)
    assert row == dict.fromkeys(row, "") | filled | {
        "moral_values": "['x']",
        "schwartz_personal_values": "[]",
        "tag": "t",
    }
    assert len(row) == len(AgentProfile.model_fields)


def test_enums_are_written_as_numbers_and_metadata_as_json(path: Path) -> None:
    environment = EnvironmentProfile(
        pk="e", scenario="s", relationship=RelationshipType.friend, game_metadata={"a": [None, 1.5]}
    )
    environmentprofiles_to_csv([environment], path)
    row = only_row(path)
    assert (row["relationship"], row["game_metadata"]) == ("3", '{"a":[null,1.5]}')
    assert [row[key] for key in ("age_constraint", "agent_constraint", "tag")] == ["", "", ""]
    relationship = RelationshipProfile(
        pk="r", agent_1_id="a", agent_2_id="b", relationship=RelationshipType.stranger
    )
    relationshipprofiles_to_csv([relationship], path)
    assert only_row(path)["relationship"] == "0"


def test_what_is_no_unicode_is_an_error_that_names_the_record(path: Path) -> None:
    environment = EnvironmentProfile(pk="e1", scenario="A talk")
    wrong: list[dict[str, Any]] = [{"a": "\ud800"}, {"\ud800": 1}]
    for metadata in wrong:
        environment.game_metadata = metadata
        with pytest.raises(InvalidRecordError, match="EnvironmentProfile 'e1' cannot be written"):
            environmentprofiles_to_csv([environment], path)
    assert not path.exists()


def test_lists_that_are_too_long_for_pythons_notation_are_json(path: Path) -> None:
    agent = AgentProfile(first_name="A", last_name="B", moral_values=["it's", "x" * 2_000_000])
    agentprofiles_to_csv([agent], path)
    assert csv_to_agentprofiles(path) == [agent]
