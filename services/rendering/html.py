"""Transcripts as HTML: one file that runs nothing and loads nothing."""

from collections.abc import Iterator

from simstore.services.rendering import wording
from simstore.services.rendering.markup import Markup, element, join
from simstore.services.rendering.messages import Kind, Line, Turn
from simstore.services.rendering.numbers import range_text, score_text
from simstore.services.rendering.page import facts, page, section
from simstore.services.rendering.style import SEATS, STYLE
from simstore.services.rendering.transcript import CastMember, ScoreRow, Transcript
from simstore.services.rendering.visible import one_line, visible

_KIND_CLASSES = {kind: kind.name.lower().replace("_", "-") for kind in Kind}


def transcript_html(transcript: Transcript) -> str:
    """`transcript` as a page in HTML, to be written to a file in UTF-8.

    Every text of the episode and its profiles is escaped and made `visible`; the page's policy
    forbids scripts and network besides. What the agents knew beforehand is folded away. The
    page follows the reader's choice of light or dark, and can be printed.
    """
    title = _title(transcript)
    return page(
        f"{title} ({one_line(transcript.episode.pk)})", STYLE, *_sections(transcript, title)
    )


def _title(transcript: Transcript) -> str:
    codename = transcript.environment.codename if transcript.environment else ""
    return one_line(codename) or wording.UNTITLED


def _sections(transcript: Transcript, title: str) -> Iterator[Markup]:
    yield _header(transcript, title)
    yield section("cast", wording.CAST, _cast(transcript))
    yield section("knowledge", wording.OPENINGS, *_openings(transcript))
    yield section("conversation", wording.CONVERSATION, _conversation(transcript))
    yield section("scores", wording.SCORES, _scores(transcript))
    yield section("reasoning", wording.REASONING, _reasoning(transcript.episode.reasoning))
    yield element("footer", *_footer(transcript), class_="note")


def _header(transcript: Transcript, title: str) -> Markup:
    environment, episode = transcript.environment, transcript.episode
    scenario = (
        _text(wording.plain(environment.scenario), "scenario")
        if environment
        else element("p", "Environment ", _code(episode.environment), " not found.", class_="note")
    )
    return element(
        "header",
        element("p", "Transcript of an episode", class_="eyebrow"),
        element("h1", title, dir="auto"),
        scenario,
        facts(wording.facts_of(transcript), class_="facts"),
    )


def _cast(transcript: Transcript) -> Markup:
    if not transcript.cast:
        return _note(wording.NO_CAST)
    return element("div", *map(_card, transcript.cast), class_="cast")


def _card(member: CastMember) -> Markup:
    unknown = (
        element("p", "Profile ", _code(member.pk), " not found.", class_="note")
        if member.profile is None
        else None
    )
    return element(
        "article",
        element("h3", _badge(member), _name(member.name)),
        unknown,
        _text(member.background) if member.background else None,
        facts(wording.facts_of_member(member)),
        class_=f"card {_seat(member)}",
    )


def _openings(transcript: Transcript) -> Iterator[Markup]:
    if not transcript.openings:
        yield _note(wording.NO_OPENINGS)
    for opening in transcript.openings:
        yield element(
            "details",
            element("summary", _name(opening.receiver)),
            _text(opening.text),
        )


def _conversation(transcript: Transcript) -> Markup:
    if not transcript.turns:
        return _note(wording.NO_MESSAGES)
    turns = [_turn(transcript, turn) for turn in transcript.turns]
    return element("ol", *turns, class_="turns")


def _turn(transcript: Transcript, turn: Turn) -> Markup:
    lines = [_line(transcript, line) for line in turn.lines] or [_note(wording.NO_ACTS)]
    number = element("span", str(turn.number), class_="number", title=f"Turn {turn.number}")
    return element("li", number, *lines, class_="turn")


def _line(transcript: Transcript, line: Line) -> Markup:
    member = transcript.seats.get(line.speaker)
    kind = "" if line.kind is Kind.OTHER else line.kind.value
    told = [f"to {one_line(line.to)}", kind] if line.to else [kind]
    who = element(
        "div",
        _badge(member) if member else None,
        element("b", _name(line.speaker)),
        element("span", ", ".join(filter(None, told)), class_="kind") if any(told) else None,
        class_="who",
    )
    text = None if line.kind is Kind.LEFT else _text(line.text)
    return element("div", who, text, class_=f"line {_KIND_CLASSES[line.kind]} {_seat(member)}")


def _scores(transcript: Transcript) -> Markup:
    cast = transcript.cast
    if not cast:
        return _note(wording.NO_SCORES)
    heads = [
        element("th", _badge(member), _name(member.name), scope="col", class_=_seat(member))
        for member in cast
    ]
    overall = [element("td", score_text(member.overall)) for member in cast]
    bare = any(member.scores is None for member in cast)
    table = element(
        "table",
        element(
            "caption",
            wording.BARE_REWARD,
            class_="note",
        )
        if bare
        else None,
        element("thead", element("tr", element("th", "Dimension", scope="col"), *heads)),
        element("tbody", *map(_score_row, transcript.score_rows())),
        element("tfoot", element("tr", element("th", "overall", scope="row"), *overall)),
    )
    return element(
        "div", table, class_="wide", tabindex="0", role="group", aria_label=wording.SCORES
    )


def _score_row(row: ScoreRow) -> Markup:
    bounds = element("span", f" {range_text(row.range)}", class_="range") if row.range else None
    name = one_line(row.dimension).replace("_", " ")
    return element(
        "tr",
        element("th", name, bounds, scope="row"),
        *(element("td", score_text(score)) for score in row.scores),
    )


def _reasoning(reasoning: str) -> Markup:
    if not reasoning.strip():
        return _note(wording.NO_REASONING)
    return _text(reasoning, "reasoning")


def _footer(transcript: Transcript) -> Iterator[Markup]:
    episode = transcript.episode
    yield join(
        element("p", "Episode ", _code(episode.pk)),
        element("p", "Environment ", _code(episode.environment)),
    )


def _seat(member: CastMember | None) -> str:
    return f"seat-{(member.number - 1) % SEATS + 1}" if member else "seat-0"


def _badge(member: CastMember) -> Markup:
    return element("span", str(member.number), class_="seat", title=f"Agent {member.number}")


def _name(name: str) -> Markup:
    # Set apart, so that a name from right to left leaves its surroundings in order.
    return element("bdi", one_line(name) or wording.NAMELESS)


def _text(text: str, *classes: str) -> Markup:
    """A text of somebody's, with its own line ends and its own direction."""
    return element(
        "div", visible(text).strip("\n"), class_=" ".join(["text", *classes]), dir="auto"
    )


def _code(text: str) -> Markup:
    return element("code", one_line(text))


def _note(text: str) -> Markup:
    return element("p", text, class_="note")
