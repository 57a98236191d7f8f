"""Transcripts as HTML: everything that was said is there, as text and nothing else."""

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore import AgentProfile, EnvironmentProfile, EpisodeLog
from simstore.domain.episodes import Message, Reward
from simstore.samples import sample_path
from simstore.services import (
    jsonl_to_agentprofiles,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
)
from simstore.services.rendering.html import transcript_html
from simstore.services.rendering.markup import Markup, element, join
from simstore.services.rendering.messages import Kind
from simstore.services.rendering.style import SEATS, STYLE
from simstore.services.rendering.transcript import Transcript, build_transcript
from simstore.services.rendering.visible import one_line, visible
from simstore.testing.records import agent_profiles, environment_profiles, episode_logs
from simstore.testing.texts import HALF_PAIRS

ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "head": set(), "title": set(), "style": set(), "body": set(), "main": set(), "header": set(),
    "h1": {"dir"}, "h2": {"id"}, "h3": set(), "section": {"aria-labelledby"}, "article": {"class"},
    "p": {"class"}, "div": {"class", "dir", "tabindex", "role", "aria-label"},
    "span": {"class", "title"}, "bdi": set(), "b": set(), "code": set(), "footer": {"class"},
    "dl": {"class"}, "dt": set(), "dd": {"dir"}, "details": set(), "summary": set(),
    "ol": {"class"}, "li": {"class"}, "table": set(), "caption": {"class"}, "thead": set(),
    "tbody": set(), "tfoot": set(), "tr": set(), "th": {"scope", "class"}, "td": set(),
}  # fmt: skip
"""Every element that a page may have, with its attributes."""

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "--> <!-- ]]> <![CDATA[",
    "</main></body></style></title><style>*{display:none}</style>",
    "&lt;b&gt; &amp;amp; &#60;script&#62;",
    "<a href=javascript:alert(1)>x</a>",
    "\u202egnp.exe\x1b[31m\x00",
    "a" * 5_000,
]


