"""A server of these tests' own: keys in Sotopia's layout have no namespace."""

from collections.abc import Iterator

import pytest
import redis

import simstore
from simstore.domain.store import Store
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.redis_server import RedisServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Redis 8.2 with RedisJSON and the query engine; each test empties it."""
    folder = tmp_path_factory.mktemp("sotopia-layout")
    with RedisServer(redis_binary(), both_modules(), folder) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """A client of the server, which has no key."""
    with server.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def empty(server: RedisServer, client: redis.Redis) -> Iterator[Store]:  # noqa: ARG001 — emptied by it
    """A store on a database without a key."""
    with simstore.connect(f"{server.url_for(scheme='redis+om')}?layout=sotopia") as store:
        yield store


@pytest.fixture
def store(empty: Store) -> Store:
    """The same; a file whose tests want records in it has one of its own."""
    return empty
