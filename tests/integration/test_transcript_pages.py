"""Transcripts in a real browser: the page is styled, and what is hostile in it does nothing."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from simstore import EnvironmentProfile, EpisodeLog
from simstore.domain.episodes import Message
from simstore.services.rendering.html import transcript_html
from simstore.services.rendering.transcript import build_transcript

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

ATTACKS = [
    "<script>document.title = 'changed'</script>",
    "<img src=x onerror=\"document.title = 'changed'\">",
    '"><svg onload="document.title = \'changed\'">',
    "</style><style>main { display: none }</style>",
    "</title><script>document.title = 'changed'</script>",
    "<iframe src='data:text/html,x'></iframe>",
    "<!--",
    "<a href=\"javascript:document.title = 'changed'\">press</a>",
]


def browse(page: str, folder: Path) -> tuple[str, str]:
    """The document as it is once `page` has been shown, and what the browser complained of."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    command = [
        CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr",
        "--virtual-time-budget=1000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=True)
    complaints = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return done.stdout, "\n".join(complaints)


class Dom(HTMLParser):
    """The elements of a document, and its title."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.title = ""
        self._inside = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        self.tags.add(tag)
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data


@pytest.fixture(scope="module")
def page() -> str:
    messages: list[list[Message]] = [
        [("Environment", attack, attack), (attack, "Environment", f'said: "{attack}"')]
        for attack in ATTACKS
    ]
    hostile = " ".join(ATTACKS)
    episode = EpisodeLog(
        pk="e",
        environment="park",
        agents=["a"],
        messages=messages,
        models=[hostile] * 2,
        tag=hostile,
        reasoning=hostile,
        rewards=[(1.0, {hostile: 1.0})],
    )
    environment = EnvironmentProfile(
        pk="park", codename=hostile, scenario=hostile, agent_goals=[hostile]
    )
    return transcript_html(build_transcript(episode, environment=environment))


def test_a_hostile_page_is_text_to_the_browser(page: str, tmp_path: Path) -> None:
    document, complaints = browse(page, tmp_path)
    dom = Dom(document)
    # The browser accepts the style sheet, and meets nothing that the policy has to stop.
    assert complaints == ""
    assert dom.title == f"{' '.join(ATTACKS)} (e)"
    assert {"main", "table", "details"} <= dom.tags
    assert not dom.tags & {"script", "img", "svg", "iframe", "a"}


def test_the_policy_would_stop_what_got_through(page: str, tmp_path: Path) -> None:
    assert "</main>" in page
    opened = page.replace(
        "</main>", "<script>document.title = 'changed'</script><style>p {}</style></main>"
    )
    document, complaints = browse(opened, tmp_path)
    assert Dom(document).title.endswith(" (e)")
    refused = re.findall(r"(?:executing|applying) inline (script|style)", complaints, re.IGNORECASE)
    assert sorted({kind.casefold() for kind in refused}) == ["script", "style"], complaints
