"""What an episode's rewards say of each agent, and what they do not."""

import math
from typing import Any

import pytest
from hypothesis import given

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import RewardsUnavailableError
from simstore.services.rewards import (
    AgentReward,
    Missing,
    MissingReason,
    extract_rewards,
    get_rewards_from_episode,
    judge_of,
)
from simstore.testing.records import episode_logs

ADA = (3.0, {"goal": 4.0, "secret": 2.0, "overall_score": 3.0})
BOB = (1.0, {"goal": 1.0})


def episode(*rewards: Any, **fields: Any) -> EpisodeLog:
    agents = [f"agent-{number}" for number in range(len(rewards))]
    defaults: dict[str, Any] = {"pk": "e", "environment": "room", "messages": []}
    return EpisodeLog(**defaults | {"agents": agents, "rewards": list(rewards)} | fields)


# ----------------------------------------------------------------------------- Sotopia's


def test_two_agents_rewards_are_the_record_s() -> None:
    made = episode(ADA, BOB)
    rewards = get_rewards_from_episode(made)
    assert rewards == [ADA, BOB] == made.rewards
    rewards[0][1]["goal"] = 100.0
    assert made.rewards[0] == ADA


def test_empty_scores_are_the_record_s_too() -> None:
    assert get_rewards_from_episode(episode(ADA, (1.0, {}))) == [ADA, (1.0, {})]


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ((), "has rewards for 0 agents, not for 2"),
        ((ADA,), "has rewards for 1 agents, not for 2"),
        ((ADA,) * 6, "has rewards for 6 agents, not for 2"),
        ((0.0, BOB), "lacks scores: agent 1 has the bare number 0.0"),
        ((ADA, 1.5), "lacks scores: agent 2 has the bare number 1.5"),
        (
            (0.0, -1.0),
            "lacks scores: agent 1 has the bare number 0.0, agent 2 has the bare number -1.0",
        ),
    ],
    ids=["none", "one", "six", "first bare", "second bare", "both bare"],
)
def test_other_episodes_are_refused_with_the_reason(rewards: Any, message: str) -> None:
    with pytest.raises(RewardsUnavailableError) as raised:
        get_rewards_from_episode(episode(*rewards))
    assert raised.value.pk == "e"
    assert raised.value.reason == message
    assert str(raised.value) == f"episode 'e' {message}"


# ---------------------------------------------------------------------- any number of agents


def test_each_agent_has_its_scores_model_class_and_partners() -> None:
    made = episode(
        ADA, BOB, models=["judge", "oak", "elm"], agent_classes=["Careful", ""], tag="pilot"
    )
    assert extract_rewards(made) == [
        AgentReward(
            position=0,
            agent="agent-0",
            model="oak",
            agent_class="Careful",
            partners=("elm",),
            overall=3.0,
            scores={"goal": 4.0, "secret": 2.0},
        ),
        AgentReward(
            position=1,
            agent="agent-1",
            model="elm",
            agent_class=None,
            partners=("oak",),
            overall=1.0,
            scores={"goal": 1.0},
        ),
    ]
    assert judge_of(made) == "judge"


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (None, [None, None]),
        ([], [None, None]),
        (["judge"], [None, None]),
        (["judge", "oak"], ["oak", None]),
        (["judge", "", "elm"], [None, "elm"]),
        (["judge", "oak", "elm", "more"], ["oak", "elm"]),
    ],
    ids=["null", "empty", "judge alone", "too few", "blank", "too many"],
)
def test_models_that_are_not_there_are_none(models: Any, expected: list[str | None]) -> None:
    made = episode(ADA, BOB, models=models, agent_classes=None)
    found = extract_rewards(made)
    assert [each.model for each in found] == expected
    assert [each.partners for each in found] == [(expected[1],), (expected[0],)]
    assert [each.agent_class for each in found] == [None, None]


@pytest.mark.parametrize("models", [None, [], [""]], ids=["null", "empty", "blank"])
def test_a_judge_that_is_not_there_is_none(models: Any) -> None:
    assert judge_of(episode(ADA, models=models)) is None


def test_a_game_of_six_keeps_its_bare_numbers() -> None:
    found = extract_rewards(episode(1.0, -1.0, 0.0, 0.0, 1.0, ADA))
    assert [(each.reason, each.number) for each in found if isinstance(each, Missing)] == [
        (MissingReason.BARE_NUMBER, number) for number in (1.0, -1.0, 0.0, 0.0, 1.0)
    ]
    assert isinstance(found[5], AgentReward)


@pytest.mark.parametrize(
    ("reward", "reason", "number"),
    [
        (0.0, MissingReason.BARE_NUMBER, 0.0),
        (math.inf, MissingReason.BARE_NUMBER, math.inf),
        ((2.0, {}), MissingReason.NO_DIMENSIONS, 2.0),
        ((2.0, {"overall_score": 2.0}), MissingReason.NO_DIMENSIONS, 2.0),
        ((2.0, {"goal": 1.0, "secret": -math.inf}), MissingReason.NOT_FINITE, 2.0),
        ((math.inf, {"goal": 1.0}), MissingReason.NOT_FINITE, math.inf),
    ],
    ids=["bare", "bare inf", "no scores", "overall alone", "infinite score", "infinite overall"],
)
def test_what_makes_no_scores_is_missing_with_its_reason(
    reward: Any, reason: MissingReason, number: float
) -> None:
    scored, missing = extract_rewards(episode(ADA, reward))
    assert isinstance(scored, AgentReward)
    assert isinstance(missing, Missing)
    assert (missing.position, missing.reason, missing.number) == (1, reason, number)
    assert str(missing) == f"agent 2 has no scores: {reason.value}, {number}"


def test_nan_that_got_into_a_record_does_not_get_out() -> None:
    made = episode(ADA, BOB)
    made.rewards[0] = math.nan
    made.rewards[1] = (1.0, {"goal": math.nan})
    bare, scores = extract_rewards(made)
    assert isinstance(bare, Missing)
    assert bare.number is None
    assert isinstance(scores, Missing)
    assert scores.reason is MissingReason.NOT_FINITE


def test_changing_the_scores_changes_no_record() -> None:
    made = episode(ADA)
    (found,) = extract_rewards(made)
    assert isinstance(found, AgentReward)
    assert isinstance(found.scores, dict)
    found.scores["goal"] = 100.0
    assert made.rewards[0] == ADA


@given(episode_logs())
def test_every_agent_has_one_entry_and_every_score_is_finite(made: EpisodeLog) -> None:
    found = extract_rewards(made)
    assert [each.position for each in found] == list(range(len(made.agents)))
    assert [each.agent for each in found] == made.agents
    for each in found:
        if isinstance(each, AgentReward):
            assert each.scores
            assert all(map(math.isfinite, [each.overall, *each.scores.values()]))
