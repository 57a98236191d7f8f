"""What the commands print: text for people, JSON for programs.

Records are foreign text. What reaches a terminal is shown with its control characters made
visible, and is never taken for Rich's markup. Colours and cut lines are for terminals alone,
whatever the environment says.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from simstore.domain.errors import InvalidArgumentError
from simstore.services.files.streams import STANDARD_STREAM, open_for_writing
from simstore.services.rendering.visible import visible


class _Console(Console):
    """Rich's console, but for a reader that leaves early: that is no failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out() -> Console:
    """The console for answers."""
    return _Console(highlight=False, force_terminal=sys.stdout.isatty())


def err() -> Console:
    """The console for everything that is no answer."""
    return _Console(
        stderr=True, highlight=False, soft_wrap=True, force_terminal=sys.stderr.isatty()
    )


def say(text: str, *, wrapped: bool = False) -> None:
    """Print a line for people; one that is `wrapped` is broken between words on a terminal."""
    out().print(Text(visible(text)), soft_wrap=not (wrapped and sys.stdout.isatty()))


def note(text: str) -> None:
    """Print a line that is no answer, on standard error."""
    err().print(Text(visible(text)))


def ask(question: str) -> bool:
    """Whether a person says yes; the end of their input, and anything else, is a no."""
    err().print(Text(f"{visible(question)} [y/N] "), end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def counted(count: int, singular: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{count} {singular}" if count == 1 else f"{count} {singular}s"


def is_standard(output: str | None) -> bool:
    """Whether an answer goes to standard output: no --output was given, or -."""
    return output in {None, STANDARD_STREAM}


def is_folder(output: str | None) -> bool:
    """Whether --output means a folder: it is one, or ends as the name of one."""
    if output is None:
        return False
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def deliver(text: str, output: str | None, told: str = "written to") -> None:
    """Write `text` to the file `output`, and a note that says so; else to standard output.

    The note is what is `told`, and the file's name. In a pipe the text stays as it is; on a
    terminal it does not act.

    Raises:
        InvalidArgumentError: `output` is a folder.
        OSError: the file cannot be written.
    """
    if output is None or is_standard(output):
        _write_bytes(
            (visible(text) if sys.stdout.isatty() else text).encode("utf-8", "backslashreplace")
        )
        return
    if is_folder(output):
        raise InvalidArgumentError(f"--output {output} is a folder; name a file in it")
    with open_for_writing(output) as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))
    note(f"{told} {output}")


def write_json(value: Any) -> None:
    """Write `value` as one JSON document; infinities as Python's JSON has them."""
    _write_bytes(to_json(value, indent=2, inf_nan_mode="constants") + b"\n")


def json_line(value: Any) -> bytes:
    """`value` as a line of JSON."""
    return to_json(value, inf_nan_mode="constants") + b"\n"


def write_json_lines(values: Iterable[Any]) -> None:
    """Write each of `values` as a line of JSON."""
    for value in values:
        sys.stdout.buffer.write(json_line(value))
    sys.stdout.buffer.flush()


def _write_bytes(data: bytes) -> None:
    sys.stdout.flush()  # what was printed before stands before
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
