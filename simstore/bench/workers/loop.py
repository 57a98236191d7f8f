"""How a process that is measured talks with the one that measures.

Its standard input begins with a `Setting`, as a line of JSON, since a URL may have a password,
which is nothing for a command line. It then reads requests, a line each, and answers each with a
line on standard output::

    {"do": "work", "work": "get"}   {"seconds": 0.1, "units": 100, "answer": "9a0b..."}

What it prints otherwise goes to standard error. It ends with its input. Needs the standard library
alone, since some of those measured run on a Python without simstore.
"""

import gc
import hashlib
import json
import os
import sys
import time
import tracemalloc
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

CALLS = 20
"""How often a call is made that takes little time."""


@dataclass
class Setting:
    """What a contender is told: how much work there is, and where to keep it."""

    episodes: int
    kilobytes: float
    folder: str
    """A folder of its own, for files."""
    url: str = ""
    """The URL of the store that is measured, if it is one of simstore's."""
    host: str = ""
    port: int = 0
    """The server, if it needs one."""
    owner: bool = True
    """Whether it prepares and deletes what all works need, or another process does that."""
    options: dict[str, Any] = field(default_factory=dict)


class Timed(NamedTuple):
    """A work that is ready to be measured."""

    call: Callable[[], Any]
    """What is measured."""
    units: int
    """How many records or calls it is."""
    answer: Callable[[Any], Any]
    """Of what `call` returned, the part that all contenders must agree on; not measured."""


class Contender(ABC):
    """One way to keep records. A subclass is a program: see `run`."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abstractmethod
    def works(self) -> dict[str, Callable[[], Timed]]:
        """What it can do, by the names of `simstore.bench.works`; each makes it ready."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """The packages that matter, and their versions."""

    @abstractmethod
    def clear(self) -> None:
        """Delete all episodes, and nothing else."""

    @abstractmethod
    def fill(self) -> None:
        """Keep all episodes, if they are not kept."""

    @abstractmethod
    def grow(self, start: int, stop: int) -> float:
        """Keep the agents of these numbers as well, in bulk; the seconds that keeping them took."""

    @abstractmethod
    def small(self, start: int, stop: int) -> None:
        """Keep the annotators of these numbers as well, in bulk."""

    def held(self) -> int | None:
        """How many bytes a file or a server holds for what is kept; None if unknown.

        Those of a process that is started with ``PYTHONTRACEMALLOC`` are counted by Python.
        """
        return None

    def close(self) -> None:  # noqa: B027 — not all hold on to something
        """Let go of everything."""


def digest(documents: Iterable[Any]) -> str:
    """A short name for a set of JSON values, in whatever order they come."""
    lines = sorted(
        json.dumps(each, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        for each in documents
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def run(make: Callable[[Setting], Contender]) -> None:
    """Serve requests until the input ends."""
    # Whatever the libraries print must not stand between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        contender = make(Setting(**json.loads(sys.stdin.readline())))
    except Exception as error:
        answers.write(json.dumps({"error": _told(error)}) + "\n")
        answers.flush()
        raise
    works = contender.works()
    answers.write(json.dumps({"works": sorted(works), "versions": contender.versions()}) + "\n")
    answers.flush()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            answers.write(json.dumps(_answer(contender, works, request)) + "\n")
            answers.flush()
    finally:
        contender.close()


def _answer(
    contender: Contender, works: dict[str, Callable[[], Timed]], request: dict[str, Any]
) -> dict[str, Any]:
    do = request.pop("do")
    try:
        if do == "work":
            return _measured(works[request["work"]]())
        if do == "held" and tracemalloc.is_tracing():
            gc.collect()
            return {"answer": tracemalloc.get_traced_memory()[0]}
        return {"answer": getattr(contender, do)(**request)}
    except Exception as error:  # noqa: BLE001 — whatever a contender does wrong is told of it
        sys.excepthook(type(error), error, error.__traceback__)
        return {"error": _told(error)}


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _measured(work: Timed) -> dict[str, Any]:
    gc.collect()
    start = time.perf_counter()
    result = work.call()
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "units": work.units, "answer": work.answer(result)}
