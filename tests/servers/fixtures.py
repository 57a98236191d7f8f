"""Fixtures with servers: each is started by the first test that asks, once a process.

Tests share them. What a test writes, it writes under a `namespace` of its own, and it neither
flushes a server nor changes its settings: for that it starts one with `RedisServer`.
"""

import uuid
from collections.abc import Iterator

import pytest

from tests.servers.binaries import both_modules, redis62_binary, redis_binary, valkey_binary
from tests.servers.cluster import RedisCluster
from tests.servers.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Redis 8.2 with RedisJSON and the query engine; nothing is saved."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer(redis_binary(), both_modules(), folder) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Valkey 9.1 without modules; nothing is saved."""
    with RedisServer(valkey_binary(), {}, tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_modules_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Valkey 9.1 with RedisJSON and the query engine; nothing is saved."""
    folder = tmp_path_factory.mktemp("valkey-modules")
    with RedisServer(valkey_binary(), both_modules(), folder) as server:
        yield server


@pytest.fixture(scope="session")
def redis62_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Redis 6.2; nothing is saved."""
    with RedisServer(redis62_binary(), {}, tmp_path_factory.mktemp("redis62")) as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    """A cluster of three Valkey nodes without replicas; nothing is saved."""
    with RedisCluster(valkey_binary(), tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def own_namespace() -> str:
    """A namespace that nobody else has: a database of one's own on a shared server."""
    return f"t{uuid.uuid4().hex}"  # uuid asks the system, so that no seed makes two the same


def own_database(url: str) -> str:
    """`url`, with a namespace that nobody else has."""
    return f"{url}{'&' if '?' in url else '?'}namespace={own_namespace()}"


@pytest.fixture
def namespace() -> str:
    """The test's own namespace."""
    return own_namespace()
