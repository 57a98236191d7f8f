"""Charts of lines: how costs grow with the records, or with the link."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from simstore.bench.output.drawing import SMALL, WIDTH, drawing, finished, short
from simstore.bench.output.looks import CARD, Look
from simstore.bench.output.numbers import with_unit
from simstore.bench.output.scales import axis_label, logarithmic, set_decades
from simstore.bench.output.tables import Row, Table
from simstore.bench.report import Figure as Measured
from simstore.services.rendering.markup import Markup
from simstore.services.rendering.visible import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PLOT = 184.0
_LEFT, _RIGHT = 66.0, 20.0
_LABELS = 46.0
_LEGEND_ROW = 15.0
_LEGEND_COLUMNS = 3


def lines(name: str, table: Table, looks: Mapping[str, Look], *, across: str) -> Markup:
    """A line for each row of `table`, over its columns but the last; `across` says what they are.

    Times and numbers of records are on logarithmic scales; links stand side by side.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    places = _places(table)
    bottom = _LABELS + _LEGEND_ROW * math.ceil(len(table.rows) / _LEGEND_COLUMNS)
    height = bottom + _PLOT
    measured = [cell.figure for row in table.rows for cell in row.cells if cell.figure]
    ends = logarithmic(measured, from_decade=False)
    with drawing(height) as figure:
        axes = figure.add_axes(
            (
                _LEFT / WIDTH,
                bottom / height,
                1 - (_LEFT + _RIGHT) / WIDTH,
                1 - (bottom + 8) / height,
            )
        )
        for row in table.rows:
            _draw(axes, places, row, looks[row.labels[0]])
        axes.set_yscale("log")
        axes.set_ylim(*ends)
        set_decades(axes.yaxis, ends, table.unit, most=6)
        axes.set_xlim(places[0] - 0.15, places[-1] + 0.15)
        axes.set_xticks(places, [column.name for column in table.columns[:-1]])
        axes.set_xlabel(across, labelpad=4)
        axes.set_ylabel(axis_label(table.unit), labelpad=6)
        axes.tick_params(pad=5)
        axes.grid(visible=True)
        figure.legend(
            loc="lower center", ncols=_LEGEND_COLUMNS, frameon=False, fontsize=SMALL,
            columnspacing=1.4, handlelength=2.6, borderpad=0, borderaxespad=0.2,
        )  # fmt: skip
        told = "; ".join(_told(row) for row in table.rows)
        label = f"{table.title}, {axis_label(table.unit)}, by {across}: {told}"
        return finished(figure, name, label)


def _draw(axes: "Axes", places: list[float], row: Row, look: Look) -> None:
    shown = [
        (place, cell.figure)
        for place, cell in zip(places, row.cells, strict=False)  # but for how it grows
        if cell.figure
    ]
    axes.errorbar(
        [place for place, _ in shown],
        [each.median for _, each in shown],
        yerr=[
            [each.median - each.low for _, each in shown],
            [each.high - each.median for _, each in shown],
        ],
        label=short(row.labels[0]),
        color=look.colour,
        linestyle="--" if look.peer else "-",
        linewidth=1.6,
        marker=look.marker,
        markersize=5.5,
        markerfacecolor=CARD if look.peer else look.colour,
        elinewidth=1,
        capsize=2,
    )


def _places(table: Table) -> list[float]:
    """Where the columns of `table` stand, but for the last."""
    columns = range(len(table.columns) - 1)
    if table.part != "growth":
        return [float(column) for column in columns]
    return [math.log10(_any(table, column).records) for column in columns]


def _any(table: Table, column: int) -> Measured:
    """A figure of the column; it would not be there without one."""
    return next(figure for row in table.rows if (figure := row.cells[column].figure))


def _told(row: Row) -> str:
    shown = [cell.figure for cell in row.cells if cell.figure]
    first, last = (with_unit(each.median, each.unit) for each in (shown[0], shown[-1]))
    return f"{one_line(row.labels[0])} from {first} to {last}"
