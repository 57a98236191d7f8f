"""Sotopia's functions for files, with its signatures.

They are those of `simstore.services`: what episodes' lines say of the profiles comes from the
store that is bound, and what is loaded can save itself.
"""

from simstore import services
from simstore.sotopia.active_record import adopted
from simstore.sotopia.binding import current_store
from simstore.sotopia.records import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    RelationshipProfile,
)


def agentprofiles_to_csv(
    agent_profiles: list[AgentProfile], csv_file_path: str = "agent_profiles.csv"
) -> None:
    """Write agents to a CSV file."""
    services.agentprofiles_to_csv(agent_profiles, csv_file_path)


def agentprofiles_to_jsonl(
    agent_profiles: list[AgentProfile], jsonl_file_path: str = "agent_profiles.jsonl"
) -> None:
    """Write agents to a JSON lines file."""
    services.agentprofiles_to_jsonl(agent_profiles, jsonl_file_path)


def environmentprofiles_to_csv(
    environment_profiles: list[EnvironmentProfile],
    csv_file_path: str = "environment_profiles.csv",
) -> None:
    """Write environments to a CSV file."""
    services.environmentprofiles_to_csv(environment_profiles, csv_file_path)


def environmentprofiles_to_jsonl(
    environment_profiles: list[EnvironmentProfile],
    jsonl_file_path: str = "environment_profiles.jsonl",
) -> None:
    """Write environments to a JSON lines file."""
    services.environmentprofiles_to_jsonl(environment_profiles, jsonl_file_path)


def relationshipprofiles_to_csv(
    relationship_profiles: list[RelationshipProfile],
    csv_file_path: str = "relationship_profiles.csv",
) -> None:
    """Write relationships to a CSV file."""
    services.relationshipprofiles_to_csv(relationship_profiles, csv_file_path)


def relationshipprofiles_to_jsonl(
    relationship_profiles: list[RelationshipProfile],
    jsonl_file_path: str = "relationship_profiles.jsonl",
) -> None:
    """Write relationships to a JSON lines file."""
    services.relationshipprofiles_to_jsonl(relationship_profiles, jsonl_file_path)


def envagnetcombostorage_to_csv(
    env_agent_combo_storages: list[EnvAgentComboStorage],
    csv_file_path: str = "env_agent_combo_storages.csv",
) -> None:
    """Write combinations of an environment and its agents to a CSV file."""
    services.envagnetcombostorage_to_csv(env_agent_combo_storages, csv_file_path)


def envagnetcombostorage_to_jsonl(
    env_agent_combo_storages: list[EnvAgentComboStorage],
    jsonl_file_path: str = "env_agent_combo_storages.jsonl",
) -> None:
    """Write combinations of an environment and its agents to a JSON lines file."""
    services.envagnetcombostorage_to_jsonl(env_agent_combo_storages, jsonl_file_path)


def episodes_to_csv(episodes: list[EpisodeLog], csv_file_path: str = "episodes.csv") -> None:
    """Write episodes to a CSV file, with what the bound store's profiles say.

    Raises:
        NotFoundError: names every environment or agent that is not stored; no file is written.
    """
    services.episodes_to_csv(episodes, csv_file_path, store=current_store())


def episodes_to_jsonl(episodes: list[EpisodeLog], jsonl_file_path: str = "episodes.jsonl") -> None:
    """Write episodes to a JSON lines file, with what the bound store's profiles say.

    Raises:
        NotFoundError: names every environment or agent that is not stored; no file is written.
    """
    services.episodes_to_jsonl(episodes, jsonl_file_path, store=current_store())


def jsonl_to_agentprofiles(jsonl_file_path: str) -> list[AgentProfile]:
    """The agents of a JSON lines file.

    Raises:
        ImportFileError: a line does not make an agent.
    """
    found = services.jsonl_to_agentprofiles(jsonl_file_path)
    return [adopted(AgentProfile, record) for record in found]


def jsonl_to_environmentprofiles(jsonl_file_path: str) -> list[EnvironmentProfile]:
    """The environments of a JSON lines file.

    Raises:
        ImportFileError: a line does not make an environment.
    """
    found = services.jsonl_to_environmentprofiles(jsonl_file_path)
    return [adopted(EnvironmentProfile, record) for record in found]


def jsonl_to_relationshipprofiles(jsonl_file_path: str) -> list[RelationshipProfile]:
    """The relationships of a JSON lines file.

    Raises:
        ImportFileError: a line does not make a relationship.
    """
    found = services.jsonl_to_relationshipprofiles(jsonl_file_path)
    return [adopted(RelationshipProfile, record) for record in found]


def jsonl_to_envagnetcombostorage(jsonl_file_path: str) -> list[EnvAgentComboStorage]:
    """The combinations of an environment and its agents of a JSON lines file.

    Raises:
        ImportFileError: a line does not make a combination.
    """
    found = services.jsonl_to_envagnetcombostorage(jsonl_file_path)
    return [adopted(EnvAgentComboStorage, record) for record in found]


def jsonl_to_episodes(jsonl_file_path: str) -> list[EpisodeLog]:
    """The episodes of a JSON lines file.

    Raises:
        ImportFileError: a line does not make an episode.
    """
    found = services.jsonl_to_episodes(jsonl_file_path)
    return [adopted(EpisodeLog, record) for record in found]
