"""Which store the models of `simstore.sotopia` use."""

import asyncio
import contextvars
import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import simstore
from simstore.adapters.base_store import StorageStore
from simstore.domain.errors import (
    InvalidArgumentError,
    NotBoundError,
    StoreClosedError,
    StoreURLError,
)
from simstore.sotopia import AgentProfile, bind, current_store
from tests.unit.drop_in import ada, no_store_named


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment that names no store, and whose stores are this test's own."""
    with no_store_named(monkeypatch):
        yield monkeypatch


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


def test_a_block_brings_back_what_was_bound_before_it_alone() -> None:
    first = bind("memory://").store
    with bind("memory://") as inner:
        later = bind("memory://").store
        assert current_store() is later
        with bind("memory://") as innermost:
            assert current_store() is innermost
        assert current_store() is later
    assert current_store() is first
    assert inner is not first


def test_a_binding_may_get_its_block_later() -> None:
    one = bind("memory://")
    other = bind("memory://")
    with one as store:
        assert current_store() is store is one.store
    assert current_store() is other.store


def test_a_binding_has_one_block() -> None:
    once = bind("memory://")
    with once:
        with pytest.raises(InvalidArgumentError, match="one block"):
            once.__enter__()
        assert current_store() is once.store
    with pytest.raises(InvalidArgumentError, match="one block"), once:
        pass
    with pytest.raises(NotBoundError):
        current_store()


def test_blocks_may_end_in_any_order() -> None:
    one, other = bind("memory://"), bind("memory://")
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert current_store() is other.store
    other.__exit__(None, None, None)
    with pytest.raises(NotBoundError):
        current_store()


def test_a_generator_that_is_closed_in_another_block_leaves_it_alone() -> None:
    def steps() -> Iterator[int]:
        with bind("memory://"):
            yield 1
            yield 2

    outer = bind("memory://").store
    running = steps()
    next(running)
    with bind("memory://") as mine:
        running.close()  # type: ignore[attr-defined]  # of a generator
        assert current_store() is mine
    assert current_store() is outer


def test_a_block_that_ends_in_another_context_is_passed_over() -> None:
    inner = bind("memory://")
    inner.__enter__()
    contextvars.copy_context().run(inner.__exit__, None, None, None)
    with pytest.raises(NotBoundError):
        current_store()


def test_stores_that_were_bound_and_left_are_not_kept() -> None:
    bind("memory://")
    left = weakref.ref(current_store())
    for _ in range(3):
        bind("memory://")
    gc.collect()
    assert left() is None


def test_a_store_that_is_given_is_its_owners_to_close() -> None:
    with simstore.connect("memory://") as store:
        with bind(store) as bound:
            assert bound is store
            ada().save()
        assert store.agents.count() == 1


@pytest.mark.parametrize("wrong", [None, 5, Path("x.db"), AgentProfile, StorageStore])
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
