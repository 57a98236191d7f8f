"""Sotopia's JSON lines files, read into records: its current exports and its older ones.

The functions have Sotopia's names and argument names. Each reads every line or raises
`ImportFileError` with file, line, field and reason. Keys that no field stands for, such as
the columns that Sotopia derives for human readers, are left aside. Fields that Sotopia's
exporters drop (``tag``, ``agent_classes``, ``game_metadata``) are read where a line has them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import ImportFileError
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    RelationshipProfile,
)
from simstore.domain.record import load_record
from simstore.domain.schema import near_name
from simstore.services.jsonl import place, read_objects

T = TypeVar("T", bound=BaseModel)

PathOrName = str | PathLike[str]

NO_CONSTRAINT = "none"
"""What Sotopia's files say where `EnvironmentProfile.agent_constraint` is None."""


@dataclass(frozen=True, slots=True)
class Layout(Generic[T]):
    """How the records of a model are written in a Sotopia file.

    `keys` goes from the file's key to the model's field where the two differ; the first is
    the key of the record itself, and each line must have it. `prepare` turns older forms of
    a line into the current one.
    """

    model: type[T]
    keys: Mapping[str, str]
    prepare: Callable[[dict[str, Any]], dict[str, Any]] = dict


def _no_constraint(line: dict[str, Any]) -> dict[str, Any]:
    if line.get("agent_constraint") == NO_CONSTRAINT:
        return line | {"agent_constraint": None}
    return line


def _rewards_from_scores(line: dict[str, Any]) -> dict[str, Any]:
    """`line` with its rewards under ``raw_rewards``, which the oldest exports lack.

    Those have ``rewards`` alone: each agent's scores, the overall score among them.
    """
    if line.get("raw_rewards") is not None:
        return line
    rewards = line.get("rewards")
    if not isinstance(rewards, list):
        return line
    return line | {"raw_rewards": [_reward(scores) for scores in rewards]}


def _reward(scores: Any) -> Any:
    # A dict without an overall score stays one, and the model refuses it where it stands.
    if isinstance(scores, dict) and OVERALL_SCORE in scores:
        return [scores[OVERALL_SCORE], scores]
    return scores


AGENTS = Layout(AgentProfile, {"agent_id": "pk"})
ENVIRONMENTS = Layout(EnvironmentProfile, {"env_id": "pk"}, _no_constraint)
RELATIONSHIPS = Layout(
    RelationshipProfile,
    {"relationship_id": "pk", "agent1_id": "agent_1_id", "agent2_id": "agent_2_id"},
)
COMBOS = Layout(EnvAgentComboStorage, {"combo_id": "pk"})
EPISODES = Layout(
    EpisodeLog,
    {
        "episode_id": "pk",
        "environment_id": "environment",
        "agent_ids": "agents",
        "experiment_tag": "tag",
        "experiment_model_name_pairs": "models",
        "raw_messages": "messages",
        "raw_rewards": "rewards",
        "raw_rewards_prompt": "rewards_prompt",
    },
    _rewards_from_scores,
)


def jsonl_to_agentprofiles(jsonl_file_path: PathOrName) -> list[AgentProfile]:
    """The agents of a file; ``agent_id`` is the pk.

    Raises:
        ImportFileError: a line does not make an agent.
        OSError: the file cannot be read.
    """
    return list(read_layout(AGENTS, jsonl_file_path))


def jsonl_to_environmentprofiles(jsonl_file_path: PathOrName) -> list[EnvironmentProfile]:
    """The environments of a file; ``env_id`` is the pk.

    Raises:
        ImportFileError: a line does not make an environment.
        OSError: the file cannot be read.
    """
    return list(read_layout(ENVIRONMENTS, jsonl_file_path))


