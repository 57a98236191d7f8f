"""Charts of bars: what one work costs, or one record takes, for each contender."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from simstore.bench.output.drawing import SIZE, WIDTH, drawing, finished, short
from simstore.bench.output.looks import CARD, INK, SOFT, Look
from simstore.bench.output.numbers import with_unit
from simstore.bench.output.scales import (
    axis_label,
    from_zero,
    logarithmic,
    set_decades,
    set_steps,
)
from simstore.bench.output.tables import Cell
from simstore.bench.report import Figure as Measured
from simstore.bench.report import Unit
from simstore.services.rendering.markup import Markup
from simstore.services.rendering.visible import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 21.0
_BELOW = 36.0
_LETTER = 6.2
"""About how wide a letter is."""

_RATIO = 42.0
_FIGURES = 108.0
"""How wide ratios are, and how wide values and ratios are together."""


class Bar(NamedTuple):
    """A contender's figure, or what stands for it."""

    name: str
    look: Look
    cell: Cell


def bars(name: str, title: str, entries: Sequence[Bar], unit: Unit) -> Markup:
    """A horizontal bar for each of `entries`, with a whisker from its least to its greatest round.

    Values and ratios stand beside them. Times are on a logarithmic scale, since they differ by
    powers of ten; sizes on one that begins at zero.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    names = [short(bar.name) for bar in entries]
    left = _LETTER * max(map(len, names)) + 8
    height = _ROW * len(entries) + _BELOW + 6
    measured = [bar.cell.figure for bar in entries if bar.cell.figure]
    with drawing(height) as figure:
        axes = figure.add_axes(
            (left / WIDTH, _BELOW / height, (WIDTH - left - _FIGURES) / WIDTH, 1 - 38 / height)
        )
        if unit == "bytes a record":
            ends = from_zero(measured)
            set_steps(axes.xaxis, ends, unit)
        else:
            ends = logarithmic(measured, from_decade=True)
            axes.set_xscale("log")
            set_decades(axes.xaxis, ends, unit, most=4)
        axes.set_xlim(*ends)
        axes.set_ylim(len(entries) - 0.4, -0.6)
        axes.set_yticks(range(len(entries)), names)
        axes.set_xlabel(axis_label(unit), labelpad=5)
        axes.tick_params(axis="y", labelsize=SIZE, labelcolor=INK, pad=5)
        axes.grid(visible=True, axis="x")
        for place, bar in enumerate(entries):
            if bar.cell.figure:
                _draw(axes, place, bar.cell.figure, bar.look, ends[0])
            _write(axes, place, bar.cell)
        return finished(figure, name, f"{title}, {axis_label(unit)}: {_told(entries)}")


def _draw(axes: "Axes", place: int, measured: Measured, look: Look, start: float) -> None:
    axes.barh(
        place,
        measured.median - start,
        left=start,
        height=0.62,
        facecolor=CARD if look.peer else look.colour,
        edgecolor=look.colour,
        linewidth=1.3,
    )
    if measured.low < measured.high:
        axes.errorbar(
            measured.median,
            place,
            xerr=[[measured.median - measured.low], [measured.high - measured.median]],
            fmt="none",
            color=INK,
            elinewidth=1.1,
            capsize=3,
        )


def _write(axes: "Axes", place: int, cell: Cell) -> None:
    """Value and ratio to the right of the axes, or why there are none where a bar would begin."""
    # Along x, the axes are from 0 to 1; along y, a bar is 1.
    beside = axes.get_yaxis_transform()
    if not cell.figure:
        axes.text(0.015, place, cell.absent, color=SOFT, va="center_baseline", transform=beside)
        return
    end = axes.transAxes.inverted().transform((WIDTH, 0))[0]
    value = with_unit(cell.figure.median, cell.figure.unit)
    for text, right in ((value, end - _RATIO / axes.bbox.width), (cell.times, end)):
        axes.text(
            right,
            place,
            text,
            ha="right",
            va="center_baseline",
            weight="bold" if cell.best else "normal",
            transform=beside,
        )


def _told(entries: Sequence[Bar]) -> str:
    return ", ".join(
        f"{one_line(bar.name)} "
        f"{with_unit(bar.cell.figure.median, bar.cell.figure.unit) if bar.cell.figure else 'none'}"
        for bar in entries
    )
