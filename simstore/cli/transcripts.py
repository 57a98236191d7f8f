"""The command that renders an episode for a human reader."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from simstore.cli.console import say, write
from simstore.cli.options import DEFAULT_STORE, OutputOption, StoreOption, open_store, whole_pk
from simstore.domain.errors import InvalidArgumentError
from simstore.services.files.streams import open_for_writing
from simstore.services.rendering.html import transcript_html
from simstore.services.rendering.markdown import transcript_markdown
from simstore.services.rendering.text import rendered_strings
from simstore.services.rendering.transcript import transcript_of
from simstore.services.rendering.visible import visible


class TranscriptFormat(StrEnum):
    """What a transcript is written in."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


_BY_SUFFIX = {
    ".txt": TranscriptFormat.TEXT,
    ".md": TranscriptFormat.MARKDOWN,
    ".html": TranscriptFormat.HTML,
    ".htm": TranscriptFormat.HTML,
}


def render(
    pk: Annotated[
        str, typer.Argument(metavar="PK", help="The episode's key, or how it alone begins.")
    ],
    *,
    store: StoreOption = DEFAULT_STORE,
    format_: Annotated[
        TranscriptFormat | None,
        typer.Option(
            "--format", help="By the suffix of --output, or else text: Sotopia's own rendering."
        ),
    ] = None,
    output: OutputOption = None,
) -> None:
    """Write an episode for human readers.

    As text, as Markdown, or as a page of HTML that needs nothing else.
    """
    chosen = format_ or _format_of(output)
    with open_store(store) as opened:
        whole = whole_pk(opened.episodes, pk)
        if chosen is TranscriptFormat.TEXT:
            text = "\n\n".join(rendered_strings(opened.episodes.get(whole))) + "\n"
        else:
            transcript = transcript_of(opened, whole)
            html = chosen is TranscriptFormat.HTML
            text = transcript_html(transcript) if html else transcript_markdown(transcript)
    if output is None:
        write(visible(text) if sys.stdout.isatty() else text)
        return
    with open_for_writing(output) as stream:
        stream.write(text.encode())
    say(f"episode {whole} in {output}")


def _format_of(output: Path | None) -> TranscriptFormat:
    if output is None:
        return TranscriptFormat.TEXT
    found = _BY_SUFFIX.get(output.suffix.lower())
    if found is None:
        raise InvalidArgumentError(
            f"{output}: the suffix names no format; use {', '.join(_BY_SUFFIX)}, or say --format"
        )
    return found
