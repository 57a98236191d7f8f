"""One plain record of each of simstore's models."""

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


def example_records() -> list[BaseModel]:
    """A new record of each of the thirteen models, its pk ``example``."""
    return [
        AgentProfile(
            pk="example", first_name="Ada", last_name="Osei", age=34, moral_values=["care",
            "fairness"],
            tag="pilot",
        ),
        EnvironmentProfile(
            pk="example", codename="ferry", scenario="Two strangers wait for a ferry.",
            agent_goals=["Get a seat", "Find out the time"], relationship=RelationshipType.stranger,
            agent_constraint=[["example", "other"]], game_metadata={"rounds": 3, "prizes": [1.5,
            None]},
        ),
        RelationshipProfile(
            pk="example", agent_1_id="a", agent_2_id="b", relationship=RelationshipType.friend,
            background_story="They share an allotment.",
        ),
        EnvironmentList(pk="example", name="ferries", environments=["a", "b"], agent_index=["0",
        "1"]),
        EpisodeLog(
            pk="example", environment="example", agents=["a", "b", "c"], tag=None, models=None,
            messages=[[("Environment", "a", "You see the sea.")], [("a", "Environment",
            'said: "Hm"')]],
            reasoning="Both were kind.", rewards=[(4.5, {"goal": 9.0, "secret": -0.0}), -1.0, 0.0],
        ),
        AnnotationForEpisode(
            pk="example", episode="example", annotator_id="Dr Lee", rewards=[(3.0,
            {"goal": 3.0}), 1.0],
            reasoning="Fair.",
        ),
        Annotator(pk="example", name="Lee", email="lee@example.org"),
        EnvAgentComboStorage(pk="example", env_id="example", agent_ids=["a", "b"]),
        NonStreamingSimulationStatus(pk="example", episode_pk="example", status="Started"),
        CustomEvaluationDimension(
            pk="example", name="wit", description="How funny", range_low=-5, range_high=5
        ),
        CustomEvaluationDimensionList(pk="example", name="style", dimension_pks=["example"]),
        SessionTransaction(
            pk="example", session_id="s", client_id="c", server_id="v",
            message_list=[
                MessageTransaction(timestamp_str="1732367000.25", sender="c", message="hello"),
                MessageTransaction(timestamp_str="1732367001", sender="v", message=""),
            ],
        ),
        MatchingInWaitingRoom(pk="example", timestamp=1732367000.25, client_ids=["c"]),
    ]  # fmt: skip
