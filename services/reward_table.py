"""Rewards as a table: one row for each agent of each episode, or a pandas or polars frame."""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any

from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import MissingDependencyError
from simstore.domain.evaluation import OVERALL_SCORE, SOTOPIA_DIMENSIONS
from simstore.services.rewards import AgentReward, Missing, extract_rewards, judge_of

RewardRow = dict[str, str | int | float | None]
"""A row of the table, by column."""

TEXT, WHOLE, DECIMAL = "text", "whole number", "decimal number"

COLUMNS = {
    "episode": TEXT,
    "environment": TEXT,
    "tag": TEXT,
    "judge": TEXT,
    "agent": TEXT,
    "position": WHOLE,
    "model": TEXT,
    "partner": TEXT,
    "agent_class": TEXT,
    "missing": TEXT,
    "number": DECIMAL,
    OVERALL_SCORE: DECIMAL,
    **{dimension.name: DECIMAL for dimension in SOTOPIA_DIMENSIONS},
}
"""The columns that every table has, in order, and what they hold; dimensions of others follow."""

_TAKEN = COLUMNS.keys() - {dimension.name for dimension in SOTOPIA_DIMENSIONS}


def reward_rows(episodes: Iterable[EpisodeLog]) -> Iterator[RewardRow]:
    """A row for each agent of each of `episodes`, one episode held at a time.

    Columns are those of `COLUMNS`, then the agent's other dimensions in the record's order.
    ``episode`` and ``agent`` are primary keys, ``position`` counts from 0, ``judge``, ``model``
    and ``agent_class`` are None where the episode does not say, ``partner`` is as in
    `partner_label`. Where an agent has no scores, ``missing`` is the reason, ``number`` what
    its reward has instead (see `Missing`), and all scores are None; where it has, those two are
    None. A dimension that is called like one of the other columns gets " (score)" added.
    """
    for episode in episodes:
        judge = judge_of(episode)
        for reward in extract_rewards(episode):
            row: RewardRow = dict.fromkeys(COLUMNS)
            row["episode"] = episode.pk
            row["environment"] = episode.environment
            row["tag"] = episode.tag
            row["judge"] = judge
            row["agent"] = reward.agent
            row["position"] = reward.position
            row["model"] = reward.model
            row["partner"] = partner_label(reward.partners)
            row["agent_class"] = reward.agent_class
            _score(row, reward)
            yield row


def partner_label(partners: Iterable[str | None]) -> str | None:
    """The one text for the models that an agent played with: ``a``, or ``a + b`` for several.

    Each model is named once, in alphabetical order. None if there are none, or one of them is
    not known.
    """
    models = set(partners)
    known = [model for model in models if model is not None]
    return " + ".join(sorted(known)) if known and len(known) == len(models) else None


def pandas_reward_frame(episodes: Iterable[EpisodeLog]) -> Any:
    """The rows of `reward_rows` as a ``pandas.DataFrame``.

    Texts are of dtype ``string``, ``position`` is ``int64``, and numbers are ``Float64``, in
    which a missing value is ``pandas.NA``. Columns are those of `COLUMNS`, then the other
    dimensions in order of appearance; no episodes make an empty frame with the same columns.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    pandas = _frames("pandas")
    dtypes = {TEXT: "string", WHOLE: "int64", DECIMAL: "Float64"}
    return _frame(
        episodes,
        lambda columns: pandas.DataFrame(
            {
                name: pandas.Series(values, dtype=dtypes[COLUMNS.get(name, DECIMAL)])
                for name, values in columns.items()
            }
        ),
    )


def polars_reward_frame(episodes: Iterable[EpisodeLog]) -> Any:
    """The rows of `reward_rows` as a ``polars.DataFrame``.

    Texts are ``String``, ``position`` is ``Int64``, and numbers are ``Float64``; a missing value
    is null. Columns are as in `pandas_reward_frame`.

    Raises:
        MissingDependencyError: polars is not installed.
    """
    polars = _frames("polars")
    dtypes = {TEXT: polars.String, WHOLE: polars.Int64, DECIMAL: polars.Float64}
    return _frame(
        episodes,
        lambda columns: polars.DataFrame(
            columns,
            schema={name: dtypes[COLUMNS.get(name, DECIMAL)] for name in columns},
        ),
    )


def _frames(package: str) -> Any:
    # By name, and so untyped: type checkers of those who use neither package need not find it.
    try:
        return import_module(package)
    except ImportError as error:
        if package == "polars":
            raise MissingDependencyError("a polars frame of rewards", "polars") from error
        raise MissingDependencyError("a pandas frame of rewards", "pandas") from error


def _frame(episodes: Iterable[EpisodeLog], make: Callable[[dict[str, list[Any]]], Any]) -> Any:
    """What `make` makes of the table's columns."""
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for count, row in enumerate(reward_rows(episodes)):
        for name in row:
            if name not in columns:
                columns[name] = [None] * count
        for name, values in columns.items():
            values.append(row.get(name))
    return make(columns)


def _score(row: RewardRow, reward: AgentReward | Missing) -> None:
    """Enter what `reward` says of its agent into `row`."""
    if isinstance(reward, Missing):
        row["missing"] = str(reward.reason)
        row["number"] = reward.number
        return
    row[OVERALL_SCORE] = reward.overall
    for name, score in reward.scores.items():
        row[_column(name)] = score


def _column(dimension: str) -> str:
    """The column of `dimension`: its name, unless a column of another meaning has that."""
    # All that end so get one more, so that no two dimensions ever share a column.
    plain = dimension
    while plain.endswith(" (score)"):
        plain = plain.removesuffix(" (score)")
    return f"{dimension} (score)" if plain in _TAKEN else dimension
