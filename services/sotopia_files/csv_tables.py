"""Sotopia's CSV files: records into them and, as Sotopia itself cannot, out of them.

As `simstore.services.sotopia_files.jsonl`, a row with a header in place of each line. A file of
no records has the header alone. How the cells are written: see `cells` beside this module.
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
from simstore.services.sotopia_files.files import read_csv
from simstore.services.sotopia_files.layouts import (
    AGENTS,
    COMBOS,
    ENVIRONMENTS,
    EPISODES,
    RELATIONSHIPS,
)
from simstore.services.sotopia_files.lines import MissingProfiles


def agentprofiles_to_csv(
    agent_profiles: Iterable[AgentProfile],
    csv_file_path: PathOrName = "agent_profiles.csv",
) -> None:
    """Write agents to a file; the columns behind ``occupation`` are beyond Sotopia's.

    Raises:
        InvalidRecordError: an agent was changed so that it could not be read again.
        WrongModelError: an item is not an agent.
        OSError: the file cannot be written.
    """
    export_sotopia(agent_profiles, csv_file_path, model=AgentProfile, format="csv")


def environmentprofiles_to_csv(
    environment_profiles: Iterable[EnvironmentProfile],
    csv_file_path: PathOrName = "environment_profiles.csv",
) -> None:
    """Write environments to a file; ``game_metadata`` and ``tag`` are the columns beyond Sotopia's.

    Raises:
        InvalidRecordError: an environment was changed so that it could not be read again.
        WrongModelError: an item is not an environment.
        OSError: the file cannot be written.
    """
    export_sotopia(environment_profiles, csv_file_path, model=EnvironmentProfile, format="csv")


def relationshipprofiles_to_csv(
    relationship_profiles: Iterable[RelationshipProfile],
    csv_file_path: PathOrName = "relationship_profiles.csv",
) -> None:
    """Write relationships to a file; ``tag`` is the column beyond Sotopia's.

    Raises:
        InvalidRecordError: a relationship was changed so that it could not be read again.
        WrongModelError: an item is not a relationship.
        OSError: the file cannot be written.
    """
    export_sotopia(relationship_profiles, csv_file_path, model=RelationshipProfile, format="csv")


def envagnetcombostorage_to_csv(
    env_agent_combo_storages: Iterable[EnvAgentComboStorage],
    csv_file_path: PathOrName = "env_agent_combo_storages.csv",
) -> None:
    """Write combinations of an environment and its agents to a file; the columns are Sotopia's.

    Raises:
        InvalidRecordError: a combination was changed so that it could not be read again.
        WrongModelError: an item is not a combination.
        OSError: the file cannot be written.
    """
    export_sotopia(
        env_agent_combo_storages, csv_file_path, model=EnvAgentComboStorage, format="csv"
    )


def episodes_to_csv(
    episodes: Iterable[EpisodeLog],
    csv_file_path: PathOrName = "episodes.csv",
    *,
    store: Store | None = None,
    missing_profiles: MissingProfiles = "raise",
) -> None:
    """Write episodes to a file; ``agent_classes`` is the column beyond Sotopia's.

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
        csv_file_path,
        model=EpisodeLog,
        store=store,
        missing_profiles=missing_profiles,
        format="csv",
    )


def csv_to_agentprofiles(csv_file_path: PathOrName) -> list[AgentProfile]:
    """The agents of a file; ``agent_id`` is the pk.

    Raises:
        ImportFileError: a row does not make an agent.
        OSError: the file cannot be read.
    """
    return list(read_csv(AGENTS, csv_file_path))


def csv_to_environmentprofiles(csv_file_path: PathOrName) -> list[EnvironmentProfile]:
    """The environments of a file; ``env_id`` is the pk.

    Raises:
        ImportFileError: a row does not make an environment.
        OSError: the file cannot be read.
    """
    return list(read_csv(ENVIRONMENTS, csv_file_path))


def csv_to_relationshipprofiles(csv_file_path: PathOrName) -> list[RelationshipProfile]:
    """The relationships of a file; ``relationship_id`` is the pk.

    Raises:
        ImportFileError: a row does not make a relationship.
        OSError: the file cannot be read.
    """
    return list(read_csv(RELATIONSHIPS, csv_file_path))


def csv_to_envagnetcombostorage(csv_file_path: PathOrName) -> list[EnvAgentComboStorage]:
    """The combinations of an environment and its agents of a file; ``combo_id`` is the pk.

    Raises:
        ImportFileError: a row does not make a combination.
        OSError: the file cannot be read.
    """
    return list(read_csv(COMBOS, csv_file_path))


def csv_to_episodes(csv_file_path: PathOrName) -> list[EpisodeLog]:
    """The episodes of a file; ``episode_id`` is the pk.

    Rewards come from ``raw_rewards`` or, where that is missing, from ``rewards``.

    Raises:
        ImportFileError: a row does not make an episode.
        OSError: the file cannot be read.
    """
    return list(read_csv(EPISODES, csv_file_path))
