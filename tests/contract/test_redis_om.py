"""The redis-om backend fulfils the contracts."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
import redis
from hypothesis import settings

import simstore
from simstore.adapters.redis_om.json_text import kept_json
from simstore.domain.maintenance import FaultKind
from simstore.testing import OpenStore, RepositoryContract, StoreContract, repository_machine
from tests.contract.redis_om_databases import forget
from tests.servers.fixtures import own_namespace
from tests.servers.redis_server import RedisServer

_urls: list[str] = []
"""The URL of the server, for the machine, which gets no fixtures."""


@pytest.fixture(scope="module", autouse=True)
def _url_of_the_server(redis_server: RedisServer) -> None:
    _urls[:] = [redis_server.url_for(scheme="redis+om")]


@contextmanager
def new_database() -> Iterator[OpenStore]:
    namespace = own_namespace()
    url = f"{_urls[0]}?namespace={namespace}"
    yield lambda: simstore.connect(url)
    with redis.Redis.from_url(_urls[0].replace("redis+om", "redis")) as client:
        forget(client, namespace)


def key_of(store: simstore.Store, collection: str, pk: str) -> str:
    namespace = store.url.partition("namespace=")[2].partition("&")[0]
    return f"simstore-om:{namespace}:{collection}:{pk}"


class TestRedisOm(RepositoryContract, StoreContract):
    @pytest.fixture(autouse=True)
    def client(self, redis_server: RedisServer) -> Iterator[redis.Redis]:
        with redis_server.client() as client:
            self._client = client
            yield client

    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        with new_database() as open_store:
            yield open_store

    def write_raw(self, store: simstore.Store, collection: str, pk: str, document: str) -> None:
        record: bytes | None = None
        try:
            orjson.loads(document)
        except ValueError:
            pass
        else:
            record = kept_json(document.encode())
        key = key_of(store, collection, pk)
        text = orjson.dumps(document) if record is None else record
        assert self._client.execute_command("JSON.SET", key, "$.record", text)

    def read_raw(self, store: simstore.Store, collection: str, pk: str) -> str:
        text = self._client.execute_command("JSON.GET", key_of(store, collection, pk), ".record")
        found = orjson.loads(text)
        return found if isinstance(found, str) else text.decode()

    @contextmanager
    def failing_at(self, store: simstore.Store, collection: str, pk: str) -> Iterator[None]:
        key = key_of(store, collection, pk)
        aside = f"{key_of(store, 'aside', pk)}"
        if there := self._client.exists(key):
            self._client.rename(key, aside)
        self._client.set(key, "what is no document")
        try:
            yield
        finally:
            self._client.delete(key)
            if there:
                self._client.rename(aside, key)

    def spoil_index(self, store: simstore.Store, collection: str, pk: str, kind: FaultKind) -> None:
        key, call = key_of(store, collection, pk), self._client.execute_command
        if kind == "missing":
            assert call("JSON.SET", key, "$.entries.f0_tag", "[]")
        elif kind == "stale":
            assert call("JSON.ARRAPPEND", key, "$.entries.f0_tag", '"sspoilt"')
        else:
            assert call("JSON.SET", key, "$", '{"entries":{"f0_tag":["sspoilt"]}}')


TestRedisOmMachine = repository_machine(new_database).TestCase
# Each call is a round trip, or several; the nightly profile has as many examples as elsewhere.
if settings.default is not None and settings.default.max_examples <= 60:
    TestRedisOmMachine.settings = settings(max_examples=20, stateful_step_count=20)
