"""The command that runs the demo."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STORE = "memory://"


def demo(
    *,
    store: Annotated[
        str, typer.Option("--store", metavar="URL", help="Where to keep the records.")
    ] = DEFAULT_STORE,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder with five files in Sotopia's format."),
    ] = None,
) -> None:
    """See simstore at work on a few records."""
    arguments = ["--store", store]
    if data is not None:
        arguments += ["--data", str(data)]
    from simstore.demo.command import main  # noqa: PLC0415 — other commands start without it

    raise typer.Exit(main(arguments))
