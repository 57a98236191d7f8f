"""What the outputs say besides figures: on what, how, and what has to be known of it."""

from collections.abc import Sequence

from simstore.bench.output.numbers import NOTHING, UNKNOWN, count, round_trip
from simstore.bench.output.tables import Table, ordered
from simstore.bench.report import Part, Report

TITLE = "What storage costs"

UNSOUND = (
    "This run says nothing about speed: not every contender did its work and gave the same answers."
)

KINDS = (
    "Bars and markers of simstore's backends are filled; those of peers, which are what people use"
    " without simstore, are hollow, and their lines are dashed."
)
"""How charts tell them apart."""

CONTENDERS = ("contender", "kind", "what it is", "versions")
"""The headings over `contenders_of`."""

PARTS: dict[Part, tuple[str, str]] = {
    "works": ("Works", "The same work, done by each contender in turn."),
    "growth": ("Growth", "What a call costs among more and more agents."),
    "links": (
        "Links",
        (
            "The same works where each round trip to the server takes longer. What costs about as"
            " much as the link makes one round trip; what stays far below it shares them."
        ),
    ),
    "memory": ("Memory", "What a record takes where it is kept; 1 KB is 1,000 bytes."),
}
"""The heading of each part, and what it is about."""


def facts_of(report: Report) -> list[tuple[str, str]]:
    """What was measured, on what, and when."""
    machine, settings = report.machine, report.settings
    cores = "1 core" if machine.cores == 1 else f"{machine.cores} cores"
    facts = [
        ("Measured", report.date),
        ("simstore", report.simstore),
        (
            "Machine",
            f"{machine.processor}, {cores}, {machine.memory_gib:g} GiB, {machine.system}",
        ),
        ("Python", machine.python),
        (
            "Records",
            (
                f"{count(settings.episodes)} episodes of {settings.kilobytes:g} KB,"
                f" {settings.rounds} rounds"
            ),
        ),
    ]
    if report.of("growth"):
        facts.append(("Growth", f"{_listed(list(map(count, settings.growth)))} agents of 1 KB"))
    if report.of("links"):
        facts.append(("Links", _listed(list(map(round_trip, settings.links)))))
    return facts


def contenders_of(report: Report) -> list[tuple[str, str, str, str]]:
    """Name, kind, what it is, and the versions of each contender."""
    return [
        (
            each.name,
            "peer" if each.peer else "simstore",
            each.detail,
            ", ".join(f"{package} {version}" for package, version in each.versions.items()),
        )
        for each in ordered(report.contenders)
    ]


def warnings_of(report: Report) -> list[tuple[str, list[str]]]:
    """What a reader has to know before any figure: headings with what is under them."""
    told = [
        ("Answers differ", report.disagreements),
        ("Failed", report.failures),
        ("Left out", [f"{name}: {reason}" for name, reason in report.left_out.items()]),
    ]
    return [(heading, items) for heading, items in told if items]


def caption_of(tables: Sequence[Table], *, best: str, baseline: str | None = None) -> str:
    """How to read the cells of `tables`; `best` is how the fastest are marked."""
    cells = [cell for table in tables for row in table.rows for cell in row.cells]
    least = "least" if tables[0].unit == "bytes a record" else "fastest"
    said = ["Medians of the rounds"]
    if any(cell.spread for cell in cells):
        said.append("± how far the furthest round was from it")
    if any(cell.figure and cell.ratio is not None for cell in cells):
        to_baseline = baseline is not None and tables[0].part in {"works", "links"}
        said.append(
            f"then how many times {f'that of {baseline}' if to_baseline else f'the {least}'}"
        )
    if any(cell.ratio is not None and not cell.figure for cell in cells):
        said.append("growth is how many times the first column the last one is, 1x is none")
    said.append(f"{best} the {least}")
    signs = {cell.absent for cell in cells}
    if NOTHING in signs:
        said.append(f"{NOTHING} what it does not do")
    if UNKNOWN in signs:
        said.append(f"{UNKNOWN} what was not measured")
    return f"{'; '.join(said)}."


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
