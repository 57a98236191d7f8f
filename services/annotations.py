"""What people think of episodes, as episodes with their rewards in place of the judge's."""

# ruff: noqa: FBT001, FBT002 — two bools that may be given by position, as in Sotopia

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, overload

from simstore.domain.episodes import AnnotationForEpisode, EpisodeLog, Reward
from simstore.domain.errors import InvalidArgumentError, RewardsUnavailableError
from simstore.domain.store import Store
from simstore.services.lookup import OnMissing, by_pk

Judgement = tuple[float, dict[str, float]]
"""A reward that is no bare number: the overall score, and that of each dimension."""


@overload
def map_human_annotations_to_episode_logs(
    annotations: Iterable[AnnotationForEpisode],
    return_model_episodes: Literal[False] = False,
    aggregate: bool = False,
    *,
    store: Store,
    missing: OnMissing = "raise",
) -> dict[str, EpisodeLog]: ...


@overload
def map_human_annotations_to_episode_logs(
    annotations: Iterable[AnnotationForEpisode],
    return_model_episodes: Literal[True],
    aggregate: bool = False,
    *,
    store: Store,
    missing: OnMissing = "raise",
) -> dict[str, tuple[EpisodeLog, EpisodeLog]]: ...


@overload
def map_human_annotations_to_episode_logs(
    annotations: Iterable[AnnotationForEpisode],
    return_model_episodes: bool,
    aggregate: bool = False,
    *,
    store: Store,
    missing: OnMissing = "raise",
) -> dict[str, EpisodeLog] | dict[str, tuple[EpisodeLog, EpisodeLog]]: ...


def map_human_annotations_to_episode_logs(
    annotations: Iterable[AnnotationForEpisode],
    return_model_episodes: bool = False,
    aggregate: bool = False,
    *,
    store: Store,
    missing: OnMissing = "raise",
) -> dict[str, EpisodeLog] | dict[str, tuple[EpisodeLog, EpisodeLog]]:
    """The episodes of `annotations`, read from `store`, as people judged them.

    By default the keys are the pks of the annotations, and each value is a copy of the
    annotated episode with the annotation's rewards and reasoning. With `aggregate` the keys are
    the pks of the episodes, and each copy's rewards are the mean over its annotations: for each
    agent the mean of the overall scores, and for each dimension the mean of those who gave it.
    The reasonings are joined by newlines. With `return_model_episodes` each value is a pair,
    (as people judged it, as stored); annotations of one episode share the second.

    An annotation with a bare number among its rewards is left out of the aggregate. An episode
    with no other annotations is left out as well: to show the judge's rewards as if people had
    given them would be wrong. What is left out is ``{each.episode for each in annotations} -
    result.keys()``. Of annotations that share a pk, the last counts. Neither `annotations` nor
    anything stored is changed.

    Raises:
        NotFoundError: names every episode that is not stored; with ``missing="skip"`` their
            annotations are left out.
        InvalidArgumentError: annotations have more or fewer rewards than their episode has
            agents; the message names them all.
        RewardsUnavailableError: scores of plus and minus infinity have no mean.
    """
    unique = list({annotation.pk: annotation for annotation in annotations}.values())
    episodes = by_pk(store.episodes, (each.episode for each in unique), missing=missing)
    known = [annotation for annotation in unique if annotation.episode in episodes]
    _check_counts(known, episodes)
    judged = _aggregated(known, episodes) if aggregate else _copied(known, episodes)
    if return_model_episodes:
        return {key: (human, episodes[human.pk]) for key, human in judged}
    return dict(judged)


def _check_counts(
    annotations: Sequence[AnnotationForEpisode], episodes: Mapping[str, EpisodeLog]
) -> None:
    faults = [
        f"annotation {each.pk!r} has {len(each.rewards)} rewards for the "
        f"{len(episodes[each.episode].agents)} agents of episode {each.episode!r}"
        for each in annotations
        if len(each.rewards) != len(episodes[each.episode].agents)
    ]
    if faults:
        raise InvalidArgumentError("; ".join(faults))


def _copied(
    annotations: Sequence[AnnotationForEpisode], episodes: Mapping[str, EpisodeLog]
) -> Iterator[tuple[str, EpisodeLog]]:
    for annotation in annotations:
        yield (
            annotation.pk,
            _human(episodes[annotation.episode], annotation.rewards, annotation.reasoning),
        )


def _aggregated(
    annotations: Sequence[AnnotationForEpisode], episodes: Mapping[str, EpisodeLog]
) -> Iterator[tuple[str, EpisodeLog]]:
    groups: dict[str, list[tuple[list[Judgement], str]]] = {}
    for annotation in annotations:
        judgements = [each for each in annotation.rewards if isinstance(each, tuple)]
        if len(judgements) == len(annotation.rewards):
            group = groups.setdefault(annotation.episode, [])
            group.append((judgements, annotation.reasoning))
    for pk, group in groups.items():
        by_agent = zip(*(judgements for judgements, _ in group), strict=True)
        rewards: list[Reward] = [_mean_judgement(pk, each) for each in by_agent]
        yield pk, _human(episodes[pk], rewards, "\n".join(reasoning for _, reasoning in group))


def _human(episode: EpisodeLog, rewards: list[Reward], reasoning: str) -> EpisodeLog:
    """A copy of `episode` with other rewards, that shares nothing with either."""
    return episode.model_copy(update={"rewards": rewards, "reasoning": reasoning}).model_copy(
        deep=True
    )


def _mean_judgement(pk: str, judgements: Sequence[Judgement]) -> Judgement:
    by_dimension: dict[str, list[float]] = {}
    for _, scores in judgements:
        for name, score in scores.items():
            by_dimension.setdefault(name, []).append(score)
    overall = _mean(pk, "the overall score", [overall for overall, _ in judgements])
    return overall, {name: _mean(pk, repr(name), each) for name, each in by_dimension.items()}


def _mean(pk: str, what: str, scores: Sequence[float]) -> float:
    mean = sum(scores) / len(scores)
    if not math.isfinite(mean):
        # The sum of finite scores may be too large where their mean is not.
        mean = sum(score / len(scores) for score in scores)
    if math.isnan(mean):
        raise RewardsUnavailableError(pk, f"has no mean of {what}: it is judged inf and -inf")
    return mean
