"""Models compared by the rewards of their episodes: the benchmark, two models, and formats."""

from simstore.services.leaderboards.benchmark import leaderboard
from simstore.services.leaderboards.board import (
    PUBLISHED,
    Cell,
    Leaderboard,
    LeaderboardRow,
    Settings,
)
from simstore.services.leaderboards.comparison import (
    Comparison,
    DimensionComparison,
    compare_models,
)
from simstore.services.leaderboards.formats import (
    comparison_document,
    comparison_to_csv,
    comparison_to_json,
    comparison_to_latex,
    comparison_to_markdown,
    leaderboard_document,
    leaderboard_to_csv,
    leaderboard_to_json,
    leaderboard_to_latex,
    leaderboard_to_markdown,
    leaderboard_to_sotopia_jsonl,
    sotopia_jsonl_name,
)
from simstore.services.leaderboards.student import student_t
from simstore.services.leaderboards.tables import Table, comparison_table, leaderboard_table

__all__ = [
    "PUBLISHED",
    "Cell",
    "Comparison",
    "DimensionComparison",
    "Leaderboard",
    "LeaderboardRow",
    "Settings",
    "Table",
    "compare_models",
    "comparison_document",
    "comparison_table",
    "comparison_to_csv",
    "comparison_to_json",
    "comparison_to_latex",
    "comparison_to_markdown",
    "leaderboard",
    "leaderboard_document",
    "leaderboard_table",
    "leaderboard_to_csv",
    "leaderboard_to_json",
    "leaderboard_to_latex",
    "leaderboard_to_markdown",
    "leaderboard_to_sotopia_jsonl",
    "sotopia_jsonl_name",
    "student_t",
]
