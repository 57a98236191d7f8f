"""Progress bars, where a person watches."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars

from simstore.cli.console import err
from simstore.services.progress import OnProgress, Progress
from simstore.services.rendering.visible import one_line


@contextmanager
def progress_bar(*, hidden: bool = False) -> Iterator[OnProgress]:
    """A bar for each step of a long call with each collection, on standard error.

    It is shown if that is a terminal. Nothing else may be printed within. The bars are gone
    when the block ends.
    """
    with _bars(hidden=hidden) as bars:
        yield partial(_advance, bars, {}, "")


@contextmanager
def progress_bars() -> Iterator["FileBars"]:
    """As `progress_bar`, for several files one after the other."""
    with _bars(hidden=False) as bars:
        yield FileBars(bars)


class FileBars:
    """Makes what feeds the bars of a file."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars

    def of(self, file: str) -> OnProgress:
        """What the call that is at work on `file` tells its progress to."""
        return partial(_advance, self._bars, {}, f"{file}: ")


def _advance(
    bars: Bars, tasks: dict[tuple[str, str], TaskID], prefix: str, progress: Progress
) -> None:
    key = progress.step, progress.collection
    if key not in tasks:
        words = " ".join(word for word in key if word)
        tasks[key] = bars.add_task(one_line(f"{prefix}{words}"), total=progress.total)
    bars.update(tasks[key], completed=progress.done, total=progress.total)


def _bars(*, hidden: bool) -> Bars:
    console = err()
    return Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=hidden or not console.is_terminal,
        # Standard output may be a file: what is written to it is not for the terminal.
        redirect_stdout=False,
        redirect_stderr=False,
    )
