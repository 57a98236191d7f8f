"""Hypothesis strategies for every model of simstore, with hostile contents."""

from collections.abc import Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel

from simstore.domain.episodes import (
    AnnotationForEpisode,
    Annotator,
    EpisodeLog,
    NonStreamingSimulationStatus,
)
from simstore.domain.evaluation import CustomEvaluationDimension, CustomEvaluationDimensionList
from simstore.domain.messaging import MatchingInWaitingRoom, MessageTransaction, SessionTransaction
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentList,
    EnvironmentProfile,
    RelationshipProfile,
    RelationshipType,
)
from simstore.testing.values import floats, integers, json_objects, pks, texts

T = TypeVar("T", bound=BaseModel)

MAX_AGENTS = 6
_TEN_YEARS = 10 * 365 * 86_400

Strategies = Mapping[str, SearchStrategy[Any]]


def _build(
    model: type[T], required: Strategies, optional: Strategies | None = None
) -> SearchStrategy[T]:
    """Records with the `required` fields and any of the `optional` ones."""
    values = st.fixed_dictionaries(dict(required), optional=dict(optional or {}))
    return values.map(lambda fields: model(**fields))


def _some(values: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    return st.lists(values, max_size=3)


def _or_none(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(st.none(), values)


def agent_profiles() -> SearchStrategy[AgentProfile]:
    """Agents."""
    named = ("occupation", "gender", "gender_pronoun", "public_info", "big_five", "mbti", "tag")
    more = ("personality_and_values", "decision_making_style", "secret", "model_id")
    return _build(
        AgentProfile,
        {"pk": pks(), "first_name": texts(), "last_name": texts()},
        {
            **{name: texts() for name in named + more},
            "age": integers(),
            "moral_values": _some(texts()),
            "schwartz_personal_values": _some(texts()),
        },
    )


def environment_profiles() -> SearchStrategy[EnvironmentProfile]:
    """Environments."""
    return _build(
        EnvironmentProfile,
        {"pk": pks(), "scenario": texts()},
        {
            **{name: texts() for name in ("codename", "source", "tag")},
            **{name: _or_none(texts()) for name in ("age_constraint", "occupation_constraint")},
            "agent_goals": _some(texts()),
            "relationship": st.sampled_from(RelationshipType),
            "agent_constraint": _or_none(_some(_some(texts()))),
            "game_metadata": _or_none(json_objects()),
        },
    )


def relationship_profiles() -> SearchStrategy[RelationshipProfile]:
    """Relationships."""
    return _build(
        RelationshipProfile,
        {
            "pk": pks(),
            "agent_1_id": texts(),
            "agent_2_id": texts(),
            "relationship": st.sampled_from(RelationshipType),
        },
        {"background_story": _or_none(texts()), "tag": texts()},
    )


@st.composite
def environment_lists(draw: st.DrawFn) -> EnvironmentList:
    """Lists of environments, with or without an index of agents for each."""
    environments = draw(_some(texts()))
    index = st.lists(texts(), min_size=len(environments), max_size=len(environments))
    return EnvironmentList(
        pk=draw(pks()),
        name=draw(texts()),
        environments=environments,
        agent_index=draw(_or_none(index)),
    )


def env_agent_combos() -> SearchStrategy[EnvAgentComboStorage]:
    """Combos of an environment and its agents."""
    return _build(
        EnvAgentComboStorage, {"pk": pks()}, {"env_id": texts(), "agent_ids": _some(texts())}
    )


def rewards() -> SearchStrategy[Any]:
    """One agent's reward: a bare float, or the overall score and those by dimension."""
    return st.one_of(floats(), st.tuples(floats(), st.dictionaries(texts(), floats(), max_size=3)))


@st.composite
def episode_logs(draw: st.DrawFn) -> EpisodeLog:
    """Episodes of one to six agents."""
    agents = draw(st.lists(texts(), min_size=1, max_size=MAX_AGENTS))
    names = _or_none(_some(texts()))
    messages = _some(_some(st.tuples(texts(), texts(), texts())))
    return EpisodeLog(
        pk=draw(pks()),
        environment=draw(texts()),
        agents=agents,
        tag=draw(_or_none(texts())),
        models=draw(names),
        agent_classes=draw(names),
        messages=draw(messages),
        reasoning=draw(texts()),
        rewards=draw(st.lists(rewards(), min_size=len(agents), max_size=len(agents))),
        rewards_prompt=draw(texts()),
    )


def annotations() -> SearchStrategy[AnnotationForEpisode]:
    """Annotations of episodes."""
    return _build(
        AnnotationForEpisode,
        {
            "pk": pks(),
            "episode": texts(),
            "annotator_id": texts(),
            "rewards": st.lists(rewards(), max_size=MAX_AGENTS),
            "reasoning": texts(),
        },
    )


def annotators() -> SearchStrategy[Annotator]:
    """Annotators."""
    return _build(Annotator, {"pk": pks(), "name": texts(), "email": texts()})


def simulation_statuses() -> SearchStrategy[NonStreamingSimulationStatus]:
    """States of simulations."""
    return _build(
        NonStreamingSimulationStatus,
        {
            "pk": pks(),
            "episode_pk": texts(),
            "status": st.sampled_from(["Started", "Error", "Completed"]),
        },
    )


@st.composite
def dimensions(draw: st.DrawFn) -> CustomEvaluationDimension:
    """Evaluation dimensions, their ranges the right way round."""
    low, high = sorted((draw(integers()), draw(integers())))
    return CustomEvaluationDimension(
        pk=draw(pks()),
        name=draw(texts()),
        description=draw(texts()),
        range_low=low,
        range_high=high,
    )


def dimension_lists() -> SearchStrategy[CustomEvaluationDimensionList]:
    """Lists of dimensions."""
    return _build(
        CustomEvaluationDimensionList,
        {"pk": pks(), "name": texts()},
        {"dimension_pks": _some(texts())},
    )


def moments() -> SearchStrategy[float]:
    """Unix seconds."""
    return st.floats(min_value=0, max_value=1e11)


def message_transactions() -> SearchStrategy[MessageTransaction]:
    """Messages of a session."""
    return _build(
        MessageTransaction,
        {"timestamp_str": moments().map(repr), "sender": texts(), "message": texts()},
    )


def session_transactions() -> SearchStrategy[SessionTransaction]:
    """Chat sessions, their messages in the order of time."""
    return _build(
        SessionTransaction,
        {"pk": pks(), "session_id": texts(), "client_id": texts(), "server_id": texts()},
        {
            "client_action_lock": texts(),
            "message_list": _some(message_transactions()).map(
                lambda messages: sorted(messages, key=lambda one: float(one.timestamp_str))
            ),
            "expire_time": st.integers(60, _TEN_YEARS),
        },
    )


def waiting_rooms() -> SearchStrategy[MatchingInWaitingRoom]:
    """Waiting rooms."""
    lists = ("client_ids", "session_ids", "session_id_retrieved")
    return _build(
        MatchingInWaitingRoom,
        {"pk": pks(), "timestamp": floats()},
        {**{name: _some(texts()) for name in lists}, "expire_time": st.integers(60, _TEN_YEARS)},
    )


RECORDS: Mapping[type[BaseModel], SearchStrategy[Any]] = {
    AgentProfile: agent_profiles(),
    EnvironmentProfile: environment_profiles(),
    RelationshipProfile: relationship_profiles(),
    EnvironmentList: environment_lists(),
    EpisodeLog: episode_logs(),
    AnnotationForEpisode: annotations(),
    Annotator: annotators(),
    EnvAgentComboStorage: env_agent_combos(),
    NonStreamingSimulationStatus: simulation_statuses(),
    CustomEvaluationDimension: dimensions(),
    CustomEvaluationDimensionList: dimension_lists(),
    SessionTransaction: session_transactions(),
    MatchingInWaitingRoom: waiting_rooms(),
}
"""A strategy for each of simstore's thirteen records."""

REPOSITORIES: Mapping[str, type[BaseModel]] = {
    "agents": AgentProfile,
    "environments": EnvironmentProfile,
    "relationships": RelationshipProfile,
    "environment_lists": EnvironmentList,
    "episodes": EpisodeLog,
    "annotations": AnnotationForEpisode,
    "annotators": Annotator,
    "env_agent_combos": EnvAgentComboStorage,
    "simulation_statuses": NonStreamingSimulationStatus,
    "dimensions": CustomEvaluationDimension,
    "dimension_lists": CustomEvaluationDimensionList,
    "sessions": SessionTransaction,
    "waiting_rooms": MatchingInWaitingRoom,
}
"""The names under which a store, and a transaction, has the repositories of those records."""
