"""A report in Markdown, as GitHub reads it."""

from collections.abc import Iterable, Iterator, Sequence

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
from simstore.services.rendering.escaping import escape_inline


def report_markdown(report: Report, *, baseline: str | None = None, level: int = 2) -> str:
    """`report` in Markdown, with a newline at the end.

    Its title is a heading of `level`, and those below it are one deeper each. Ratios are to the
    contender named `baseline`, or else to the fastest.
    """
    return "\n".join(_blocks(report, baseline, "#" * level))


def _blocks(report: Report, baseline: str | None, head: str) -> Iterator[str]:
    yield f"{head} {TITLE}\n"
    yield "".join(
        f"- **{escape_inline(name)}**: {escape_inline(value)}\n" for name, value in facts_of(report)
    )
    yield from _warnings(report)
    yield _table(CONTENDERS, contenders_of(report))
    tables = tables_of(report, baseline=baseline)
    for part, (heading, about) in PARTS.items():
        of_part = [table for table in tables if table.part == part]
        if of_part:
            yield f"{head}# {heading}\n"
            caption = caption_of(of_part, best="bold is", baseline=baseline)
            yield f"{about} {escape_inline(caption)}\n"
            for table in of_part:
                yield f"{head}## {escape_inline(table.heading)}\n"
                yield _figures(table)


def _warnings(report: Report) -> Iterator[str]:
    if not report.sound:
        yield f"> **{UNSOUND}**\n"
    for heading, items in warnings_of(report):
        yield f"**{heading}:**\n"
        yield "".join(f"- {escape_inline(item)}\n" for item in items)


def _figures(table: Table) -> str:
    return _table(
        (*table.labels, *(column.name for column in table.columns)),
        ((*row.labels, *row.cells) for row in table.rows),
        labels=len(table.labels),
    )


def _table(
    header: Sequence[str], rows: Iterable[Sequence[str | Cell]], labels: int | None = None
) -> str:
    """A table whose first `labels` columns are texts; the others, if any, are numbers."""
    texts = len(header) if labels is None else labels
    lines = [
        [escape_inline(name) for name in header],
        [":--"] * texts + ["--:"] * (len(header) - texts),
        *(
            [_cell(each) if isinstance(each, Cell) else escape_inline(each) for each in row]
            for row in rows
        ),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(cell: Cell) -> str:
    value = f"**{cell.value}**" if cell.best else cell.value
    ratio = f"({cell.times})" if cell.value else cell.times
    return " ".join(filter(None, [value, cell.spread, ratio if cell.times else ""]))