class Page(HTMLParser):
    """A page, read as a browser does: its elements in order, with attributes and texts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.texts: list[tuple[str, str, str]] = []
        self.open: list[tuple[str, str, list[str]]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= ATTRIBUTES[tag]
        self.tags.append(tag)
        if tag != "meta":
            self.open.append((tag, dict(attrs).get("class") or "", []))

    def handle_endtag(self, tag: str) -> None:
        opened, classes, texts = self.open.pop()
        assert opened == tag
        self.texts.append((tag, classes, "".join(texts)))

    def handle_data(self, data: str) -> None:
        for _, _, texts in self.open:
            texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"a processing instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def of_class(self, name: str) -> list[str]:
        return [text for _, classes, text in self.texts if name in classes.split()]

    def of_tag(self, name: str) -> list[str]:
        return [text for tag, _, text in self.texts if tag == name]


def shown(text: str) -> str:
    return visible(text).strip("\n")


def expected_texts(made: Transcript) -> list[str]:
    """The texts of a page that keep their line ends, in order."""
    texts = [made.environment.scenario] if made.environment else []
    texts += [member.background for member in made.cast if member.background]
    texts += [opening.text for opening in made.openings]
    texts += [line.text for turn in made.turns for line in turn.lines if line.kind is not Kind.LEFT]
    texts += [made.episode.reasoning] if made.episode.reasoning.strip() else []
    return [shown(text) for text in texts]


@given(episode_logs(), environment_profiles(), st.lists(agent_profiles(), max_size=3))
def test_a_page_holds_the_texts_and_no_element_that_it_should_not(
    episode: EpisodeLog, environment: EnvironmentProfile, agents: list[AgentProfile]
) -> None:
    episode = episode.model_copy(
        update={
            "environment": environment.pk,
            "agents": [agent.pk for agent in agents][: len(episode.agents)]
            + episode.agents[len(agents) :],
        }
    )
    made = build_transcript(episode, environment=environment, agents=agents)
    page = Page(transcript_html(made))
    assert page.of_class("text") == expected_texts(made)
    assert page.of_tag("h1") == [one_line(environment.codename) or "Episode"]
    counts = Counter(page.tags)
    assert counts["main"] == counts["h1"] == counts["table"] == 1
    assert counts["article"] == len(episode.agents)
    assert counts["li"] == len(made.turns)


def hostile_episode(text: str) -> EpisodeLog:
    messages: list[list[Message]] = [
        [("Environment", text, text), (text, "Environment", f'said: "{text}"')],
        [(text, "Environment", text), (text, text, text)],
    ]
    rewards: list[Reward] = [(1.0, {text: 1.0}), 0.0]
    # Half a surrogate pair is no valid field; a record may still be changed to hold one.
    return EpisodeLog.model_construct(
        pk="e", environment=text, agents=[text, "b"], tag=text, models=[text] * 4,
        agent_classes=[text], messages=messages, reasoning=text, rewards=rewards, rewards_prompt="",
    )  # fmt: skip


@pytest.mark.parametrize("text", [*HOSTILE, *HALF_PAIRS], ids=lambda text: ascii(text[:20]))
def test_hostile_text_stays_text_wherever_it_stands(text: str) -> None:
    episode = hostile_episode(text)
    environment = EnvironmentProfile.model_construct(
        pk=text, codename=text, scenario=text, agent_goals=[text]
    )
    agent = AgentProfile.model_construct(
        pk=text, first_name=text, last_name=text, age=1, occupation=text, gender_pronoun=text,
        public_info=text,
    )  # fmt: skip
    made = build_transcript(episode, environment=environment, agents=[agent])
    html = transcript_html(made)
    assert html.encode("utf-8")
    page = Page(html)
    assert page.of_class("text") == expected_texts(made)
    assert page.of_tag("script") == page.of_tag("img") == page.of_tag("a") == []
    assert page.of_tag("style") == [STYLE]
    assert page.of_tag("title") == [f"{one_line(text)} (e)"]


def sample_page(position: int) -> tuple[Transcript, str]:
    folder = sample_path()
    episode = jsonl_to_episodes(folder / "episodes.jsonl")[position]
    environments = jsonl_to_environmentprofiles(folder / "environment_profiles.jsonl")
    (environment,) = (each for each in environments if each.pk == episode.environment)
    agents = jsonl_to_agentprofiles(folder / "agent_profiles.jsonl")
    made = build_transcript(episode, environment=environment, agents=agents)
    return made, transcript_html(made)


def test_a_page_of_two_agents() -> None:
    _, html = sample_page(0)
    page = Page(html)
    assert page.of_tag("title") == ["borrowed_ladder (01J03E4700K6BNDZ56HMTKX0EE)"]
    assert page.of_tag("h3") == ["1Ines Okafor", "2Tobias Lindqvist"]
    assert page.of_tag("summary") == ["Ines Okafor", "Tobias Lindqvist"]
    assert page.of_class("who")[0] == "1Ines Okaforsaid"
    assert page.of_class("who")[-1] == "2Tobias Lindqvistaction"
    assert page.of_tag("tr")[0] == "Dimension1Ines Okafor2Tobias Lindqvist"
    assert page.of_tag("tr")[1] == "believability [0, 10]99"
    assert page.of_tag("tr")[-1] == "overall3.7142.857"
    assert len(page.of_tag("tr")) == 9
    assert "bare number" not in html
    assert "not found" not in html


def test_who_leaves_has_a_line_without_a_text() -> None:
    made, html = sample_page(1)
    page = Page(html)
    assert page.of_class("who")[-1] == "1Mei-Lin Castellanoleft the conversation"
    assert page.of_class("left") == [page.of_class("who")[-1]]
    assert page.of_class("text") == expected_texts(made)


def test_a_page_of_three_agents_with_bare_rewards() -> None:
    _, html = sample_page(3)
    page = Page(html)
    assert page.of_tag("tr")[1:] == ["overall11-2"]
    assert "bare number" in page.of_tag("caption")[0]
    assert page.of_class("seat-3")[0].startswith("3Tobias Lindqvist")


def test_what_is_missing_is_said() -> None:
    episode = EpisodeLog(
        pk="e", environment="park", agents=["ann"], messages=[], rewards=[0.0], tag=None
    )
    page = Page(transcript_html(build_transcript(episode)))
    notes = page.of_class("note")
    for said in (
        "Environment park not found.",
        "Profile ann not found.",
        "Nothing.",
        "No messages.",
    ):
        assert said in notes
    assert page.of_tag("h1") == ["Episode"]
    assert page.of_tag("h3") == ["1Agent 1"]


def test_an_episode_without_agents_has_a_page() -> None:
    episode = EpisodeLog(environment="park", agents=[], messages=[[], []], rewards=[])
    notes = Page(transcript_html(build_transcript(episode))).of_class("note")
    assert {"No agent takes part.", "No scores."} <= set(notes)


def test_a_turn_of_idle_agents_says_so() -> None:
    episode = EpisodeLog(
        environment="park",
        agents=["ann"],
        messages=[[("Ann", "Environment", "did nothing")]],
        rewards=[0.0],
    )
    assert Page(transcript_html(build_transcript(episode))).of_tag("li") == [
        "1Nobody did anything."
    ]


def test_colours_begin_anew_after_the_last_and_strangers_have_none() -> None:
    names = [f"Agent {number}" for number in range(1, SEATS + 2)]
    episode = EpisodeLog(
        environment="park",
        agents=names,
        messages=[[(name, "Environment", "") for name in [*names, "Stranger"]]],
        rewards=[0.0] * len(names),
    )
    html = transcript_html(build_transcript(episode))
    seats = re.findall(r'class="line other seat-(\d)"', html)
    assert seats == [*map(str, range(1, SEATS + 1)), "1", "0"]
    assert all(f".seat-{seat} {{" in STYLE for seat in seats)
    assert all(f".{kind}" in STYLE for kind in ("said", "action", "non-verbal"))


def test_the_page_s_policy_allows_its_own_style_and_nothing_else() -> None:
    _, html = sample_page(0)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert policy.replace("&#x27;", "'") == (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    )
    assert f"<style>{STYLE}</style>" in html
    # Nothing to load: no address, and no import in the style sheet.
    assert not re.search(r"https?:|url\(|@import|src=|href=", html)
    assert '<html lang="en">' in html


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminances, as WCAG 2 defines it."""

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        red, green, blue = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.005)


def test_every_colour_of_text_can_be_read_on_every_background() -> None:
    palettes = [dict(re.findall(r"--([\w-]+): (#\w+);", part)) for part in STYLE.split(":root")[1:]]
    assert len(palettes) == 3
    for palette in palettes:
        text = ["ink", "soft", *(f"seat-{number}" for number in range(1, SEATS + 1))]
        for name in text:
            for background in ("page", "card"):
                assert contrast(palette[name], palette[background]) >= 4.5, (name, background)


# ---------------------------------------------------------------------------------- markup


def test_markup_escapes_all_but_itself() -> None:
    assert element("p", "<&'\"", Markup("<br>"), None, class_='"', aria_label=None) == (
        '<p class="&quot;">&lt;&amp;&#x27;&quot;<br></p>'
    )
    assert element("meta", http_equiv="x") == '<meta http-equiv="x">'
    assert join("a<", element("b", "c")) == "a&lt;<b>c</b>"
