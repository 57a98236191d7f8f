"""Contenders take turns, their answers are held against each other, and failures are told."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from simstore.bench.process import Process
from simstore.bench.rounds import Race
from simstore.bench.works import Work
from simstore.domain.errors import BenchmarkError

SAVE = Work("save", "save", "record", changes=True)
GET = Work("get", "get", "record")


class Scripted:
    """A process that answers from a script, and writes down who was asked what."""

    def __init__(
        self,
        name: str,
        asked: list[tuple[str, str]],
        *,
        seconds: Mapping[str, list[float]] | None = None,
        answer: Any = 10,
        fails: str = "",
        dies: str = "",
    ) -> None:
        self.works = frozenset({"save", "get"})
        self._name, self._asked, self._answer = name, asked, answer
        self._seconds = {work: list(taken) for work, taken in (seconds or {}).items()}
        self._fails, self._dies = fails, dies

    def ask(self, do: str, work: str = "") -> dict[str, Any]:
        self._asked.append((self._name, work or do))
        if self._dies and self._dies in {do, work}:
            raise BenchmarkError("its process ended")
        if self._fails and self._fails in {do, work}:
            return {"error": "ValueError: no"}
        if do != "work":
            return {"answer": None}
        taken = self._seconds.get(work)
        return {"seconds": taken.pop(0) if taken else 0.5, "units": 10, "answer": self._answer}


def race(
    contenders: Mapping[str, Scripted], *, rounds: int = 2, budget: float = 100.0
) -> tuple[dict[tuple[str, str], list[float]], Race, int]:
    told: list[None] = []
    racing = Race(budget, lambda: told.append(None))
    samples = racing.run(cast("dict[str, Process]", contenders), [SAVE, GET], rounds, part="works")
    return samples, racing, len(told)


def test_every_work_is_done_by_all_before_the_next_and_another_begins_each_round() -> None:
    asked: list[tuple[str, str]] = []
    race({name: Scripted(name, asked) for name in ("a", "b")}, rounds=1)
    works = [each for each in asked if each[1] in {"save", "get"}]
    assert works == [
        *(("a", "save"), ("b", "save"), ("a", "get"), ("b", "get")),
        *(("b", "save"), ("a", "save"), ("b", "get"), ("a", "get")),
    ]


def test_reads_find_the_episodes_and_a_round_ends_without_them() -> None:
    asked: list[tuple[str, str]] = []
    race({"a": Scripted("a", asked)}, rounds=1)
    assert [what for _, what in asked] == ["save", "fill", "get", "clear"] * 2


def test_the_warm_up_does_not_count_and_a_sample_is_of_one_unit() -> None:
    samples, _, told = race({"a": Scripted("a", [], seconds={"get": [9.0, 0.1, 0.2]})})
    assert samples["a", "get"] == pytest.approx([10_000, 20_000])
    assert told == 6


def test_what_is_too_slow_for_its_time_has_fewer_rounds_but_one_at_least() -> None:
    slow = {"get": [5.0, 6.0], "save": [5.0, 6.0, 7.0]}
    samples, _, told = race({"a": Scripted("a", [], seconds=slow)}, budget=4.0)
    assert samples["a", "get"] == pytest.approx([500_000])
    assert len(samples["a", "save"]) == 2  # the rest of the round stands on it
    assert told == 6


def test_different_answers_are_told_once() -> None:
    contenders = {"a": Scripted("a", []), "b": Scripted("b", [], answer=9)}
    _, racing, _ = race(contenders)
    assert racing.disagreements == [
        "works: save: b answered 9, but a 10",
        "works: get: b answered 9, but a 10",
    ]
    assert racing.failures == []


def test_a_failure_is_told_once_and_the_others_go_on() -> None:
    contenders = {"a": Scripted("a", [], fails="get"), "b": Scripted("b", [])}
    samples, racing, _ = race(contenders)
    assert racing.failures == ["a: work get: ValueError: no"]
    assert samples.keys() == {("a", "save"), ("b", "save"), ("b", "get")}


def test_a_process_that_died_is_asked_nothing_more() -> None:
    asked: list[tuple[str, str]] = []
    samples, racing, told = race({"a": Scripted("a", asked, dies="fill"), "b": Scripted("b", [])})
    assert racing.failures == ["a: fill: its process ended"]
    assert asked == [("a", "save"), ("a", "fill")]
    assert len(samples["b", "get"]) == 2
    assert told == 12
