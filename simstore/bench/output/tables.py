"""A report's figures as tables: data without markup, for all outputs.

`fastest` and ratios are decided here, once; how numbers are written is `numbers`' business.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from simstore.bench.output.numbers import (
    NOTHING,
    UNKNOWN,
    amount,
    count,
    round_trip,
    shown_unit,
    spread,
    times,
)
from simstore.bench.report import Contender, Figure, Part, Report, Unit
from simstore.bench.works import ALL_IDS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure with its ratio; or a ratio alone; or what stands for a figure that is not there."""

    figure: Figure | None = None
    ratio: float | None = None
    best: bool = False
    """Whether it is the least of those that it stands beside."""
    absent: str = ""

    @property
    def value(self) -> str:
        """The median, in the unit of the table."""
        return amount(self.figure.median, self.figure.unit) if self.figure else self.absent

    @property
    def spread(self) -> str:
        """How far the rounds were apart, in percent."""
        figure = self.figure
        return spread(figure.low, figure.median, figure.high) if figure else ""

    @property
    def times(self) -> str:
        """The ratio."""
        return "" if self.ratio is None else times(self.ratio)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; `peer` says that it is of something that is used without simstore."""

    name: str
    peer: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """As many labels and cells as the table has headings for."""

    labels: tuple[str, ...]
    cells: tuple[Cell, ...]
    peer: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """What is measured alike, in one unit."""

    part: Part
    title: str
    unit: Unit
    labels: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    @property
    def heading(self) -> str:
        """The title with the unit."""
        return f"{self.title}, {shown_unit(self.unit)}"


class _Axis(NamedTuple):
    """What the columns of a table are, if not contenders."""

    label: str
    key: Callable[[Figure], float]
    name: Callable[[float], str]


_AGENTS = _Axis("agents", lambda figure: figure.records, count)
_LINKS = _Axis("round trip", lambda figure: figure.link, round_trip)


def tables_of(report: Report, *, baseline: str | None = None) -> list[Table]:
    """All tables of `report`, in the order in which they are read.

    Ratios of works are to the contender named `baseline`, where it has a figure, or if none is
    named to the fastest of the row.
    """
    return [
        *works_tables(report, baseline=baseline),
        *growth_tables(report),
        *link_tables(report, baseline=baseline),
        *memory_tables(report),
    ]


def works_tables(report: Report, *, baseline: str | None = None) -> list[Table]:
    """The works, those of a record and those of a call apart: a row a work."""
    return _by_work(report, report.of("works"), "Works", baseline)


def link_tables(report: Report, *, baseline: str | None = None) -> list[Table]:
    """For each link, what works cost over it: a row a work."""
    figures = report.of("links")
    return [
        table
        for link in _distinct(figure.link for figure in figures)
        for table in _by_work(
            report,
            [figure for figure in figures if figure.link == link],
            f"Over a link of {round_trip(link)}" if link else "Over loopback",
            baseline,
        )
    ]


def growth_tables(report: Report) -> list[Table]:
    """For each work, what it costs among more and more records: a row a contender.

    The last column is how many times as much it costs among the most as among the fewest.
    """
    return [
        _by_contender(report, figures, title, _AGENTS)
        for title, figures in _works(report.of("growth"))
    ]


def link_curves(report: Report) -> list[Table]:
    """For each work, what it costs over slower and slower links: a row a contender."""
    return [
        _by_contender(report, figures, title, _LINKS)
        for title, figures in _works(report.of("links"))
    ]


def memory_tables(report: Report) -> list[Table]:
    """What is held for a record: a row for each contender and what holds it."""
    held = [
        (contender, figure)
        for contender in ordered(report.contenders)
        for figure in report.of("memory")
        if figure.contender == contender.name
    ]
    if not held:
        return []
    cells = _compared([Cell(figure) for _, figure in held])
    return [
        Table(
            part="memory",
            title="A record, kept",
            unit=held[0][1].unit,
            labels=("contender", "where"),
            columns=(Column("held"),),
            rows=tuple(
                Row((figure.contender, figure.title), (cell,), contender.peer)
                for (contender, figure), cell in zip(held, cells, strict=True)
            ),
        )
    ]


def ordered(contenders: Iterable[Contender]) -> list[Contender]:
    """simstore's backends, then the peers, otherwise in their order."""
    return sorted(contenders, key=lambda each: each.peer)


