"""Imports of files that are held until all is checked, and of longer ones: time and memory.

Each has a process of its own, whose peak is the import's: ``python -m benchmarks.imports`` with a
file, a URL and the number of records is such a process. It counts processor time, which depends
less on what else the machine does. On Linux alone, for the peak.
"""

import gc
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.records import episodes
from benchmarks.timing import print_table
from simstore import connect
from simstore.bench.workers.documents import USUAL_KILOBYTES
from simstore.bench.workers.loop import Setting
from simstore.bench.workers.sotopia_files import write_import
from simstore.services.exporting import export_records
from simstore.services.importing import import_records

ROUNDS = 5
COUNTS = (1_000, 2_000, 6_000)
"""The first are held; of the second a tenth is read twice, and of the third two thirds."""

BACKENDS = ("memory://", "sqlite://")

ROOT = Path(__file__).resolve().parents[1]


def main(scale: float) -> None:
    """Print the table; `scale` makes the work smaller."""
    counts = [max(20, int(count * scale)) for count in COUNTS]
    with tempfile.TemporaryDirectory() as folder:
        files = dict(_files(Path(folder), counts))
        works = [(*file, backend) for file in files for backend in BACKENDS]
        taken: dict[tuple[str, int, str], list[tuple[float, float]]] = {}
        for _ in range(ROUNDS):
            for work in works:
                whose, count, backend = work
                database = Path(folder) / "imports.db"
                url = backend if backend == "memory://" else f"sqlite:///{database}"
                figures = measured(ROOT, files[whose, count], url, count)
                taken.setdefault(work, []).append(figures)
                for left in Path(folder).glob("imports.db*"):
                    left.unlink()
    rows = []
    for (whose, count, backend), rounds in taken.items():
        micros, megabytes = map(statistics.median, zip(*rounds, strict=True))
        goal = "" if backend == "memory://" else "under 200 MB"  # that has what it stores in memory
        name = f"{backend}, {count:,} in lines of {whose}"
        rows.append((name, f"{micros:.0f}, peak {megabytes:.0f} MB", goal))
    print_table("imports of episodes of 21 KB, µs of processor time a record", rows)


def _files(folder: Path, counts: list[int]) -> Iterator[tuple[tuple[str, int], Path]]:
    """Whose files they are, how many records they hold, and where they are."""
    for count in counts:
        ours, sotopia = folder / f"{count}.jsonl", folder / f"sotopia-{count}"
        export_records(episodes(count), ours)
        sotopia.mkdir()
        theirs = sotopia / "import.jsonl"
        write_import(theirs, Setting(count, USUAL_KILOBYTES, str(sotopia)))
        yield ("simstore", count), ours
        yield ("Sotopia", count), theirs


def measured(root: Path, path: Path, url: str, count: int) -> tuple[float, float]:
    """The µs a record and the peak in MB of an import by the simstore in `root`."""
    command = [sys.executable, "-m", "benchmarks.imports", path, url, str(count)]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True)  # noqa: S603 — this file
    micros, megabytes = json.loads(done.stdout)
    return micros, megabytes


def _import(path: Path, url: str, count: int) -> tuple[float, float]:
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as few, connect(url) as store:
        with path.open("rb") as lines:
            few.writelines(islice(lines, 10))
        few.flush()
        import_records(few.name, store)  # what is made once is no matter
        store.episodes.delete_many(store.episodes.pks())
        gc.collect()
        start = time.process_time()
        assert import_records(path, store).stored == {"EpisodeLog": count}
        taken = time.process_time() - start
    # Not ru_maxrss, which begins with what the parent process had.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="utf-8"))
    assert peak is not None
    return taken / count * 1e6, int(peak[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(_import(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
