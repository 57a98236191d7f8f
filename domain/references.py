"""Which fields of Sotopia's records name other records."""

from collections.abc import Mapping

from pydantic import BaseModel

from simstore.domain.episodes import (
    AnnotationForEpisode,
    EpisodeLog,
    NonStreamingSimulationStatus,
)
from simstore.domain.evaluation import CustomEvaluationDimension, CustomEvaluationDimensionList
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentList,
    EnvironmentProfile,
    RelationshipProfile,
)

REFERENCES: Mapping[type[BaseModel], Mapping[str, type[BaseModel]]] = {
    EpisodeLog: {"environment": EnvironmentProfile, "agents": AgentProfile},
    RelationshipProfile: {"agent_1_id": AgentProfile, "agent_2_id": AgentProfile},
    EnvironmentList: {"environments": EnvironmentProfile},
    EnvAgentComboStorage: {"env_id": EnvironmentProfile, "agent_ids": AgentProfile},
    AnnotationForEpisode: {"episode": EpisodeLog},
    NonStreamingSimulationStatus: {"episode_pk": EpisodeLog},
    CustomEvaluationDimensionList: {"dimension_pks": CustomEvaluationDimension},
}
"""By model, the fields that hold the primary key of another record, or a list of them, and that
record's model.

No store enforces them: a record may name one that was never stored, or is gone.
"""
