"""A benchmark's report as HTML: all of it, as text, in one file, with a chart of each work."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

pytest.importorskip("matplotlib", reason="the charts need matplotlib")

from matplotlib import rc_context

from simstore.bench.output.html import report_html
from simstore.bench.output.looks import BACKENDS, PEERS, looks_of
from simstore.bench.output.style import STYLE
from simstore.bench.output.tables import growth_tables, link_curves, memory_tables, works_tables
from simstore.bench.output.wording import UNSOUND
from simstore.bench.works import WORKS
from simstore.services.rendering.visible import one_line
from tests.unit.bench_reports import (
    HOSTILE,
    NAMES,
    contender,
    figure,
    hostile_report,
    small_report,
    whole_report,
)

PAGE = report_html(whole_report())

HTML = {
    "html", "meta", "head", "title", "style", "body", "main", "header", "section", "h1", "h2", "h3",
    "p", "div", "span", "bdi", "b", "dl", "dt", "dd", "ul", "li", "details", "summary", "figure",
    "table", "caption", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
SVG = {"svg", "defs", "g", "path", "use", "text", "clippath", "rect"}

VOID = {"meta"}


class Page(HTMLParser):
    """A page: what is within each element, and the attributes of all."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], str]] = []
        self._open: list[tuple[str, dict[str, str], list[str]]] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs)
        if tag in VOID:
            self.elements.append((tag, given, ""))
        else:
            self._open.append((tag, given, []))

    def handle_endtag(self, tag: str) -> None:
        opened, given, texts = self._open.pop()
        assert opened == tag
        self.elements.append((tag, given, "".join(texts)))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self._open:
            texts.append(data)

    def texts(self, tag: str, class_: str | None = None) -> list[str]:
        return [
            text
            for each, given, text in self.elements
            if each == tag and class_ in {None, given.get("class")}
        ]

    def attributes(self, name: str) -> list[str]:
        return [given[name] for _, given, _ in self.elements if name in given]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(PAGE)


def test_each_work_has_a_chart_and_so_has_each_part(page: Page) -> None:
    report = whole_report()
    works = [row.labels[0] for table in works_tables(report) for row in table.rows]
    others = [*growth_tables(report), *link_curves(report), *memory_tables(report)]
    titles = [*works, *(table.title for table in others)]
    assert len(works) == len(WORKS)
    charts = [given for tag, given, _ in page.elements if tag == "svg"]
    assert len(charts) == len(titles) == len(page.texts("figure")) == len(page.texts("details"))
    for chart, title, text in zip(charts, titles, page.texts("figure"), strict=True):
        assert chart["role"] == "img"
        assert chart["aria-label"].startswith(f"{title}, ")
        assert text.startswith(f"{title}, ")


def test_a_chart_of_bars_can_be_read_aloud(page: Page) -> None:
    assert (
        "save_many, time a record, logarithmic: memory:// 64.0 µs, sqlite:// 235 µs, "
        "redis:// 130 µs, redis+om:// 152 µs, redis-om 710 µs, sotopia 420 µs, sotopia files none, "
        "redis-py by hand 109 µs, copy.deepcopy 188 µs"
    ) in page.attributes("aria-label")


def test_a_chart_of_lines_can_be_read_aloud(page: Page) -> None:
    told = [text for text in page.attributes("aria-label") if text.startswith("get, time a call")]
    assert told[0].startswith("get, time a call, logarithmic, by number of agents, logarithmic: ")
    assert "; redis-om from 900 µs to 25.1 ms; " in told[0]


def test_charts_have_names_values_and_axes_as_text(page: Page) -> None:
    save_many = next(
        text for text in page.texts("svg") if "time a record" in text and "64.0" in text
    )
    for text in ("memory://", "64.0 µs", "1x", "3.7x", "10 µs", "100 µs", "1 ms"):
        assert text in save_many
    (held,) = [text for text in page.texts("svg") if "size a record" in text]
    assert "0 KB" in held
    assert "logarithmic" not in held


def test_figures_stand_beside_the_charts(page: Page) -> None:
    save_many = page.texts("details")[1]
    assert save_many.startswith(
        "Figurescontendermedianroundsratiomemory://64.0 µs60.2 to 65.9 µs1x"
    )
    assert "sotopia files\N{EN DASH}redis-py by hand" in save_many


def test_the_page_says_what_was_measured_and_by_what(page: Page) -> None:
    facts = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert facts["Machine"] == "AMD EPYC 7B13, 2 cores, 7.8 GiB, Linux x86_64"
    assert facts["Measured"] == "2026-11-28T09:30:00Z"
    assert "redis-py by handpeerGET, SET and sets as indexes" in page.texts("section")[0]
    assert page.texts("div", "warning") == ["Left outfakeredis: pip install 'simstore[fakeredis]'"]


def test_what_is_unsound_is_an_alert_above_all_figures() -> None:
    page = Page(
        report_html(small_report(failures=["sotopia: boom"], disagreements=["redis-om: x"]))
    )
    assert page.texts("div", "warning alarm") == [
        f"{UNSOUND}Answers differredis-om: xFailedsotopia: boom"
    ]
    assert "alert" in page.attributes("role")
    assert UNSOUND in page.texts("header")[0]


