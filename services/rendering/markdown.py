"""Transcripts as Markdown, for a repository, an issue or a notebook."""

from collections.abc import Iterator
from html import escape

from simstore.services.rendering import wording
from simstore.services.rendering.escaping import escape_block, escape_inline
from simstore.services.rendering.messages import Kind, Line, Opening
from simstore.services.rendering.numbers import range_text, score_text
from simstore.services.rendering.transcript import CastMember, Transcript
from simstore.services.rendering.visible import one_line


def transcript_markdown(transcript: Transcript) -> str:
    """`transcript` in CommonMark with GitHub's tables; what agents knew beforehand is folded away.

    Texts of the episode and its profiles are made `visible` and escaped, so that they render
    as they are and make no link, image, heading or HTML. Where HTML is not rendered, the tags
    that fold the openings are seen, and the openings with them.
    """
    return "\n\n".join(_blocks(transcript)) + "\n"


def _blocks(transcript: Transcript) -> Iterator[str]:
    episode, environment = transcript.episode, transcript.environment
    codename = environment.codename if environment else ""
    yield f"# {escape_inline(codename) or wording.UNTITLED}"
    if environment is None:
        yield f"Environment {escape_inline(episode.environment)} not found."
    elif environment.scenario.strip():
        yield _quote(wording.plain(environment.scenario))
    yield _list(
        [
            ("Episode", episode.pk),
            ("Environment", episode.environment),
            *wording.facts_of(transcript),
        ]
    )
    yield f"## {wording.CAST}"
    for member in transcript.cast:
        yield from _member(member)
    if not transcript.cast:
        yield wording.NO_CAST
    yield f"## {wording.OPENINGS}"
    for opening in transcript.openings:
        yield from _opening(opening)
    if not transcript.openings:
        yield wording.NO_OPENINGS
    yield f"## {wording.CONVERSATION}"
    for turn in transcript.turns:
        yield f"### Turn {turn.number}"
        for line in turn.lines:
            yield from _line(transcript, line)
        if not turn.lines:
            yield f"*{wording.NO_ACTS}*"
    if not transcript.turns:
        yield wording.NO_MESSAGES
    yield f"## {wording.SCORES}"
    yield from _scores(transcript)
    yield f"## {wording.REASONING}"
    yield _quote(episode.reasoning) if episode.reasoning.strip() else wording.NO_REASONING


def _member(member: CastMember) -> Iterator[str]:
    yield f"### {_numbered(member)}"
    if member.profile is None:
        yield f"Profile {escape_inline(member.pk)} not found."
    facts = [("Background", member.background), *wording.facts_of_member(member)]
    if any(one_line(value) for _, value in facts):
        yield _list(facts)


def _opening(opening: Opening) -> Iterator[str]:
    name = escape(one_line(opening.receiver)) or wording.NAMELESS
    yield f"<details>\n<summary>{name}</summary>"
    yield _quote(opening.text)
    yield "</details>"


def _line(transcript: Transcript, line: Line) -> Iterator[str]:
    member = transcript.seats.get(line.speaker)
    who = (
        _numbered(member, line.speaker)
        if member
        else escape_inline(line.speaker) or wording.NAMELESS
    )
    told = [f"to {escape_inline(line.to)}"] if line.to else []
    if line.kind is not Kind.OTHER:
        told.append(line.kind.value)
    yield f"**{who}**" + (f" {', '.join(told)}" if told else "")
    if line.kind is not Kind.LEFT:
        yield _quote(line.text)


def _scores(transcript: Transcript) -> Iterator[str]:
    cast = transcript.cast
    if not cast:
        yield wording.NO_SCORES
        return
    rows = [["Dimension", *map(_numbered, cast)], ["---", *("--:" for _ in cast)]]
    for row in transcript.score_rows():
        bounds = f" \\{range_text(row.range)}" if row.range else ""
        name = escape_inline(row.dimension.replace("_", " "))
        rows.append([name + bounds, *map(score_text, row.scores)])
    rows.append(["**overall**", *(f"**{score_text(each.overall)}**" for each in cast)])
    yield "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    if any(member.scores is None for member in cast):
        yield wording.BARE_REWARD


def _numbered(member: CastMember, name: str = "") -> str:
    """A member's name, or the `name` by which it is called, with its number."""
    return f"{escape_inline(name or member.name) or wording.NAMELESS} ({member.number})"


def _list(facts: list[tuple[str, str]]) -> str:
    return "\n".join(
        f"- {name}: {escape_inline(value)}" for name, value in facts if one_line(value)
    )


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in escape_block(text).split("\n"))
