"""Several processes and threads that write to the same records of a Redis server."""

import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import simstore
from simstore import ConflictError, DuplicateError, NotFoundError
from simstore.services.diagnosis import diagnose
from simstore.testing.models import Specimen
from tests.faults.aftermath import WAIT, assert_sound, specimen, specimens
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer

PROCESSES = 8
SECONDS = 1.5
PKS = 120
"""So few that the processes meet."""

THREADS = 6


def churn(url: str, seed: int, seconds: float) -> dict[str, int]:
    """Save, add, change and delete records of a few pks; how often each was done."""
    chance = random.Random(seed)  # noqa: S311 — no secret
    done = {"written": 0, "deleted": 0, "refused": 0}
    with simstore.connect(url) as store:
        repository = store.repository(Specimen)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            number = chance.randrange(PKS)
            item = specimen(number, tag=f"tag {chance.randrange(7)}", score=float(seed))
            try:
                match chance.randrange(6):
                    case 0:
                        repository.save(item)
                    case 1:
                        repository.add(item)
                    case 2:
                        some = range(number, number + 10)
                        repository.save_many([specimen(each, score=float(seed)) for each in some])
                    case 3:
                        repository.update(item.pk, lambda old: old.model_copy(update={"tag": "x"}))
                    case 4:
                        repository.delete(item.pk)
                        done["deleted"] += 1
                    case _:
                        done["deleted"] += repository.delete_many(tag=item.tag)
                done["written"] += 1
            except (DuplicateError, NotFoundError, ConflictError):
                done["refused"] += 1
    return done


# The eight are forks of one process that has imported everything, which takes longest.
RUN_PROCESSES = """
import os, sys
from tests.faults.test_redis_contention import PROCESSES, SECONDS, churn
children = []
for seed in range(PROCESSES):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if min(churn(sys.argv[1], seed, SECONDS).values()) > 0 else 2
        finally:
            os._exit(status)
    children.append(child)
statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
assert not any(statuses), statuses
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_after_eight_processes_wrote_and_deleted_there_is_nothing_to_repair(
    valkey_server: RedisServer,
) -> None:
    url = own_database(valkey_server.url)
    subprocess.run([sys.executable, "-c", RUN_PROCESSES, url], check=True, timeout=2 * WAIT)
    with simstore.connect(url) as store, valkey_server.client() as client:
        assert_sound(store, client, [])
        diagnosis = diagnose(store, models=[Specimen], repair=True)
        assert diagnosis.healthy
        assert [each.mended.count for each in diagnosis.collections] in ([0], [])


def test_of_two_writers_of_what_was_read_exactly_one_wins(redis_server: RedisServer) -> None:
    url = own_database(redis_server.url)
    with simstore.connect(url) as one, simstore.connect(url) as other:
        one.repository(Specimen).save(specimen(1))
        for number in range(40):
            start = threading.Barrier(2)
            _, version = one.repository(Specimen).get_versioned(specimen(1).pk)

            def write(
                store: simstore.Store,
                name: str,
                start: threading.Barrier = start,
                version: str = version,
            ) -> str | None:
                start.wait(WAIT)
                try:
                    store.repository(Specimen).save(specimen(1, tag=name), if_version=version)
                except ConflictError:
                    return None
                return name

            with ThreadPoolExecutor(2) as pool:
                results = list(pool.map(write, (one, other), (f"one {number}", f"other {number}")))
            [winner] = [name for name in results if name is not None]
            assert one.repository(Specimen).get(specimen(1).pk).tag == winner


def test_of_many_that_add_a_record_exactly_one_does(redis_server: RedisServer) -> None:
    with simstore.connect(own_database(redis_server.url)) as store:
        for number in range(20):
            start = threading.Barrier(THREADS)

            def add(
                name: int, number: int = number, start: threading.Barrier = start
            ) -> int | None:
                start.wait(WAIT)
                try:
                    store.repository(Specimen).add(specimen(number, tag=str(name)))
                except DuplicateError:
                    return None
                return name

            with ThreadPoolExecutor(THREADS) as pool:
                [winner] = [each for each in pool.map(add, range(THREADS)) if each is not None]
            assert store.repository(Specimen).get(specimen(number).pk).tag == str(winner)


def test_no_update_of_threads_and_of_several_stores_is_lost(redis_server: RedisServer) -> None:
    url = own_database(redis_server.url)
    with simstore.connect(url) as store:
        store.repository(Specimen).save(specimen(1, number=0))

        def count_up(_: int) -> None:
            with simstore.connect(url) as own:
                for _ in range(25):
                    own.repository(Specimen).update(
                        specimen(1).pk,
                        lambda item: item.model_copy(update={"number": item.number + 1}),
                    )

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(count_up, range(THREADS)))
        with redis_server.client() as client:
            stored = assert_sound(store, client, [])
        assert stored[specimen(1).pk].number == 25 * THREADS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", ["redis_server", "redis_cluster"])
def test_a_store_can_be_used_on_both_sides_of_a_fork(
    request: pytest.FixtureRequest, name: str
) -> None:
    server: RedisServer | RedisCluster = request.getfixturevalue(name)
    url = server.cluster_url if isinstance(server, RedisCluster) else server.url
    with simstore.connect(own_database(url)) as store:
        repository = store.repository(Specimen)
        repository.save_many(specimens(0, 50))
        children = []
        for child in range(2):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    repository.save_many(specimens(1_000 * (child + 1), 50))
                    status = 0 if repository.count(tag="tag 1") >= 14 else 2
                finally:
                    os._exit(status)
            children.append(pid)
        repository.save_many(specimens(5_000, 50))
        for pid in children:
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert repository.pks() == [
            item.pk for first in (0, 1_000, 2_000, 5_000) for item in specimens(first, 50)
        ]
        assert list(repository.index_faults()) == []


def test_an_interrupt_in_mid_call_leaves_the_store_usable(redis_server: RedisServer) -> None:
    """As ^C does it: the connection of the call is given up, so that no reply is mistaken."""
    with (
        Proxy(redis_server) as proxy,
        simstore.connect(own_database(proxy.url)) as store,
    ):
        repository = store.repository(Specimen)
        repository.save_many(specimens(0, 50))
        link = store._storage._link  # type: ignore[attr-defined]  # a StorageStore's
        connection = link._pool.get_connection()
        link._pool.release(connection)
        original = connection.read_response

        def interrupted(*_: object, **__: object) -> None:
            connection.read_response = original
            raise KeyboardInterrupt

        connection.read_response = interrupted
        proxy.delay = 0.1  # the reply comes when the next call has begun
        with pytest.raises(KeyboardInterrupt):
            repository.get(specimen(1).pk)
        assert repository.get(specimen(2).pk) == specimen(2)
        assert repository.get(specimen(3).pk) == specimen(3)
