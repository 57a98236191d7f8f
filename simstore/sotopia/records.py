"""Sotopia's records as models that save and find themselves."""

from simstore.domain import episodes, evaluation, messaging, profiles
from simstore.services import render_for_humans
from simstore.sotopia.active_record import JsonModel, adopted
from simstore.sotopia.binding import current_store


class AgentProfile(profiles.AgentProfile, JsonModel):
    """A character that an agent plays."""


class EnvironmentProfile(profiles.EnvironmentProfile, JsonModel):
    """A social scenario, with one goal for each agent that plays it."""


class RelationshipProfile(profiles.RelationshipProfile, JsonModel):
    """How two agents know each other."""


class EnvironmentList(profiles.EnvironmentList, JsonModel):
    """A named list of environments."""


class EnvAgentComboStorage(profiles.EnvAgentComboStorage, JsonModel):
    """Which agents play an environment together."""


class EpisodeLog(episodes.EpisodeLog, JsonModel):
    """One run of an environment by its agents, with the judge's rewards."""

    def render_for_humans(self) -> tuple[list[AgentProfile], list[str]]:
        """The profiles of its agents, and a text for each turn, the reasoning and the rewards.

        Raises:
            NotFoundError: names every agent that is not stored.
        """
        found, texts = render_for_humans(self, current_store())
        return [adopted(AgentProfile, profile) for profile in found], texts


class AnnotationForEpisode(episodes.AnnotationForEpisode, JsonModel):
    """A person's judgement of an episode."""


class Annotator(episodes.Annotator, JsonModel):
    """A person who judges episodes."""


class NonStreamingSimulationStatus(episodes.NonStreamingSimulationStatus, JsonModel):
    """How far the simulation that makes an episode has come."""


class CustomEvaluationDimension(evaluation.CustomEvaluationDimension, JsonModel):
    """A dimension that a user defines."""


class CustomEvaluationDimensionList(evaluation.CustomEvaluationDimensionList, JsonModel):
    """A named list of dimensions."""


class SessionTransaction(messaging.SessionTransaction, JsonModel):
    """A chat session between a client and a server."""


class MatchingInWaitingRoom(messaging.MatchingInWaitingRoom, JsonModel):
    """Clients that wait to be paired, and the sessions made for them."""