def test_the_page_loads_nothing_and_runs_nothing(page: Page) -> None:
    assert {tag for tag, _, _ in page.elements} <= HTML | SVG
    names = {name for _, given, _ in page.elements for name in given}
    assert not [name for name in names if name.startswith("on") or name in {"src", "style"}]
    assert all(href.startswith("#") for href in page.attributes("href"))
    assert "xlink" not in PAGE
    assert not re.search(r"@import|url\((?!#)|https?:", PAGE)


def test_the_policy_knows_the_style_sheet_and_nothing_else(page: Page) -> None:
    (style,) = page.texts("style")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert style == STYLE
    assert (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
        in (page.attributes("content"))
    )


def test_ids_are_single_and_what_is_referred_to_is_there(page: Page) -> None:
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)
    referred = {href[1:] for href in page.attributes("href")}
    referred |= set(re.findall(r"url\(#([^)]+)\)", " ".join(page.attributes("clip-path"))))
    assert len(referred) > 50
    assert referred | set(page.attributes("aria-labelledby")) <= set(ids)


def test_the_colours_are_the_page_s_in_light_and_dark(page: Page) -> None:
    used = {*page.attributes("fill"), *page.attributes("stroke")}
    assert used <= {"none"} | {text for text in used if text.startswith("var(--")}
    for variable in re.findall(r"var\((--[\w-]+)\)", " ".join(used)):
        assert STYLE.count(f"{variable}: #") >= 2, variable


def test_a_contender_looks_the_same_in_all_charts_and_peers_are_hollow() -> None:
    looks = looks_of(whole_report().contenders)
    assert list(looks) == list(NAMES)
    assert len({look.colour for look in looks.values()}) == len(NAMES)
    assert [look.peer for look in looks.values()] == [False] * 4 + [True] * 5
    for kind in (False, True):
        markers = [look.marker for look in looks.values() if look.peer is kind]
        assert len(set(markers)) == len(markers)
    memory, redis_om = looks["memory://"], looks["redis-om"]
    assert (memory.css_class, redis_om.css_class) == ("backend-1", "peer-1 peer")


def test_there_are_colours_for_any_number_of_contenders() -> None:
    many = [contender(f"{n}", peer=n % 2 == 0) for n in range(30)]
    looks = looks_of(many)
    assert len({look.colour for look in looks.values()}) == BACKENDS + PEERS
    figures = [figure(each.name, WORKS[0], 10 + n) for n, each in enumerate(many)]
    page = Page(report_html(whole_report(contenders=many, figures=figures)))
    assert len(page.texts("svg")) == 1


def test_foreign_texts_are_text() -> None:
    page = Page(report_html(hostile_report()))
    assert {tag for tag, _, _ in page.elements} <= HTML | SVG
    seen = one_line(HOSTILE)
    assert page.texts("h3")[3:] == [f"{seen}, µs a record"] * 3 + ["A record, kept, KB a record"]
    assert page.texts("title") == [f"What storage costs: simstore {seen}, {seen}"]
    # A chart has room for the beginning of a name.
    assert {text for text in page.texts("text") if text.startswith("<")} == {f"{seen[:19]}…"}
    for _, attributes, text in page.elements:
        for shown in (text, *attributes.values()):
            assert not {"\x1b", "\u202e"} & set(shown)


@pytest.mark.parametrize("name", ["$x^2$", "a_b $\\frac{", "漢字", "\\$%"])
def test_names_are_neither_formulas_nor_need_letters_of_matplotlib_s(name: str) -> None:
    figures = [figure(name, WORKS[0], 1), figure(name, WORKS[0], 1, part="growth")]
    report = whole_report(contenders=[contender("memory://", name=name)], figures=figures)
    assert Page(report_html(report)).texts("text").count(name) == 2


def test_a_small_report_is_a_small_page() -> None:
    page = Page(report_html(small_report()))
    assert page.texts("h2") == ["Contenders", "Works"]
    assert len(page.texts("svg")) == 1
    assert Page(report_html(small_report(figures=[]))).texts("h2") == ["Contenders"]


def test_the_same_report_makes_the_same_page() -> None:
    assert report_html(whole_report()) == PAGE


def test_the_user_s_own_settings_of_matplotlib_change_nothing() -> None:
    page = report_html(small_report())
    with rc_context({"axes.grid": True, "lines.linewidth": 9, "text.usetex": True}):
        assert report_html(small_report()) == page


@pytest.mark.parametrize(("least", "most"), [(0.004, 0.005), (99, 101), (1, 1e9), (100, 100)])
def test_any_times_can_be_drawn(least: float, most: float) -> None:
    figures = [
        figure(name, WORKS[0], 0, samples=[median], part=part, records=records)
        for name, median in (("memory://", least), ("sqlite://", most))
        for part, records in (("works", 1), ("growth", 1000), ("growth", 2500))
    ]
    contenders = [contender("memory://"), contender("sqlite://")]
    page = Page(report_html(whole_report(contenders=contenders, figures=figures)))
    bars, lines = page.texts("svg")
    for chart in (bars, lines):
        assert len(re.findall(r"\d (?:µs|ms|s)", chart)) >= 2
