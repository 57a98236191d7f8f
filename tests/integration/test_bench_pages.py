"""A benchmark's page in a real browser: from a file, offline, on wide and narrow screens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the charts need matplotlib")

from playwright.sync_api import Browser, Page

from simstore.bench.output.html import report_html
from simstore.bench.report import Report
from tests.examples.browser import CHROMIUM, chromium
from tests.unit.bench_reports import hostile_report, whole_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

REPORTS = {
    "whole": whole_report(),
    "hostile": hostile_report(),
}

# What stands out of the box that a chart is drawn in, or out of that of its letters.
CUT = """
() => [...document.querySelectorAll('svg text')].filter(text => {
    const box = text.getBoundingClientRect();
    const chart = text.closest('svg').getBoundingClientRect();
    return box.width === 0 || box.left < chart.left - 1 || box.right > chart.right + 1
        || box.top < chart.top - 1 || box.bottom > chart.bottom + 1;
}).map(text => text.textContent)
"""

# Texts of the axis at the bottom of a chart of bars, and of its names, that lie on each other.
OVERLAPPING = """
() => [...document.querySelectorAll('svg')].flatMap(chart => {
    const texts = [...chart.querySelectorAll('text')];
    const boxes = texts.map(text => text.getBoundingClientRect());
    const found = [];
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > a.height / 2)
            found.push(texts[i].textContent + ' on ' + texts[i + 1 + j].textContent);
    }));
    return found;
})
"""

CONTRAST = """
() => {
    const light = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(part => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let each = element; each; each = each.parentElement) {
            const colour = getComputedStyle(each).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return colour;
        }
    };
    const ratio = (a, b) => {
        const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
    };
    const found = [];
    for (const text of document.querySelectorAll('p, dt, dd, th, td, h1, h2, h3, li, summary'))
        if (text.textContent && ratio(getComputedStyle(text).color, behind(text)) < 4.5)
            found.push(text.textContent);
    for (const text of document.querySelectorAll('svg text'))
        if (ratio(getComputedStyle(text).fill, behind(text)) < 4.5) found.push(text.textContent);
    for (const mark of document.querySelectorAll('.mark'))
        if (ratio(getComputedStyle(mark).borderColor, behind(mark.parentElement)) < 3)
            found.push(mark.className);
    return found;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[1200, 400])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    for name, report in REPORTS.items():
        (made / f"{name}.html").write_text(report_html(report), encoding="utf-8")
    return made


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]


@pytest.fixture
def page(browser: Browser, folder: Path, report: Report, scheme: str, width: int) -> Iterator[Page]:
    """It was opened without a network, and had nothing to complain of."""
    (name,) = [name for name, each in REPORTS.items() if each is report]
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        offline=True,
    )
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((folder / f"{name}.html").as_uri())
    yield page
    context.close()
    assert complaints == []
    assert requests == [(folder / f"{name}.html").as_uri()]


def test_the_page_fits_the_screen_and_can_be_read(page: Page, width: int) -> None:
    assert page.title().startswith("What storage costs")
    assert page.locator("figure svg").count() == page.locator("figure").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT) == []
    assert page.evaluate(OVERLAPPING) == []
    # The figures of a chart open below it.
    figure = page.locator("figure").first
    assert not figure.get_by_role("table").is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert figure.get_by_role("table").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
