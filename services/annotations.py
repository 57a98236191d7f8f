"""What people think of episodes, as episodes with their rewards in place of the judge's."""

# ruff: noqa: FBT001, FBT002 — two bools that may be given by position, as in Sotopia

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, overload

from simstore.domain.episodes import AnnotationForEpisode, EpisodeLog, Reward, split_reward
from simstore.domain.errors import (
    InvalidArgumentError,
    NotFoundError,
    RewardsUnavailableError,
)
from simstore.domain.repository import DEFAULT_BATCH_SIZE
from simstore.domain.store import Store
from simstore.services.exact import exact_mean
from simstore.services.lookup import OnMissing, by_pk

Judgement = tuple[float, dict[str, float]]
"""A reward that is no bare number: the overall score, and that of each dimension."""

_ABOUT_MISSING = "annotations name them: store the episodes first, or skip what is missing"


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
    Means are exact until they are rounded at the end: the order of the annotations does not
    change them. The reasonings are joined by newlines. With `return_model_episodes` each value
    is a pair, (as people judged it, as stored); annotations of one episode share the second.

    An annotation with a bare number among its rewards is left out of the aggregate. An episode
    with no other annotations is left out as well: to show the judge's rewards as if people had
    given them would be wrong. What is left out is ``{each.episode for each in annotations} -
    result.keys()``. Of annotations that share a pk, the last counts. Neither `annotations` nor
    anything stored is changed.

    All the episodes that it returns are held in memory, and every copy has its own messages.
    `annotation_agreement` needs no more of them than their rewards.

    Raises:
        NotFoundError: names every episode that is not stored; with ``missing="skip"`` their
            annotations are left out.
        InvalidArgumentError: annotations have more or fewer rewards than their episode has
            agents; the message names them all.
        RewardsUnavailableError: scores of plus and minus infinity have no mean.
    """
    opinions = opinions_of(annotations)
    episodes = _episodes(store, (each.episode for each in opinions), missing=missing)
    known = [each for each in opinions if each.episode in episodes]
    check_counts(known, {pk: len(each.agents) for pk, each in episodes.items()})
    judged = {
        each.key: _human(episodes[each.episode], each)
        for each in (aggregated(known) if aggregate else known)
    }
    if return_model_episodes:
        return {key: (human, episodes[human.pk]) for key, human in judged.items()}
    return judged


class Opinion(NamedTuple):
    """What people think of an episode: one of them, or the mean of several.

    `key` is the pk of the annotation, or of the episode.
    """

    key: str
    episode: str
    rewards: list[Reward]
    reasoning: str


def opinions_of(
    annotations: Iterable[AnnotationForEpisode], *, reasoning: bool = True
) -> list[Opinion]:
    """What `annotations` say, the last one where some share a pk; the reasons if asked for."""
    opinions = {
        each.pk: Opinion(each.pk, each.episode, each.rewards, each.reasoning if reasoning else "")
        for each in annotations
    }
    return list(opinions.values())


def rewards_of(store: Store, pks: Iterable[str], *, missing: OnMissing) -> dict[str, list[Reward]]:
    """The rewards of the episodes `pks`, of which `DEFAULT_BATCH_SIZE` are held at a time.

    Raises:
        NotFoundError: names every episode that is not stored, unless they are skipped.
        InvalidArgumentError: `missing` is neither ``"raise"`` nor ``"skip"``.
    """
    asked = list(dict.fromkeys(pks))
    rewards: dict[str, list[Reward]] = {}
    absent: list[str] = []
    for start in range(0, len(asked) or 1, DEFAULT_BATCH_SIZE):  # `missing` is checked in any case
        try:
            chunk = asked[start : start + DEFAULT_BATCH_SIZE]
            found = by_pk(store.episodes, chunk, missing=missing)
        except NotFoundError as error:
            absent += error.pks
        else:
            rewards |= {pk: episode.rewards for pk, episode in found.items()}
    if absent:
        raise NotFoundError(store.episodes.collection, absent, hint=_ABOUT_MISSING)
    return rewards


def check_counts(opinions: Iterable[Opinion], agents: Mapping[str, int]) -> None:
    """Hold `opinions` against how many agents each episode has.

    Raises:
        InvalidArgumentError: names all that have more or fewer rewards.
    """
    faults = [
        f"annotation {each.key!r} has {len(each.rewards)} rewards for the "
        f"{agents[each.episode]} agents of episode {each.episode!r}"
        for each in opinions
        if len(each.rewards) != agents[each.episode]
    ]
    if faults:
        raise InvalidArgumentError("; ".join(faults))


def aggregated(opinions: Iterable[Opinion]) -> Iterator[Opinion]:
    """The mean of the opinions of each episode, those with a bare number left out.

    Raises:
        RewardsUnavailableError: scores of plus and minus infinity have no mean.
    """
    groups: dict[str, list[tuple[list[Judgement], str]]] = {}
    for opinion in opinions:
        parts = map(split_reward, opinion.rewards)
        judgements = [(overall, scores) for overall, scores in parts if scores is not None]
        if len(judgements) == len(opinion.rewards):
            group = groups.setdefault(opinion.episode, [])
            group.append((judgements, opinion.reasoning))
    for pk, group in groups.items():
        by_agent = zip(*(judgements for judgements, _ in group), strict=True)
        rewards: list[Reward] = [_mean_judgement(pk, each) for each in by_agent]
        yield Opinion(pk, pk, rewards, "\n".join(reasoning for _, reasoning in group))


def _episodes(store: Store, pks: Iterable[str], *, missing: OnMissing) -> dict[str, EpisodeLog]:
    try:
        return by_pk(store.episodes, pks, missing=missing)
    except NotFoundError as error:
        raise NotFoundError(error.collection, error.pks, hint=_ABOUT_MISSING) from error


def _human(episode: EpisodeLog, opinion: Opinion) -> EpisodeLog:
    """A copy of `episode` with what people think of it, that shares nothing with either."""
    changed = {"rewards": opinion.rewards, "reasoning": opinion.reasoning}
    return episode.model_copy(update=changed).model_copy(deep=True)


def _mean_judgement(pk: str, judgements: Sequence[Judgement]) -> Judgement:
    by_dimension: dict[str, list[float]] = {}
    for _, scores in judgements:
        for name, score in scores.items():
            by_dimension.setdefault(name, []).append(score)
    overall = _mean(pk, "the overall score", [overall for overall, _ in judgements])
    return overall, {name: _mean(pk, repr(name), each) for name, each in by_dimension.items()}


def _mean(pk: str, what: str, scores: Sequence[float]) -> float:
    infinite = {score for score in scores if math.isinf(score)}
    if len(infinite) > 1:
        raise RewardsUnavailableError(pk, f"has no mean of {what}: it is judged inf and -inf")
    return infinite.pop() if infinite else float(exact_mean(scores))
