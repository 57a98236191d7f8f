"""Sotopia's data layer under its own names, on any store: a drop-in for ``sotopia.database``.

::

    from simstore.sotopia import AgentProfile, EpisodeLog, bind, episodes_to_jsonl

    bind("sqlite:///episodes.db")
    AgentProfile(first_name="Ada", last_name="Lovelace").save()
    episodes_to_jsonl(EpisodeLog.find(EpisodeLog.tag == "pilot").all(), "pilot.jsonl")

Without `bind`, the environment says where the store is: see `current_store`. Importing it connects
to nothing.
"""

from simstore.domain.episodes import EpisodeLog as BaseEpisodeLog
from simstore.domain.errors import NotFoundError
from simstore.domain.evaluation import CustomEvaluationDimension as BaseCustomEvaluationDimension
from simstore.domain.evaluation import (
    CustomEvaluationDimensionList as BaseCustomEvaluationDimensionList,
)
from simstore.domain.messaging import MessageTransaction
from simstore.domain.profiles import AgentProfile as BaseAgentProfile
from simstore.domain.profiles import EnvironmentProfile as BaseEnvironmentProfile
from simstore.domain.profiles import RelationshipProfile as BaseRelationshipProfile
from simstore.domain.profiles import RelationshipType
from simstore.services import get_rewards_from_episode
from simstore.sotopia.active_record import EmbeddedJsonModel, JsonModel
from simstore.sotopia.annotations import map_human_annotations_to_episode_logs
from simstore.sotopia.binding import Binding, bind, current_store
from simstore.sotopia.evaluation import (
    EvaluationDimensionBuilder,
    GoalDimension,
    SotopiaDimensions,
    SotopiaDimensionsPlus,
)
from simstore.sotopia.fields import Field
from simstore.sotopia.files import (
    agentprofiles_to_csv,
    agentprofiles_to_jsonl,
    envagnetcombostorage_to_csv,
    envagnetcombostorage_to_jsonl,
    environmentprofiles_to_csv,
    environmentprofiles_to_jsonl,
    episodes_to_csv,
    episodes_to_jsonl,
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
    relationshipprofiles_to_csv,
    relationshipprofiles_to_jsonl,
)
from simstore.sotopia.find_query import FindQuery
from simstore.sotopia.migrator import Migrator
from simstore.sotopia.records import (
    AgentProfile,
    AnnotationForEpisode,
    Annotator,
    CustomEvaluationDimension,
    CustomEvaluationDimensionList,
    EnvAgentComboStorage,
    EnvironmentList,
    EnvironmentProfile,
    EpisodeLog,
    MatchingInWaitingRoom,
    NonStreamingSimulationStatus,
    RelationshipProfile,
    SessionTransaction,
)

__all__ = [
    "AgentProfile",
    "AnnotationForEpisode",
    "Annotator",
    "BaseAgentProfile",
    "BaseCustomEvaluationDimension",
    "BaseCustomEvaluationDimensionList",
    "BaseEnvironmentProfile",
    "BaseEpisodeLog",
    "BaseRelationshipProfile",
    "Binding",
    "CustomEvaluationDimension",
    "CustomEvaluationDimensionList",
    "EmbeddedJsonModel",
    "EnvAgentComboStorage",
    "EnvironmentList",
    "EnvironmentProfile",
    "EpisodeLog",
    "EvaluationDimensionBuilder",
    "Field",
    "FindQuery",
    "GoalDimension",
    "JsonModel",
    "MatchingInWaitingRoom",
    "MessageTransaction",
    "Migrator",
    "NonStreamingSimulationStatus",
    "NotFoundError",
    "RelationshipProfile",
    "RelationshipType",
    "SessionTransaction",
    "SotopiaDimensions",
    "SotopiaDimensionsPlus",
    "agentprofiles_to_csv",
    "agentprofiles_to_jsonl",
    "bind",
    "current_store",
    "envagnetcombostorage_to_csv",
    "envagnetcombostorage_to_jsonl",
    "environmentprofiles_to_csv",
    "environmentprofiles_to_jsonl",
    "episodes_to_csv",
    "episodes_to_jsonl",
    "get_rewards_from_episode",
    "jsonl_to_agentprofiles",
    "jsonl_to_envagnetcombostorage",
    "jsonl_to_environmentprofiles",
    "jsonl_to_episodes",
    "jsonl_to_relationshipprofiles",
    "map_human_annotations_to_episode_logs",
    "relationshipprofiles_to_csv",
    "relationshipprofiles_to_jsonl",
]
