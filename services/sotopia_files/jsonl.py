"""Sotopia's JSON lines files: records into them, and out of current and older ones.

The functions have Sotopia's names and argument names. Those that write take any iterable, hold
little of it at a time, and write Sotopia's keys and values in its order; behind them what Sotopia
leaves out, so that nothing is lost. Each reads every line or raises `ImportFileError` with file,
line, field and reason; keys that no field stands for are left aside.

Paths may end in ``.gz`` or ``.zst``; ``-`` is standard output or standard input. A file that is
written takes its name when it is complete: if anything fails, what was there before stays.
"""

from collections.abc import Iterable

from simstore.domain.episodes import EpisodeLog
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    RelationshipProfile,
)
from simstore.domain.store import Store
from simstore.services.files.streams import PathOrName
from simstore.services.sotopia_files.exporting import export_sotopia
from simstore.services.sotopia_files.files import read_jsonl
from simstore.services.sotopia_files.layouts import (
    AGENTS,
    COMBOS,
    ENVIRONMENTS,
    EPISODES,
    RELATIONSHIPS,
)
from simstore.services.sotopia_files.lines import MissingProfiles


def agentprofiles_to_jsonl(
    agent_profiles: Iterable[AgentProfile],
    jsonl_file_path: PathOrName = "agent_profiles.jsonl",
) -> None:
    """Write agents to a file; ``tag`` is the key beyond Sotopia's.

    Raises:
        InvalidRecordError: an agent was changed so that it could not be read again.
        WrongModelError: an item is not an agent.
        OSError: the file cannot be written.
    """
    export_sotopia(agent_profiles, jsonl_file_path, model=AgentProfile, format="jsonl")


def environmentprofiles_to_jsonl(
    environment_profiles: Iterable[EnvironmentProfile],
    jsonl_file_path: PathOrName = "environment_profiles.jsonl",
) -> None:
    """Write environments to a file; ``game_metadata`` and ``tag`` are the keys beyond Sotopia's.

    Raises:
        InvalidRecordError: an environment was changed so that it could not be read again.
        WrongModelError: an item is not an environment.
        OSError: the file cannot be written.
    """
    export_sotopia(environment_profiles, jsonl_file_path, model=EnvironmentProfile, format="jsonl")


def relationshipprofiles_to_jsonl(
    relationship_profiles: Iterable[RelationshipProfile],
    jsonl_file_path: PathOrName = "relationship_profiles.jsonl",
) -> None:
    """Write relationships to a file; ``tag`` is the key beyond Sotopia's.

    Raises:
        InvalidRecordError: a relationship was changed so that it could not be read again.
        WrongModelError: an item is not a relationship.
        OSError: the file cannot be written.
    """
    export_sotopia(
        relationship_profiles, jsonl_file_path, model=RelationshipProfile, format="jsonl"
    )


def envagnetcombostorage_to_jsonl(
    env_agent_combo_storages: Iterable[EnvAgentComboStorage],
    jsonl_file_path: PathOrName = "env_agent_combo_storages.jsonl",
) -> None:
    """Write combinations of an environment and its agents to a file; the keys are Sotopia's.

    Raises:
        InvalidRecordError: a combination was changed so that it could not be read again.
        WrongModelError: an item is not a combination.
        OSError: the file cannot be written.
    """
    export_sotopia(
        env_agent_combo_storages, jsonl_file_path, model=EnvAgentComboStorage, format="jsonl"
    )


def episodes_to_jsonl(
    episodes: Iterable[EpisodeLog],
    jsonl_file_path: PathOrName = "episodes.jsonl",
    *,
    store: Store | None = None,
    missing_profiles: MissingProfiles = "raise",
) -> None:
    """Write episodes to a file; ``agent_classes`` is the key beyond Sotopia's.

    The columns ``scenario``, ``codename``, ``agents_background`` and ``social_goals`` are made of
    the profiles in `store`, read in bulk; without one they are empty. Profiles that the store
    does not have are an error, or with ``missing_profiles="null"`` leave the columns empty that
    need them.

    Raises:
        NotFoundError: names every environment that is not stored or, if there is none, every
            agent.
        InvalidArgumentError: `missing_profiles` is neither "raise" nor "null".
        InvalidRecordError: an episode was changed so that it could not be read again.
        WrongModelError: an item is not an episode.
        OSError: the file cannot be written.
        SimstoreError: whatever the store raises.
    """
    export_sotopia(
        episodes,
        jsonl_file_path,
        model=EpisodeLog,
        store=store,
        missing_profiles=missing_profiles,
        format="jsonl",
    )


def jsonl_to_agentprofiles(jsonl_file_path: PathOrName) -> list[AgentProfile]:
    """The agents of a file; ``agent_id`` is the pk.

    Raises:
        ImportFileError: a line does not make an agent.
        OSError: the file cannot be read.
    """
    return list(read_jsonl(AGENTS, jsonl_file_path))


def jsonl_to_environmentprofiles(jsonl_file_path: PathOrName) -> list[EnvironmentProfile]:
    """The environments of a file; ``env_id`` is the pk.

    Raises:
        ImportFileError: a line does not make an environment.
        OSError: the file cannot be read.
    """
    return list(read_jsonl(ENVIRONMENTS, jsonl_file_path))


def jsonl_to_relationshipprofiles(jsonl_file_path: PathOrName) -> list[RelationshipProfile]:
    """The relationships of a file; ``relationship_id`` is the pk.

    Raises:
        ImportFileError: a line does not make a relationship.
        OSError: the file cannot be read.
    """
    return list(read_jsonl(RELATIONSHIPS, jsonl_file_path))


def jsonl_to_envagnetcombostorage(jsonl_file_path: PathOrName) -> list[EnvAgentComboStorage]:
    """The combinations of an environment and its agents of a file; ``combo_id`` is the pk.

    Raises:
        ImportFileError: a line does not make a combination.
        OSError: the file cannot be read.
    """
    return list(read_jsonl(COMBOS, jsonl_file_path))


def jsonl_to_episodes(jsonl_file_path: PathOrName) -> list[EpisodeLog]:
    """The episodes of a file; ``episode_id`` is the pk.

    Rewards come from ``raw_rewards`` or, where that is missing, from ``rewards``.

    Raises:
        ImportFileError: a line does not make an episode.
        OSError: the file cannot be read.
    """
    return list(read_jsonl(EPISODES, jsonl_file_path))
