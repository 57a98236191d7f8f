"""The rewards of an episode: who got which scores, and who has none and why."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from simstore.domain.episodes import EpisodeLog, Reward, split_reward
from simstore.domain.errors import RewardsUnavailableError
from simstore.domain.evaluation import OVERALL_SCORE

AGENTS = 2
"""How many agents the episodes of `get_rewards_from_episode` have."""


class MissingReason(StrEnum):
    """Why an agent of an episode has no scores."""

    BARE_NUMBER = "bare number"
    """The reward is a number alone. It may be a failed judgement, which is written as 0.0, or
    the plain score of a game: the record does not tell."""
    NO_DIMENSIONS = "no dimensions"
    """The reward has an overall score, but that of no dimension."""
    NOT_FINITE = "not finite"
    """One of the scores is infinite, so that no mean could be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """An agent in its place in an episode.

    `position` counts from 0: Sotopia's "agent 1" is at position 0. `agent` is the primary key of
    its profile. `model` is ``models[position + 1]``, `agent_class` ``agent_classes[position]``,
    and `partners` are the models of the other agents, in their order. A name that the episode
    does not have, or has as an empty text, is None.
    """

    position: int
    agent: str
    model: str | None
    agent_class: str | None
    partners: tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReward(Player):
    """An agent with its scores, all of them finite.

    `scores` has at least one dimension, in the record's order, and not the overall score:
    `overall` is that, the first of the reward's two parts.
    """

    overall: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Player):
    """An agent without scores.

    `number` is the one number that the reward has all the same: the bare number, or else the
    overall score; None if that is NaN, which only a record changed by hand can hold.
    """

    reason: MissingReason
    number: float | None

    def __str__(self) -> str:
        return f"{_agent(self.position)} has no scores: {self.reason}, {self.number}"


def get_rewards_from_episode(episode: EpisodeLog) -> list[tuple[float, dict[str, float]]]:
    """The rewards of an episode of two agents: (overall score, score of each dimension) each.

    The scores are the record's, the overall score among them where the record has it there,
    in dicts of their own. Sotopia's function of this name, with an error in place of an assert.

    Raises:
        RewardsUnavailableError: the episode does not have two agents, or one of them has a
            bare number; the message says which. `extract_rewards` takes any episode.
    """
    if len(episode.rewards) != AGENTS:
        raise RewardsUnavailableError(
            episode.pk, f"has rewards for {len(episode.rewards)} agents, not for {AGENTS}"
        )
    pairs: list[tuple[float, dict[str, float]]] = []
    bare: list[str] = []
    for position, reward in enumerate(episode.rewards):
        overall, scores = split_reward(reward)
        if scores is None:
            bare.append(f"{_agent(position)} has the bare number {overall}")
        else:
            pairs.append((overall, dict(scores)))
    if bare:
        raise RewardsUnavailableError(episode.pk, f"lacks scores: {', '.join(bare)}")
    return pairs


def extract_rewards(episode: EpisodeLog) -> list[AgentReward | Missing]:
    """For each agent of `episode`, in order, its scores or the reason why it has none.

    Any number of agents will do. A bare number is never taken for a score.
    """
    models = [_known(episode.models, position + 1) for position in range(len(episode.agents))]
    found: list[AgentReward | Missing] = []
    for position, (agent, reward) in enumerate(zip(episode.agents, episode.rewards, strict=True)):
        found.append(
            _judged(
                reward,
                position=position,
                agent=agent,
                model=models[position],
                agent_class=_known(episode.agent_classes, position),
                partners=(*models[:position], *models[position + 1 :]),
            )
        )
    return found


def judge_of(episode: EpisodeLog) -> str | None:
    """The model that judged `episode`, ``models[0]``; None if the episode does not say."""
    return _known(episode.models, 0)


def _judged(reward: Reward, **player: Any) -> AgentReward | Missing:
    """What `reward` says of its agent, of which `player` are the fields of `Player`."""
    overall, given = split_reward(reward)
    scores = {name: score for name, score in (given or {}).items() if name != OVERALL_SCORE}
    if given is None:
        reason = MissingReason.BARE_NUMBER
    elif not scores:
        reason = MissingReason.NO_DIMENSIONS
    elif not all(map(math.isfinite, (overall, *scores.values()))):
        reason = MissingReason.NOT_FINITE
    else:
        return AgentReward(**player, overall=overall, scores=scores)
    return Missing(**player, reason=reason, number=None if math.isnan(overall) else overall)


def _known(names: Sequence[str] | None, index: int) -> str | None:
    """The name at `index`; None where there is none, or an empty one, as in old records."""
    return (names[index] or None) if names and index < len(names) else None


def _agent(position: int) -> str:
    return f"agent {position + 1}"
