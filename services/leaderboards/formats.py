"""Leaderboards and comparisons as text: JSON, CSV, Markdown, LaTeX, Sotopia's JSON lines.

Nothing here reads or writes a file. Except in the tables for people, Markdown and LaTeX,
numbers have all their digits.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from simstore.domain.errors import InvalidArgumentError
from simstore.services.files.csv_files import guarded
from simstore.services.leaderboards.board import PUBLISHED, Leaderboard
from simstore.services.leaderboards.comparison import Comparison
from simstore.services.leaderboards.markup import latex, markdown
from simstore.services.leaderboards.tables import (
    KEY_TITLES,
    comparison_table,
    leaderboard_table,
    title_of,
)
from simstore.services.sotopia_files.derived import distinct

_CsvLine = list[str | float | None]


def leaderboard_document(board: Leaderboard) -> dict[str, Any]:
    """`board` as a JSON object; dimensions have the names under which they are stored."""
    return {
        "by": list(board.by),
        "filters": dict(board.filters),
        "settings": board.settings,
        "confidence": board.confidence,
        "unattributed": board.unattributed,
        "dimensions": list(board.dimensions),
        "rows": [
            {
                **row.keys,
                "settings": row.settings,
                "unrepeated": row.unrepeated,
                "episodes": row.episodes,
                "missing": {str(reason): count for reason, count in row.missing.items()},
                "scores": {name: asdict(cell) for name, cell in row.cells.items()},
            }
            for row in board.rows
        ],
    }


def comparison_document(comparison: Comparison) -> dict[str, Any]:
    """`comparison` as a JSON object, with the names of its fields."""
    return {**asdict(comparison), "dimensions": [asdict(each) for each in comparison.dimensions]}


def leaderboard_to_json(board: Leaderboard) -> str:
    """`board` in JSON, indented, with a newline at the end."""
    return _json(leaderboard_document(board))


def comparison_to_json(comparison: Comparison) -> str:
    """`comparison` in JSON, indented, with a newline at the end."""
    return _json(comparison_document(comparison))


def leaderboard_to_markdown(board: Leaderboard, *, digits: int = 2) -> str:
    """`board` as a table in Markdown; numbers have `digits` decimal places."""
    return markdown(leaderboard_table(board, digits=digits))


def comparison_to_markdown(comparison: Comparison, *, digits: int = 2) -> str:
    """`comparison` as a table in Markdown; numbers have `digits` decimal places."""
    return markdown(comparison_table(comparison, digits=digits))


def leaderboard_to_latex(board: Leaderboard, *, digits: int = 2) -> str:
    """`board` as a LaTeX table for the package booktabs; numbers have `digits` decimal places."""
    return latex(leaderboard_table(board, digits=digits))


def comparison_to_latex(comparison: Comparison, *, digits: int = 2) -> str:
    """`comparison` as a LaTeX table for the package booktabs, with `digits` decimal places."""
    return latex(comparison_table(comparison, digits=digits))


def leaderboard_to_csv(board: Leaderboard, *, guard_formulas: bool = False) -> str:
    r"""`board` in CSV: a header, then a line for each row; lines end in ``\r\n``.

    For each dimension there are three columns: the mean under the dimension's title, its margin
    and its n. A value that is None is an empty cell. No two columns have the same name: a second
    one gets " (2)" added.

    With `guard_formulas`, a text that a spreadsheet would take for a formula gets an apostrophe
    before it: safe to open there, but no longer the model's name.
    """
    header = [KEY_TITLES[name] for name in board.by] + ["Settings", "Episodes", "Missing"]
    for name in board.dimensions:
        title = title_of(name)
        header += [title, f"{title} margin", f"{title} n"]
    lines: list[_CsvLine] = []
    for row in board.rows:
        line: _CsvLine = [row.keys[name] for name in board.by]
        line += [row.settings, row.episodes, sum(row.missing.values())]
        for name in board.dimensions:
            cell = row.cells[name]
            line += [cell.mean, cell.margin, cell.n]
        lines.append(line)
    return _csv(header, lines, guard_formulas=guard_formulas)


def comparison_to_csv(comparison: Comparison, *, guard_formulas: bool = False) -> str:
    """`comparison` in CSV: a header, then a line for each dimension, under its title.

    The columns of the means are called as the models are. For the rest see
    `leaderboard_to_csv`.
    """
    header = ["Dimension", comparison.model_a, comparison.model_b, "Difference", "Low", "High"]
    header += ["Wins", "Ties", "Losses", "Pairs"]
    lines: list[_CsvLine] = [
        [
            title_of(each.dimension),
            each.mean_a,
            each.mean_b,
            each.difference,
            each.low,
            each.high,
            each.wins,
            each.ties,
            each.losses,
            each.pairs,
        ]
        for each in comparison.dimensions
    ]
    return _csv(header, lines, guard_formulas=guard_formulas)


def leaderboard_to_sotopia_jsonl(board: Leaderboard) -> str:
    """The lines of a ``models_vs_….jsonl`` file: each model's means, in the published order.

    A model without scores has no line; a dimension without scores is null.

    Raises:
        InvalidArgumentError: rows are not by model alone, so that lines could not be told apart.
    """
    if board.by != ("model",):
        raise InvalidArgumentError(
            f"a line is of one model, but the leaderboard is by {', '.join(board.by)}"
        )
    lines = []
    for row in board.rows:
        if not row.episodes:
            continue
        means = {
            title: row.cells[name].mean if name in row.cells else None
            for name, title in PUBLISHED.items()
        }
        lines.append(json.dumps({"model_name": row.model, **means}, allow_nan=False) + "\n")
    return "".join(lines)


def sotopia_jsonl_name(partner: str) -> str:
    """The name of the file for play with `partner`: ``models_vs_`` and what follows its last /.

    Raises:
        InvalidArgumentError: the name would lead to another folder, or no file can have it.
    """
    name = partner.rsplit("/", maxsplit=1)[-1]
    if not name.isprintable() or "\\" in name:
        raise InvalidArgumentError(f"no file can be named after the partner {partner!r}")
    return f"models_vs_{name}.jsonl"


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _csv(header: Iterable[str], lines: Iterable[_CsvLine], *, guard_formulas: bool) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    rows: list[Sequence[str | float | None]] = [distinct(header), *lines]
    for line in rows:
        writer.writerow(
            [guarded(cell) if guard_formulas and isinstance(cell, str) else cell for cell in line]
        )
    return text.getvalue()
