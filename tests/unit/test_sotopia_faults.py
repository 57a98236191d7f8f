"""Each way in which a line of Sotopia's makes no record: the error says where and why."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.services.sotopia_files.files import read_jsonl
from simstore.services.sotopia_files.jsonl import (
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
)
from simstore.services.sotopia_files.layouts import AGENTS
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


Loader = Callable[[Path], Sequence[BaseModel]]


def refused(load: Loader, path: Path) -> ImportFileError:
    with pytest.raises(ImportFileError) as raised:
        load(path)
    error = raised.value
    assert isinstance(error, ValueError)
    assert error.__cause__ is not None or error.reason.startswith("is missing")
    place = f", field {error.field!r}" if error.field else ""
    assert str(error) == f"{path}, line {error.line}{place}: {error.reason}"
    return error


@pytest.mark.parametrize(
    ("load", "line", "field", "reason"),
    [
        (jsonl_to_agentprofiles, without(AGENT, "agent_id"), "agent_id", "is missing"),
        (jsonl_to_agentprofiles, without(AGENT, "first_name"), "first_name", "is missing"),
        (
            jsonl_to_agentprofiles,
            without(AGENT, "first_name") | {"firstname": "Zoë"},
            "first_name",
            "is missing; 'firstname' may be meant for it",
        ),
        (jsonl_to_agentprofiles, AGENT | {"age": "old"}, "age", "valid integer"),
        (jsonl_to_agentprofiles, AGENT | {"age": math.inf}, "age", "finite number"),
        (jsonl_to_agentprofiles, AGENT | {"age": "old"}, "age", ", not 'old'"),
        (jsonl_to_agentprofiles, AGENT | {"moral_values": "Care"}, "moral_values", "valid list"),
        (jsonl_to_agentprofiles, AGENT | {"moral_values": ["a", 7]}, "moral_values[1]", ", not 7"),
        (jsonl_to_agentprofiles, AGENT | {"first_name": None}, "first_name", ", not None"),
        (jsonl_to_agentprofiles, AGENT | {"agent_id": 5}, "agent_id", "valid string"),
        (jsonl_to_agentprofiles, AGENT | {"agent_id": "../x"}, "agent_id", "slashes"),
        (jsonl_to_environmentprofiles, without(ENVIRONMENT, "scenario"), "scenario", "missing"),
        (
            jsonl_to_environmentprofiles,
            ENVIRONMENT | {"agent_constraint": "nan"},
            "agent_constraint",
            "valid list",
        ),
        (
            jsonl_to_environmentprofiles,
            ENVIRONMENT | {"game_metadata": {"n": 2**70}},
            "game_metadata",
            "['n']: 1180591620717411303424 is beyond 64 bits",
        ),
        (
            jsonl_to_relationshipprofiles,
            RELATIONSHIP | {"relationship": "friend"},
            "relationship",
            "not 'friend'",
        ),
        (
            jsonl_to_relationshipprofiles,
            RELATIONSHIP | {"relationship": "RelationshipType.enemy"},
            "relationship",
            "not 'RelationshipType.enemy'",
        ),
        (jsonl_to_relationshipprofiles, without(RELATIONSHIP, "agent2_id"), "agent2_id", "missing"),
        (jsonl_to_envagnetcombostorage, COMBO | {"agent_ids": [1]}, "agent_ids[0]", "valid string"),
        (jsonl_to_episodes, without(EPISODE, "environment_id"), "environment_id", "is missing"),
        (jsonl_to_episodes, without(EPISODE, "raw_messages"), "raw_messages", "is missing"),
        (
            jsonl_to_episodes,
            without(EPISODE, "raw_rewards", "rewards"),
            "raw_rewards",
            "is missing",
        ),
        (
            jsonl_to_episodes,
            EPISODE | {"raw_messages": [[["Environment", "Zoë"]]]},
            "raw_messages[0][0]",
            "",
        ),
        (
            jsonl_to_episodes,
            EPISODE | {"raw_rewards": [0.0, [1.0, {"goal": "high"}]]},
            "raw_rewards[1][1].goal",
            "not 'high'",
        ),
        (
            jsonl_to_episodes,
            without(EPISODE, "raw_rewards") | {"rewards": [{"goal": 1}, 0.0]},
            "raw_rewards[0]",
            "",
        ),
        (jsonl_to_episodes, EPISODE | {"raw_rewards": [0.0]}, "", "1 rewards for 2 agents"),
    ],
)
def test_bad_records(path: Path, load: Loader, line: Any, field: str, reason: str) -> None:
    error = refused(load, write_lines(path, line))
    assert (error.line, error.field) == (1, field)
    assert reason in error.reason


def test_a_long_value_is_shortened(path: Path) -> None:
    error = refused(jsonl_to_agentprofiles, write_lines(path, AGENT | {"age": "x" * 100_000}))
    assert len(str(error)) < 400


def test_a_very_deep_place_is_shortened(path: Path) -> None:
    deep: Any = "Care"
    for _ in range(300):
        deep = {"deeper": [deep]}
    error = refused(
        jsonl_to_environmentprofiles,
        write_lines(path, ENVIRONMENT | {"game_metadata": {"x": deep}}),
    )
    assert error.field.startswith("game_metadata.x")
    assert len(str(error)) < 600


def test_a_line_that_is_no_json_is_named_too(path: Path) -> None:
    error = refused(jsonl_to_agentprofiles, write_lines(path, AGENT, "", "{", AGENT))
    assert (error.line, error.field) == (3, "")
    assert "is not complete" in error.reason


def test_records_before_the_fault_were_read(path: Path) -> None:
    reading = read_jsonl(AGENTS, write_lines(path, AGENT, "{"))
    assert next(reading).pk == "a1"
    with pytest.raises(ImportFileError):
        next(reading)
