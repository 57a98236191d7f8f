"""Contenders' processes, started together and ended together."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from simstore.bench.entrants import Entrant
from simstore.bench.process import Process
from simstore.domain.errors import BenchmarkError

TIMEOUT = 1_800.0
"""Seconds that a contender may take for one work."""


@contextmanager
def started(  # noqa: PLR0913 — options, by name
    entrants: Iterable[Entrant],
    folder: Path,
    *,
    episodes: int,
    kilobytes: float,
    ports: Mapping[str, int] | None = None,
    counts_memory: bool = False,
    left_out: dict[str, str] | None = None,
) -> Iterator[dict[str, Process]]:
    """A process of each of `entrants`, by name; each has a folder of its own in `folder`.

    Those that have `ports` reach their servers there, and find what another process of theirs
    keeps. With `counts_memory`, Python counts what they hold, and they are slow. A peer that does
    not start is named in `left_out`, with the reason.

    Raises:
        BenchmarkError: one did not start.
    """
    with ExitStack() as stack:
        processes: dict[str, Process] = {}
        for each in entrants:
            own = Path(tempfile.mkdtemp(dir=folder))
            port = None if ports is None else ports[each.name]
            setting = {
                "episodes": episodes,
                "kilobytes": kilobytes,
                **each.setting(own, port=port, owner=ports is None),
            }
            counting = {"PYTHONTRACEMALLOC": "1"} if counts_memory else {}
            try:
                process = Process(
                    each.command,
                    setting,
                    environment={**each.environment, **counting},
                    log=own / "log",
                    timeout=TIMEOUT,
                )
            except BenchmarkError as error:
                if each.peer and left_out is not None:
                    left_out[each.name] = str(error)
                    continue
                raise BenchmarkError(f"{each.name}: {error}") from error
            processes[each.name] = stack.enter_context(process)
        yield processes
