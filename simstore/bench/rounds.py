"""Rounds in which contenders take turns, so that a machine's mood is everybody's.

In each round every work is done by every contender before the next work begins, and another one is
the first each time. The first round warms up, and does not count.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from simstore.bench.process import Process
from simstore.bench.works import Work
from simstore.domain.errors import BenchmarkError

Samples = dict[tuple[str, str], list[float]]
"""By contender and work, the µs that one unit took in each round."""


class Race:
    """Contenders, what they were measured at, and what went wrong."""

    def __init__(self, seconds_a_work: float, on_sample: Callable[[], object]) -> None:
        self.disagreements: list[str] = []
        self.failures: list[str] = []
        self._seconds = seconds_a_work
        self._on_sample = on_sample
        self._answers: dict[str, tuple[str, Any]] = {}
        self._dead: set[str] = set()

    def run(
        self,
        contenders: Mapping[str, Process],
        works: Sequence[Work],
        rounds: int,
        *,
        part: str,
        episodes: bool = True,
    ) -> Samples:
        """Measure `works` in so many rounds that count.

        `part` stands in what is said of failures. Works are of `episodes`, which are then kept and
        cleared around them, or of what is there anyway.
        """
        samples: Samples = {}
        spent: dict[tuple[str, str], float] = {}
        for number in range(rounds + 1):
            for work, name, process in self._turns(contenders, works, number):
                key = name, work.name
                if not work.changes:
                    if spent.get(key, 0.0) > self._seconds:
                        continue
                    if episodes:
                        self.ask(name, process, "fill")
                answer = self.ask(name, process, "work", work=work.name)
                if answer is None:
                    continue
                spent[key] = spent.get(key, 0.0) + answer["seconds"]
                samples.setdefault(key, []).append(answer["seconds"] / answer["units"] * 1e6)
                self._compare(f"{part}: {work.title}", name, answer["answer"])
            if episodes:
                for name, process in contenders.items():
                    self.ask(name, process, "clear")
        # What was too slow for a second round has its first.
        return {key: taken[1:] or taken for key, taken in samples.items()}

    def _turns(
        self, contenders: Mapping[str, Process], works: Sequence[Work], number: int
    ) -> Iterator[tuple[Work, str, Process]]:
        names = list(contenders)
        start = number % max(1, len(names))
        for work in works:
            for name in names[start:] + names[:start]:
                if work.name in contenders[name].works:
                    self._on_sample()
                    if name not in self._dead:
                        yield work, name, contenders[name]

    def ask(self, name: str, process: Process, do: str, **arguments: Any) -> dict[str, Any] | None:
        """The answer of a contender; None if it failed, which is noted once."""
        if name in self._dead:
            return None
        try:
            answer = process.ask(do, **arguments)
        except BenchmarkError as error:
            self._dead.add(name)
            answer = {"error": str(error)}
        if "error" not in answer:
            return answer
        failure = f"{name}: {' '.join([do, *map(str, arguments.values())])}: {answer['error']}"
        if failure not in self.failures:
            self.failures.append(failure)
        return None

    def _compare(self, what: str, name: str, answer: Any) -> None:
        first, expected = self._answers.setdefault(what, (name, answer))
        if answer != expected:
            text = f"{what}: {name} answered {answer!r}, but {first} {expected!r}"
            if text not in self.disagreements:
                self.disagreements.append(text)
