"""Sotopia's JSON lines files, current and older ones, become records."""

import gzip
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

from simstore.domain.fields import check_pk
from simstore.domain.profiles import RelationshipType
from simstore.services.sotopia_files.jsonl import (
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
)
from tests.unit.sotopia_examples import (
    AGENT,
    COMBO,
    ENVIRONMENT,
    EPISODE,
    RELATIONSHIP,
    without,
    write_lines,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines.jsonl"


def test_agents(path: Path) -> None:
    (agent,) = jsonl_to_agentprofiles(jsonl_file_path=write_lines(path, AGENT))
    assert agent.model_dump() == without(AGENT, "agent_id") | {"pk": "a1", "tag": ""}


def test_environments(path: Path) -> None:
    (environment,) = jsonl_to_environmentprofiles(jsonl_file_path=write_lines(path, ENVIRONMENT))
    assert environment.model_dump() == without(ENVIRONMENT, "env_id") | {
        "pk": "e1",
        "relationship": RelationshipType.acquaintance,
        "agent_constraint": None,
        "game_metadata": None,
        "tag": "",
    }


def test_relationships(path: Path) -> None:
    (relationship,) = jsonl_to_relationshipprofiles(jsonl_file_path=write_lines(path, RELATIONSHIP))
    assert relationship.model_dump() == {
        "pk": "r1",
        "agent_1_id": "a1",
        "agent_2_id": "a2",
        "relationship": RelationshipType.romantic_relationship,
        "background_story": "A dance.",
        "tag": "",
    }


def test_combos(path: Path) -> None:
    (combo,) = jsonl_to_envagnetcombostorage(jsonl_file_path=write_lines(path, COMBO))
    assert combo.model_dump() == {"pk": "c1", "env_id": "e1", "agent_ids": ["a1", "a2"]}


def test_episodes_and_derived_columns_are_not_read(path: Path) -> None:
    (episode,) = jsonl_to_episodes(jsonl_file_path=write_lines(path, EPISODE))
    assert episode.model_dump() == {
        "pk": "p1",
        "environment": "e1",
        "agents": ["a1", "a2"],
        "tag": "t",
        "models": ["j", "m", "n"],
        "agent_classes": [],
        "messages": [[("Environment", "Zoë", "Turn #0"), ("Zoë", "Environment", 'said: "Hi"')]],
        "reasoning": "Good.",
        "rewards": [(8.0, {"goal": 9.0, "overall_score": 8.0}), 0.0],
        "rewards_prompt": "Judge.",
    }


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"mbti": None}, "mbti", ""),
        ({"model_id": None}, "model_id", ""),
        ({"secret": None}, "secret", ""),
        ({"occupation": "nan"}, "occupation", "nan"),
        ({"tag": "pilot"}, "tag", "pilot"),
        ({"unheard_of": 1}, "first_name", "Zoë"),
    ],
)
def test_older_and_longer_agents(
    path: Path, changes: dict[str, Any], field: str, value: object
) -> None:
    (agent,) = jsonl_to_agentprofiles(write_lines(path, AGENT | changes))
    assert getattr(agent, field) == value


def test_the_oldest_agents_lack_mbti_and_model(path: Path) -> None:
    (agent,) = jsonl_to_agentprofiles(write_lines(path, without(AGENT, "mbti", "model_id")))
    assert (agent.mbti, agent.model_id) == ("", "")


def test_a_blank_key_is_assigned(path: Path) -> None:
    (agent,) = jsonl_to_agentprofiles(write_lines(path, AGENT | {"agent_id": ""}))
    assert len(check_pk(agent.pk)) == 26


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [("none", None), (None, None), ([["a1", "a2"], ["a1", "a3"]], [["a1", "a2"], ["a1", "a3"]])],
)
def test_agent_constraints(path: Path, constraint: object, expected: object) -> None:
    (environment,) = jsonl_to_environmentprofiles(
        write_lines(path, ENVIRONMENT | {"agent_constraint": constraint})
    )
    assert environment.agent_constraint == expected


@pytest.mark.parametrize("relationship", [4, "4", 4.0, "RelationshipType.romantic_relationship"])
def test_relationships_are_numbers_or_their_text(path: Path, relationship: object) -> None:
    (found,) = jsonl_to_relationshipprofiles(
        write_lines(path, RELATIONSHIP | {"relationship": relationship})
    )
    assert found.relationship is RelationshipType.romantic_relationship


def test_fields_that_sotopia_drops_are_read(path: Path) -> None:
    (environment,) = jsonl_to_environmentprofiles(
        write_lines(path, ENVIRONMENT | {"game_metadata": {"rounds": 3}, "tag": "x"})
    )
    assert (environment.game_metadata, environment.tag) == ({"rounds": 3}, "x")
    (episode,) = jsonl_to_episodes(write_lines(path, EPISODE | {"agent_classes": ["A", "B"]}))
    assert episode.agent_classes == ["A", "B"]


SCORES = {"goal": 9.0, "overall_score": 9.0}


@pytest.mark.parametrize(
    ("rewards", "expected"),
    [
        ([SCORES, SCORES], [(9.0, SCORES), (9.0, SCORES)]),
        ([SCORES, 0], [(9.0, SCORES), 0.0]),
        ([[9.0, SCORES], [9.0, SCORES]], [(9.0, SCORES), (9.0, SCORES)]),
    ],
)
@pytest.mark.parametrize("raw", [{}, {"raw_rewards": None}])
def test_rewards_serve_where_raw_ones_are_missing(
    path: Path, raw: dict[str, Any], rewards: list[Any], expected: list[Any]
) -> None:
    line = without(EPISODE, "raw_rewards") | {"rewards": rewards} | raw
    (episode,) = jsonl_to_episodes(write_lines(path, line))
    assert episode.rewards == expected


def test_six_agents_and_bare_rewards(path: Path) -> None:
    agents = [f"a{i}" for i in range(6)]
    line = EPISODE | {"agent_ids": agents, "raw_rewards": [1, -1.0, 0, 0.5, math.inf, -math.inf]}
    (episode,) = jsonl_to_episodes(write_lines(path, line))
    assert episode.rewards == [1.0, -1.0, 0.0, 0.5, math.inf, -math.inf]


def test_nulls_in_optional_episode_columns(path: Path) -> None:
    nulls = ("experiment_tag", "experiment_model_name_pairs", "reasoning", "raw_rewards_prompt")
    (episode,) = jsonl_to_episodes(write_lines(path, EPISODE | dict.fromkeys(nulls)))
    assert (episode.tag, episode.models) == (None, None)
    assert (episode.reasoning, episode.rewards_prompt) == ("", "")


def test_a_key_with_the_name_of_a_renamed_field_is_not_that_field(path: Path) -> None:
    (agent,) = jsonl_to_agentprofiles(write_lines(path, AGENT | {"pk": "another"}))
    assert agent.pk == "a1"


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert jsonl_to_episodes(path) == []


def test_compressed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "combos.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(COMBO).encode()))
    assert [combo.pk for combo in jsonl_to_envagnetcombostorage(path)] == ["c1"]


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(COMBO).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert [combo.pk for combo in jsonl_to_envagnetcombostorage("-")] == ["c1"]


def test_a_missing_file_is_the_system_s_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        jsonl_to_episodes(tmp_path / "nowhere.jsonl")
