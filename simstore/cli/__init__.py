"""The command line ``simstore``: the services, from a shell."""

import os
import sys
from pathlib import Path

from simstore.domain.errors import MissingDependencyError

__all__ = ["main"]


def main() -> None:
    """Run the command line; what the script ``simstore`` calls.

    The exit code is 0, 1 if problems were found, or 2 if the command was called wrongly, if
    the store cannot be used, or if the packages of the extra are not installed.
    """
    _mend_streams()
    try:
        try:
            import rich  # noqa: F401, PLC0415 — only to know that it is there
            import typer  # noqa: F401, PLC0415 — the same
        except ImportError:
            sys.stderr.write(f"simstore: {MissingDependencyError('the command line', 'cli')}\n")
            sys.exit(2)
        from simstore.cli.app import app  # noqa: PLC0415 — it needs both

        app(prog_name="simstore")
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python would flush it once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except KeyboardInterrupt:  # before the application could take care of it
        sys.exit(130)


def _mend_streams() -> None:
    """Let output never fail for a character, nor for a stream that the caller closed."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 — until the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 — the same
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
