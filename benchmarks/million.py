"""Whether a find of ten costs more among a million records than among ten thousand."""

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.records import agents
from benchmarks.timing import interleaved, print_table
from simstore import Store, connect, field
from simstore.bench.servers import bench_server

ROUNDS = 5
CALLS = 100
BATCH = 50_000


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    few, many = max(1_000, int(10_000 * scale)), max(2_000, int(1_000_000 * scale))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(bench_server(folder / "redis", modules=False))
        for backend, url in (
            ("memory://", "memory://"),
            ("sqlite://", f"sqlite:///{folder}/{{number}}.db"),
            ("redis://", f"redis://127.0.0.1:{server.port}?namespace={{number}}"),
        ):
            _find(backend, {number: url.format(number=number) for number in (few, many)})


def _find(backend: str, urls: dict[int, str]) -> None:
    with ExitStack() as stack:
        stores = {number: stack.enter_context(connect(url)) for number, url in urls.items()}
        for number, store in stores.items():
            for start in range(0, number, BATCH):
                store.agents.save_many(agents(start, min(start + BATCH, number)))
        finds = {"find 10 by an indexed field": _equal, "by an indexed field and a range": _joined}
        taken = interleaved(
            {
                f"{name} {number}": partial(find, store, number)
                for name, find in finds.items()
                for number, store in stores.items()
            },
            rounds=ROUNDS,
        )
    few, many = urls
    rows = []
    for name in finds:
        small, large = (taken[f"{name} {number}"] / CALLS * 1e6 for number in (few, many))
        rows.append(
            (
                name,
                f"{small:.0f} among {few:,}, {large:.0f} among {many:,} ({large / small:.2f}x)",
                "within 1.5x",
            )
        )
    print_table(f"{backend}, µs a call", rows)


def _tags(number: int) -> list[str]:
    return [f"tag{position * (number // 1_000)}" for position in range(CALLS)]


def _equal(store: Store, number: int) -> None:
    for tag in _tags(number):
        assert len(store.agents.find(tag=tag)) == 10


def _joined(store: Store, number: int) -> None:
    for tag in _tags(number):
        assert len(store.agents.find(field("age") >= 18, tag=tag)) == 10
