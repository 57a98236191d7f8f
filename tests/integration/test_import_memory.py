"""What an import and an export hold in memory does not grow with the file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MEASURE = """
import re, sys
from pathlib import Path
import simstore
from simstore.services.exporting import export_records
from simstore.services.importing import import_records, importer

what, path, database, size, letters, held, letter, on_conflict = sys.argv[1:]
importer.HELD_BYTES = int(held) or importer.HELD_BYTES

def records():
    done, number = 0, 0
    while done < int(size):
        yield simstore.EnvironmentProfile(
            pk=f"{number:09}", scenario=letter * int(letters), agent_goals=["a", "b"]
        )
        done, number = done + int(letters), number + 1

if what == "make":
    export_records(records(), path)
else:
    with simstore.connect(f"sqlite:///{database}?synchronous=normal") as store:
        if what == "import":
            import_records(path, store, on_conflict=on_conflict)
        else:
            export_records(store, path)
# Not ru_maxrss, which begins with what the parent process had.
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""

PEAK = 200
"""MB that a process may take at most."""


def peak(
    what: str,
    path: Path,
    megabytes: float,
    letters: int,
    held: int,
    letter: str = "x",
    on_conflict: str = "replace",
) -> int:
    """The peak of a process that does `what`, in MB; `held` is its HELD_BYTES, 0 for the usual."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", MEASURE, what, path, path.with_suffix(".db")),
            *(str(int(megabytes * 1_000_000)), str(letters), str(held), letter, on_conflict),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONMALLOC": "default"},
    )
    return int(done.stdout)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@pytest.mark.parametrize(
    ("letters", "sizes"), [(20_000, (25, 75)), (20, (0.1, 0.3))], ids=["large", "small"]
)
def test_beyond_what_is_held_a_larger_file_takes_no_more_memory(
    tmp_path: Path, letters: int, sizes: tuple[float, float]
) -> None:
    peaks: dict[str, list[int]] = {"make": [], "import": [], "export": []}
    for megabytes in sizes:
        path = tmp_path / f"{megabytes}.jsonl"
        for what, taken in peaks.items():
            taken.append(peak(what, path, megabytes, letters, 10 << 20))
    for smaller, larger in peaks.values():
        assert larger < smaller + 10


@pytest.mark.parametrize("on_conflict", ["replace", "skip"])
@pytest.mark.parametrize(
    ("letter", "letters", "megaletters"), [("x", 20_000, 190), ("好", 6_000, 45)]
)
def test_an_import_stays_under_its_peak(
    tmp_path: Path, letter: str, letters: int, megaletters: int, on_conflict: str
) -> None:
    path = tmp_path / "a.jsonl"
    peak("make", path, megaletters, letters, 0, letter)
    taken = peak("import", path, megaletters, letters, 0, letter, on_conflict)
    assert taken < PEAK
