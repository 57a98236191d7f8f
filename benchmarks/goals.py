"""Reports of ``simstore bench --peers --output report.json`` held against the goals.

``python -m benchmarks.goals report.json`` prints the table of benchmarks/README.md.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from simstore.bench.report import Figure, Report
from simstore.bench.works import ALL_IDS

REDIS, SQLITE, MEMORY = "redis://", "sqlite://", "memory://"
REDIS_OM, RAW = "redis-om 1.2.0", "redis-py by hand"
SOTOPIA, SOTOPIA_FILES = "Sotopia on Redis", "Sotopia on files"
DEEPCOPY = "copy.deepcopy"

FAR = 20.0
"""The link, in ms, over which all ids are listed."""

ALL_IDS_SECONDS = 1.0


class Goal(NamedTuple):
    """Some works of a backend are to be so many times as fast as those of a peer."""

    title: str
    ours: str
    works: Sequence[str]
    peer: str
    theirs: Sequence[str]
    factor: float
    """At least; below 1, the peer may be faster by that."""


GOALS = (
    Goal("save_many", REDIS, ["save_many"], REDIS_OM, ["save"], 12),
    Goal("save_many, its bulk call", REDIS, ["save_many"], REDIS_OM, ["save_many"], 9),
    Goal("save_many, ready-made bytes", REDIS, ["save_many"], RAW, ["save_many"], 1 / 2.5),
    Goal("all", REDIS, ["all"], REDIS_OM, ["all"], 6),
    Goal("all", REDIS, ["all"], SOTOPIA, ["all"], 3),
    Goal("find 10", REDIS, ["find_10"], REDIS_OM, ["find_10"], 4),
    Goal("find half", REDIS, ["find_half"], REDIS_OM, ["find_half"], 5),
    Goal("get, one by one", REDIS, ["get"], REDIS_OM, ["get"], 3),
    Goal("pks", REDIS, ["pks"], REDIS_OM, ["pks"], 25),
    Goal("count", REDIS, ["count"], REDIS_OM, ["count"], 5),
    Goal("project 2 fields; whole records", REDIS, ["project"], REDIS_OM, ["all"], 100),
    Goal("export JSON lines", REDIS, ["export_jsonl"], SOTOPIA, ["export_jsonl"], 40),
    Goal("export CSV", REDIS, ["export_csv"], SOTOPIA, ["export_csv"], 10),
    Goal("import JSON lines", REDIS, ["import_jsonl"], SOTOPIA, ["import_jsonl"], 8),
    Goal("save_many", SQLITE, ["save_many"], SOTOPIA_FILES, ["save_many"], 5),
    Goal("get, one by one", SQLITE, ["get"], SOTOPIA_FILES, ["get"], 2),
    Goal("find 10", SQLITE, ["find_10"], SOTOPIA_FILES, ["find_10"], 50),
    Goal("save + get", MEMORY, ["save", "get"], DEEPCOPY, ["save", "get"], 4),
    Goal(
        "save + get, 1 KB",
        MEMORY,
        ["agent_save", "agent_get"],
        DEEPCOPY,
        ["agent_save", "agent_get"],
        2,
    ),
)


def main(*paths: str) -> None:
    """Print the goals, and what was measured: the first report that has a figure counts."""
    reports = [Report.model_validate_json(Path(path).read_bytes()) for path in paths]
    print("| work | ours, µs | against | theirs, µs | measured | goal | |")
    print("|---|---|---|---|---|---|---|")
    for goal in GOALS:
        ours = _sum(reports, goal.ours, goal.works)
        theirs = _sum(reports, goal.peer, goal.theirs)
        ratio = theirs / ours
        met = "met" if ratio >= goal.factor else "not met"
        asked = f"{goal.factor:g}x" if goal.factor >= 1 else f"at most {1 / goal.factor:g} times"
        shown = f"{ratio:.1f}x" if goal.factor >= 1 else f"{1 / ratio:.1f} times"
        print(
            f"| {goal.title} | {goal.ours} {_shown(ours)} | {goal.peer}, "
            f"{' + '.join(goal.theirs)} | {_shown(theirs)} | {shown} | {asked} | {met} |"
        )
    listed, scanned = (_found(reports, name, ALL_IDS.name, FAR) for name in (REDIS, SOTOPIA))
    met = "met" if listed.median < ALL_IDS_SECONDS * 1e6 else "not met"
    print(
        f"| all ids of {listed.records:,} over {FAR:g} ms | {REDIS} {listed.median / 1e6:.2f} s "
        f"| {SOTOPIA} | {scanned.median / 1e6:.0f} s | {scanned.median / listed.median:,.0f}x "
        f"| under {ALL_IDS_SECONDS:g} s | {met} |"
    )


def _sum(reports: Sequence[Report], contender: str, works: Sequence[str]) -> float:
    """The µs of `works` together."""
    return sum(_found(reports, contender, work).median for work in works)


def _found(reports: Sequence[Report], contender: str, work: str, link: float = 0.0) -> Figure:
    found = (report.find(contender, work, link=link) for report in reports)
    figure = next((each for each in found if each), None)
    if figure is None:
        sys.exit(f"no report has the figure of {contender} for {work}")
    return figure


def _shown(micros: float) -> str:
    return f"{micros:,.0f}" if micros >= 10 else f"{micros:.1f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
