"""A report as HTML: one file with charts that runs nothing and loads nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from simstore.bench.output.bars import Bar, bars
from simstore.bench.output.lines import lines
from simstore.bench.output.looks import Look, looks_of
from simstore.bench.output.numbers import between, shown_unit, with_unit
from simstore.bench.output.style import STYLE
from simstore.bench.output.tables import (
    Cell,
    Row,
    Table,
    growth_tables,
    link_curves,
    memory_tables,
    works_tables,
)
from simstore.bench.output.wording import (
    CONTENDERS,
    KINDS,
    PARTS,
    TITLE,
    UNSOUND,
    caption_of,
    contenders_of,
    facts_of,
    warnings_of,
)
from simstore.bench.report import Part, Report
from simstore.services.rendering.markup import Markup, element
from simstore.services.rendering.page import facts, page, section
from simstore.services.rendering.visible import one_line


def report_html(report: Report, *, baseline: str | None = None) -> str:
    """`report` as a page in HTML, to be written to a file in UTF-8.

    Ratios are to the contender named `baseline`, or else to the fastest. The same report makes
    the same page. Every text is escaped and made `visible`; the page's policy forbids scripts
    and network besides.

    Raises:
        MissingDependencyError: matplotlib, which draws the charts, is not installed.
    """
    title = f"{TITLE}: simstore {report.simstore}, {report.date}"
    return page(title, STYLE, *_sections(report, baseline))


def _sections(report: Report, baseline: str | None) -> Iterator[Markup | None]:
    looks = looks_of(report.contenders)
    yield element(
        "header",
        element("p", "simstore bench", class_="eyebrow"),
        element("h1", TITLE),
        *_warnings(report),
        facts(facts_of(report), class_="facts"),
    )
    yield section(
        "contenders", "Contenders", element("p", KINDS, class_="about"), _contenders(report, looks)
    )
    works = works_tables(report, baseline=baseline)
    yield _part(
        "works",
        works,
        (_work(table, row, looks) for table in works for row in table.rows),
        baseline,
    )
    growth = growth_tables(report)
    yield _part("growth", growth, _curves(growth, looks, "number of agents, logarithmic"))
    links = link_curves(report)
    yield _part("links", links, _curves(links, looks, "round trip to the server"))
    memory = memory_tables(report)
    yield _part("memory", memory, (_held(table, looks) for table in memory))


def _part(
    part: Part, tables: Sequence[Table], charts: Iterable[Markup], baseline: str | None = None
) -> Markup | None:
    """The section of a part with its charts, and for works with all of them as tables."""
    if not tables:
        return None
    heading, about = PARTS[part]
    caption = caption_of(tables, best="bold is", baseline=baseline)
    return section(
        part,
        heading,
        element("p", f"{about} {one_line(caption)}", class_="about"),
        element("div", *charts, class_="charts"),
        *(_wide(_table(table, caption=True), table.heading) for table in tables if part == "works"),
    )


def _warnings(report: Report) -> Iterator[Markup]:
    found = [
        part
        for heading, items in warnings_of(report)
        for part in (
            element("h3", heading),
            element("ul", *(element("li", one_line(item)) for item in items)),
        )
    ]
    if not report.sound:
        yield element("div", element("h2", UNSOUND), *found, class_="warning alarm", role="alert")
    elif found:
        yield element("div", *found, class_="warning")


def _contenders(report: Report, looks: Mapping[str, Look]) -> Markup:
    rows = [
        element(
            "tr",
            _name(name, looks),
            *(element("td", one_line(text), dir="auto") for text in texts),
        )
        for name, *texts in contenders_of(report)
    ]
    heads = [element("th", text, scope="col") for text in CONTENDERS]
    table = element(
        "table", element("thead", element("tr", *heads)), element("tbody", *rows), class_="texts"
    )
    return _wide(table, "Contenders")


def _work(table: Table, row: Row, looks: Mapping[str, Look]) -> Markup:
    """The chart of a work, with its figures as a table below it."""
    (title,) = row.labels
    figures = [
        ((column.name,), cell) for column, cell in zip(table.columns, row.cells, strict=True)
    ]
    entries = [Bar(name, looks[name], cell) for (name,), cell in figures]
    chart = bars(_chart_name(title, table), title, entries, table.unit)
    return _figure(title, table, chart, _list(("contender",), figures, looks, title))


def _held(table: Table, looks: Mapping[str, Look]) -> Markup:
    entries = [Bar(row.labels[0], looks[row.labels[0]], row.cells[0]) for row in table.rows]
    figures = [(row.labels, row.cells[0]) for row in table.rows]
    chart = bars(_chart_name(table.title, table), table.title, entries, table.unit)
    return _figure(table.title, table, chart, _list(table.labels, figures, looks, table.title))


def _curves(tables: Iterable[Table], looks: Mapping[str, Look], across: str) -> Iterator[Markup]:
    for table in tables:
        chart = lines(_chart_name(table.title, table), table, looks, across=across)
        figures = _wide(_table(table, looks=looks), table.heading)
        yield _figure(table.title, table, chart, figures)


def _figure(title: str, table: Table, chart: Markup, figures: Markup) -> Markup:
    unit = element("span", f", {shown_unit(table.unit)}", class_="unit")
    return element(
        "figure",
        element("h3", one_line(title), unit),
        chart,
        element("details", element("summary", "Figures"), figures),
    )


def _list(
    labels: Sequence[str],
    figures: Sequence[tuple[tuple[str, ...], Cell]],
    looks: Mapping[str, Look],
    title: str,
) -> Markup:
    """Every figure in a row of its own, with its least and its greatest round if they differ."""
    in_rounds = any(cell.spread for _, cell in figures)
    numbers = ("median", "rounds", "ratio") if in_rounds else ("median", "ratio")
    heads = [
        *(element("th", name, scope="col") for name in labels),
        *(element("th", name, scope="col", class_="number") for name in numbers),
    ]
    rows = [
        element(
            "tr",
            _name(names[0], looks),
            *(element("td", one_line(name)) for name in names[1:]),
            element("td", _median(cell), class_="number"),
            element("td", _rounds(cell), class_="number") if in_rounds else None,
            element("td", cell.times, class_="number"),
        )
        for names, cell in figures
    ]
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    return _wide(table, title)


def _median(cell: Cell) -> str:
    if not cell.figure:
        return cell.absent
    median = with_unit(cell.figure.median, cell.figure.unit)
    return element("b", median) if cell.best else median


def _rounds(cell: Cell) -> str:
    figure = cell.figure
    return between(figure.low, figure.high, figure.unit) if figure and cell.spread else ""


def _table(
    table: Table, *, caption: bool = False, looks: Mapping[str, Look] | None = None
) -> Markup:
    heads = [
        *(element("th", name, scope="col") for name in table.labels),
        *(
            element("th", element("bdi", one_line(column.name)), scope="col", class_="number")
            for column in table.columns
        ),
    ]
    rows = [
        element(
            "tr",
            *(_name(label, looks or {}) for label in row.labels),
            *(element("td", *_parts(cell), class_="number") for cell in row.cells),
        )
        for row in table.rows
    ]
    return element(
        "table",
        element("caption", one_line(table.heading)) if caption else None,
        element("thead", element("tr", *heads)),
        element("tbody", *rows),
    )


def _parts(cell: Cell) -> Iterator[Markup | str]:
    """Value, spread and ratio of a cell."""
    yield element("b", cell.value) if cell.best else cell.value
    if cell.spread:
        yield element("span", f" {cell.spread}", class_="spread")
    if cell.times:
        yield element("span", f" {cell.times}", class_="times")


def _name(name: str, looks: Mapping[str, Look]) -> Markup:
    """The head of a row; a contender's with its mark."""
    shown = element("bdi", one_line(name))
    if name not in looks:
        return element("th", shown, scope="row")
    mark = element("span", class_=f"mark {looks[name].css_class}", aria_hidden="true")
    return element("th", mark, shown, scope="row", class_="marked")


def _wide(table: Markup, label: str) -> Markup:
    """A table that scrolls by itself where the screen is too narrow for it."""
    return element(
        "div", table, class_="wide", tabindex="0", role="group", aria_label=one_line(label)
    )


def _chart_name(title: str, table: Table) -> str:
    """What the ids in a chart begin with; no two charts of a page have the same title and part."""
    return f"{table.part}-{hashlib.sha256(title.encode()).hexdigest()[:8]}"
