"""The command that renders an episode for a human reader."""

from typing import Annotated, Literal

import typer

from simstore.cli.console import deliver
from simstore.cli.options import DEFAULT_STORE, OutputOption, StoreOption, open_store, whole_pk
from simstore.cli.output_formats import chosen_format
from simstore.services.rendering.html import transcript_html
from simstore.services.rendering.markdown import transcript_markdown
from simstore.services.rendering.text import rendered_strings
from simstore.services.rendering.transcript import transcript_of

TranscriptFormat = Literal["text", "markdown", "html"]

_BY_SUFFIX: dict[str, TranscriptFormat] = {
    ".txt": "text",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
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
    chosen = chosen_format(format_, output, _BY_SUFFIX, "text")
    with open_store(store) as opened:
        whole = whole_pk(opened.episodes, pk)
        if chosen == "text":
            text = "\n\n".join(rendered_strings(opened.episodes.get(whole))) + "\n"
        else:
            transcript = transcript_of(opened, whole)
            html = chosen == "html"
            text = transcript_html(transcript) if html else transcript_markdown(transcript)
    deliver(text, output, f"episode {whole} in")
