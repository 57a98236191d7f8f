"""Leaderboards and comparisons as tables of text, for people to read."""

from dataclasses import dataclass

from simstore.domain.evaluation import OVERALL_SCORE
from simstore.services.leaderboards.board import PUBLISHED, Cell, Leaderboard
from simstore.services.leaderboards.comparison import Comparison

KEY_TITLES = {
    "model": "Model",
    "judge": "Judge",
    "partner": "Partner",
    "tag": "Tag",
    "agent_class": "Agent class",
}
"""What the columns of a leaderboard's keys are called."""

NOTHING = "-"
"""What a cell without a value says."""


@dataclass(frozen=True, slots=True)
class Table:
    """A header and rows of plain text: no markup, nothing escaped.

    `keys` is how many columns, from the left, hold names; the others hold numbers.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    keys: int = 1


def title_of(dimension: str) -> str:
    """The column of a dimension: ``SOC [-10, 0]`` and so on, "Overall", or its own name."""
    return "Overall" if dimension == OVERALL_SCORE else PUBLISHED.get(dimension, dimension)


def leaderboard_table(board: Leaderboard, *, digits: int = 2) -> Table:
    """`board` as a table: keys, ``mean ± margin`` for each dimension, settings, episodes, missing.

    Dimensions are in the published order, with the published names, then the others and the
    overall score. Numbers have `digits` decimal places.
    """
    return Table(
        header=(
            *(KEY_TITLES[name] for name in board.by),
            *(title_of(name) for name in board.dimensions),
            "Settings",
            "Episodes",
            "Missing",
        ),
        rows=tuple(
            (
                *(row.keys[name] or NOTHING for name in board.by),
                *(_shown(row.cells[name], digits) for name in board.dimensions),
                str(row.settings),
                str(row.episodes),
                str(sum(row.missing.values())),
            )
            for row in board.rows
        ),
        keys=len(board.by),
    )


def comparison_table(comparison: Comparison, *, digits: int = 2) -> Table:
    """`comparison` as a table: a row for each dimension.

    Numbers have `digits` decimal places. A win is one of model a.
    """
    return Table(
        header=(
            "Dimension",
            comparison.model_a,
            comparison.model_b,
            "Difference",
            "Interval",
            "Wins",
            "Ties",
            "Losses",
            "Pairs",
        ),
        rows=tuple(
            (
                title_of(each.dimension),
                _number(each.mean_a, digits),
                _number(each.mean_b, digits),
                _number(each.difference, digits),
                NOTHING
                if each.low is None
                else f"{_number(each.low, digits)} to {_number(each.high, digits)}",
                str(each.wins),
                str(each.ties),
                str(each.losses),
                str(each.pairs),
            )
            for each in comparison.dimensions
        ),
    )


def _shown(cell: Cell, digits: int) -> str:
    mean = _number(cell.mean, digits)
    return mean if cell.margin is None else f"{mean} ± {_number(cell.margin, digits)}"


def _number(value: float | None, digits: int) -> str:
    # "z": a small negative number is 0.00, not -0.00.
    return NOTHING if value is None else f"{value:z.{digits}f}"
