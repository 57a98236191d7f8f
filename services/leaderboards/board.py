"""What a leaderboard is: rows of cells, in the order in which they are shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from simstore.domain.evaluation import (
    BELIEVABILITY,
    FINANCIAL_AND_MATERIAL_BENEFITS,
    GOAL,
    KNOWLEDGE,
    OVERALL_SCORE,
    RELATIONSHIP,
    SECRET,
    SOCIAL_RULES,
    ordered_dimensions,
)
from simstore.services.rewards import MissingReason

Settings = Literal["position", "environment"]
"""What makes a setting: the agent's position alone, or the environment and the position."""

PUBLISHED = {
    dimension.name: f"{short} [{dimension.range_low}, {dimension.range_high}]"
    for short, dimension in (
        ("SOC", SOCIAL_RULES),
        ("SEC", SECRET),
        ("FIN", FINANCIAL_AND_MATERIAL_BENEFITS),
        ("REL", RELATIONSHIP),
        ("KNO", KNOWLEDGE),
        ("GOAL", GOAL),
        ("BEL", BELIEVABILITY),
    )
}
"""Sotopia's dimensions in the order of its published table, and what its columns are called."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The scores on one dimension: their mean ± margin, of `n` scores.

    `mean` is None where there are no scores. `margin` is None where there are fewer than two,
    or where it is beyond the range of floats.
    """

    mean: float | None
    margin: float | None
    n: int


NO_SCORES = Cell(None, None, 0)
"""The cell of a dimension without scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """One competitor: a model, or a model with the other keys that were asked for.

    `keys` has the row's value of each of the leaderboard's keys; None stands for a name that the
    episodes do not have. `episodes` counts those with scores, and `missing` those without, by
    reason. `settings` is how many settings the scores are from, and `unrepeated` how many of these
    have a single one. `cells` has every dimension of the leaderboard.
    """

    keys: Mapping[str, str | None]
    episodes: int
    settings: int
    unrepeated: int
    missing: Mapping[MissingReason, int]
    cells: Mapping[str, Cell]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.keys["model"] or ""

    @property
    def says_nothing_of_chance(self) -> bool:
        """Whether there are several episodes, but no two in one setting.

        Then V is 0 by definition, and so are the margins: they are no sign of a sure mean.
        """
        return self.episodes > 1 and self.unrepeated == self.settings

    @property
    def overall(self) -> Cell:
        """The cell of the overall score."""
        return self.cells[OVERALL_SCORE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """Competitors, the one with the highest overall mean first.

    Equal means are in alphabetical order; those without scores come last. `by` names the keys
    of a row, `dimensions` its cells: Sotopia's in the published order, others in alphabetical
    order, the overall score. `filters` are the filters that were given. `unattributed` counts the
    episodes that do not name the model of any agent, and so are in no row.
    """

    by: tuple[str, ...]
    dimensions: tuple[str, ...]
    rows: tuple[LeaderboardRow, ...]
    filters: Mapping[str, str]
    settings: Settings
    confidence: float
    unattributed: int


def published_order(dimensions: Iterable[str]) -> tuple[str, ...]:
    """`dimensions` as tables have them: Sotopia's as published, others by name, the overall score.

    The overall score is there in any case, and all seven are if no dimension is given.
    """
    return (*(ordered_dimensions(dimensions, PUBLISHED) or PUBLISHED), OVERALL_SCORE)