def jsonl_to_relationshipprofiles(jsonl_file_path: PathOrName) -> list[RelationshipProfile]:
    """The relationships of a file; ``relationship_id`` is the pk.

    Raises:
        ImportFileError: a line does not make a relationship.
        OSError: the file cannot be read.
    """
    return list(read_layout(RELATIONSHIPS, jsonl_file_path))


def jsonl_to_envagnetcombostorage(jsonl_file_path: PathOrName) -> list[EnvAgentComboStorage]:
    """The combinations of an environment and its agents in a file; ``combo_id`` is the pk.

    Raises:
        ImportFileError: a line does not make a combination.
        OSError: the file cannot be read.
    """
    return list(read_layout(COMBOS, jsonl_file_path))


def jsonl_to_episodes(jsonl_file_path: PathOrName) -> list[EpisodeLog]:
    """The episodes of a file; ``episode_id`` is the pk.

    Rewards come from ``raw_rewards`` or, where that is missing, from ``rewards``.

    Raises:
        ImportFileError: a line does not make an episode.
        OSError: the file cannot be read.
    """
    return list(read_layout(EPISODES, jsonl_file_path))


def read_layout(layout: Layout[T], path: PathOrName) -> Iterator[T]:
    """Yield the records of the file at `path`, one line held at a time.

    Raises:
        ImportFileError: a line does not make a record; those before it were yielded.
        OSError: the file cannot be read.
    """
    key, *_ = layout.keys
    for number, line in read_objects(path):
        if key not in line:
            reason = f"is missing{near_name(key, line)}"
            raise ImportFileError(fspath(path), number, key, reason)
        document = _document(layout, layout.prepare(line))
        try:
            yield load_record(layout.model, document)
        except ValidationError as error:
            field, reason = _first_fault(layout, document, line, error)
            raise ImportFileError(fspath(path), number, field, reason) from error


def _document(layout: Layout[T], line: Mapping[str, Any]) -> dict[str, Any]:
    """`line` keyed by field. A key that bears the name of a renamed field is not that field."""
    renamed = set(layout.keys.values())
    document = {key: value for key, value in line.items() if key not in renamed}
    for key, field in layout.keys.items():
        if key in document:
            document[field] = document.pop(key)
    return document


def _first_fault(
    layout: Layout[T], document: Mapping[str, Any], line: Mapping[str, Any], error: ValidationError
) -> tuple[str, str]:
    """The place, by the file's keys, and the reason of the first field at fault."""
    faults = error.errors(include_url=False, include_context=False)
    steps = [_steps(document, fault["loc"]) for fault in faults]
    # A value that may be several things fails as each of them; the deepest says the most.
    same_field = [i for i, fault in enumerate(faults) if fault["loc"][:1] == faults[0]["loc"][:1]]
    chosen = max(same_field, key=lambda i: len(steps[i]))
    fault, path = faults[chosen], steps[chosen]
    if fault["type"] == "missing" and len(fault["loc"]) == 1:
        key = _key_of(layout, fault["loc"][0])
        return key, f"is missing{near_name(key, line)}"
    if path:
        path = [_key_of(layout, path[0]), *path[1:]]
    reason = fault["msg"].removeprefix("Value error, ")
    shown = fault["input"]
    if fault["type"] != "value_error" and (shown is None or isinstance(shown, str | int | float)):
        reason += f", not {_shorten(repr(shown))}"
    return place(path), reason


def _steps(document: object, location: tuple[str | int, ...]) -> list[str | int]:
    """The steps of `location` that lead into `document`.

    The validator's location also names the alternatives that it tried, which are no places.
    """
    path: list[str | int] = []
    for step in location:
        if (isinstance(document, dict) and step in document) or (
            isinstance(document, list) and isinstance(step, int) and step < len(document)
        ):
            document = document[step]  # type: ignore[index]  # a dict's key or a list's position
            path.append(step)
    return path


def _key_of(layout: Layout[T], field: str | int) -> str:
    for key, name in layout.keys.items():
        if name == field:
            return key
    return str(field)


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}..."
