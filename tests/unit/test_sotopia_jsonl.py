"""Sotopia's JSON lines files: current and older forms, and each way in which a line is bad."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.domain.fields import check_pk
from simstore.domain.profiles import RelationshipType
from simstore.services.sotopia_jsonl import (
    AGENTS,
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
    read_layout,
)

AGENT = {
    "agent_id": "a1",
    "first_name": "Zoë",
    "last_name": "O'Neil",
    "age": 30,
    "occupation": "Baker",
    "gender": "Woman",
    "gender_pronoun": "She/her",
    "public_info": "Bakes.",
    "big_five": "Openness to Experience - High",
    "moral_values": ["Care", " Fairness"],
    "schwartz_personal_values": ["Security"],
    "personality_and_values": "Kind.",
    "decision_making_style": "Intuitive",
    "secret": "Buys cake.",
    "mbti": "ESFJ",
    "model_id": "m",
}
ENVIRONMENT = {
    "env_id": "e1",
    "codename": "queue",
    "source": "original",
    "scenario": "A queue.",
    "agent_goals": ["First", "Second"],
    "relationship": "2",
    "age_constraint": "[(18, 70), (18, 70)]",
    "occupation_constraint": "nan",
    "agent_constraint": "none",
}
RELATIONSHIP = {
    "relationship_id": "r1",
    "agent1_id": "a1",
    "agent2_id": "a2",
    "relationship": "4",
    "background_story": "A dance.",
}
COMBO = {"combo_id": "c1", "env_id": "e1", "agent_ids": ["a1", "a2"]}
EPISODE = {
    "episode_id": "p1",
    "environment_id": "e1",
    "agent_ids": ["a1", "a2"],
    "experiment_tag": "t",
    "experiment_model_name_pairs": ["j", "m", "n"],
    "raw_messages": [[["Environment", "Zoë", "Turn #0"], ["Zoë", "Environment", 'said: "Hi"']]],
    "raw_rewards": [[8, {"goal": 9, "overall_score": 8.0}], 0.0],
    "raw_rewards_prompt": "Judge.",
    "scenario": "A queue.",
    "codename": "queue",
    "agents_background": {"Zoë": "Zoë is ..."},
    "social_goals": {"Zoë": "First"},
    "social_interactions": 'Zoë said: "Hi"',
    "reasoning": "Good.",
    "rewards": [[1.0, {"goal": 1.0}], [1.0, {"goal": 1.0}]],
}


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes objects, or lines as they are, to a file."""

    def write_lines(*lines: dict[str, Any] | str | bytes) -> Path:
        path = tmp_path / "lines.jsonl"
        raw = [
            line
            if isinstance(line, bytes)
            else (line if isinstance(line, str) else json.dumps(line)).encode()
            for line in lines
        ]
        path.write_bytes(b"\n".join(raw) + b"\n")
        return path

    return write_lines


def without(line: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in line.items() if key not in keys}


def test_agents(write: Write) -> None:
    (agent,) = jsonl_to_agentprofiles(jsonl_file_path=write(AGENT))
    assert agent.model_dump() == without(AGENT, "agent_id") | {"pk": "a1", "tag": ""}


def test_environments(write: Write) -> None:
    (environment,) = jsonl_to_environmentprofiles(jsonl_file_path=write(ENVIRONMENT))
    assert environment.model_dump() == without(ENVIRONMENT, "env_id") | {
        "pk": "e1",
        "relationship": RelationshipType.acquaintance,
        "agent_constraint": None,
        "game_metadata": None,
        "tag": "",
    }


def test_relationships(write: Write) -> None:
    (relationship,) = jsonl_to_relationshipprofiles(jsonl_file_path=write(RELATIONSHIP))
    assert relationship.model_dump() == {
        "pk": "r1",
        "agent_1_id": "a1",
        "agent_2_id": "a2",
        "relationship": RelationshipType.romantic_relationship,
        "background_story": "A dance.",
        "tag": "",
    }


def test_combos(write: Write) -> None:
    (combo,) = jsonl_to_envagnetcombostorage(jsonl_file_path=write(COMBO))
    assert combo.model_dump() == {"pk": "c1", "env_id": "e1", "agent_ids": ["a1", "a2"]}


