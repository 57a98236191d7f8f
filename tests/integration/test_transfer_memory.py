"""To copy and to compare stores takes no more memory than some pages of records."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import simstore
from simstore import EpisodeLog, Store
from simstore.services.transfer import compare_stores, copy_store

EPISODES = 5_000
MOST_BYTES = 30_000_000
"""Pages of two megabytes of text, of both stores, each as records, as documents and as texts."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """5,000 episodes: 47 MB as text."""
    with simstore.connect(f"sqlite:///{tmp_path_factory.mktemp('large')}/source.db") as store:
        for start in range(0, EPISODES, 500):
            store.episodes.save_many(
                EpisodeLog(
                    environment="e",
                    agents=["a", "b"],
                    messages=[[("a", "b", f"{n} {turn} " * 100)] for turn in range(20)],
                    rewards=[0.0, 1.0],
                )
                for n in range(start, start + 500)
            )
        yield store


def peak_of(call: Callable[[], object]) -> int:
    """The most bytes that Python held during `call`, beyond those before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_bounded(source: Store, tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/target.db?synchronous=normal") as target:
        assert peak_of(lambda: copy_store(source, target)) < MOST_BYTES
        assert peak_of(lambda: compare_stores(source, target)) < MOST_BYTES
        assert target.episodes.count() == EPISODES
