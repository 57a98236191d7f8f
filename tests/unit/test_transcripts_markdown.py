"""Transcripts as Markdown: rendered, every text reads as it was and makes no markup."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simstore import AgentProfile, EnvironmentProfile, EpisodeLog
from simstore.domain.episodes import Message
from simstore.samples import sample_path
from simstore.services import (
    jsonl_to_agentprofiles,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
)
from simstore.services.rendering.escaping import escape_block, escape_inline
from simstore.services.rendering.markdown import transcript_markdown
from simstore.services.rendering.messages import Kind
from simstore.services.rendering.transcript import Transcript, build_transcript
from simstore.services.rendering.visible import one_line, visible
from simstore.testing.records import agent_profiles, environment_profiles, episode_logs
from simstore.testing.values import texts

markdown_it = pytest.importorskip("markdown_it", reason="rich, of the extra cli, brings it")

PARSER = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])

SIGNS = st.text(
    st.sampled_from([*"\\`*_{}[]()<>#+-.!|~&@:=$^'\"/ \t\n\r01a;x\u00a0\u2003é"]), max_size=30
)
LINES = st.lists(
    st.sampled_from([
        "# head", "- item", "1. one", "2) two", "> quote", "    code", "```", "~~~", "---", "===",
        "| a | b |", "| - | - |", ":-", ":-:", "<div>", "<!-- x", "-->", "[a]: b", "[a](b)",
        "![a](b)", "https://a.bc", "www.a.bc", "a@b.cd", "@user", "&amp;", "&#35;", "a  ", "a\\",
        "", " ", "* * *", "+", "**a**", "~~a~~", "$x$", "<https://a.bc>", "<script>",
    ]),
    max_size=6,
).map("\n".join)  # fmt: skip
ANY_TEXT = st.one_of(texts(), SIGNS, LINES)


def inline_text(token: Any, *allowed: str) -> str:
    """The text of what stands in a paragraph, a heading or a cell, if it is nothing but text."""
    shown = []
    for child in token.children:
        if child.type == "text":
            shown.append(child.content)
        elif child.type == "hardbreak":
            shown.append("\n")
        elif child.type == "code_inline":
            assert set(child.content) == {"@"}
            shown.append(child.content)
        else:
            assert child.type in allowed, child.type
    return "".join(shown)


def quoted(markdown: str) -> str:
    tokens = PARSER.parse("".join(f"> {line}\n" for line in markdown.split("\n")))
    kinds = [token.type for token in tokens]
    if kinds == ["blockquote_open", "blockquote_close"]:
        return ""
    assert kinds == [
        "blockquote_open", "paragraph_open", "inline", "paragraph_close", "blockquote_close",
    ]  # fmt: skip
    return inline_text(tokens[2])


@given(ANY_TEXT)
@example("a\n\nb")
@example(" \n a \n ")
@example("abc\n:-")
@example("@@`@")
def test_a_block_reads_as_it_was(text: str) -> None:
    assert quoted(escape_block(text)) == visible(text).strip("\n")


@given(ANY_TEXT)
def test_a_line_reads_as_it_was_in_a_heading_a_list_and_a_table(text: str) -> None:
    escaped = escape_inline(text)
    line = one_line(text)
    heading = PARSER.parse(f"# {escaped}")
    assert [token.type for token in heading] == ["heading_open", "inline", "heading_close"]
    assert inline_text(heading[1]) == line
    item = PARSER.parse(f"- Name: {escaped}")
    assert inline_text(item[3]) == f"Name: {line}".rstrip()
    assert [token.type for token in item[3:]] == [
        "inline", "paragraph_close", "list_item_close", "bullet_list_close",
    ]  # fmt: skip
    cells = PARSER.parse(f"| {escaped} | b |\n| --- | --- |\n| {escaped} | d |")
    inline = [inline_text(token) for token in cells if token.type == "inline"]
    assert inline == [line, "b", line, "d"]
    strong = PARSER.parse(f"**{escaped or 'x'}** said")
    assert [child.type for child in strong[1].children[:1]] == ["text"]  # before the emphasis
    assert strong[1].children[1].type == "strong_open"
    assert inline_text(strong[1], "strong_open", "strong_close") == f"{line or 'x'} said"


@given(ANY_TEXT)
@example("WWW.(a) http://b")
def test_nothing_is_left_of_what_github_makes_a_link(text: str) -> None:
    # It finds them in plain text, and mail addresses behind a backslash, too.
    for escaped in (escape_block(text), escape_inline(text)):
        assert not re.search(r"www\.|(?<!\\)://", escaped, re.IGNORECASE)
        assert "@" not in re.sub(r"`@+`", "", escaped)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Plain words, (nothing) to escape: it's 5 - 3 = 2!", None),
        ('The end. A new one... "quoted"', None),
        ("1. one", "1\\. one"),
        ("12) twelve", "12\\) twelve"),
        ("- item", "\\- item"),
        ("a\n:-", "a\\\n\\:-"),
        ("a\n===", "a\\\n\\==="),
        ("*b* _i_ `c`", "\\*b\\* \\_i\\_ \\`c\\`"),
        ("<b> &amp; [a](b)", "\\<b\\> \\&amp; \\[a\\](b)"),
        ("me@a.bc", "me`@`a\\.bc"),
        ("http://a.bc", "http\\://a\\.bc"),
        ("www.(a)", "www\\.(a)"),
        ("a|b", "a&#124;b"),
        ("\u202eabc", "⟨U+202E⟩abc"),
        ("a\n b\n\nc\n", "a\\\n&#32;b\\\n\\\nc"),
    ],
)
def test_only_what_means_something_is_escaped(text: str, escaped: str | None) -> None:
    assert escape_block(text) == (text if escaped is None else escaped)


# --------------------------------------------------------------------------- whole transcripts

EXPECTED = {
    "heading_open", "heading_close", "inline", "paragraph_open", "paragraph_close",
    "blockquote_open", "blockquote_close", "bullet_list_open", "bullet_list_close",
    "list_item_open", "list_item_close", "table_open", "table_close", "thead_open", "thead_close",
    "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open",
    "td_close", "html_block",
}  # fmt: skip


def expected_quotes(made: Transcript) -> list[str]:
    texts = [made.environment.scenario] if made.environment else []
    texts = [text for text in texts if text.strip()]
    texts += [opening.text for opening in made.openings]
    texts += [line.text for turn in made.turns for line in turn.lines if line.kind is not Kind.LEFT]
    texts += [made.episode.reasoning] if made.episode.reasoning.strip() else []
    return [visible(text).strip("\n") for text in texts]


def check(made: Transcript) -> None:
    """Hold a transcript's Markdown against what it should say, and against all else."""
    tokens = PARSER.parse(transcript_markdown(made))
    assert {token.type for token in tokens} <= EXPECTED
    quotes: list[str] = []
    headings: list[str] = []
    html: list[str] = []
    for at, token in enumerate(tokens):
        if token.type == "inline":
            text = inline_text(token, "strong_open", "strong_close", "em_open", "em_close")
            if tokens[at - 1].type == "heading_open":
                headings.append(text)
            elif tokens[at - 1].level and tokens[at - 2].type == "blockquote_open":
                quotes[-1] = text
        elif token.type == "blockquote_open":
            quotes.append("")
        elif token.type == "html_block":
            html.append(token.content)
    assert quotes == expected_quotes(made)
    codename = made.environment.codename if made.environment else ""
    assert headings == [
        one_line(codename) or "Episode",
        "Who plays",
        *(f"{one_line(member.name) or '(no name)'} ({member.number})" for member in made.cast),
        "What each was told beforehand",
        "Conversation",
        *(f"Turn {turn.number}" for turn in made.turns),
        "Scores",
        "Reasoning of the judge",
    ]
    folds = "".join(html)
    assert re.fullmatch(r"(<details>\n<summary>[^<>\n]*</summary>\n</details>\n)*", folds), folds
    assert folds.count("<details>") == len(made.openings)


