"""Redis Streams fulfil the contract of the broker, on Redis and Valkey, old and new."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

import simstore
from simstore.adapters.redis_pipeline import store_on
from simstore.testing import BrokerContract, OpenStore, broker_machine, fake_redis
from simstore.testing.contract.messages.asynchronous import AsyncWaitingContract
from simstore.testing.contract.messages.dead_letters import DeadLetterContract
from simstore.testing.contract.messages.forgetting import ForgettingContract
from simstore.testing.contract.messages.groups import GroupContract
from simstore.testing.contract.messages.retrying import RetryingContract
from simstore.testing.contract.messages.trimming import TrimmingContract
from simstore.testing.contract.messages.waiting import WaitingContract
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer


class TestValkey(BrokerContract):
    """The whole contract, on the newest of them."""

    @pytest.fixture
    def open_store(self, valkey_server: RedisServer) -> OpenStore:
        url = own_database(valkey_server.url)
        return lambda: simstore.connect(url)


class QuickContract(
    TrimmingContract,
    ForgettingContract,
    GroupContract,
    RetryingContract,
    DeadLetterContract,
):
    """The rules that hang on what a server does with commands and scripts.

    The others are about code above them, which the whole contract tests on Valkey.
    """


class TestRedis(GroupContract, DeadLetterContract):
    @pytest.fixture
    def open_store(self, redis_server: RedisServer) -> OpenStore:
        url = own_database(redis_server.url)
        return lambda: simstore.connect(url)


class TestRedis62(QuickContract):
    @pytest.fixture
    def open_store(self, redis62_server: RedisServer) -> OpenStore:
        url = own_database(redis62_server.url)
        return lambda: simstore.connect(url)


class TestCluster(QuickContract, WaitingContract, AsyncWaitingContract):
    @pytest.fixture
    def open_store(self, redis_cluster: RedisCluster) -> OpenStore:
        url = own_database(redis_cluster.cluster_url)
        return lambda: simstore.connect(url)


class TestFakeredis(GroupContract, DeadLetterContract, WaitingContract):
    """A user's unit tests need no server."""

    @pytest.fixture
    def open_store(self) -> OpenStore:
        fakeredis: Any = pytest.importorskip("fakeredis")
        client = fake_redis()
        server = client.connection_pool.connection_kwargs["server"]
        other = fakeredis.FakeAsyncRedis(server=server)
        return lambda: store_on(client, async_client=other)


def test_the_machine_finds_no_difference(valkey_server: RedisServer) -> None:
    @contextmanager
    def new_database() -> Iterator[OpenStore]:
        url = own_database(valkey_server.url)
        yield lambda: simstore.connect(url)

    fewer = settings(max_examples=max(1, settings().max_examples // 3))
    run_state_machine_as_test(broker_machine(new_database), settings=fewer)
