"""The command that shows what agents were given."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, Literal

import typer

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import deliver, is_standard, json_line, note, write_json_lines
from simstore.cli.options import (
    DEFAULT_STORE,
    ConditionsArgument,
    JsonOption,
    OutputOption,
    StoreOption,
    at_least_one,
    open_store,
)
from simstore.cli.output_formats import chosen_format, with_json
from simstore.cli.tables import SHOWN_RECORDS, on_a_terminal, plain_table, print_table
from simstore.domain.episodes import EpisodeLog
from simstore.domain.evaluation import OVERALL_SCORE
from simstore.services.leaderboards import PUBLISHED
from simstore.services.reward_table import COLUMNS, reward_rows

RewardFormat = Literal["table", "csv", "json"]

_BY_SUFFIX: dict[str, RewardFormat] = {".txt": "table", ".csv": "csv", ".jsonl": "json"}

_SHOWN = (
    "episode",
    "position",
    "model",
    OVERALL_SCORE,
    *reversed(PUBLISHED),
    "partner",
    "missing",
)
"""What a table of rewards shows; in the other formats there is more."""


def rewards(  # noqa: PLR0913 — the command's options
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            callback=at_least_one,
            help="How many rows; on a terminal 50, else all.",
        ),
    ] = None,
    format_: Annotated[
        RewardFormat | None,
        typer.Option("--format", help="By the suffix of --output, or else a table."),
    ] = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Show what each agent was given.

    A row for each agent of each episode: its scores, or why it has none.
    """
    asked: RewardFormat | None = with_json(format_, "json", as_json=as_json)
    chosen: RewardFormat = chosen_format(asked, output, _BY_SUFFIX, "table")
    where = parse_conditions(EpisodeLog, conditions)
    with open_store(store) as opened:
        watched = _Watched(reward_rows(opened.episodes.iterate(*where)))
        short = chosen == "table" and is_standard(output) and on_a_terminal()
        most = limit or (SHOWN_RECORDS if short else None)
        rows = islice(watched, most)
        if chosen == "table":
            _table(rows, output)
        elif chosen == "csv":
            deliver(_csv(rows), output)
        elif is_standard(output):
            write_json_lines(rows)
        else:
            deliver(b"".join(map(json_line, rows)).decode(), output)
        if short and next(watched, None) is not None:
            note(f"the first {most} rows; more are not shown: --limit")
    if not watched.any:
        note("no episodes")


class _Watched(Iterator[dict[str, Any]]):
    """Rows, and whether there were any."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows = rows
        self.any = False

    def __next__(self) -> dict[str, Any]:
        row = next(self._rows)
        self.any = True
        return row


def _table(rows: Iterable[dict[str, Any]], output: str | None) -> None:
    shown = [[row[name] for name in _SHOWN] for row in rows]
    titles = [_short_title(name) for name in _SHOWN]
    right = ["position", *titles[3:-2]]
    if not is_standard(output):
        deliver(plain_table(titles, shown, right=right), output)
    elif shown:
        print_table(titles, shown, right=right)


def _short_title(name: str) -> str:
    """``SOC`` for social_rules, as the published table has it."""
    return "overall" if name == OVERALL_SCORE else PUBLISHED.get(name, name).partition(" ")[0]


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    """All columns of `reward_rows`; those of dimensions of one's own in order of appearance."""
    found = list(rows)
    names = dict.fromkeys([*COLUMNS, *(name for row in found for name in row)])
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(names))
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()
