"""The pipeline backend fulfils the contracts on Redis and Valkey, old and new."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

import simstore
from simstore.adapters.redis_pipeline import opening, store_on
from simstore.adapters.redis_pipeline.encoding import END, encoded
from simstore.adapters.redis_pipeline.layout import BUCKETS_OF_A_CLUSTER, Layout, document_key
from simstore.domain.maintenance import FaultKind
from simstore.testing import (
    Binding,
    OpenStore,
    RepositoryContract,
    StoreContract,
    fake_redis,
    repository_machine,
)
from simstore.testing.contract import processes
from simstore.testing.contract.collections import CollectionsContract
from simstore.testing.contract.concurrency import ConcurrencyContract
from simstore.testing.contract.deleting import DeletingContract
from simstore.testing.contract.expiry import ExpiryContract
from simstore.testing.contract.failing import FailingContract
from simstore.testing.contract.maintenance import MaintenanceContract
from simstore.testing.contract.many import ManyContract
from simstore.testing.contract.ordering import OrderingContract
from simstore.testing.contract.projecting import ProjectingContract
from simstore.testing.contract.reading import ReadingContract
from simstore.testing.contract.saving import SavingContract
from simstore.testing.contract.transactions import TransactionContract
from simstore.testing.contract.updating import UpdatingContract
from tests.redis_keys import indexes_at
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer


class PastThePort(Binding):
    """The ways past the port, for a server or a cluster."""

    buckets = 1

    def client(self) -> Any:
        """A raw client of the server."""
        raise NotImplementedError

    def _key(self, store: simstore.Store, collection: str, pk: str) -> str:
        namespace = store.url.partition("namespace=")[2].partition("&")[0]
        return document_key(Layout(namespace, self.buckets).base_of(collection, pk), pk)

    def write_raw(self, store: simstore.Store, collection: str, pk: str, document: str) -> None:
        assert self.client().set(self._key(store, collection, pk), document, xx=True)

    def read_raw(self, store: simstore.Store, collection: str, pk: str) -> str:
        return bytes(self.client().get(self._key(store, collection, pk))).decode()

    @contextmanager
    def failing_at(self, store: simstore.Store, collection: str, pk: str) -> Iterator[None]:
        client, key = self.client(), self._key(store, collection, pk)
        before = client.get(key)
        client.delete(key)
        client.lpush(key, "what is no document")
        try:
            yield
        finally:
            client.delete(key)
            if before is not None:
                client.set(key, before)

    def spoil_index(self, store: simstore.Store, collection: str, pk: str, kind: FaultKind) -> None:
        base = self._key(store, collection, pk).removesuffix(f":docs:{pk}")
        index = f"{indexes_at(base)}:index:tag"
        if kind == "missing":
            end = END + pk.encode()
            [entry] = [entry for entry in self.client().zrange(index, 0, -1) if entry.endswith(end)]
            assert self.client().zrem(index, entry) == 1
        else:
            self.client().zadd(index, {encoded("spoilt") + END + pk.encode(): 0})


class QuickContract(
    SavingContract,
    UpdatingContract,
    ReadingContract,
    ProjectingContract,
    OrderingContract,
    DeletingContract,
    ExpiryContract,
    FailingContract,
    MaintenanceContract,
    CollectionsContract,
    TransactionContract,
    ConcurrencyContract,
):
    """The rules that hang on what a server does with commands and scripts.

    The others are about code above them, which the whole contract tests on Valkey.
    """


class OnServer(PastThePort):
    """On the server of a fixture."""

    @pytest.fixture(autouse=True)
    def server(self, redis_server: RedisServer) -> RedisServer:
        self._server = redis_server
        return redis_server

    def client(self) -> Any:
        return self._server.client()

    @pytest.fixture
    def open_store(self, server: RedisServer) -> OpenStore:
        url = own_database(server.url)
        return lambda: simstore.connect(url)


class TestRedis(OnServer, QuickContract, ManyContract):
    """Redis 8.2."""


class TestValkey(OnServer, RepositoryContract, StoreContract):
    """The whole contract, on the newest of them."""

    @pytest.fixture(autouse=True)
    def server(self, valkey_server: RedisServer) -> RedisServer:
        self._server = valkey_server
        return valkey_server


class TestRedis62(OnServer, QuickContract, ManyContract):
    @pytest.fixture(autouse=True)
    def server(self, redis62_server: RedisServer) -> RedisServer:
        self._server = redis62_server
        return redis62_server


FEW_BUCKETS = 5
"""In several slots, as all 32 are, which the tests of clusters and the side by side take."""


class TestCluster(PastThePort, RepositoryContract, StoreContract):
    @pytest.fixture(autouse=True)
    def cluster(
        self,
        redis_cluster: RedisCluster,
        request: pytest.FixtureRequest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> RedisCluster:
        self._cluster = redis_cluster
        self.buckets = BUCKETS_OF_A_CLUSTER
        if request.function.__module__ != processes.__name__:  # another process has all of them
            self.buckets = FEW_BUCKETS
            monkeypatch.setattr(opening, "BUCKETS_OF_A_CLUSTER", FEW_BUCKETS)
        return redis_cluster

    def client(self) -> Any:
        return self._cluster.client()

    @pytest.fixture
    def open_store(self, cluster: RedisCluster) -> OpenStore:
        url = own_database(cluster.cluster_url)
        return lambda: simstore.connect(url)


class TestFakeredis(PastThePort, QuickContract):
    """A user's unit tests need no server."""

    def client(self) -> Any:
        return self._client

    @pytest.fixture
    def open_store(self) -> OpenStore:
        self._client = fake_redis()
        return lambda: store_on(self._client)


def test_the_machine_finds_no_difference(valkey_server: RedisServer) -> None:
    @contextmanager
    def new_database() -> Iterator[OpenStore]:
        url = own_database(valkey_server.url)
        yield lambda: simstore.connect(url)

    run_state_machine_as_test(repository_machine(new_database))
