"""Timing that a noisy machine cannot fool easily: contenders in turn, medians of rounds."""

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

Work = Callable[[], object]


def interleaved(contenders: dict[str, Work], *, rounds: int, warm_up: int = 1) -> dict[str, float]:
    """Median seconds of each of `contenders`, run in turn `rounds` times after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(warm_up + rounds):
        for name, work in contenders.items():
            gc.collect()
            start = time.perf_counter()
            work()
            elapsed = time.perf_counter() - start
            if number >= warm_up:
                seconds[name].append(elapsed)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def machine() -> str:
    """One line on what this ran on."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}, pydantic {version('pydantic')}, "
        f"orjson {version('orjson')}, msgspec {version('msgspec')}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"


def print_table(title: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """A Markdown table of (work, figure, goal)."""
    print(f"\n### {title}\n\n| work | measured | goal |\n|---|---|---|")
    for work, figure, goal in rows:
        print(f"| {work} | {figure} | {goal} |")
    sys.stdout.flush()