def test_episodes_and_derived_columns_are_not_read(write: Write) -> None:
    (episode,) = jsonl_to_episodes(jsonl_file_path=write(EPISODE))
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
    write: Write, changes: dict[str, Any], field: str, value: object
) -> None:
    (agent,) = jsonl_to_agentprofiles(write(AGENT | changes))
    assert getattr(agent, field) == value


def test_the_oldest_agents_lack_mbti_and_model(write: Write) -> None:
    (agent,) = jsonl_to_agentprofiles(write(without(AGENT, "mbti", "model_id")))
    assert (agent.mbti, agent.model_id) == ("", "")


def test_a_blank_key_is_assigned(write: Write) -> None:
    (agent,) = jsonl_to_agentprofiles(write(AGENT | {"agent_id": ""}))
    assert len(check_pk(agent.pk)) == 26


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [("none", None), (None, None), ([["a1", "a2"], ["a1", "a3"]], [["a1", "a2"], ["a1", "a3"]])],
)
def test_agent_constraints(write: Write, constraint: object, expected: object) -> None:
    (environment,) = jsonl_to_environmentprofiles(
        write(ENVIRONMENT | {"agent_constraint": constraint})
    )
    assert environment.agent_constraint == expected


@pytest.mark.parametrize("relationship", [4, "4", 4.0])
def test_relationships_are_numbers_or_their_text(write: Write, relationship: object) -> None:
    (found,) = jsonl_to_relationshipprofiles(write(RELATIONSHIP | {"relationship": relationship}))
    assert found.relationship is RelationshipType.romantic_relationship


def test_fields_that_sotopia_drops_are_read(write: Write) -> None:
    (environment,) = jsonl_to_environmentprofiles(
        write(ENVIRONMENT | {"game_metadata": {"rounds": 3}, "tag": "x"})
    )
    assert (environment.game_metadata, environment.tag) == ({"rounds": 3}, "x")
    (episode,) = jsonl_to_episodes(write(EPISODE | {"agent_classes": ["A", "B"]}))
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
    write: Write, raw: dict[str, Any], rewards: list[Any], expected: list[Any]
) -> None:
    line = without(EPISODE, "raw_rewards") | {"rewards": rewards} | raw
    (episode,) = jsonl_to_episodes(write(line))
    assert episode.rewards == expected


def test_six_agents_and_bare_rewards(write: Write) -> None:
    agents = [f"a{i}" for i in range(6)]
    line = EPISODE | {"agent_ids": agents, "raw_rewards": [1, -1.0, 0, 0.5, math.inf, -math.inf]}
    (episode,) = jsonl_to_episodes(write(line))
    assert episode.rewards == [1.0, -1.0, 0.0, 0.5, math.inf, -math.inf]


def test_nulls_in_optional_episode_columns(write: Write) -> None:
    nulls = ("experiment_tag", "experiment_model_name_pairs", "reasoning", "raw_rewards_prompt")
    (episode,) = jsonl_to_episodes(write(EPISODE | dict.fromkeys(nulls)))
    assert (episode.tag, episode.models) == (None, None)
    assert (episode.reasoning, episode.rewards_prompt) == ("", "")


def test_a_key_with_the_name_of_a_renamed_field_is_not_that_field(write: Write) -> None:
    (agent,) = jsonl_to_agentprofiles(write(AGENT | {"pk": "another"}))
    assert agent.pk == "a1"


def test_blank_lines_byte_order_mark_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    line = json.dumps(COMBO).encode()
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n \t\n" + line)
    assert len(jsonl_to_envagnetcombostorage(str(path))) == 2
    path.write_bytes(b"\xef\xbb\xbf\n")
    assert jsonl_to_envagnetcombostorage(path) == []


def test_odd_separators_stay_in_the_text(write: Write) -> None:
    # Unicode has more line ends than JSON lines has.
    odd = "a\u2028b\u2029c\x85d\x0ce"
    line = json.dumps(AGENT | {"secret": odd}, ensure_ascii=False)
    (agent,) = jsonl_to_agentprofiles(write(line))
    assert agent.secret == odd


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert jsonl_to_episodes(path) == []


