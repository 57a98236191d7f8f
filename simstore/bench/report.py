"""What was measured, on what: a value that can be written as JSON and read again."""

import statistics
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

Part = Literal["works", "growth", "links", "memory"]
"""The parts of a report: the works; the same among more and more records; over slow links; and
what is held in memory, in a file or on a server."""

Unit = Literal["µs a record", "µs a call", "bytes a record"]


class Machine(BaseModel):
    """What it ran on."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str


class Settings(BaseModel):
    """How much is measured."""

    episodes: int = Field(default=2_000, gt=0)
    kilobytes: float = Field(default=21.0, gt=0, description="of JSON, each episode")
    rounds: int = Field(default=5, gt=0, description="that count; another one warms up")
    links: list[float] = Field(default=[1.0, 20.0], description="round trips in ms")
    growth: list[int] = Field(
        default=[1_000, 4_000, 16_000], description="numbers of agents of 1 KB, ascending"
    )
    ids: int = Field(default=100_000, ge=0, description="how many small records `all ids` is of")
    seconds_a_work: float = Field(
        default=20.0,
        gt=0,
        description="a contender whose rounds of a work took longer has fewer rounds of it",
    )


class Contender(BaseModel):
    """One of those that were measured."""

    name: str
    peer: bool = Field(description="whether it is something that is used without simstore")
    detail: str = Field(description="what it is, in a few words")
    versions: dict[str, str] = Field(description="of its packages, and of its server")
    cannot: list[str] = Field(description="the names of the works that it does not do")


class Figure(BaseModel):
    """What one work costs one contender: a sample of each round."""

    part: Part
    contender: str
    work: str
    title: str
    unit: Unit
    samples: list[float]
    link: float = Field(default=0.0, description="the round trip in ms; 0 is loopback itself")
    records: int = Field(description="how many records were there")

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def low(self) -> float:
        return min(self.samples)

    @property
    def high(self) -> float:
        return max(self.samples)


class Report(BaseModel):
    """A whole run.

    `figures` are in the order of the works, and within a work in that of `contenders`.
    `left_out` are contenders that could not be measured, with the reason. `disagreements` are
    answers that were not those of the first contender, and `failures` what was raised: a run
    with either says nothing about speed.
    """

    simstore: str
    date: str = Field(description="when it began, as ISO 8601 has it, UTC")
    machine: Machine
    settings: Settings
    contenders: list[Contender]
    figures: list[Figure]
    left_out: dict[str, str] = Field(default_factory=dict)
    disagreements: list[str] = Field(default_factory=list)
    failures: list[str] = Field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether all contenders did what they can, and gave the same answers."""
        return not self.disagreements and not self.failures

    def of(self, part: Part) -> list[Figure]:
        """The figures of a part."""
        return [figure for figure in self.figures if figure.part == part]

    def find(
        self, contender: str, work: str, *, link: float = 0.0, records: int | None = None
    ) -> Figure | None:
        """The figure of a contender's work, the first there is for any number of records."""
        return next(self._found(contender, work, link, records), None)

    def _found(
        self, contender: str, work: str, link: float, records: int | None
    ) -> Iterator[Figure]:
        for each in self.figures:
            if (each.contender, each.work, each.link) == (contender, work, link) and (
                records is None or each.records == records
            ):
                yield each
