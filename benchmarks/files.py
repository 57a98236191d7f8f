"""Files of records: what they cost beyond the reading and the storing of the records in them."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.records import episodes
from benchmarks.timing import interleaved, print_table
from simstore import EpisodeLog, Store, connect
from simstore.domain.record import loader_of
from simstore.services import episodes_to_jsonl
from simstore.services.exporting import export_records
from simstore.services.importing import import_records

ROUNDS = 5

GOALS = {"export": "under 100 µs", "import": "under 130 µs"}
"""For JSON lines, above the reading or the storing of the same records."""


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    number = max(20, int(2_000 * scale))
    with tempfile.TemporaryDirectory() as folder:
        for url in ("memory://", f"sqlite:///{folder}/files.db?synchronous=normal"):
            with connect(url) as store:
                _files(store, Path(folder), number)


def _files(store: Store, folder: Path, number: int) -> None:
    items = episodes(number)
    store.episodes.save_many(items)
    paths = {suffix: folder / f"episodes.{suffix}" for suffix in ("jsonl", "csv", "parquet")}
    sotopia = folder / "sotopia.jsonl"

    def export(path: Path) -> Callable[[], object]:
        return lambda: export_records(store.episodes, path)

    def import_(path: Path) -> Callable[[], object]:
        return lambda: import_records(path, store)

    def read() -> None:
        assert sum(1 for _ in store.episodes.iterate()) == number

    def loads() -> None:
        with paths["jsonl"].open("rb") as lines:
            for line in lines:
                json.loads(line)

    def least() -> None:
        load = loader_of(EpisodeLog)
        with paths["jsonl"].open("rb") as lines:
            store.episodes.save_many(load(json.loads(line)) for line in lines)

    exports = {f"export {suffix}": export(path) for suffix, path in paths.items()}
    exports["export sotopia"] = lambda: episodes_to_jsonl(store.episodes.iterate(), sotopia)
    taken = interleaved({"read": read, **exports}, rounds=ROUNDS)
    imports = {f"import {suffix}": import_(path) for suffix, path in paths.items()}
    references = {
        "loads": loads,
        "store": lambda: store.episodes.save_many(items),
        "least": least,
    }
    taken |= interleaved({**references, **imports}, rounds=ROUNDS)
    micros = {work: seconds / number * 1e6 for work, seconds in taken.items()}
    rows = [
        (f"json.loads of {number:,} lines", f"{micros['loads']:.0f}", ""),
        ("reading them: iterate", f"{micros['read']:.0f}", ""),
        ("storing them: save_many", f"{micros['store']:.0f}", ""),
        # Texts that were stored before have their UTF-8 at hand; those of a file have not.
        ("the least that an import can do: parse, load, store", f"{micros['least']:.0f}", ""),
    ]
    for work in (*exports, *imports):
        kind, _, suffix = work.partition(" ")
        beyond = micros[work] - micros["read" if kind == "export" else "store"]
        figure = f"{micros[work]:.0f}, beyond that {beyond:.0f} ({beyond / micros['loads']:.1f}x)"
        name = "episodes_to_jsonl" if suffix == "sotopia" else work
        rows.append((name, figure, GOALS[kind] if suffix == "jsonl" else ""))
    shown = store.url.partition(":")[0]
    print_table(f"{shown}://, files of {number:,} episodes of 21 KB, µs a record", rows)
