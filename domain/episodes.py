"""What happened: episodes, the judgements of people on them, and the state of a simulation."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from simstore.domain.fields import FullText, Indexed
from simstore.domain.numbers import check_numbers
from simstore.domain.record import Record

Message = tuple[str, str, str]
"""Sender, receiver, text."""

Reward = tuple[float, dict[str, float]] | float
"""One agent's reward: (overall score, score of each dimension), or a bare number where the
judgement failed or the environment has scores of its own."""


def split_reward(reward: Reward) -> tuple[float, dict[str, float] | None]:
    """The number of a reward, and the scores of dimensions: None where the number is bare."""
    return (reward, None) if isinstance(reward, int | float) else reward


Rewards = Annotated[list[Reward], AfterValidator(check_numbers)]
"""One reward for each agent; NaN is refused."""


class EpisodeLog(Record):
    """One run of an environment by its agents, with the judge's rewards.

    `messages` holds one list of messages a turn. `rewards` has one entry for each agent.
    `models` names the judge first, then each agent's model.
    """

    environment: Annotated[str, Indexed()]
    agents: Annotated[list[str], Indexed()]
    tag: Annotated[str | None, Indexed()] = ""
    models: Annotated[list[str] | None, Indexed()] = Field(default_factory=list)
    agent_classes: Annotated[list[str] | None, Indexed()] = Field(default_factory=list)
    messages: list[list[Message]]
    reasoning: str = ""
    rewards: Rewards
    rewards_prompt: str = ""

    @model_validator(mode="after")
    def _one_reward_each(self) -> Self:
        if len(self.rewards) != len(self.agents):
            raise ValueError(
                f"{len(self.rewards)} rewards for {len(self.agents)} agents; give one each"
            )
        return self


class AnnotationForEpisode(Record):
    """A person's judgement of an episode: rewards as in the episode, and why."""

    episode: Annotated[str, Indexed()]
    annotator_id: Annotated[str, Indexed(), FullText()]
    rewards: Rewards
    reasoning: str


class Annotator(Record):
    """A person who judges episodes."""

    name: Annotated[str, Indexed()]
    email: Annotated[str, Indexed()]


class NonStreamingSimulationStatus(Record):
    """How far the simulation that makes an episode has come."""

    episode_pk: Annotated[str, Indexed()]
    status: Literal["Started", "Error", "Completed"]
