"""Which store the models of `simstore.sotopia` use."""

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import simstore
from simstore.domain.errors import (
    InvalidArgumentError,
    NotBoundError,
    StoreClosedError,
    StoreURLError,
)
from simstore.sotopia import AgentProfile, bind, binding, current_store

VARIABLES = ("SIMSTORE_URL", "SOTOPIA_STORAGE_BACKEND", "REDIS_OM_URL")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment that names no store, and whose stores are this test's own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(binding, "_environment", binding._Environment())
    monkeypatch.setattr(binding, "_bound", contextvars.ContextVar("bound", default=None))
    yield monkeypatch
    binding._close_all()


def ada(tag: str = "") -> AgentProfile:
    return AgentProfile(pk="ada", first_name="Ada", last_name="Osei", tag=tag)


def test_nothing_is_bound_at_first() -> None:
    calls: list[Callable[[], object]] = [ada().save, AgentProfile.all, current_store]
    for call in calls:
        with pytest.raises(NotBoundError, match="SIMSTORE_URL"):
            call()
    query = AgentProfile.find(tag="x")  # it asks nothing yet
    with bind("memory://"):
        assert query.all() == []


def test_a_binding_holds_until_its_block_ends() -> None:
    with bind("memory://") as outer:
        ada("outer").save()
        with bind("memory://") as inner:
            assert current_store() is inner
            ada("inner").save()
            assert AgentProfile.get("ada").tag == "inner"
        assert current_store() is outer
        assert AgentProfile.get("ada").tag == "outer"
        with pytest.raises(StoreClosedError):
            inner.agents.count()
    with pytest.raises(NotBoundError):
        current_store()


def test_a_binding_ends_when_its_block_fails() -> None:
    with pytest.raises(KeyError), bind("memory://"):
        raise KeyError
    with pytest.raises(NotBoundError):
        current_store()


def test_a_binding_without_a_block_holds_until_the_next() -> None:
    first = bind("memory://").store
    assert current_store() is first
    second = bind("memory://").store
    assert current_store() is second is not first


def test_a_store_that_is_given_is_its_owners_to_close() -> None:
    with simstore.connect("memory://") as store:
        with bind(store) as bound:
            assert bound is store
            ada().save()
        assert store.agents.count() == 1


@pytest.mark.parametrize("wrong", [None, 5, Path("x.db"), AgentProfile])
def test_what_is_no_store_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidArgumentError, match="a store or the URL of one"):
        bind(wrong)  # type: ignore[arg-type]  # the mistake
    for url in ("nowhere", "memroy://"):
        with pytest.raises(StoreURLError):
            bind(url)
    with pytest.raises(NotBoundError):
        current_store()


