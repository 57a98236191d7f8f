"""The command that runs a server on this machine."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from simstore.cli.console import note, say, write_json_lines
from simstore.cli.hints import hint
from simstore.cli.options import JsonOption
from simstore.domain.errors import BackendUnavailableError, InvalidArgumentError

if TYPE_CHECKING:
    from simstore.server import LocalServer

PASSWORD_VARIABLE = "SIMSTORE_SERVER_PASSWORD"  # noqa: S105 — a name, no password


Fsync = Literal["always", "everysec"]
"""As `simstore.server` has it, which is not imported for the help."""


class _Stopped(BaseException):
    """A signal asked for the end."""


def server(
    *,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65_535, metavar="PORT", help="The port on loopback; 0 takes a free one."
        ),
    ] = 6379,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the data lie; made if it is not there.")
    ] = Path("simstore-data"),
    fsync: Annotated[
        Fsync,
        typer.Option(
            help="When writes are put on the disk: within a second, or always before they are "
            "acknowledged, which is slower."
        ),
    ] = "everysec",
    as_json: JsonOption = False,
) -> None:
    """Run a server on this machine, until Ctrl-C.

    Its data lie in a folder, and are there again when it is run again. It needs the extra
    server, and listens on loopback alone: other machines cannot reach it, every program of this
    one can. The environment variable SIMSTORE_SERVER_PASSWORD gives it a password.
    """
    from simstore.server import LocalServer  # noqa: PLC0415 — other commands start without it

    password = os.environ.get(PASSWORD_VARIABLE)
    with hint(InvalidArgumentError, f"it is read from {PASSWORD_VARIABLE}", about="password"):
        local = LocalServer(folder, port=port, password=password, fsync=fsync)
    other_port = hint(
        BackendUnavailableError, "--port 0 takes a free one", about="in use by another program"
    )
    with _until_stopped(), other_port, local:
        _tell(local, as_json=as_json, secret=password is not None)
        local.wait()


def _tell(local: "LocalServer", *, as_json: bool, secret: bool) -> None:
    if as_json:
        told = {
            "url": local.shown_url,
            "om_url": local.shown_om_url,
            "pid": local.pid,
            "folder": str(local.folder.resolve()),
        }
        write_json_lines([told])
        return
    say(local.shown_url)
    if local.shown_om_url:
        say(local.shown_om_url)
    note(f"its data are in {local.folder}; Ctrl-C stops it")
    if secret:
        note(f"clients need the password in {PASSWORD_VARIABLE}")


@contextmanager
def _until_stopped() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the block, once: what it then does is not disturbed."""
    signals = (signal.SIGINT, signal.SIGTERM)

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    before = {
        each: signal.signal(each, stop)
        for each in signals
        if signal.getsignal(each) != signal.SIG_IGN  # as shells have it of what runs behind them
    }
    try:
        yield
    except _Stopped:
        pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
