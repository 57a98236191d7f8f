"""The parts of a benchmark: memory, works, growth and links."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from simstore.bench.entrants import Entrant
from simstore.bench.link import SlowLink
from simstore.bench.process import Process
from simstore.bench.report import Figure, Part, Settings
from simstore.bench.rounds import Race, Samples
from simstore.bench.starting import started
from simstore.bench.works import ALL_IDS, GROWTH_WORKS, LINK_WORKS, WORKS, Work

LINK_SHARE = 20
"""Over a slow link a part of the episodes will do: it is waited for, not worked."""

LEAST_EPISODES = 10

GROWN_BEFORE = 100
"""More agents than the episodes have, from which growth begins."""

_BATCHES = 5


class Parts:
    """Measures the contenders that run as `processes`, and keeps the figures."""

    def __init__(
        self,
        settings: Settings,
        entrants: Sequence[Entrant],
        processes: Mapping[str, Process],
        folder: Path,
        on_sample: Callable[[], object],
    ) -> None:
        self.figures: list[Figure] = []
        self.race = Race(settings.seconds_a_work, on_sample)
        self._settings = settings
        self._entrants = entrants
        self._served = [each for each in entrants if each.server is not None]
        self._processes = processes
        self._folder = folder
        self._link_works = [work for work in WORKS if work.name in LINK_WORKS]

    def samples(self, works: Sequence[Work], *, everything: bool) -> int:
        """How many samples will be taken at the most: of `works`, or of growth and links too."""
        rounds = self._settings.rounds + 1
        number = self._pairs(works, self._processes)
        if everything:
            number += len(self._settings.growth) * self._pairs(GROWTH_WORKS, self._processes)
            linked = [*self._link_works, *([ALL_IDS] if self._settings.ids else [])]
            served = [each.name for each in self._served]
            number += len(self._settings.links) * self._pairs(linked, served)
        return number * rounds

    def _pairs(self, works: Sequence[Work], names: Collection[str]) -> int:
        return sum(work.name in self._processes[name].works for work in works for name in names)

    def memory(self) -> None:
        """What is held for an episode. Call it first: a file does not shrink again."""
        in_process = [each for each in self._entrants if each.in_process]
        with started(
            in_process,
            self._folder,
            episodes=self._settings.episodes,
            kilobytes=self._settings.kilobytes,
            counts_memory=True,
        ) as counted:
            for name, process in {**self._processes, **counted}.items():
                before = self.race.ask(name, process, "held")
                self.race.ask(name, process, "fill")
                after = self.race.ask(name, process, "held")
                self.race.ask(name, process, "clear")
                if before and after and None not in {before["answer"], after["answer"]}:
                    held = (after["answer"] - before["answer"]) / self._settings.episodes
                    self._keep_memory(name, held)

    def _keep_memory(self, name: str, held: float) -> None:
        places = {each.name: each.place for each in self._entrants}
        self.figures.append(
            Figure(
                part="memory",
                contender=name,
                work="held",
                title=places[name],
                unit="bytes a record",
                samples=[held],
                records=self._settings.episodes,
            )
        )

    def works(self, works: Sequence[Work]) -> None:
        """The works themselves."""
        samples = self.race.run(self._processes, works, self._settings.rounds, part="works")
        self._keep("works", samples, works, records=self._settings.episodes)

    def growth(self) -> None:
        """What calls cost among more and more agents."""
        grown = GROWN_BEFORE
        for size in self._settings.growth:
            self._grow(grown, size)
            grown = size
            samples = self.race.run(
                self._processes,
                GROWTH_WORKS,
                self._settings.rounds,
                part=f"among {size:,} agents",
                episodes=False,
            )
            self._keep("growth", samples, GROWTH_WORKS, records=size)

    def _grow(self, start: int, stop: int) -> None:
        batch = max(1, (stop - start) // _BATCHES)
        samples: Samples = {}
        for first in range(start, stop, batch):
            last = min(first + batch, stop)
            for name, process in self._processes.items():
                answer = self.race.ask(name, process, "grow", start=first, stop=last)
                if answer is not None:
                    taken = samples.setdefault((name, "grown_save"), [])
                    taken.append(answer["answer"] / (last - first) * 1e6)
        saving = Work("grown_save", "save_many", "record")
        self._keep("growth", samples, [saving], records=stop)

    def links(self) -> None:
        """Works over slow links, by those who have a server.

        Call it before the servers hold more: some peers look at every key for theirs.
        """
        episodes = max(LEAST_EPISODES, self._settings.episodes // LINK_SHARE)
        self._over_each_link(self._link_works, episodes=episodes, records=episodes)

    def ids(self) -> None:
        """The keys of very many small records, over slow links. Call it last."""
        number = self._settings.ids
        if not number or not self._settings.links:
            return
        for each in self._served:
            self.race.ask(each.name, self._processes[each.name], "small", start=0, stop=number)
        self._over_each_link([ALL_IDS], episodes=0, records=number)

    def _over_each_link(self, works: Sequence[Work], *, episodes: int, records: int) -> None:
        """Measure `works` over the links: of `episodes`, or of what is there if there are none."""
        for link in self._settings.links if self._served else ():
            with ExitStack() as stack:
                ports = {}
                for each in self._served:
                    assert each.server is not None  # noqa: S101 — as chosen
                    ports[each.name] = stack.enter_context(SlowLink(each.server.port, link)).port
                processes = stack.enter_context(
                    started(
                        self._served,
                        self._folder,
                        episodes=episodes,
                        kilobytes=self._settings.kilobytes,
                        ports=ports,
                    )
                )
                samples = self.race.run(
                    processes,
                    works,
                    self._settings.rounds,
                    part=f"over {link:g} ms",
                    episodes=episodes > 0,
                )
                self._keep("links", samples, works, link=link, records=records)

    def _keep(
        self,
        part: Part,
        samples: Samples,
        works: Sequence[Work],
        *,
        records: int,
        link: float = 0.0,
    ) -> None:
        for work in works:
            for name in (each.name for each in self._entrants):
                if taken := samples.get((name, work.name)):
                    self.figures.append(
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