def test_each_thread_has_its_own(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SIMSTORE_URL", "memory://")
    together = threading.Barrier(3)

    def work(tag: str) -> list[str]:
        with bind("memory://"):
            ada(tag).save()
            together.wait(10)  # all are bound now
            return [agent.tag for agent in AgentProfile.all()]

    with bind("memory://"), ThreadPoolExecutor(3) as pool:
        ada("main").save()
        assert list(pool.map(work, "abc")) == [["a"], ["b"], ["c"]]
        assert pool.submit(AgentProfile.all).result() == []  # a thread that bound nothing
        context = contextvars.copy_context()
        assert pool.submit(context.run, AgentProfile.all).result() == [ada("main")]
        assert AgentProfile.all() == [ada("main")]


def test_the_threads_of_a_pool_may_begin_with_a_binding() -> None:
    with bind("memory://") as store:
        ada().save()
        with ThreadPoolExecutor(3, initializer=bind, initargs=(store,)) as pool:
            assert list(pool.map(AgentProfile.get, ["ada"] * 20)) == [ada()] * 20


def test_each_task_has_its_own_and_inherits() -> None:
    async def work(tag: str) -> list[str]:
        with bind("memory://"):
            ada(tag).save()
            await asyncio.sleep(0)
            return [agent.tag for agent in await asyncio.to_thread(AgentProfile.all)]

    async def inherit() -> int:
        return len(AgentProfile.all())

    async def main() -> tuple[list[str], list[str], int]:
        with bind("memory://"):
            ada("main").save()
            a, b, inherited = await asyncio.gather(work("a"), work("b"), inherit())
            return a, b, inherited

    assert asyncio.run(main()) == (["a"], ["b"], 1)


def test_the_environments_store_is_one_for_all_threads(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("SIMSTORE_URL", "memory://")
    environment.setenv("REDIS_OM_URL", "redis://localhost:1")
    environment.setenv("SOTOPIA_STORAGE_BACKEND", "redis")
    ada("first").save()
    with ThreadPoolExecutor(8) as pool:
        stores = set(pool.map(lambda _: current_store(), range(50)))
    assert stores == {current_store()}
    assert AgentProfile.get("ada").tag == "first"
    environment.setenv("SIMSTORE_URL", f"sqlite:///{tmp_path}/second.db")
    assert AgentProfile.all() == []
    environment.setenv("SIMSTORE_URL", "memory://")
    assert AgentProfile.get("ada").tag == "first"


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://localhost:6379", "redis+om://localhost:6379?layout=sotopia"),
        ("redis://:p%40ss@h:1/2", "redis+om://:p%40ss@h:1/2?layout=sotopia"),
        ("rediss://h", "rediss+om://h?layout=sotopia"),
        ("redis://h?decode_responses=True", "redis+om://h?layout=sotopia"),
        ("redis://h?timeout=5&decode_responses=True", "redis+om://h?timeout=5&layout=sotopia"),
        (
            "redis://h?socket_timeout=5&socket_connect_timeout=2.5&max_connections=8",
            "redis+om://h?timeout=5&connect_timeout=2.5&pool_size=8&layout=sotopia",
        ),
        (
            "redis://h?health_check_interval=30&protocol=3&retry_on_timeout=True&encoding=utf-8",
            "redis+om://h?layout=sotopia",
        ),
        (
            "rediss://h?ssl_cert_reqs=none&client_name=me",
            "rediss+om://h?ssl_cert_reqs=none&layout=sotopia",
        ),
    ],
)
def test_sotopias_redis_is_worked_on_in_place(redis_url: str, expected: str) -> None:
    assert binding.in_place(redis_url) == expected


@pytest.mark.parametrize("redis_url", ["localhost:6379", "unix:///tmp/redis.sock", "http://h"])
def test_a_url_that_sotopia_has_not_for_redis_is_refused(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    environment.setenv("REDIS_OM_URL", redis_url)
    with pytest.raises(StoreURLError, match="REDIS_OM_URL") as caught:
        current_store()
    assert redis_url not in str(caught.value)  # it may hold a password


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"REDIS_OM_URL": "redis://h:1"}, "redis+om://h:1?layout=sotopia"),
        (
            {"REDIS_OM_URL": "redis://h:1", "SOTOPIA_STORAGE_BACKEND": "redis"},
            "redis+om://h:1?layout=sotopia",
        ),
        ({"SOTOPIA_STORAGE_BACKEND": "Redis"}, "redis+om://localhost:6379?layout=sotopia"),
        (
            {"SOTOPIA_STORAGE_BACKEND": "local", "REDIS_OM_URL": "redis://h:1"},
            "/home/a/.sotopia/data",
        ),
        ({"SIMSTORE_URL": "memory://x", "SOTOPIA_STORAGE_BACKEND": "local"}, "memory://x"),
    ],
)
def test_where_the_environments_store_is(
    environment: pytest.MonkeyPatch, variables: dict[str, str], place: str
) -> None:
    environment.setenv("HOME", "/home/a")
    opened: list[str] = []

    def open_store(url: str) -> simstore.Store:
        opened.append(url)
        return simstore.connect("memory://")

    environment.setattr(binding, "_open", open_store)
    for name, value in variables.items():
        environment.setenv(name, value)
    assert current_store() is current_store()
    assert opened == [place]


def test_an_unknown_backend_of_sotopias_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SOTOPIA_STORAGE_BACKEND", "mongo")
    with pytest.raises(StoreURLError, match="redis or local, not 'mongo'"):
        current_store()


PROGRAM = """
from simstore.sotopia import AgentProfile, bind
bind("sqlite:///agents.db")
AgentProfile(pk="ada", first_name="Ada", last_name="Osei").save()
print(AgentProfile.all_pks())
"""


def test_a_store_is_closed_at_the_end_of_the_program(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (run.stdout, run.stderr) == ("['ada']\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["agents.db"]  # no log is left beside it
