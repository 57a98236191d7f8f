"""The SQLite backend: what bulk writes save, and whether a find grows with the table."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.records import agent, episode
from benchmarks.timing import interleaved, print_table
from simstore import EpisodeLog, Repository, Store, connect, field, new_pk

ROUNDS = 5


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    with tempfile.TemporaryDirectory() as folder:
        _save_many(Path(folder), max(20, int(2_000 * scale)))
        _find(Path(folder), max(1_000, int(10_000 * scale)), max(2_000, int(1_000_000 * scale)))


def _save_many(folder: Path, number: int) -> None:
    episodes = [episode(position) for position in range(number)]
    rows = []
    micros: dict[str, float] = {}
    for synchronous, goal in (("full", "at least 5x"), ("normal", "")):
        url = f"sqlite:///{folder}/{synchronous}.db?synchronous={synchronous}"
        with connect(url) as store:
            micros = {
                work: seconds / number * 1e6
                for work, seconds in _write_and_read(store.episodes, episodes).items()
            }
        one, many = micros["save"], micros["save_many"]
        rows += [
            (f"save, one by one, synchronous={synchronous}", f"{one:.0f}", ""),
            (f"save_many, synchronous={synchronous}", f"{many:.0f} ({one / many:.1f}x)", goal),
        ]
    rows += [(work, f"{micros[work]:.0f}", "") for work in ("get", "get_many")]
    print_table(f"sqlite://, {number:,} episodes of 21 KB, µs a record", rows)


def _write_and_read(
    repository: Repository[EpisodeLog], episodes: Sequence[EpisodeLog]
) -> dict[str, float]:
    def rename() -> None:
        for item in episodes:
            item.pk = new_pk()

    def save() -> None:
        rename()
        for item in episodes:
            repository.save(item)

    def save_many() -> None:
        rename()
        repository.save_many(episodes)

    seconds = interleaved({"save": save, "save_many": save_many}, rounds=ROUNDS)
    pks = repository.pks(limit=len(episodes))
    return seconds | interleaved(
        {
            "get": lambda: [repository.get(pk) for pk in pks],
            "get_many": lambda: repository.get_many(pks),
        },
        rounds=ROUNDS,
    )


def _find(folder: Path, few: int, many: int) -> None:
    stores: dict[int, Store] = {}
    try:
        for number in (few, many):
            store = stores[number] = connect(f"sqlite:///{folder}/{number}.db")
            for start in range(0, number, 50_000):
                stop = min(start + 50_000, number)
                store.agents.save_many(agent(position) for position in range(start, stop))

        def equal(number: int) -> None:
            agents = stores[number].agents
            for position in range(100):
                assert len(agents.find(tag=f"tag{position * (number // 1_000)}")) == 10

        def joined(number: int) -> None:
            agents = stores[number].agents
            for position in range(100):
                tag = f"tag{position * (number // 1_000)}"
                assert len(agents.find(field("age") >= 18, tag=tag)) == 10

        works = (("equal", equal), ("joined", joined))
        taken = interleaved(
            {
                f"{name} {number}": partial(work, number)
                for name, work in works
                for number in (few, many)
            },
            rounds=ROUNDS,
        )
    finally:
        for store in stores.values():
            store.close()
    rows = []
    for name, label in (
        ("equal", "find 10 by an indexed field"),
        ("joined", "find 10 by an indexed field and a range"),
    ):
        small, large = taken[f"{name} {few}"] * 1e4, taken[f"{name} {many}"] * 1e4
        rows += [
            (f"{label}, among {few:,}", f"{small:.0f}", ""),
            (
                f"{label}, among {many:,}",
                f"{large:.0f} ({large / small:.2f}x)",
                "within 1.5x" if name == "equal" else "",
            ),
        ]
    print_table("sqlite://, µs a call", rows)
