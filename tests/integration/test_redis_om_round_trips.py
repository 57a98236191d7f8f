"""How often the server is asked: a fixed number of times a call or a batch, never once a record."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import pytest

import simstore
from simstore.adapters.base_store import StorageStore
from simstore.adapters.redis_connection.client import open_client
from simstore.adapters.redis_connection.link import Call, ServerLink
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.redis_om.storage import OwnStorage
from simstore.adapters.redis_om.writing import RECORDS_AT_A_TIME
from simstore.adapters.url import StoreURL
from simstore.domain.fields import Indexed
from simstore.domain.query import field
from simstore.domain.record import Record
from tests.contract.redis_om_databases import forget
from tests.servers.redis_server import RedisServer


class Item(Record):
    tag: Annotated[str, Indexed()] = ""
    size: Annotated[int, Indexed()] = 0


class CountingLink(ServerLink):
    """Counts what is sent at once."""

    round_trips = 0

    def _exchange(self, calls: Sequence[Call]) -> list[Any]:
        self.round_trips += 1
        return super()._exchange(calls)


@pytest.fixture
def link(redis_server: RedisServer) -> CountingLink:
    settings = RedisSettings.parse(StoreURL(redis_server.url_for(scheme="redis+om")))
    return CountingLink(settings.shown, open_client(settings))


@pytest.fixture
def store(link: CountingLink, namespace: str) -> Iterator[simstore.Store]:
    with StorageStore("redis+om://counted", OwnStorage(link, namespace)) as store:
        items = store.repository(Item)
        items.save_many(Item(pk=f"{n:04}", tag=f"t{n % 5}", size=n) for n in range(500))
        assert items.count(tag="t0") == 100  # the index is there, and asked
        yield store
        forget(link.clients()[0], namespace)


def trips(link: CountingLink, call: Any) -> int:
    """How often `call` makes the server answer."""
    before = link.round_trips
    call()
    return link.round_trips - before


def test_calls_of_one_record(store: simstore.Store, link: CountingLink) -> None:
    items = store.repository(Item)
    assert trips(link, lambda: items.save(Item(pk="one"))) == 1
    assert trips(link, lambda: items.get("one")) == 1
    assert trips(link, lambda: items.update("one", lambda item: item)) == 2
    assert trips(link, lambda: items.delete("one")) == 1
    assert trips(link, lambda: items.add(Item(pk="one"), ttl=60)) == 1


def test_bulk_calls(store: simstore.Store, link: CountingLink) -> None:
    items = store.repository(Item)
    many = [Item(pk=f"m{n:04}") for n in range(5 * RECORDS_AT_A_TIME)]
    assert trips(link, lambda: items.save_many(many)) == 5
    assert trips(link, lambda: items.get_many([item.pk for item in many])) == 5
    assert trips(link, lambda: items.delete_many([item.pk for item in many])) == 5


def test_changes_by_condition(store: simstore.Store, link: CountingLink) -> None:
    items = store.repository(Item)

    def grow(item: Item) -> None:
        item.size += 1

    # What the search costs, and two for each batch of a hundred.
    assert trips(link, lambda: items.update_many(grow, tag="t1")) == 2 + 2
    assert trips(link, lambda: items.update_many(grow, field("size") >= 0)) == 2 + 5 * 2
    assert items.get("0001").size == 3
    assert items.get("0002").size == 3


def test_searches(store: simstore.Store, link: CountingLink) -> None:
    items = store.repository(Item)
    # The query, the indexed values of what it finds, and where asked for, the documents.
    assert trips(link, lambda: items.count(tag="t1")) == 2
    assert trips(link, lambda: items.pks(field("size") < 300, tag="t1")) == 2
    assert trips(link, lambda: items.project(["tag"], tag="t1")) == 2
    assert trips(link, lambda: items.find(tag="t1")) == 3
    assert trips(link, lambda: items.find(field("size") >= 0)) == 2 + 5


def test_a_transaction(store: simstore.Store, link: CountingLink) -> None:
    def work() -> None:
        with store.transaction() as transaction:
            items = transaction.repository(Item)
            for n in range(50):
                items.save(Item(pk=f"{n:04}", tag="new"))

    assert trips(link, work) == 1
