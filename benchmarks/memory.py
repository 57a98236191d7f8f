"""The memory backend: what a call costs, and whether a find costs what it finds."""

import copy
from collections.abc import Callable, Sequence

from pydantic import BaseModel

from benchmarks.records import agent, episode
from benchmarks.timing import interleaved, print_table
from simstore import Repository, connect, field, new_pk

ROUNDS = 7


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    rows = []
    for name, make, number, goal in (
        ("1 KB agent", agent, 5_000, "under 15 µs"),
        ("21 KB episode", episode, 1_000, "under 100 µs"),
    ):
        rows += _save_and_get(name, make, max(20, int(number * scale)), goal)
    print_table("memory://, µs a record", rows)
    _find(max(1_000, int(100_000 * scale)))


def _save_and_get(
    name: str, make: Callable[[int], BaseModel], number: int, goal: str
) -> list[tuple[str, str, str]]:
    items = [make(position) for position in range(number)]
    with connect("memory://") as store:
        repository = store.repository(type(items[0]))

        def save() -> None:
            _empty(repository)
            _rename(items)
            for item in items:
                repository.save(item)

        def get() -> None:
            for item in items:
                repository.get(item.pk)  # type: ignore[attr-defined]  # a record

        def deepcopy() -> None:
            for item in items:
                copy.deepcopy(item)

        def rename() -> None:
            _empty(repository)
            _rename(items)

        taken = interleaved(
            {"rename": rename, "save": save, "get": get, "deepcopy": deepcopy}, rounds=ROUNDS
        )
    taken["save"] -= taken["rename"]
    micros = {work: seconds / number * 1e6 for work, seconds in taken.items()}
    both = micros["save"] + micros["get"]
    ratio = 2 * micros["deepcopy"] / both
    return [
        (f"save + get, {name}", f"{micros['save']:.1f} + {micros['get']:.1f} = {both:.1f}", goal),
        (f"two deep copies, {name}", f"{2 * micros['deepcopy']:.1f} ({ratio:.1f}x)", ""),
    ]


def _empty(repository: Repository[BaseModel]) -> None:
    pks = repository.pks()
    if pks:
        repository.delete_many(pks)


def _rename(items: Sequence[BaseModel]) -> None:
    """New pks, so that each round inserts rather than replaces."""
    for item in items:
        item.pk = new_pk()  # type: ignore[attr-defined]  # a record


def _find(number: int) -> None:
    with connect("memory://") as store:
        agents = store.agents
        agents.save_many(agent(position) for position in range(number))
        pks = agents.pks(tag="tag7")
        assert len(pks) == 10

        def gets() -> None:
            for _ in range(100):
                for pk in pks:
                    agents.get(pk)

        def find() -> None:
            for _ in range(100):
                assert len(agents.find(tag="tag7")) == 10

        def find_range() -> None:
            for _ in range(100):
                assert len(agents.find(field("first_name").startswith("Ada77"), limit=10)) == 10

        taken = interleaved({"gets": gets, "find": find, "range": find_range}, rounds=ROUNDS)
    print_table(
        f"memory:// with {number:,} agents, µs a call",
        [
            ("10 gets", f"{taken['gets'] * 1e4:.0f}", ""),
            (
                "find 10 by an indexed field",
                f"{taken['find'] * 1e4:.0f} ({taken['find'] / taken['gets']:.1f}x)",
                "at most 20x",
            ),
            (
                "find 10 by a prefix, of those that have it",
                f"{taken['range'] * 1e4:.0f} ({taken['range'] / taken['gets']:.1f}x)",
                "",
            ),
        ],
    )
