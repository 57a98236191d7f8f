"""How far the judge's scores agree with people's: correlations and errors by dimension."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from simstore.domain.episodes import AnnotationForEpisode, EpisodeLog, Reward, split_reward
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.evaluation import OVERALL_SCORE, ordered_dimensions
from simstore.domain.store import Store
from simstore.services.annotations import aggregated, check_counts, opinions_of, rewards_of
from simstore.services.exact import correlation, mean_squared_error
from simstore.services.lookup import OnMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionAgreement:
    """How two judges agree on one dimension, over `n` agents that both gave a finite score.

    `pearson` and `spearman` are correlation coefficients from -1 to 1, `mse` is the mean
    squared error in squared points of the dimension. One that is not defined is None, and
    `reason` says why; it is empty otherwise. `skipped` counts the agents without the score.
    """

    dimension: str
    n: int
    skipped: int
    pearson: float | None
    spearman: float | None
    mse: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How people's scores agree with the judge's, by dimension.

    `dimensions` are in `ordered_dimensions`, and the overall score is the last.
    `agents` counts the agents of all episodes, each once an episode; `bare` of them have no
    scores but a bare number from either judge, and are among the `skipped` of every dimension.
    """

    episodes: int
    agents: int
    bare: int
    dimensions: tuple[DimensionAgreement, ...]

    def __getitem__(self, dimension: str) -> DimensionAgreement:
        """The agreement on the dimension of this name; KeyError if no one was judged on it."""
        for row in self.dimensions:
            if row.dimension == dimension:
                return row
        raise KeyError(dimension)

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict for each dimension, with `DimensionAgreement`'s fields as keys: a table."""
        return [asdict(row) for row in self.dimensions]

    def as_dict(self) -> dict[str, Any]:
        """Everything, as JSON has it: no NaN, and null for what is not defined."""
        return asdict(self) | {"dimensions": self.to_rows()}


def agreement(pairs: Iterable[tuple[EpisodeLog, EpisodeLog]]) -> Agreement:
    """The agreement of `pairs` of one episode: as people judged it, and as the model did.

    Each agent of each episode counts once; on each dimension those that both judged. The
    overall score is the reward's own. ``map_human_annotations_to_episode_logs(annotations,
    True, True, store=store).values()`` makes such pairs; `annotation_agreement` does without
    them. Of the episodes, which are read once, the rewards alone are held.

    Raises:
        InvalidArgumentError: the two of a pair have different numbers of agents.
    """
    rewards: list[tuple[list[Reward], list[Reward]]] = []
    for human, model in pairs:
        if len(human.rewards) != len(model.rewards):
            raise InvalidArgumentError(
                f"episode {human.pk!r} has {len(human.rewards)} rewards from people and "
                f"episode {model.pk!r} {len(model.rewards)} from the model; a pair is one episode"
            )
        rewards.append((human.rewards, model.rewards))
    return _agreement(rewards)


def annotation_agreement(
    annotations: Iterable[AnnotationForEpisode],
    *,
    store: Store,
    aggregate: bool = True,
    missing: OnMissing = "raise",
) -> Agreement:
    """`agreement` of `annotations` with the rewards of their episodes, read from `store`.

    With `aggregate` an episode counts once, with the mean of its annotations; without it, once
    for each annotation. The annotations are read once and the episodes a few at a time; of
    both, the rewards alone are held.

    Raises:
        NotFoundError, InvalidArgumentError, RewardsUnavailableError: as
            `map_human_annotations_to_episode_logs`.
    """
    opinions = opinions_of(annotations, reasoning=False)
    rewards = rewards_of(store, (each.episode for each in opinions), missing=missing)
    known = [each for each in opinions if each.episode in rewards]
    check_counts(known, {pk: len(each) for pk, each in rewards.items()})
    counted = aggregated(known) if aggregate else known
    return _agreement([(each.rewards, rewards[each.episode]) for each in counted])


