"""Redis killed in mid write, or its client: what was acknowledged is there, and indexed."""

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import simstore
from simstore import BackendUnavailableError, SaveManyError
from simstore.testing.models import Specimen
from tests.faults.aftermath import BATCH, WAIT, assert_sound, specimen, specimens, stored_of
from tests.servers.binaries import redis_binary, valkey_binary
from tests.servers.fixtures import own_database
from tests.servers.redis_server import APPEND_ONLY, RedisServer

# Prints a batch's number only after its save_many has returned: what is printed was acknowledged.
SAVE_MANY = """
import itertools, sys, simstore
from simstore.testing.models import Specimen
from tests.faults.aftermath import BATCH, specimens
repository = simstore.connect(sys.argv[1]).repository(Specimen)
for batch in itertools.count():
    repository.save_many(specimens(batch * BATCH))
    print(batch, flush=True)
"""


@pytest.fixture(params=["redis"])
def durable_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    """One of the test's own that writes what it answers to the disk first."""
    binary = {"redis": redis_binary, "valkey": valkey_binary}[request.param]()
    with RedisServer(binary, APPEND_ONLY, tmp_path) as server:
        yield server


def save_until_it_fails(
    repository: simstore.Repository[Specimen], acknowledged: list[Specimen]
) -> tuple[SaveManyError, list[Specimen]]:
    """Save many, over and over; the error, and those that were being saved."""
    for batch in itertools.count(1):
        items = specimens(batch * 3 * BATCH, 3 * BATCH)
        try:
            repository.save_many(items)
        except SaveManyError as error:
            return error, items
        acknowledged += items
    raise AssertionError("it saves for ever")


@pytest.mark.parametrize(
    ("durable_server", "seconds"),
    [("redis", 0.02), ("redis", 0.3), ("valkey", 0.1)],
    indirect=["durable_server"],
)
def test_a_server_killed_in_mid_save_many_loses_nothing_acknowledged(
    durable_server: RedisServer, seconds: float
) -> None:
    with simstore.connect(f"{durable_server.url}?timeout=10") as store:
        repository = store.repository(Specimen)
        acknowledged = specimens(0)
        repository.save_many(acknowledged)
        killer = threading.Timer(seconds, durable_server.kill)
        killer.start()
        error, items = save_until_it_fails(repository, acknowledged)
        killer.join(WAIT)
        assert isinstance(error.__cause__, simstore.BackendError)
        assert {*error.stored, *error.not_stored} == {item.pk for item in items}
        durable_server.start()
        # The same store goes on, and no connection is made by hand.
        with durable_server.client() as client:
            acknowledged += stored_of(error, items)
            assert_sound(store, client, acknowledged)
        repository.save_many(items)
        assert repository.get_many(error.not_stored) == items[len(error.stored) :]


def test_a_server_killed_between_calls_is_an_outage_and_then_there_again(
    durable_server: RedisServer,
) -> None:
    with simstore.connect(durable_server.url) as store:
        repository = store.repository(Specimen)
        repository.save(specimen(1))
        durable_server.kill()
        for call in (
            lambda: repository.save(specimen(2)),
            lambda: repository.get(specimen(1).pk),
            repository.count,
            store.collections,
            store.inspect,
        ):
            with pytest.raises(BackendUnavailableError, match="cannot be reached"):
                call()
        durable_server.start()
        repository.save(specimen(3))  # which has to load the scripts again
        with durable_server.client() as client:
            stored = assert_sound(store, client, [specimen(1), specimen(3)])
        assert len(stored) == 2


def test_a_restart_between_calls_is_not_noticed(durable_server: RedisServer) -> None:
    with simstore.connect(durable_server.url) as store:
        repository = store.repository(Specimen)
        repository.save(specimen(1))
        durable_server.restart()
        repository.save(specimen(2))  # its connection is closed, which shows before it is used
        durable_server.restart()
        assert repository.pks() == [specimen(1).pk, specimen(2).pk]


@pytest.mark.parametrize("seconds", [0.0, 0.07])
def test_a_client_killed_in_mid_save_many_leaves_no_record_half_indexed(
    valkey_server: RedisServer, seconds: float
) -> None:
    url = own_database(valkey_server.url)
    with subprocess.Popen(
        [sys.executable, "-c", SAVE_MANY, url], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.readlines()
        assert writer.wait(WAIT) == -signal.SIGKILL
    batches = [int(line) for line in lines if line.endswith("\n")]
    with simstore.connect(url) as store, valkey_server.client() as client:
        stored = assert_sound(store, client, specimens(0, BATCH * len(batches)))
        assert len(batches) <= len(stored) / BATCH <= len(batches) + 1
