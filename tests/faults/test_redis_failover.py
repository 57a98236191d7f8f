"""A primary of a cluster is killed: its replica takes over, and the store goes on by itself."""

import os
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

import simstore
from simstore import BackendError, BackendTimeoutError, SaveManyError
from simstore.adapters.redis_pipeline.layout import BUCKETS_OF_A_CLUSTER
from simstore.testing.models import Specimen
from tests.faults.aftermath import WAIT, assert_sound, specimen, specimens
from tests.servers.binaries import valkey_binary
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[RedisCluster]:
    """Three primaries that take a write only while their replica is there to be sent it."""
    config = {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}
    with RedisCluster(valkey_binary(), tmp_path, replicas=1, config=config) as cluster:
        yield cluster


class Writer(threading.Thread):
    """Saves records, one at a time and many, until it is told to stop."""

    def __init__(self, store: simstore.Store, first: int) -> None:
        super().__init__()
        self._repository = store.repository(Specimen)
        self._first = first
        self._stop_it = threading.Event()
        self.acknowledged: list[tuple[float, Specimen]] = []
        """When each was, after it was saved."""
        self.errors: list[BaseException] = []

    def run(self) -> None:
        number = self._first
        while not self._stop_it.is_set():
            number += 20
            items = specimens(number, 20)
            try:
                self._repository.save(items[0])
                self._acknowledge(items[:1])
                self._repository.save_many(items[1:])
                self._acknowledge(items[1:])
            except SaveManyError as error:
                self._acknowledge([item for item in items if item.pk in error.stored])
                self.errors.append(error)
            except BaseException as error:  # noqa: BLE001 — the test holds it against what it may be
                self.errors.append(error)

    def _acknowledge(self, items: list[Specimen]) -> None:
        now = time.monotonic()
        self.acknowledged += [(now, item) for item in items]

    def stop(self) -> None:
        self._stop_it.set()
        self.join(WAIT)
        assert not self.is_alive()


def test_a_failover_while_writers_save(replicated: RedisCluster) -> None:
    """What was acknowledged is found after the failover, but for the last moment before it.

    Replication is asynchronous: a primary acknowledges before its replica has the write. So
    nothing is claimed of the half second before the kill; `min-replicas-to-write` bounds no
    less than that. Everything before and after must be there.
    """
    url = f"{replicated.cluster_url}?timeout=5&connect_timeout=2"
    with simstore.connect(url) as store:
        store.repository(Specimen).save_many(specimens(0, 60))
        writers = [Writer(store, first) for first in (100_000, 200_000)]
        for writer in writers:
            writer.start()
        time.sleep(1)
        killed = time.monotonic()
        replicated.primaries[0].kill()  # the one node that the URL names
        replicated.wait_until_ready()
        whole = time.monotonic()
        while not any(
            moment > whole for writer in writers for moment, _ in list(writer.acknowledged)
        ):
            assert time.monotonic() < whole + WAIT, "no writer went on by itself"
            time.sleep(0.05)
        for writer in writers:
            writer.stop()
        acknowledged = [each for writer in writers for each in writer.acknowledged]
        for error in (error for writer in writers for error in writer.errors):
            assert isinstance(error, BackendError | SaveManyError), traceback.format_exception(
                error
            )
        certain = [item for moment, item in acknowledged if not killed - 0.5 < moment < killed]
        # It asks a node that is there: the URL's is not.
        with replicated.client(of=1) as client:
            assert_sound(store, client, [*specimens(0, 60), *certain], buckets=BUCKETS_OF_A_CLUSTER)


def test_a_node_that_stops_answering_is_a_timeout_and_then_there_again(
    redis_cluster: RedisCluster,
) -> None:
    url = own_database(redis_cluster.cluster_url)
    with simstore.connect(f"{url}&timeout=1.5") as store, redis_cluster.client() as client:
        repository = store.repository(Specimen)
        repository.save_many(specimens(0, 60))
        redis_cluster.primaries[1].pause()
        try:
            start = time.monotonic()
            with pytest.raises(BackendTimeoutError):
                repository.count()
            with pytest.raises(SaveManyError) as raised:
                repository.save_many(specimens(100, 60))
            assert time.monotonic() - start < 12
            assert isinstance(raised.value.__cause__, BackendTimeoutError)
            # What the other nodes answered is known to be stored.
            assert raised.value.stored
        finally:
            redis_cluster.primaries[1].resume()
        stored = [item for item in specimens(100, 60) if item.pk in raised.value.stored]
        assert_sound(store, client, [*specimens(0, 60), *stored], buckets=BUCKETS_OF_A_CLUSTER)


def test_more_threads_than_connections_wait_for_one(redis_cluster: RedisCluster) -> None:
    url = own_database(redis_cluster.cluster_url)
    with simstore.connect(f"{url}&pool_size=1&timeout=10") as store:
        failures: list[BaseException] = []

        def work(first: int) -> None:
            try:
                for number in range(first, first + 20):
                    store.repository(Specimen).save(specimen(number))
            except BaseException as error:  # noqa: BLE001 — none is expected
                failures.append(error)

        threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT)
        assert failures == []
        with redis_cluster.client() as client:
            assert len(assert_sound(store, client, [], buckets=BUCKETS_OF_A_CLUSTER)) == 120


def test_a_look_at_the_topology_disturbs_no_other_thread(redis_cluster: RedisCluster) -> None:
    with simstore.connect(own_database(redis_cluster.cluster_url)) as store:
        writer = Writer(store, 0)
        writer.start()
        link = store._storage._link  # type: ignore[attr-defined]  # a StorageStore's
        for _ in range(20):
            link.look_up_anew()
            time.sleep(0.02)
        writer.stop()
        assert writer.errors == []
        assert writer.acknowledged


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_while_another_thread_looks_at_the_topology(redis_cluster: RedisCluster) -> None:
    with simstore.connect(own_database(redis_cluster.cluster_url)) as store:
        store.repository(Specimen).save(specimen(1))
        with store._storage._link._lock:  # type: ignore[attr-defined]  # a StorageStore's
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    watchdog = threading.Timer(10, os._exit, (3,))
                    watchdog.daemon = True
                    watchdog.start()
                    store.repository(Specimen).save(specimen(2))
                    status = 0 if store.repository(Specimen).count() == 2 else 2
                finally:
                    os._exit(status)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert store.repository(Specimen).count() == 2