def test_lines_are_read_one_at_a_time(write: Write) -> None:
    reading = read_layout(AGENTS, write(AGENT, "{"))
    assert next(reading).pk == "a1"
    with pytest.raises(ImportFileError):
        next(reading)


def test_a_missing_file_is_the_system_s_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        jsonl_to_episodes(tmp_path / "nowhere.jsonl")


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


TEXT = json.dumps(AGENT)


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ('{"agent_id": "a", "agent_id": "b"}', "agent_id", "the key 'agent_id' is given twice"),
        (TEXT.replace("30", "NaN"), "age", "NaN is not JSON and not a value; leave it out"),
        (TEXT.replace("30", "Infinity"), "age", "finite number"),
        (TEXT.replace('" Fairness"', "NaN"), "moral_values[1]", "NaN is not JSON"),
        (TEXT.replace("30", "NaN")[:-5], "", "NaN is not JSON"),
        ('{"a": ' + "[" * 980 + '"\\ud83c"' + "]" * 980 + "}", "", "is nested too deeply"),
        (TEXT[:40], "", "is not complete: the line ends after 40 characters"),
        (TEXT[:-1], "", "is not complete"),
        (TEXT + TEXT, "", "is not JSON: Extra data at character"),
        (TEXT + ",", "", "is not JSON: Extra data"),
        ("{'agent_id': 'a'}", "", "is not JSON: Expecting property name"),
        ('{"agent_id": "a\tb"}', "", "is not JSON: Invalid control character"),
        ("[1]", "", "is a JSON value of type list; each line must be one object {...}"),
        ("null", "", "of type null"),
        ("17", "", "of type int"),
        ('"text"', "", "of type str"),
        ("[" * 100_000, "", "is nested too deeply"),
        ('{"agent_id": ' + "9" * 5000 + "}", "", "is not JSON that can be read"),
        (b'{"agent_id": "\xff"}', "", "is not UTF-8: invalid start byte at byte 15"),
        (TEXT.replace("Buys", "\\ud83c"), "secret", "holds half of a surrogate pair"),
        ('{"": "\\ud83c"}', "", "holds half of a surrogate pair"),
        ('{"a\\uDE00": 1}', "a\\ude00", "holds half of a surrogate pair"),
    ],
)
def test_bad_lines(write: Write, line: str | bytes, field: str, reason: str) -> None:
    error = refused(jsonl_to_agentprofiles, write(AGENT, "", line, AGENT))
    assert (error.line, error.field) == (3, field)
    assert reason in error.reason


def test_a_whole_pair_of_surrogates_is_a_letter(write: Write) -> None:
    (agent,) = jsonl_to_agentprofiles(write(TEXT.replace("Bakes", "\\ud83c\\udf70")))
    assert agent.public_info == "🍰."


@pytest.mark.parametrize(
    ("load", "line", "field", "reason"),
    [
        (jsonl_to_agentprofiles, without(AGENT, "agent_id"), "agent_id", "is missing"),
        (jsonl_to_agentprofiles, without(AGENT, "first_name"), "first_name", "is missing"),
        (
            jsonl_to_agentprofiles,
            without(AGENT, "first_name") | {"firstname": "Zoë"},
            "first_name",
            "is missing; did you mean 'firstname'?",
        ),
        (jsonl_to_agentprofiles, AGENT | {"age": "old"}, "age", "valid integer"),
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
def test_bad_records(write: Write, load: Loader, line: Any, field: str, reason: str) -> None:
    error = refused(load, write(line))
    assert (error.line, error.field) == (1, field)
    assert reason in error.reason


def test_a_long_value_is_shortened(write: Write) -> None:
    error = refused(jsonl_to_agentprofiles, write(AGENT | {"age": "x" * 100_000}))
    assert len(str(error)) < 400


def test_a_very_deep_place_is_shortened(write: Write) -> None:
    deep: Any = "Care"
    for _ in range(300):
        deep = {"deeper": [deep]}
    error = refused(
        jsonl_to_environmentprofiles, write(ENVIRONMENT | {"game_metadata": {"x": deep}})
    )
    assert error.field.startswith("game_metadata.x")
    assert len(str(error)) < 600
