"""All backends at once: the same calls on each, and the same answers, or errors of one class.

The kit's machine makes the calls, and holds the answers against its oracle as well.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

import simstore
from simstore.domain.repository import Repository
from simstore.testing import OpenStore, Specimen, repository_machine
from simstore.testing.machine import NewDatabase
from tests.contract.broken import open_broken
from tests.property.side_by_side import open_together
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer

Databases = Callable[[pytest.FixtureRequest], NewDatabase]
"""Makes empty databases of one backend, with what a test's fixtures have."""


@contextmanager
def in_memory() -> Iterator[OpenStore]:
    url = f"memory://{uuid4().hex}"
    yield lambda: simstore.connect(url)


@contextmanager
def in_a_file() -> Iterator[OpenStore]:
    with TemporaryDirectory() as folder:
        yield lambda: simstore.connect(f"sqlite:///{folder}/database.db")


def on_a_server(fixture: str, scheme: str) -> Databases:
    """Databases on the server of a fixture, which skips the test where there is none."""

    def databases(request: pytest.FixtureRequest) -> NewDatabase:
        place = request.getfixturevalue(fixture).url.partition("://")[2]

        @contextmanager
        def new_database() -> Iterator[OpenStore]:
            url = own_database(f"{scheme}://{place}")
            yield lambda: simstore.connect(url)

        return new_database

    return databases


BACKENDS: Mapping[str, Databases] = {
    "memory": lambda _: in_memory,
    "sqlite": lambda _: in_a_file,
    "redis": on_a_server("valkey_server", "redis"),
    "redis+cluster": on_a_server("redis_cluster", "redis+cluster"),
    "redis+om": on_a_server("empty_server", "redis+om"),
}
"""Those that take part, by scheme."""

SHARE = 10
"""One in so many of a profile's examples is run: each costs as much as one on each backend."""


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server without the keys of other tests, which redis-om's backend would walk past."""
    with RedisServer(redis_binary(), both_modules(), tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def databases(request: pytest.FixtureRequest) -> Mapping[str, NewDatabase]:
    """Those that can be had here; `test_a_backend_takes_part` says why others cannot."""
    found: dict[str, NewDatabase] = {}
    for scheme, of in BACKENDS.items():
        try:
            found[scheme] = of(request)
        except pytest.skip.Exception:
            continue
    return found


@pytest.mark.parametrize("scheme", BACKENDS)
def test_a_backend_takes_part(request: pytest.FixtureRequest, scheme: str) -> None:
    with BACKENDS[scheme](request)() as open_store, open_store() as store:
        assert store.repository(Specimen).pks() == []


def test_all_backends_answer_alike(databases: Mapping[str, NewDatabase]) -> None:
    assert {"memory", "sqlite"} <= databases.keys()

    @contextmanager
    def new_databases() -> Iterator[OpenStore]:
        with ExitStack() as stack:
            yield open_together({s: stack.enter_context(new()) for s, new in databases.items()})

    run_state_machine_as_test(
        repository_machine(new_databases),
        settings=settings(max_examples=settings().max_examples // SHARE),
    )


def beside_memory(broken: str) -> Repository[Specimen]:
    """The records of a store in memory, with a broken one beside it."""
    with in_memory() as sound:
        store = open_together({"memory": sound, broken: open_broken(broken)})()
    return store.repository(Specimen)


def test_one_that_finds_others_is_noticed() -> None:
    specimens = beside_memory("IgnoresCase")
    specimens.save_many(Specimen(pk=tag, tag=tag) for tag in ("x", "X"))
    assert specimens.pks(tag="y") == []
    with pytest.raises(AssertionError, match=r"IgnoresCase answered .*, and memory \['x'\]"):
        specimens.pks(tag="x")


def test_one_that_iterates_over_fewer_is_noticed() -> None:
    specimens = beside_memory("LosesTheSecondBatch")
    specimens.save_many([Specimen(pk=pk) for pk in "abc"])
    assert [item.pk for item in specimens.iterate(batch_size=3)] == list("abc")
    with pytest.raises(AssertionError, match="LosesTheSecondBatch answered"):
        specimens.iterate(batch_size=2)


def test_one_that_raises_nothing_is_noticed() -> None:
    specimens = beside_memory("LosesUpdates")
    _, version = specimens.get_versioned(specimens.save(Specimen(pk="a")).pk)
    specimens.save(Specimen(pk="a", tag="x"), if_version=version)
    with pytest.raises(AssertionError, match=r"LosesUpdates raised None, and memory Conflict"):
        specimens.save(Specimen(pk="a", tag="y"), if_version=version)


def test_an_error_that_all_raise_is_raised() -> None:
    specimens = beside_memory("Sound")
    with pytest.raises(simstore.NotFoundError, match="'a'"):
        specimens.get("a")


def test_a_transaction_that_is_discarded_in_one_alone_is_noticed() -> None:
    with in_memory() as sound:
        store = open_together({"memory": sound, "half": open_broken("HalfATransaction")})()
    with suppress(KeyError), store.transaction() as transaction:
        transaction.repository(Specimen).save(Specimen(pk="a"))
        raise KeyError
    with pytest.raises(AssertionError, match=r"half answered \['a'\], and memory \[\]"):
        store.repository(Specimen).pks()