@given(episode_logs(), environment_profiles(), st.lists(agent_profiles(), max_size=3))
def test_any_episode_reads_as_it_was(
    episode: EpisodeLog, environment: EnvironmentProfile, agents: list[AgentProfile]
) -> None:
    known = [agent.pk for agent in agents][: len(episode.agents)]
    episode = episode.model_copy(
        update={"environment": environment.pk, "agents": known + episode.agents[len(known) :]}
    )
    check(build_transcript(episode, environment=environment, agents=agents))


@given(ANY_TEXT)
def test_markdown_in_every_text_of_an_episode_stays_text(text: str) -> None:
    messages: list[list[Message]] = [
        [("Environment", text, text), (text, "Environment", f'said: "{text}"')],
        [(text, "Environment", text), (text, text, text)],
    ]
    episode = EpisodeLog(
        environment=text, agents=[text, text], tag=text, models=[text] * 4, agent_classes=[text],
        messages=messages, reasoning=text, rewards=[(1.0, {text: 1.0}), 0.0],
    )  # fmt: skip
    check(build_transcript(episode))


@pytest.mark.parametrize("position", range(4))
def test_the_samples_read_as_they_were(position: int) -> None:
    folder = sample_path()
    episode = jsonl_to_episodes(folder / "episodes.jsonl")[position]
    environments = jsonl_to_environmentprofiles(folder / "environment_profiles.jsonl")
    (environment,) = (each for each in environments if each.pk == episode.environment)
    agents = jsonl_to_agentprofiles(folder / "agent_profiles.jsonl")
    made = build_transcript(episode, environment=environment, agents=agents)
    check(made)
    markdown = transcript_markdown(made)
    assert "not found" not in markdown
    assert ("bare number" in markdown) == (position == 3)


def test_the_scores_are_a_table() -> None:
    episode = EpisodeLog(
        environment="park",
        agents=["ann", "bob"],
        messages=[[("Environment", "Ann", ""), ("Environment", "B|ob", "")]],
        rewards=[(2.5, {"goal": 5.0, "w_it": 0.0}), -1.0],
    )
    markdown = transcript_markdown(build_transcript(episode))
    assert markdown.split("## Scores\n\n")[1].split("\n\n")[0] == (
        "| Dimension | Ann (1) | B&#124;ob (2) |\n"
        "| --- | --: | --: |\n"
        "| goal \\[0, 10] | 5 | \N{EN DASH} |\n"
        "| w it | 0 | \N{EN DASH} |\n"
        "| **overall** | **2.5** | **-1** |"
    )
    assert "Environment park not found." in markdown
    assert "Profile ann not found." in markdown


def test_nothing_is_said_to_be_nothing() -> None:
    bare = EpisodeLog(environment="park", agents=[], messages=[[], []], rewards=[])
    markdown = transcript_markdown(build_transcript(bare))
    for said in ("No agent takes part.", "Nothing.", "No messages.", "No scores.", "None."):
        assert f"\n\n{said}\n" in markdown
    idle = bare.model_copy(update={"messages": [[("Ann", "Environment", "did nothing")]]})
    assert "### Turn 1\n\n*Nobody did anything.*" in transcript_markdown(build_transcript(idle))
