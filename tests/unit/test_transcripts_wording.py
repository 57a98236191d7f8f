"""What transcripts say in words of their own, and the marks in environments that they leave out."""

import html
import re
from collections.abc import Callable

import pytest

from simstore import EnvironmentProfile, EpisodeLog
from simstore.services.rendering import wording
from simstore.services.rendering.html import transcript_html
from simstore.services.rendering.markdown import transcript_markdown
from simstore.services.rendering.transcript import Transcript, build_transcript

FORMATS = pytest.mark.parametrize(
    "write", [transcript_html, transcript_markdown], ids=["html", "markdown"]
)

Write = Callable[[Transcript], str]


def text_of(written: str) -> str:
    """What is left of a transcript without markup and escapes, on one line."""
    text = written.partition("</head>")[2] or written.replace("\\", "")
    return " ".join(html.unescape(re.sub(r"<[^<>]+>", " ", text)).replace("`", "").split())


def transcript(scenario: str, *goals: str) -> Transcript:
    environment = EnvironmentProfile(
        pk="park", codename="A park", scenario=scenario, agent_goals=list(goals)
    )
    episode = EpisodeLog(
        environment="park",
        agents=[str(number) for number, _ in enumerate(goals)],
        messages=[],
        rewards=[0.0 for _ in goals],
    )
    return build_transcript(episode, environment=environment)


@FORMATS
def test_goals_read_without_the_marks_for_agents(write: Write) -> None:
    made = transcript(
        "Two friends. <p viewer='agent_0'>Ann is late.</p><p viewer=\"environment\">It rains.</p>",
        "Divide it (<extra_info>Extra information: a ball is 2 points. "
        "<strategy_hint>Hint: ask first</strategy_hint></extra_info>)",
        "Ask (<clarification_hint>Hint: quietly</clarification_hint>)",
    )
    text = text_of(write(made))
    assert "Two friends. Ann is late.It rains." in text
    assert "Divide it (Extra information: a ball is 2 points. Hint: ask first)" in text
    assert "Ask (Hint: quietly)" in text
    assert all(name not in write(made) for name in ("extra_info", "_hint", "viewer"))


@pytest.mark.parametrize(
    "text",
    ["a < b and c > d", "<b>bold</b>", "<path>", "<p>", "<extra_info", "hint>", "", "<hint>"],
)
def test_what_is_no_such_mark_stays(text: str) -> None:
    assert wording.plain(text) == text


@FORMATS
def test_what_is_not_there_is_said_in_the_same_words(write: Write) -> None:
    text = text_of(write(transcript("")))
    for said in (
        wording.CAST,
        wording.NO_CAST,
        wording.OPENINGS,
        wording.NO_OPENINGS,
        wording.CONVERSATION,
        wording.NO_MESSAGES,
        wording.SCORES,
        wording.NO_SCORES,
        wording.REASONING,
        wording.NO_REASONING,
    ):
        assert said in text
    assert wording.BARE_REWARD in text_of(write(transcript("", "a goal")))
