"""How Sotopia's files lay out its records: the keys of each line, and older forms of them."""

import math
from collections.abc import Iterable
from typing import Any

import orjson

from simstore.domain.episodes import EpisodeLog, Reward
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    RelationshipProfile,
    RelationshipType,
)
from simstore.services.files.jsonl import dump_json
from simstore.services.files.layout import Line
from simstore.services.sotopia_files.layout import (
    NO_CONSTRAINT,
    SotopiaLayout,
    constraint_cell,
    json_cell,
    read_value,
)

RAW_REWARDS = "raw_rewards"
"""The key of an episode's rewards as they are stored."""

REWARDS = "rewards"
"""The derived column that stands in for `RAW_REWARDS` in the oldest exports."""

DERIVED_COLUMNS = (
    "scenario",
    "codename",
    "agents_background",
    "social_goals",
    "social_interactions",
    REWARDS,
)
"""What an episode's line has for its readers, from the record or the profiles it names."""

_ENUM_PREFIX = f"{RelationshipType.__name__}."


def _current_relationship(line: Line) -> Line:
    """`line` with a relationship by its name, as Python before 3.11 wrote it, as a number."""
    value = line.get("relationship")
    if isinstance(value, str) and value.startswith(_ENUM_PREFIX):
        known = RelationshipType.__members__.get(value.removeprefix(_ENUM_PREFIX))
        if known is not None:
            return line | {"relationship": known.value}
    return line


def _current_environment(line: Line) -> Line:
    if line.get("agent_constraint") == NO_CONSTRAINT:
        line = line | {"agent_constraint": None}
    return _current_relationship(line)


def _current_episode(line: Line) -> Line:
    """`line` without derived columns, its rewards under `RAW_REWARDS`.

    The oldest exports only have each agent's scores, the overall score among them, under
    `REWARDS`.
    """
    current = {key: value for key, value in line.items() if key not in DERIVED_COLUMNS}
    if line.get(RAW_REWARDS) is None:
        rewards = line.get(REWARDS)
        if isinstance(rewards, str):  # a cell
            rewards = read_value(REWARDS, rewards)
        if isinstance(rewards, list):
            current[RAW_REWARDS] = [_reward(scores) for scores in rewards]
    return current


def _reward(scores: Any) -> Any:
    # A dict without an overall score stays one, and the model refuses it where it stands.
    if isinstance(scores, dict) and OVERALL_SCORE in scores:
        return [scores[OVERALL_SCORE], scores]
    return scores


def _dump_episode(line: Line) -> bytes:
    # Without a store some columns are null, and orjson writes infinities so: those only rewards
    # can hold. `dump_json` would not know, and takes the slower writer for every null.
    return orjson.dumps(line) if _all_finite(line[RAW_REWARDS]) else dump_json(line)


def _all_finite(rewards: Iterable[Reward]) -> bool:
    """False if an infinity is among `rewards`, and for a sum beyond all floats, which does no harm.

    A sum is cheaper than a look at each; an infinity makes it infinite, or NaN.
    """
    total = 0.0
    for reward in rewards:
        total += reward if isinstance(reward, float) else reward[0] + sum(reward[1].values())
    return math.isfinite(total)


_RELATIONSHIP = frozenset({"relationship"})
"""Its number, or its name where Python before 3.11 wrote the table; as in the lines."""

AGENTS = SotopiaLayout(
    AgentProfile,
    {
        "agent_id": "pk",
        "first_name": "first_name",
        "last_name": "last_name",
        "age": "age",
        "occupation": "occupation",
        "gender": "gender",
        "gender_pronoun": "gender_pronoun",
        "public_info": "public_info",
        "big_five": "big_five",
        "moral_values": "moral_values",
        "schwartz_personal_values": "schwartz_personal_values",
        "personality_and_values": "personality_and_values",
        "decision_making_style": "decision_making_style",
        "secret": "secret",
        "mbti": "mbti",
        "model_id": "model_id",
        "tag": "tag",
    },
    required=("agent_id",),
)
"""Sotopia writes all but the tag; in CSV the first five alone."""

ENVIRONMENTS = SotopiaLayout(
    EnvironmentProfile,
    {
        "env_id": "pk",
        "codename": "codename",
        "source": "source",
        "scenario": "scenario",
        "agent_goals": "agent_goals",
        "relationship": "relationship",
        "age_constraint": "age_constraint",
        "occupation_constraint": "occupation_constraint",
        "agent_constraint": "agent_constraint",
        "game_metadata": "game_metadata",
        "tag": "tag",
    },
    required=("env_id",),
    prepare=_current_environment,
    bare=_RELATIONSHIP,
    writers={"agent_constraint": constraint_cell, "game_metadata": json_cell},
)
"""Sotopia writes all but the last two."""

RELATIONSHIPS = SotopiaLayout(
    RelationshipProfile,
    {
        "relationship_id": "pk",
        "agent1_id": "agent_1_id",
        "agent2_id": "agent_2_id",
        "relationship": "relationship",
        "background_story": "background_story",
        "tag": "tag",
    },
    required=("relationship_id",),
    prepare=_current_relationship,
    bare=_RELATIONSHIP,
)
"""Sotopia writes all but the tag."""

COMBOS = SotopiaLayout(
    EnvAgentComboStorage,
    {"combo_id": "pk", "env_id": "env_id", "agent_ids": "agent_ids"},
    required=("combo_id",),
)
"""Sotopia writes all of it."""

EPISODES = SotopiaLayout(
    EpisodeLog,
    {
        "episode_id": "pk",
        "environment_id": "environment",
        "agent_ids": "agents",
        "experiment_tag": "tag",
        "experiment_model_name_pairs": "models",
        "raw_messages": "messages",
        RAW_REWARDS: "rewards",
        "raw_rewards_prompt": "rewards_prompt",
        "reasoning": "reasoning",
        "agent_classes": "agent_classes",
    },
    required=("episode_id",),
    prepare=_current_episode,
    derived=frozenset(DERIVED_COLUMNS),
    table=(
        "episode_id",
        "environment_id",
        "agent_ids",
        "experiment_tag",
        "experiment_model_name_pairs",
        "raw_messages",
        "raw_rewards_prompt",
        RAW_REWARDS,
        *DERIVED_COLUMNS[:-1],
        "reasoning",
        REWARDS,
        "agent_classes",
    ),
    dump=_dump_episode,
)
"""Sotopia writes all but the last, and `DERIVED_COLUMNS`, most of them before the reasoning; its
tables have the prompt before the rewards."""

SOTOPIA_LAYOUTS: tuple[SotopiaLayout[Any], ...] = (
    AGENTS,
    ENVIRONMENTS,
    RELATIONSHIPS,
    COMBOS,
    EPISODES,
)
"""Every kind of file that Sotopia writes."""
