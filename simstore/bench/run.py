"""A whole benchmark of stores and their peers."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path

from simstore.bench.entrants import Entrant, stores_of, usual_stores
from simstore.bench.machine import this_machine
from simstore.bench.parts import Parts
from simstore.bench.peers import usual_peers
from simstore.bench.process import Process
from simstore.bench.report import Contender, Report, Settings
from simstore.bench.starting import started
from simstore.bench.works import WORKS, Work
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import near_name
from simstore.services.progress import OnProgress, Progress


def run_benchmark(
    settings: Settings | None = None,
    *,
    stores: Sequence[str] = (),
    peers: bool = False,
    works: Collection[str] = (),
    progress: OnProgress | None = None,
) -> Report:
    """Measure stores, or one of each backend that is installed here. It takes minutes.

    The `stores` are URLs; each is used in a namespace of the benchmark's own, which is empty again
    afterwards. Everything else is in a temporary folder, and on servers that end with the call.
    With `peers`, what people use without simstore is measured as well. `works` are names of
    `simstore.bench.works.WORKS`, if only these are to be measured.

    `progress` is told of the step ``measure``: how many samples were taken.

    Raises:
        InvalidArgumentError: there is no such work, or a URL is given twice.
        BenchmarkError: a contender could not be started.
        MissingDependencyError: an extra is not installed.
        SimstoreError: a store cannot be opened.
    """
    settings = settings or Settings()
    chosen = _chosen(works)
    began = datetime.now(UTC)
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        # What is entered later ends before it is removed.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simstore-bench-")))
        entrants = stores_of(stores) if stores else usual_stores(folder, stack, left_out)
        if peers:
            entrants += usual_peers(folder, stack, left_out)
        processes = stack.enter_context(
            started(
                entrants,
                folder,
                episodes=settings.episodes,
                kilobytes=settings.kilobytes,
                left_out=left_out,
            )
        )
        entrants = [each for each in entrants if each.name in processes]
        if settings.links and not any(each.server for each in entrants):
            settings = settings.model_copy(update={"links": []})
            left_out["slow links"] = "they lead to servers that the benchmark starts for itself"
        number = count(1)
        total = 0

        def tell() -> None:
            if progress is not None:
                progress(Progress("measure", "", next(number), total))

        parts = Parts(settings, entrants, processes, folder, tell)
        total = parts.samples(chosen, everything=not works)
        if not works:
            parts.memory()
        parts.works(chosen)
        if not works:
            parts.links()
            parts.growth()
            parts.ids()
        return Report(
            simstore=version("simstore"),
            date=began.isoformat(timespec="seconds"),
            machine=this_machine(),
            settings=settings,
            contenders=[_introduced(each, processes[each.name], chosen) for each in entrants],
            figures=parts.figures,
            left_out=left_out,
            disagreements=parts.race.disagreements,
            failures=parts.race.failures,
        )


def _chosen(names: Collection[str]) -> list[Work]:
    known = [work.name for work in WORKS]
    for name in names:
        if name not in known:
            hint = near_name(name, known) or f"; there are {', '.join(known)}"
            raise InvalidArgumentError(f"there is no work {name!r}{hint}")
    return [work for work in WORKS if not names or work.name in names]


def _introduced(entrant: Entrant, process: Process, works: Sequence[Work]) -> Contender:
    versions: Mapping[str, str] = {**process.versions, **entrant.server_versions()}
    return Contender(
        name=entrant.name,
        peer=entrant.peer,
        detail=entrant.detail,
        versions=dict(versions),
        cannot=[work.name for work in works if work.name not in process.works],
    )
