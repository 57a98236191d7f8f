"""Leaderboards of any episodes, held to the formula as it is written."""

import math
import random
from statistics import fmean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.domain.episodes import EpisodeLog
from simstore.services.leaderboards import leaderboard, student_t
from simstore.testing.records import episode_logs

pytest.importorskip("mpmath")

SCORES = st.floats(min_value=-10, max_value=10)
MODELS = st.sampled_from(["oak", "elm", "ash"])


@st.composite
def games(draw: st.DrawFn) -> EpisodeLog:
    count = draw(st.integers(1, 3))
    reward = st.one_of(
        st.just(0.0),
        st.tuples(SCORES, st.dictionaries(st.sampled_from(["goal", "secret", "wit"]), SCORES)),
    )
    return EpisodeLog(
        environment=draw(st.sampled_from(["a", "b"])),
        agents=[f"agent-{number}" for number in range(count)],
        models=["judge", *(draw(MODELS) for _ in range(count))],
        messages=[],
        rewards=[draw(reward) for _ in range(count)],
    )


def naive(episodes: list[EpisodeLog], model: str, name: str) -> tuple[int, float, float]:
    """N, mean and margin by the formula as it is written, from lists in memory."""
    settings: dict[int, list[float]] = {}
    for made in episodes:
        players = (made.models or [])[1:]
        if model in players:
            position = players.index(model)
            reward = made.rewards[position]
            if not isinstance(reward, float) and name in reward[1]:
                settings.setdefault(position, []).append(reward[1][name])
    found = [score for each in settings.values() for score in each]
    n = len(found)
    if n < 2:
        return n, fmean(found) if found else math.nan, math.nan
    v = fmean(variance(each) if len(each) > 1 else 0.0 for each in settings.values())
    return n, fmean(found), student_t(0.95, n - 1) * math.sqrt(v / n)


@given(st.lists(games(), max_size=12))
def test_every_cell_is_the_oracle_s(episodes: list[EpisodeLog]) -> None:
    board = leaderboard(episodes)
    for row in board.rows:
        playing = [made for made in episodes if row.model in (made.models or [])[1:]]
        assert row.episodes + sum(row.missing.values()) == len(playing)
        assert row.overall.n == row.episodes
        for name in set(board.dimensions) - {"overall_score"}:
            n, mean, margin = naive(episodes, row.model, name)
            cell = row.cells[name]
            assert cell.n == n <= row.episodes
            assert (cell.mean is None) == (n == 0)
            assert (cell.margin is None) == (n < 2)
            if cell.mean is not None:
                assert cell.mean == pytest.approx(mean, rel=1e-12, abs=1e-12)
            if cell.margin is not None:
                assert cell.margin == pytest.approx(margin, rel=1e-9, abs=1e-12)


@given(st.lists(games(), max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_episodes_does_not_matter(
    episodes: list[EpisodeLog], shuffler: random.Random
) -> None:
    shuffled = shuffler.sample(episodes, len(episodes))
    for settings in ("position", "environment"):
        assert leaderboard(episodes, settings=settings) == leaderboard(shuffled, settings=settings)


@given(st.lists(episode_logs(), max_size=5))
def test_any_episodes_make_a_leaderboard_of_finite_numbers(episodes: list[EpisodeLog]) -> None:
    for row in leaderboard(episodes, by=["model", "judge", "partner", "tag", "agent_class"]).rows:
        for cell in row.cells.values():
            assert all(value is None or math.isfinite(value) for value in (cell.mean, cell.margin))
