"""Progress bars, where a person watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from simstore.cli.console import err
from simstore.services.rendering.visible import one_line

Advance = Callable[[str, int, int | None], None]
"""Given a step, how many records of it are done since the last call, and of how many."""


@contextmanager
def progress_bar(*, hidden: bool = False) -> Iterator[Advance]:
    """A bar for each step of a long call, on standard error if that is a terminal.

    Nothing else may be printed within. The bars are gone when the block ends.
    """
    console = err()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=hidden or not console.is_terminal,
        # Standard output may be a file: what is written to it is not for the terminal.
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, done: int, total: int | None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(one_line(step), total=total)
            bars.update(tasks[step], advance=done)

        yield advance
