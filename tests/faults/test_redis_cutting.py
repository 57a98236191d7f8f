"""The connection to Redis cut: no write is sent twice, and reads are asked again, once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import simstore
from simstore import BackendUnavailableError, DuplicateError, NotFoundError, SaveManyError, Store
from simstore.adapters.redis_pipeline.layout import Layout, document_key
from simstore.testing.models import Specimen
from tests.faults.aftermath import BATCH, assert_sound, specimen, specimens, stored_of
from tests.servers.fixtures import own_namespace
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[Proxy]:
    with Proxy(redis_server) as proxy:
        yield proxy


@pytest.fixture
def store(proxy: Proxy) -> Iterator[Store]:
    """A store by way of the proxy, which has its indexes and has loaded its scripts."""
    with simstore.connect(f"{proxy.url}?namespace={own_namespace()}&timeout=10") as store:
        repository = store.repository(Specimen)
        repository.save_many(specimens(0, 20))
        assert repository.count() == len(repository.find()) == 20
        yield store


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Any]:
    with redis_server.client() as client:
        yield client


WRITES: dict[str, Callable[[Store], Any]] = {
    "save": lambda store: store.repository(Specimen).save(specimen(5, tag="new")),
    "add": lambda store: store.repository(Specimen).add(specimen(50)),
    "delete": lambda store: store.repository(Specimen).delete(specimen(5).pk),
    "update": lambda store: store.repository(Specimen).update(
        specimen(5).pk, lambda item: item.model_copy(update={"number": item.number + 1})
    ),
}


def requests_of(proxy: Proxy, call: Callable[[], Any]) -> int:
    """How many bytes `call` sends."""
    before = proxy.passed["requests"]
    call()
    return proxy.passed["requests"] - before


@pytest.mark.parametrize("name", [name for name in WRITES if name != "update"])
def test_a_write_whose_reply_is_lost_raises_and_is_not_sent_twice(
    proxy: Proxy, store: Store, client: Any, name: str
) -> None:
    sent = proxy.passed["requests"]
    connections = proxy.connections
    proxy.cut_after("replies", 0)
    with pytest.raises(BackendUnavailableError, match="cannot be reached"):
        WRITES[name](store)
    assert not proxy.is_to_cut
    assert proxy.connections == connections  # it did not come back to try again
    written = proxy.passed["requests"] - sent
    assert 0 < written < 4_000
    proxy.settle()
    # It was delivered, and so applied, once.
    stored = assert_sound(store, client, [])
    if name == "save":
        assert stored[specimen(5).pk].tag == "new"
    elif name == "add":
        with pytest.raises(DuplicateError):
            WRITES[name](store)
    else:
        with pytest.raises(NotFoundError):
            WRITES[name](store)


def test_an_update_whose_reply_is_lost_is_applied_once(
    proxy: Proxy, store: Store, client: Any
) -> None:
    repository = store.repository(Specimen)
    read = proxy.passed["replies"]
    repository.get(specimen(5).pk)
    read = proxy.passed["replies"] - read
    proxy.cut_after("replies", read + 1)  # update reads the record first
    before = repository_number(store, client)
    with pytest.raises(BackendUnavailableError):
        WRITES["update"](store)
    proxy.settle()
    assert repository.get(specimen(5).pk).number == before + 1
    assert_sound(store, client, [])


def repository_number(store: Store, client: Any) -> int:
    """The number of record 5, read past the proxy, which is to count what it passes."""
    namespace = store.url.partition("namespace=")[2].partition("&")[0]
    base = Layout(namespace).base_of(Specimen.__name__, specimen(5).pk)
    return Specimen.model_validate_json(client.get(document_key(base, specimen(5).pk))).number


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_connection_cut_within_the_request_of_a_save_many(
    proxy: Proxy, store: Store, client: Any, share: float
) -> None:
    repository = store.repository(Specimen)
    size = requests_of(proxy, lambda: repository.save_many(specimens(1_000)))
    items = specimens(2_000)
    proxy.cut_after("requests", int(size * share))
    with pytest.raises(SaveManyError) as raised:
        repository.save_many(items)
    proxy.settle()
    stored = assert_sound(store, client, [*specimens(1_000), *stored_of(raised.value, items)])
    # Of each batch, all or nothing; and no more than was sent.
    there = sum(item.pk in stored for item in items)
    assert there % 100 == 0
    assert there <= BATCH * share
    repository.save_many(items)
    assert repository.get_many(raised.value.not_stored) == items[len(raised.value.stored) :]


@pytest.mark.parametrize("replies", [0, 30, 300])
def test_a_connection_cut_within_the_replies_of_a_save_many(
    proxy: Proxy, store: Store, client: Any, replies: int
) -> None:
    items = specimens(2_000)
    proxy.cut_after("replies", replies)
    with pytest.raises(SaveManyError) as raised:
        store.repository(Specimen).save_many(items)
    assert isinstance(raised.value.__cause__, BackendUnavailableError)
    proxy.settle()
    assert_sound(store, client, stored_of(raised.value, items))


READS: dict[str, Callable[[Store], Any]] = {
    "get": lambda store: store.repository(Specimen).get(specimen(5).pk),
    "get_many": lambda store: store.repository(Specimen).get_many([specimen(5).pk, specimen(6).pk]),
    "find": lambda store: store.repository(Specimen).find(tag="tag 5"),
    "iterate": lambda store: list(store.repository(Specimen).iterate()),
    "count": lambda store: store.repository(Specimen).count(),
    "pks": lambda store: store.repository(Specimen).pks(),
    "project": lambda store: store.repository(Specimen).project(["tag"]),
    "exists": lambda store: store.repository(Specimen).exists(tag="tag 5"),
    "collections": lambda store: store.collections(),
}


@pytest.mark.parametrize("replies", [0, 3])
@pytest.mark.parametrize("name", READS)
def test_a_read_whose_reply_is_lost_is_asked_again(
    proxy: Proxy, store: Store, name: str, replies: int
) -> None:
    expected = READS[name](store)
    connections = proxy.connections
    proxy.cut_after("replies", replies)
    assert READS[name](store) == expected
    assert not proxy.is_to_cut
    assert proxy.connections == connections + 1


def test_a_read_is_asked_again_only_once(proxy: Proxy, store: Store) -> None:
    connections = proxy.connections
    cuts = 0

    class Cutting(dict[str, int]):
        """A cut for every reply."""

        def get(self, direction: str, default: Any = None) -> Any:
            return 0 if direction == "replies" else None

        def __delitem__(self, direction: str) -> None:
            nonlocal cuts
            cuts += 1

    proxy._cuts = Cutting()  # type: ignore[assignment]  # it has what is asked of it
    with pytest.raises(BackendUnavailableError):
        store.repository(Specimen).get(specimen(5).pk)
    proxy._cuts = {}
    assert cuts >= 2
    assert proxy.connections <= connections + 2
    assert store.repository(Specimen).get(specimen(5).pk) == specimen(5)


def test_a_connection_that_was_cut_while_idle_is_not_noticed(
    proxy: Proxy, store: Store, client: Any
) -> None:
    proxy.cut()
    store.repository(Specimen).save(specimen(30))
    proxy.cut()
    assert store.repository(Specimen).get(specimen(30).pk) == specimen(30)
    assert_sound(store, client, [*specimens(0, 20), specimen(30)])


def test_a_slow_network_is_only_slow(proxy: Proxy, store: Store, client: Any) -> None:
    proxy.delay = 0.02
    store.repository(Specimen).save_many(specimens(100, 300))
    proxy.delay = 0
    assert_sound(store, client, specimens(100, 300))