def _agreement(episodes: Sequence[tuple[list[Reward], list[Reward]]]) -> Agreement:
    """The agreement on `episodes`: the rewards that people gave, and the model's."""
    rewards = [pair for human, model in episodes for pair in zip(human, model, strict=True)]
    scores = [
        (human, model)
        for human, model in ((_scores(human), _scores(model)) for human, model in rewards)
        if human is not None and model is not None
    ]
    names = ordered_dimensions(name for both in scores for one in both for name in one)
    rows = []
    for name in [*names, OVERALL_SCORE]:
        both = [
            (human[name], model[name]) for human, model in scores if name in human and name in model
        ]
        rows.append(_on_dimension(name, both, agents=len(rewards)))
    return Agreement(
        episodes=len(episodes),
        agents=len(rewards),
        bare=len(rewards) - len(scores),
        dimensions=tuple(rows),
    )


def pearson(first: Sequence[float], second: Sequence[float]) -> float:
    """Pearson's correlation of two lists of finite numbers, from -1 to 1.

    The covariance over the product of the standard deviations. It is computed exactly and
    rounded at the end: it neither overflows nor depends on the order.

    Raises:
        InvalidArgumentError: the lists differ in length or have fewer than two members, one of
            them is constant, or a number is not finite.
    """
    if fault := _no_correlation(first, second):
        raise InvalidArgumentError(f"there is no correlation: {fault}")
    return correlation(first, second)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rank correlation: `pearson` of the ranks, equal numbers sharing their mean rank.

    Raises:
        InvalidArgumentError: as `pearson`.
    """
    if fault := _no_correlation(first, second):
        raise InvalidArgumentError(f"there is no correlation: {fault}")
    return correlation(_ranks(first), _ranks(second))


def _scores(reward: Reward) -> dict[str, float] | None:
    """Those by dimension and the overall score, as far as they are finite; None if it is bare."""
    overall, scores = split_reward(reward)
    if scores is None:
        return None
    return {
        name: score
        for name, score in (scores | {OVERALL_SCORE: overall}).items()
        if math.isfinite(score)
    }


def _on_dimension(
    name: str, both: Sequence[tuple[float, float]], *, agents: int
) -> DimensionAgreement:
    human = [score for score, _ in both]
    model = [score for _, score in both]
    fault = _no_correlation(human, model, "people's scores", "the model's scores")
    reasons = [fault] if fault else []
    error = None
    if both:
        try:
            error = float(mean_squared_error(human, model))
        except OverflowError:
            reasons.append("the squared error is beyond the range of floats")
    return DimensionAgreement(
        dimension=name,
        n=len(both),
        skipped=agents - len(both),
        pearson=None if fault else correlation(human, model),
        spearman=None if fault else correlation(_ranks(human), _ranks(model)),
        mse=error,
        reason="; ".join(reasons),
    )


def _no_correlation(
    first: Sequence[float],
    second: Sequence[float],
    first_name: str = "the first numbers",
    second_name: str = "the second numbers",
) -> str:
    """Why the two have no correlation; empty if they have one."""
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} numbers do not make pairs"
    if not all(map(math.isfinite, [*first, *second])):
        return "not all numbers are finite"
    if len(first) < 2:
        return f"n is {len(first)}, and a correlation needs 2"
    constant = [
        name
        for name, numbers in ((first_name, first), (second_name, second))
        if min(numbers) == max(numbers)
    ]
    return f"all of {' and of '.join(constant)} are equal" if constant else ""


def _ranks(numbers: Sequence[float]) -> list[float]:
    """The position of each number among them in order, from 1; equal ones share the mean."""
    in_order = sorted(range(len(numbers)), key=numbers.__getitem__)
    ranks = [0.0] * len(numbers)
    begin = 0
    for _, group in groupby(in_order, key=numbers.__getitem__):
        tied = list(group)
        for position in tied:
            ranks[position] = begin + (len(tied) + 1) / 2
        begin += len(tied)
    return ranks
