"""The benchmark: mean ± margin of each model's scores, from a stream of episodes.

The formula is Sotopia's. A model's N episodes fall into settings by the position at which it
plays. The mean of a dimension is over all N scores. Its variance V is the unweighted mean, over
the settings, of the sample variance in each, 0 in a setting with one score; the margin is
``t(0.975, N - 1) * sqrt(V / N)``.

The settings "position" ask how sure the mean is for environments like these. The settings
"environment", which Sotopia's own program has, take each environment apart: what is left in V is
how much repeated runs of one environment differ.

Where no setting has two scores V is 0, and the formula gives a margin of 0, as for scores that are
all the same: it says nothing about chance. So it is for a model that plays once at either position
and, with the settings "environment", in a benchmark that plays each environment once. The row
tells (`LeaderboardRow.says_nothing_of_chance`). The overall score decides, which every episode
with scores has; a dimension that others lack may be alone in more settings.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, get_args

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.domain.schema import near_name
from simstore.services.exact import Moments, square_root
from simstore.services.leaderboards.board import (
    NO_SCORES,
    Cell,
    Leaderboard,
    LeaderboardRow,
    Settings,
    published_order,
)
from simstore.services.leaderboards.student import check_confidence, load_mpmath, student_t
from simstore.services.reward_table import partner_label
from simstore.services.rewards import (
    AgentReward,
    Missing,
    MissingReason,
    Player,
    extract_rewards,
    judge_of,
)

Keys = tuple[str | None, ...]

KEYS: Mapping[str, Callable[[EpisodeLog, Player], str | None]] = {
    "model": lambda _, player: player.model,
    "judge": lambda episode, _: judge_of(episode),
    "partner": lambda _, player: partner_label(player.partners),
    "tag": lambda episode, _: episode.tag or None,
    "agent_class": lambda _, player: player.agent_class,
}
"""What rows can be grouped by, and episodes filtered by."""


def leaderboard(  # noqa: PLR0913 — a keyword for each filter reads best where it is called
    episodes: Iterable[EpisodeLog],
    *,
    models: Iterable[str] | None = None,
    judge: str | None = None,
    partner: str | None = None,
    tag: str | None = None,
    agent_class: str | None = None,
    by: Iterable[str] = ("model",),
    settings: Settings = "position",
    confidence: float = 0.95,
) -> Leaderboard:
    """The scores of each model over `episodes`, which are read once, one at a time.

    An episode counts once for each model in it: with the scores of the first agent that the
    model plays, so in self-play with agent 1's. With `agent_class`, or where rows are grouped by
    it, that is the first agent of the class. An agent that has no scores counts as missing.

    Args:
        episodes: any iterable, such as ``store.episodes.iterate()``. What is kept of them grows
            with the rows, settings and dimensions, never with their number.
        models: the models to rank, each with a row even if it has no episodes; None for all
            that occur.
        judge: only what this model judged.
        partner: only play with this model. `partner_label` says what that is where more than
            two agents play.
        tag: only episodes with this tag. An empty text means: without one. So with the others.
        agent_class: only agents of this class.
        by: what makes a row: "model" and any of "judge", "partner", "tag", "agent_class".
        settings: what makes a setting: "position", or "environment" for each environment and
            position, as Sotopia's program has it.
        confidence: that the margins are for, between 0 and 1.

    Raises:
        InvalidArgumentError: an unknown key or setting, or a confidence out of range.
        MissingDependencyError: mpmath is not installed; nothing was read.
    """
    given = {"judge": judge, "partner": partner, "tag": tag, "agent_class": agent_class}
    filters = {name: value for name, value in given.items() if value is not None}
    names = _checked_keys(by)
    if isinstance(models, str):
        raise InvalidArgumentError(f"give the models as a list, such as [{models!r}]")
    wanted = None if models is None else tuple(dict.fromkeys(models))
    if settings not in get_args(Settings):
        raise InvalidArgumentError(
            f"settings must be one of {', '.join(get_args(Settings))}, not {settings!r}"
        )
    check_confidence(confidence)
    load_mpmath()
    sheet = _Sheet(names, wanted, filters, per_environment=settings == "environment")
    for episode in episodes:
        sheet.enter(episode)
    dimensions = published_order(
        name
        for tally in sheet.tallies.values()
        for scores in tally.settings.values()
        for name in scores
    )
    rows = [tally.row(names, keys, dimensions, confidence) for keys, tally in sheet.tallies.items()]
    for model in wanted or ():
        if not any(row.model == model for row in rows):
            keys = tuple(model if name == "model" else filters.get(name) for name in names)
            rows.append(_Tally().row(names, keys, dimensions, confidence))
    return Leaderboard(
        by=names,
        dimensions=dimensions,
        rows=tuple(sorted(rows, key=_rank)),
        filters=filters,
        settings=settings,
        confidence=confidence,
        unattributed=sheet.unattributed,
    )


class _Tally:
    """What is kept of the episodes of one row."""

    def __init__(self) -> None:
        self.episodes = 0
        self.missing: Counter[MissingReason] = Counter()
        self.settings: dict[Any, dict[str, Moments]] = {}

    def enter(self, setting: Any, reward: AgentReward | Missing) -> None:
        if isinstance(reward, Missing):
            self.missing[reward.reason] += 1
            return
        self.episodes += 1
        moments = self.settings.setdefault(setting, {})
        for name, score in (*reward.scores.items(), (OVERALL_SCORE, reward.overall)):
            if name not in moments:
                moments[name] = Moments()
            moments[name].add(score)

    def row(
        self, names: tuple[str, ...], keys: Keys, dimensions: tuple[str, ...], confidence: float
    ) -> LeaderboardRow:
        return LeaderboardRow(
            keys=dict(zip(names, keys, strict=True)),
            episodes=self.episodes,
            settings=len(self.settings),
            unrepeated=sum(scores[OVERALL_SCORE].count == 1 for scores in self.settings.values()),
            missing={reason: self.missing[reason] for reason in sorted(self.missing)},
            cells={
                name: _cell(
                    [scores[name] for scores in self.settings.values() if name in scores],
                    confidence,
                )
                for name in dimensions
            },
        )


class _Sheet:
    """The tallies of all rows, by their keys."""

    def __init__(
        self,
        names: tuple[str, ...],
        models: tuple[str, ...] | None,
        filters: Mapping[str, str],
        *,
        per_environment: bool,
    ) -> None:
        self.tallies: dict[Keys, _Tally] = {}
        self.unattributed = 0
        self._models = None if models is None else frozenset(models)
        self._keys = [KEYS[name] for name in names]
        self._filters = [(KEYS[name], value or None) for name, value in filters.items()]
        self._per_environment = per_environment

    def enter(self, episode: EpisodeLog) -> None:
        rewards = extract_rewards(episode)
        if all(reward.model is None for reward in rewards):
            self.unattributed += 1
            return
        seen: set[Keys] = set()
        for reward in rewards:
            if reward.model is None or (
                self._models is not None and reward.model not in self._models
            ):
                continue
            if any(key(episode, reward) != value for key, value in self._filters):
                continue
            keys = tuple(key(episode, reward) for key in self._keys)
            # A model plays with the same others wherever in the episode it plays, so its keys
            # differ only by class: `seen` lets in its first agent, or its first of each class.
            if keys in seen:
                continue
            seen.add(keys)
            position = reward.position
            setting = (episode.environment, position) if self._per_environment else position
            self.tallies.setdefault(keys, _Tally()).enter(setting, reward)


def _cell(settings: list[Moments], confidence: float) -> Cell:
    """The mean and margin of scores that are in `settings`, each with at least one."""
    n = sum(moments.count for moments in settings)
    if not n:
        return NO_SCORES
    mean = float(sum((moments.total for moments in settings), Fraction(0)) / n)
    if n == 1:
        return Cell(mean, None, n)
    variances = sum((moments.sample_variance for moments in settings), Fraction(0))
    try:
        error = square_root(variances / len(settings) / n)
    except OverflowError:
        return Cell(mean, None, n)
    margin = student_t(confidence, n - 1) * error
    return Cell(mean, margin if margin < float("inf") else None, n)


def _rank(row: LeaderboardRow) -> tuple[bool, float, list[tuple[bool, str]]]:
    mean = row.overall.mean
    # Names by which rows differ; None after every name.
    named = [(value is None, value or "") for value in row.keys.values()]
    return mean is None, -(mean or 0.0), named


def _checked_keys(by: Iterable[str]) -> tuple[str, ...]:
    if isinstance(by, str):
        raise InvalidArgumentError(f"give the keys of a row as a list, such as ['model', {by!r}]")
    names = tuple(by)
    for name in names:
        if name not in KEYS:
            hint = near_name(name, KEYS) or f"; there are {', '.join(KEYS)}"
            raise InvalidArgumentError(f"rows cannot be grouped by {name!r}{hint}")
    if "model" not in names:
        raise InvalidArgumentError("rows are of one model each: 'model' must be among their keys")
    if len(set(names)) < len(names):
        raise InvalidArgumentError(f"a key is given twice: {', '.join(names)}")
    return names
