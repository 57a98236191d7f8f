"""A benchmark's report on a terminal, or in a pipe."""

from simstore.bench.output.tables import Cell, Table, tables_of
from simstore.bench.output.wording import (
    CONTENDERS,
    PARTS,
    TITLE,
    UNSOUND,
    caption_of,
    contenders_of,
    facts_of,
    warnings_of,
)
from simstore.bench.report import Report
from simstore.cli.console import say
from simstore.cli.tables import print_table, print_turned
from simstore.services.rendering.visible import one_line

BEST = "*"
"""What stands at the fastest."""


def print_report(report: Report, *, baseline: str | None = None) -> None:
    """Print all of `report`; ratios are to the contender named `baseline`, or to the fastest."""
    _heading(TITLE)
    for name, value in facts_of(report):
        say(one_line(f"{name}: {value}"), wrapped=True)
    _print_warnings(report)
    say("")
    print_table(CONTENDERS, contenders_of(report))
    tables = tables_of(report, baseline=baseline)
    for part, (heading, about) in PARTS.items():
        of_part = [table for table in tables if table.part == part]
        if of_part:
            say("")
            _heading(heading)
            caption = caption_of(of_part, best=f"{BEST} is", baseline=baseline)
            say(f"{about} {one_line(caption)}", wrapped=True)
            for table in of_part:
                say("")
                say(one_line(table.heading))
                _print_figures(table)
    if not report.sound:
        say("")
        _print_warnings(report)


def _heading(text: str) -> None:
    say(text)
    say("=" * len(text))


def _print_warnings(report: Report) -> None:
    if not report.sound:
        say("")
        say(UNSOUND, wrapped=True)
    for heading, items in warnings_of(report):
        say("")
        say(f"{heading}:")
        for item in items:
            say(f"  {one_line(item)}", wrapped=True)


def _print_figures(table: Table) -> None:
    names = [column.name for column in table.columns]
    labels = len(table.labels)
    print_turned(
        (*table.labels, *names),
        [(*row.labels, *map(_text, row.cells)) for row in table.rows],
        right=names,
        corner="contender",
        strong={
            (number, labels + place)
            for number, row in enumerate(table.rows)
            for place, cell in enumerate(row.cells)
            if cell.best
        },
    )


def _text(cell: Cell) -> str:
    value = f"{cell.value}{BEST}" if cell.best else cell.value
    return " ".join(filter(None, (value, cell.spread, cell.times)))
