"""Programs with different definitions of a model, as in a rolling upgrade, on one Redis."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, ClassVar

import pytest

import simstore
from simstore import Indexed, Record, Store, field
from simstore.adapters.redis_pipeline.indexing import DEFINITIONS_AT_A_TIME
from simstore.adapters.redis_pipeline.layout import Layout
from tests.servers.redis_server import RedisServer

NUMBER = 2_000


def definition(number: int) -> type[Any]:
    """The same records, with another default each, so that each has indexes of its own."""

    class Note(Record):
        __collection__: ClassVar[str] = "Note"
        tag: Annotated[str, Indexed()] = f"default {number}"
        size: Annotated[int, Indexed()] = 0

    return Note


@pytest.fixture
def open_store(redis_server: RedisServer, namespace: str) -> Iterator[Any]:
    stores: list[Store] = []

    def open_one() -> Store:
        stores.append(simstore.connect(f"{redis_server.url}?namespace={namespace}"))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def test_two_in_use_at_once_do_not_wait_for_each_other(open_store: Any) -> None:
    models = [definition(0), definition(1)]
    first = open_store().repository(models[0])
    first.save_many(models[0](pk=f"{n:05}", tag=f"t{n % 10}", size=n) for n in range(NUMBER))

    def work(number: int) -> int:
        model = models[number % 2]
        mine = open_store().repository(model)
        calls = 0
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert mine.count(tag=f"t{number}") == NUMBER // 10
            mine.save(model(pk=f"{number:05}", tag=f"t{number}", size=calls))
            assert mine.count(field("size") == calls, tag=f"t{number}") in {1, 2}
            if calls == 3:
                assert list(mine.index_faults()) == []
            calls += 1
        return calls

    with ThreadPoolExecutor(4) as threads:
        calls = list(threads.map(work, range(4)))
    assert min(calls) >= 20, f"calls in two seconds: {calls}"


def test_a_write_of_one_is_found_by_the_others(open_store: Any) -> None:
    repositories = [open_store().repository(definition(number)) for number in range(3)]
    for repository in repositories:
        assert repository.count(tag="new") == 0
    for number, repository in enumerate(repositories):
        repository.save(repository.model(pk=str(number), tag="new"))
        repository.add(repository.model(pk=f"gone {number}", tag="new"))
        repository.delete(f"gone {number}")
        for other in repositories:
            assert other.pks(tag="new") == [str(pk) for pk in range(number + 1)]
            assert list(other.index_faults()) == []


def test_the_indexes_of_many_definitions_are_not_kept_for_ever(
    redis_server: RedisServer, open_store: Any, namespace: str
) -> None:
    store = open_store()
    base = Layout(namespace).base("Note", 0)
    client = redis_server.client()
    for number in range(DEFINITIONS_AT_A_TIME + 3):
        repository = store.repository(definition(number))
        repository.save(repository.model(pk=str(number), tag="x"))
        assert repository.count(tag="x") == number + 1
    assert client.hlen(f"{base}:indexes") == DEFINITIONS_AT_A_TIME
    signatures = {key.split(b":")[-3] for key in client.scan_iter(f"{base}:*:index:tag")}
    assert signatures == set(client.hkeys(f"{base}:indexes"))
    oldest = store.repository(definition(0))
    assert oldest.count(tag="x") == number + 1
    assert list(oldest.index_faults(repair=True)) == []
    assert client.hlen(f"{base}:indexes") == 1
    assert oldest.count(tag="x") == number + 1


def test_a_collection_that_was_only_written_is_listed(open_store: Any) -> None:
    store = open_store()
    model = definition(0)
    store.repository(model).save_many([model(pk="a"), model(pk="b")])
    assert open_store().collections() == ["Note"]
