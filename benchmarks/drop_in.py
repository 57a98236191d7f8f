"""What `simstore.sotopia` costs beside the repositories that it stands on."""

import tempfile
from collections.abc import Callable

from benchmarks.records import episodes
from benchmarks.timing import interleaved, print_table
from simstore import Store, connect, field, sotopia
from simstore.server import LocalServer

ROUNDS = 9

GOAL = "under 1.1 times, or 20 µs more"


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    number = max(20, int(1_000 * scale))
    with tempfile.TemporaryDirectory() as folder, LocalServer(f"{folder}/server") as server:
        for url in ("memory://", f"sqlite:///{folder}/drop_in.db?synchronous=normal", server.url):
            with connect(url) as store, sotopia.bind(store):
                _calls(store, number)


def _calls(store: Store, number: int) -> None:
    plain = episodes(number)
    active = [sotopia.EpisodeLog(**each.__dict__) for each in plain]
    pks = [each.pk for each in plain]
    tag = str(plain[0].tag)
    log = sotopia.EpisodeLog
    repository = store.episodes

    works: dict[str, tuple[Callable[[], object], Callable[[], object], int]] = {
        "save": (
            lambda: [repository.save(each) for each in plain],
            lambda: [each.save() for each in active],
            number,
        ),
        "save_many, add": (
            lambda: repository.save_many(plain),
            lambda: log.add(active),
            number,
        ),
        "get": (
            lambda: [repository.get(pk) for pk in pks],
            lambda: [log.get(pk) for pk in pks],
            number,
        ),
        "find all": (repository.find, log.all, number),
        "find ten by tag": (
            lambda: [repository.find(tag=tag) for _ in range(100)],
            lambda: [log.find(log.tag == tag).all() for _ in range(100)],
            100,
        ),
        "count by an element": (
            lambda: [repository.count(field("agents").contains("x")) for _ in range(100)],
            lambda: [log.find(log.agents << ["x"]).count() for _ in range(100)],
            100,
        ),
    }
    rows = []
    for name, (with_store, with_class, calls) in works.items():
        taken = interleaved({"store": with_store, "class": with_class}, rounds=ROUNDS)
        store_us, class_us = (taken[who] / calls * 1e6 for who in ("store", "class"))
        figure = f"{class_us:.1f} µs, {class_us / store_us:.2f} times {store_us:.1f}"
        rows.append((name, figure, GOAL))
    print_table(f"simstore.sotopia on {store.url.partition('://')[0]}://", rows)
