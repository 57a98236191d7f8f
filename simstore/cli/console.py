"""What the commands print: text for people, JSON for programs.

Records are foreign text. What reaches a terminal is shown with its control characters made
visible, and is never taken for Rich's markup. Colours and cut lines are for terminals alone,
whatever the environment says.
"""

import sys
from collections.abc import Iterable
from typing import Any

from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from simstore.services.rendering.visible import visible


class _Console(Console):
    """Rich's console, but for a reader that leaves early: that is no failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def out(width: int | None = None) -> Console:
    """The console for answers."""
    return _Console(highlight=False, width=width, force_terminal=sys.stdout.isatty())


def err() -> Console:
    """The console for everything that is no answer."""
    return _Console(
        stderr=True, highlight=False, soft_wrap=True, force_terminal=sys.stderr.isatty()
    )


def say(text: str) -> None:
    """Print a line for people."""
    out().print(Text(visible(text)), soft_wrap=True)


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


def write(text: str) -> None:
    """Write `text` as it is, in UTF-8, for a file or a program."""
    _write_bytes(text.encode("utf-8", "backslashreplace"))


def write_json(value: Any) -> None:
    """Write `value` as one JSON document; infinities as Python's JSON has them."""
    _write_bytes(to_json(value, indent=2, inf_nan_mode="constants") + b"\n")


def write_json_lines(values: Iterable[Any]) -> None:
    """Write each of `values` as a line of JSON."""
    for value in values:
        sys.stdout.buffer.write(to_json(value, inf_nan_mode="constants") + b"\n")
    sys.stdout.buffer.flush()


def _write_bytes(data: bytes) -> None:
    sys.stdout.flush()  # what was printed before stands before
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
