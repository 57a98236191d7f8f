"""Who takes part and where: agents, environments, their relationships, and lists of them."""

from enum import IntEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from simstore.domain.fields import Indexed
from simstore.domain.numbers import check_numbers
from simstore.domain.record import Record


class RelationshipType(IntEnum):
    """How close two agents are, from strangers to family."""

    stranger = 0
    know_by_name = 1
    acquaintance = 2
    friend = 3
    romantic_relationship = 4
    family_member = 5


class AgentProfile(Record):
    """A character that an agent plays."""

    first_name: Annotated[str, Indexed()]
    last_name: Annotated[str, Indexed()]
    age: Annotated[int, Indexed()] = 0
    occupation: Annotated[str, Indexed()] = ""
    gender: Annotated[str, Indexed()] = ""
    gender_pronoun: str = ""
    public_info: str = ""
    big_five: str = ""
    moral_values: list[str] = Field(default_factory=list)
    schwartz_personal_values: list[str] = Field(default_factory=list)
    personality_and_values: str = ""
    decision_making_style: str = ""
    secret: str = ""
    model_id: Annotated[str, Indexed()] = ""
    mbti: str = ""
    tag: Annotated[str, Indexed()] = ""


class EnvironmentProfile(Record):
    """A social scenario, with one goal for each agent that plays it."""

    codename: Annotated[str, Indexed()] = ""
    source: Annotated[str, Indexed()] = ""
    scenario: str
    agent_goals: list[str] = Field(default_factory=list)
    relationship: Annotated[RelationshipType, Indexed()] = RelationshipType.stranger
    age_constraint: str | None = None
    occupation_constraint: str | None = None
    agent_constraint: list[list[str]] | None = None
    game_metadata: Annotated[dict[str, JsonValue] | None, AfterValidator(check_numbers)] = None
    tag: Annotated[str, Indexed()] = ""


class RelationshipProfile(Record):
    """How two agents know each other."""

    agent_1_id: Annotated[str, Indexed()]
    agent_2_id: Annotated[str, Indexed()]
    relationship: Annotated[RelationshipType, Indexed()]
    background_story: str | None = None
    tag: Annotated[str, Indexed()] = ""


class EnvironmentList(Record):
    """A named list of environments; `agent_index`, where given, has an entry for each."""

    name: Annotated[str, Indexed()]
    environments: list[str] = Field(default_factory=list)
    agent_index: list[str] | None = None

    @model_validator(mode="after")
    def _one_agent_index_each(self) -> Self:
        if self.agent_index is not None and len(self.agent_index) != len(self.environments):
            raise ValueError(
                f"agent_index has {len(self.agent_index)} entries for "
                f"{len(self.environments)} environments; give one each, or None"
            )
        return self


class EnvAgentComboStorage(Record):
    """Which agents play an environment together, in the order of its goals."""

    env_id: Annotated[str, Indexed()] = ""
    agent_ids: Annotated[list[str], Indexed()] = Field(default_factory=list)
