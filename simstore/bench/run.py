"""A whole benchmark: works, growth, links and memory, of stores and of their peers."""

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from simstore.bench.entrants import Entrant, stores_of, usual_stores
from simstore.bench.link import SlowLink
from simstore.bench.machine import this_machine
from simstore.bench.process import Process
from simstore.bench.report import Contender, Figure, Part, Report, Settings
from simstore.bench.rounds import Race, Samples
from simstore.bench.works import ALL_IDS, GROWTH_WORKS, LINK_WORKS, WORKS, Work
from simstore.domain.errors import BenchmarkError, InvalidArgumentError
from simstore.domain.schema import near_name
from simstore.services.progress import OnProgress, Progress

LINK_SHARE = 20
"""Over a slow link, a part of the episodes will do: it is waited for, not worked."""

TIMEOUT = 1_800.0
"""Seconds that one work may take."""

_BATCHES = 5


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
    With `peers`, what people use without simstore is measured, too. `works` are names of
    `simstore.bench.works.WORKS`, if not all of them and everything else are to be measured.

    `progress` is told of the step ``measure``, how many samples were taken.

    Raises:
        InvalidArgumentError: there is no such work, or a URL is given twice.
        BenchmarkError: a contender could not be started.
        MissingDependencyError: an extra is not installed.
        SimstoreError: a store cannot be opened.
    """
    names = [work.name for work in WORKS]
    for name in works:
        if name not in names:
            hint = near_name(name, names) or f"; there are {', '.join(names)}"
            raise InvalidArgumentError(f"there is no work {name!r}{hint}")
    with ExitStack() as stack:
        # Servers and processes end before it is removed.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="simstore-bench-")))
        left_out: dict[str, str] = {}
        entrants = stores_of(stores) if stores else usual_stores(folder, stack, left_out)
        run = _Run(settings or Settings(), entrants, folder, progress)
        return run.report([work for work in WORKS if not works or work.name in works], left_out)


class _Run:
    def __init__(
        self,
        settings: Settings,
        entrants: Sequence[Entrant],
        folder: Path,
        progress: OnProgress | None,
    ) -> None:
        self._settings = settings
        self._entrants = {each.name: each for each in entrants}
        self._folder = folder
        self._progress = progress
        self._done = 0
        self._race = Race(settings.seconds_a_work, self._tell)
        self._figures: list[Figure] = []
        self._contenders: list[Contender] = []

    def report(self, works: Sequence[Work], left_out: dict[str, str]) -> Report:
        began = datetime.now(UTC)
        with self._started(self._entrants.values()) as processes:
            self._introduce(processes, works)
            everything = len(works) == len(WORKS)
            if everything:
                self._measure_memory(processes)  # first: a file does not shrink again
            self._measure_works(processes, works)
            if everything:
                self._measure_growth(processes)
                self._measure_links(processes)
        self._tell(last=True)
        return Report(
            simstore=version("simstore"),
            date=began.isoformat(timespec="seconds"),
            machine=this_machine(),
            settings=self._settings,
            contenders=self._contenders,
            figures=self._figures,
            left_out=left_out,
            disagreements=self._race.disagreements,
            failures=self._race.failures,
        )

    # Processes

    @contextmanager
    def _started(
        self,
        entrants: Iterable[Entrant],
        *,
        links: Mapping[str, int] | None = None,
        traced: bool = False,
    ) -> Iterator[dict[str, Process]]:
        """A process of each of `entrants`: over `links`, ports by name, or counting its memory."""
        episodes = self._settings.episodes
        if links is not None:
            episodes = max(10, episodes // LINK_SHARE)
        with ExitStack() as stack:
            processes = {}
            for number, each in enumerate(entrants):
                folder = Path(tempfile.mkdtemp(prefix=f"{number}-", dir=self._folder))
                port = None if links is None else links[each.name]
                setting = {
                    "episodes": episodes,
                    "kilobytes": self._settings.kilobytes,
                    **each.setting(folder, port=port, owner=links is None),
                }
                tracing = {"PYTHONTRACEMALLOC": "1"} if traced else {}
                try:
                    process = Process(
                        each.command,
                        setting,
                        environment={**each.environment, **tracing},
                        log=folder / "log",
                        timeout=TIMEOUT,
                    )
                except BenchmarkError as error:
                    raise BenchmarkError(f"{each.name}: {error}") from error
                processes[each.name] = stack.enter_context(process)
            yield processes

    def _introduce(self, processes: Mapping[str, Process], works: Sequence[Work]) -> None:
        for name, process in processes.items():
            entrant = self._entrants[name]
            self._contenders.append(
                Contender(
                    name=name,
                    peer=entrant.peer,
                    detail=entrant.detail,
                    versions={**process.versions, **entrant.server_versions()},
                    cannot=[work.name for work in works if work.name not in process.works],
                )
            )

    # Parts

    def _measure_works(self, processes: Mapping[str, Process], works: Sequence[Work]) -> None:
        samples = self._race.run(processes, works, self._settings.rounds, part="works")
        self._note("works", samples, works, records=self._settings.episodes)

    def _measure_memory(self, processes: Mapping[str, Process]) -> None:
        in_process = [each for each in self._entrants.values() if each.in_process]
        with self._started(in_process, traced=True) as traced:
            for name, process in {**processes, **traced}.items():
                before = self._race.ask(name, process, "held")
                self._race.ask(name, process, "fill")
                after = self._race.ask(name, process, "held")
                self._race.ask(name, process, "clear")
                if before and after and None not in {before["answer"], after["answer"]}:
                    held = (after["answer"] - before["answer"]) / self._settings.episodes
                    self._figures.append(
                        Figure(
                            part="memory",
                            contender=name,
                            work="held",
                            title="held for an episode",
                            unit="bytes a record",
                            samples=[held],
                            records=self._settings.episodes,
                        )
                    )

    def _measure_growth(self, processes: Mapping[str, Process]) -> None:
        grown = 100
        for size in self._settings.growth:
            self._grow(processes, grown, size)
            grown = size
            samples = self._race.run(
                processes,
                GROWTH_WORKS,
                self._settings.rounds,
                part=f"among {size} agents",
                episodes=False,
            )
            self._note("growth", samples, GROWTH_WORKS, records=size)

    def _grow(self, processes: Mapping[str, Process], start: int, stop: int) -> None:
        batch = max(1, (stop - start) // _BATCHES)
        samples: Samples = {}
        for first in range(start, stop, batch):
            last = min(first + batch, stop)
            for name, process in processes.items():
                answer = self._race.ask(name, process, "grow", start=first, stop=last)
                if answer is not None:
                    taken = samples.setdefault((name, "grown_save"), [])
                    taken.append(answer["answer"] / (last - first) * 1e6)
        saving = Work("grown_save", "save_many", "record")
        self._note("growth", samples, [saving], records=stop)

    def _measure_links(self, processes: Mapping[str, Process]) -> None:
        served = [each for each in self._entrants.values() if each.server is not None]
        ids = self._settings.ids
        for each in served if self._settings.links else ():
            self._race.ask(each.name, processes[each.name], "small", start=0, stop=ids)
        works = [work for work in WORKS if work.name in LINK_WORKS]
        for link in self._settings.links:
            with ExitStack() as stack:
                ports = {}
                for each in served:
                    assert each.server is not None  # noqa: S101 — as chosen above
                    ports[each.name] = stack.enter_context(SlowLink(each.server.port, link)).port
                started = stack.enter_context(self._started(served, links=ports))
                part = f"over {link:g} ms"
                rounds = self._settings.rounds
                samples = self._race.run(started, works, rounds, part=part)
                records = max(10, self._settings.episodes // LINK_SHARE)
                self._note("links", samples, works, link=link, records=records)
                if ids:
                    samples = self._race.run(started, [ALL_IDS], rounds, part=part, episodes=False)
                    self._note("links", samples, [ALL_IDS], link=link, records=ids)

    def _note(
        self,
        part: Part,
        samples: Samples,
        works: Sequence[Work],
        *,
        records: int,
        link: float = 0.0,
    ) -> None:
        for work in works:
            for name in self._entrants:
                if taken := samples.get((name, work.name)):
                    self._figures.append(
                        Figure(
                            part=part,
                            contender=name,
                            work=work.name,
                            title=work.title,
                            unit="µs a record" if work.unit == "record" else "µs a call",
                            samples=taken,
                            link=link,
                            records=records,
                        )
                    )

    def _tell(self, *, last: bool = False) -> None:
        if self._progress is not None:
            self._done += not last
            total = self._done if last else None
            self._progress(Progress("measure", "", self._done, total))
