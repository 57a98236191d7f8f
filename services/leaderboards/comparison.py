"""Two models compared where both played the same part, with bootstrap intervals.

Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13: the percentile interval.
"""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import EvaluationError, InvalidArgumentError
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.services.exact import Moments
from simstore.services.leaderboards.board import published_order
from simstore.services.leaderboards.student import check_confidence
from simstore.services.rewards import Missing, extract_rewards, judge_of

Part = tuple[str, tuple[str, ...], int, tuple[str | None, ...], str | None]
"""Environment, agents in order, position, the other agents' models in order, judge."""

Scores = Mapping[str, Moments]


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionComparison:
    """How two models differ on one dimension, over the `pairs` in which both have a score.

    `difference` is `mean_a` less `mean_b`, and `low` to `high` its interval. A win is a pair in
    which model a has the higher score, a loss one in which it has the lower. The means and the
    difference are None without a pair; so is the interval without two, as one pair says nothing
    about chance.
    """

    dimension: str
    pairs: int
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    low: float | None
    high: float | None
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models over the parts that both played.

    `pairs` counts those parts, `unpaired_a` and `unpaired_b` the parts that only the one played,
    `missing_a` and `missing_b` the times that it played without getting scores. `dimensions` are
    Sotopia's in the published order, others in alphabetical order, the overall score.
    """

    model_a: str
    model_b: str
    pairs: int
    unpaired_a: int
    unpaired_b: int
    missing_a: int
    missing_b: int
    dimensions: tuple[DimensionComparison, ...]
    confidence: float
    resamples: int
    seed: int


def compare_models(  # noqa: PLR0913 — three of them are the bootstrap's, and have defaults
    episodes: Iterable[EpisodeLog],
    model_a: str,
    model_b: str,
    *,
    resamples: int = 10_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Comparison:
    """Compare two models over the parts that both played in `episodes`, read once.

    A part is an environment, its agents in their order, the position of the one that the model
    plays, the models of the others in their order, and the judge. A model's scores in one part
    are averaged over the episodes, and make a pair with the other model's in the same part. An
    episode counts for every position at which the model plays. Agents without scores make none.

    The interval of a difference is the percentile bootstrap's: of the means of `resamples` draws
    of as many pairs as there are, with replacement, it has the middle `confidence`. A seed gives
    the same interval on every platform, whatever the order of the episodes. It is what takes
    time: pairs x dimensions x `resamples` numbers are added, so that 450 pairs, 8 dimensions and
    10,000 resamples take some two seconds. What is kept of the episodes grows with the parts.

    Raises:
        InvalidArgumentError: a model compared with itself, `resamples` below 1, `seed` below 0, or
            `confidence` not between 0 and 1.
        EvaluationError: scores whose differences are beyond the range of floats.
    """
    if model_a == model_b:
        raise InvalidArgumentError(f"{model_a!r} cannot be compared with itself")
    for name, value, least in (("resamples", resamples, 1), ("seed", seed, 0)):
        if type(value) is not int or value < least:
            raise InvalidArgumentError(
                f"{name} must be a whole number, {least} or more, not {value!r}"
            )
    check_confidence(confidence)
    played: dict[str, dict[Part, dict[str, Moments]]] = {model_a: {}, model_b: {}}
    missing = {model_a: 0, model_b: 0}
    for episode in episodes:
        for reward in extract_rewards(episode):
            if reward.model not in played:
                continue
            if isinstance(reward, Missing):
                missing[reward.model] += 1
                continue
            part = (
                episode.environment,
                tuple(episode.agents),
                reward.position,
                reward.partners,
                judge_of(episode),
            )
            moments = played[reward.model].setdefault(part, {})
            for name, score in (*reward.scores.items(), (OVERALL_SCORE, reward.overall)):
                moments.setdefault(name, Moments()).add(score)
    side_a, side_b = played[model_a], played[model_b]
    # Sorted, so that the order of the episodes does not decide which pairs a draw picks.
    both = sorted(side_a.keys() & side_b.keys(), key=repr)
    pairs = [(side_a[part], side_b[part]) for part in both]
    names = published_order(name for a, b in pairs for name in a.keys() & b.keys())
    try:
        dimensions = _compare(names, pairs, resamples=resamples, seed=seed, confidence=confidence)
    except OverflowError as error:
        raise EvaluationError(
            f"the scores of {model_a!r} and {model_b!r} differ by more than a float can hold"
        ) from error
    return Comparison(
        model_a=model_a,
        model_b=model_b,
        pairs=len(both),
        unpaired_a=len(side_a) - len(both),
        unpaired_b=len(side_b) - len(both),
        missing_a=missing[model_a],
        missing_b=missing[model_b],
        dimensions=dimensions,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )


def _compare(
    names: tuple[str, ...],
    pairs: Sequence[tuple[Scores, Scores]],
    *,
    resamples: int,
    seed: int,
    confidence: float,
) -> tuple[DimensionComparison, ...]:
    """The comparison on each of the dimensions `names`."""
    means: dict[str, list[tuple[Fraction, Fraction]]] = {
        name: [(a[name].mean, b[name].mean) for a, b in pairs if name in a and name in b]
        for name in names
    }
    differences = {name: [float(a - b) for a, b in paired] for name, paired in means.items()}
    intervals = _intervals(differences, resamples=resamples, seed=seed, confidence=confidence)
    return tuple(
        _dimension(name, paired, *intervals.get(name, (None, None)))
        for name, paired in means.items()
    )


def _dimension(
    name: str, paired: list[tuple[Fraction, Fraction]], low: float | None, high: float | None
) -> DimensionComparison:
    count = len(paired)
    mean_a = sum((a for a, _ in paired), Fraction(0)) / count if count else None
    mean_b = sum((b for _, b in paired), Fraction(0)) / count if count else None
    return DimensionComparison(
        dimension=name,
        pairs=count,
        mean_a=None if mean_a is None else float(mean_a),
        mean_b=None if mean_b is None else float(mean_b),
        difference=None if mean_a is None or mean_b is None else float(mean_a - mean_b),
        low=low,
        high=high,
        wins=sum(a > b for a, b in paired),
        ties=sum(a == b for a, b in paired),
        losses=sum(a < b for a, b in paired),
    )


def _intervals(
    differences: Mapping[str, list[float]], *, resamples: int, seed: int, confidence: float
) -> dict[str, tuple[float, float]]:
    """The bootstrap interval of each dimension's mean difference, where there are two or more."""
    by_count: dict[int, list[str]] = {}
    for name, values in differences.items():
        if len(values) > 1:
            by_count.setdefault(len(values), []).append(name)
    found: dict[str, tuple[float, float]] = {}
    for count, names in by_count.items():
        # Draws depend on the seed and the number of pairs alone: no dimension changes the
        # interval of another, and those of one number, as a rule all, share the drawing.
        generator = random.Random(seed).random  # noqa: S311 — statistics, no secret
        means: list[list[float]] = [[] for _ in names]
        for _ in range(resamples):
            # Of random's methods, only random() is promised to stay the same for a seed.
            drawn = itemgetter(*[int(generator() * count) for _ in range(count)])
            for name, kept in zip(names, means, strict=True):
                # fsum, because sum() rounds otherwise from Python 3.12 on.
                kept.append(math.fsum(drawn(differences[name])) / count)
        for name, kept in zip(names, means, strict=True):
            kept.sort()
            tail = (1 - confidence) / 2
            found[name] = _quantile(kept, tail), _quantile(kept, 1 - tail)
    return found


def _quantile(ordered: list[float], share: float) -> float:
    """The quantile of numbers in order, with linear interpolation between neighbours."""
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    # No overflow: means of two or more numbers, whose sum is a float, are at most half of one.
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