def _by_work(
    report: Report, figures: Sequence[Figure], title: str, baseline: str | None
) -> list[Table]:
    """A table for each unit: a row a work, a column for each contender that did any of them."""
    did = {figure.contender for figure in figures}
    contenders = [each for each in ordered(report.contenders) if each.name in did]
    columns = tuple(Column(each.name, each.peer) for each in contenders)
    made = []
    for unit in _distinct(figure.unit for figure in figures):
        rows = []
        for work, of_work in _works(figure for figure in figures if figure.unit == unit):
            cells = [_cell(of_work, each) for each in contenders]
            rows.append(Row((work,), tuple(_compared(cells, baseline))))
        made.append(Table(figures[0].part, title, unit, ("work",), columns, tuple(rows)))
    return made


def _by_contender(report: Report, figures: Sequence[Figure], title: str, across: _Axis) -> Table:
    """A row for each contender, a column for each place on the axis, and one for how it grows."""
    keys = sorted({across.key(figure) for figure in figures})
    rows = []
    for contender in ordered(report.contenders):
        own = {across.key(each): each for each in figures if each.contender == contender.name}
        if own:
            cells = [Cell(own[key]) if key in own else Cell(absent=UNKNOWN) for key in keys]
            rows.append(
                Row((contender.name,), (*cells, _grown(cells[0], cells[-1])), contender.peer)
            )
    columns = (*(Column(across.name(key)) for key in keys), Column("growth"))
    return Table(
        figures[0].part, title, figures[0].unit, (across.label,), columns, tuple(_marked(rows))
    )


def _grown(first: Cell, last: Cell) -> Cell:
    if first is last or not first.figure or not last.figure or not first.figure.median:
        return Cell(absent=NOTHING)
    return Cell(ratio=last.figure.median / first.figure.median)


def _works(figures: Iterable[Figure]) -> list[tuple[str, list[Figure]]]:
    """The figures of each work in turn, with the work's title."""
    works: dict[str, list[Figure]] = {}
    for figure in figures:
        works.setdefault(figure.work, []).append(figure)
    return [(_title(of_work[0]), of_work) for of_work in works.values()]


def _title(figure: Figure) -> str:
    # These alone are counted among other records than the rest of their table.
    if figure.work == ALL_IDS.name:
        return f"{figure.title} of {count(figure.records)}"
    return figure.title


def _cell(of_work: Sequence[Figure], contender: Contender) -> Cell:
    for figure in of_work:
        if figure.contender == contender.name:
            return Cell(figure)
    return Cell(absent=NOTHING if of_work[0].work in contender.cannot else UNKNOWN)


def _compared(cells: Sequence[Cell], baseline: str | None = None) -> list[Cell]:
    """`cells` with the least marked, and with their ratios to it or to the figure of `baseline`.

    If `baseline` has no figure among them, there are no ratios.
    """
    medians = {cell.figure.contender: cell.figure.median for cell in cells if cell.figure}
    least = min(medians.values(), default=0.0)
    base = least if baseline is None else medians.get(baseline)
    return [
        replace(
            cell,
            ratio=cell.figure.median / base if base else None,
            best=cell.figure.median == least,
        )
        if cell.figure
        else cell
        for cell in cells
    ]


def _marked(rows: Sequence[Row]) -> list[Row]:
    """`rows` with the least of each column marked."""
    columns = [_compared(cells) for cells in zip(*(row.cells for row in rows), strict=True)]
    return [
        replace(
            row,
            cells=tuple(
                replace(cell, best=columns[position][number].best)
                for position, cell in enumerate(row.cells)
            ),
        )
        for number, row in enumerate(rows)
    ]


def _distinct(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
