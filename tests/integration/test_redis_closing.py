"""A Redis store that is closed while threads use it: calls end well, or say that it is closed."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import simstore
from simstore import AgentProfile, Store, StoreClosedError
from tests.servers.fixtures import own_database

SERVERS = {"redis": "redis_server", "redis+cluster": "redis_cluster", "redis+om": "redis_server"}


@pytest.fixture(params=SERVERS)
def store(request: pytest.FixtureRequest) -> Store:
    place = request.getfixturevalue(SERVERS[request.param]).url.partition("://")[2]
    return simstore.connect(own_database(f"{request.param}://{place}"))


def test_calls_under_way_end_as_they_would(store: Store) -> None:
    started = Event()

    def work(number: int) -> int:
        calls = 0
        try:
            while True:
                store.agents.save(
                    AgentProfile(pk=f"{number}", first_name="A", last_name="B", tag=str(calls))
                )
                assert store.agents.count(tag=str(calls)) >= 0
                assert len(store.agents.find()) <= 8
                calls += 1
                started.set()
        except StoreClosedError:
            return calls

    with ThreadPoolExecutor(8) as threads:
        running = [threads.submit(work, number) for number in range(8)]
        assert started.wait(20)
        store.close()
        assert sum(each.result(60) for each in running) > 0
