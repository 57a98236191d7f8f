"""Leases: one owner at a time, who alone ends them, if time does not."""

import asyncio
import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import simstore
from simstore import Store
from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.domain.errors import (
    InvalidArgumentError,
    InvalidPkError,
    LeaseTimeoutError,
    NotHeldError,
    UnsupportedError,
)
from simstore.domain.leases import LeaseRecord
from simstore.services import Lease, copy_store, diagnose
from tests.unit.chats import LONG, at_once, before_the_next_commit, beside, meanwhile, watch_waits


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    return watch_waits(monkeypatch)


def of(store: Store, seconds: float = LONG, timeout: float | None = 0) -> Lease:
    return Lease(store, "judge", seconds=seconds, timeout=timeout)


def run_out(store: Store) -> None:
    """The end of a lease whose time is over, without the wait."""
    store.repository(LeaseRecord).delete("judge")


def test_a_lease_has_one_owner_until_it_is_released(store: Store) -> None:
    one, two = of(store), of(store)
    before = time.time()
    assert one.acquire()
    record = store.repository(LeaseRecord).get("judge")
    assert before + LONG <= record.expires_at <= time.time() + LONG
    assert not two.acquire()
    assert Lease(store, "other", seconds=1).acquire()
    one.release()
    assert not store.repository(LeaseRecord).exists(pk="judge")
    assert two.acquire()


def test_as_a_context_it_is_released_at_the_end_whatever_happens(store: Store) -> None:
    with pytest.raises(RuntimeError), of(store):
        raise RuntimeError
    with of(store) as lease:
        assert repr(lease) == "<lease 'judge' (acquired)>"
        with pytest.raises(LeaseTimeoutError, match="'judge' was not free within 0 s"), of(store):
            pytest.fail("it was not free")  # pragma: no cover
    assert repr(lease) == "<lease 'judge'>"
    assert of(store).acquire()


def test_who_waits_is_woken_by_the_release(store: Store, begun: threading.Semaphore) -> None:
    started = time.monotonic()
    one, two, three = (of(store, timeout=None) for _ in range(3))
    one.acquire()
    with meanwhile(two.acquire, begun) as taken:
        one.release()
    assert taken.result()

    async def wait() -> bool:
        waiting = await beside(three.aacquire(), begun)
        await two.arelease()
        return await waiting

    assert asyncio.run(asyncio.wait_for(wait(), LONG))
    assert time.monotonic() - started < LONG / 2


def test_who_waits_is_woken_when_the_lease_runs_out(store: Store) -> None:
    started = time.monotonic()
    assert of(store, seconds=0.2).acquire()
    assert of(store, seconds=0.2, timeout=LONG).acquire()
    assert asyncio.run(of(store, timeout=LONG).aacquire())
    assert 0.3 < time.monotonic() - started < LONG / 2


def test_who_waits_for_a_lease_that_is_renewed_waits_on(
    store: Store, begun: threading.Semaphore
) -> None:
    one, two = of(store, seconds=0.3), of(store, timeout=LONG)
    one.acquire()
    with meanwhile(two.acquire, begun) as taken:
        one.renew(LONG)
        assert begun.acquire(timeout=LONG), "the first time is over"
        assert not taken.done()
        one.release()
    assert taken.result()


def test_a_renewal_is_from_now(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    one, two = of(store, seconds=10), of(store)
    one.acquire()
    now += 9
    one.renew()
    now += 9
    assert not two.acquire()
    one.renew(5)
    now += 4
    assert not two.acquire()
    now += 2
    assert two.acquire()


def test_a_lease_that_ran_out_is_nobody_s_to_release_or_renew(store: Store) -> None:
    for call in (Lease.release, Lease.renew):
        lease = of(store)
        lease.acquire()
        run_out(store)
        with pytest.raises(NotHeldError, match="nobody has lease 'judge'; it ran out") as caught:
            call(lease)
        assert caught.value.holder is None
        assert lease.acquire(), "it may be taken again"
        lease.release()


def test_a_lease_that_another_has_now_is_left_alone(store: Store) -> None:
    one, two = of(store), of(store)
    one.acquire()
    run_out(store)
    two.acquire()
    record = store.repository(LeaseRecord).get("judge")
    with pytest.raises(NotHeldError):
        one.renew()
    with pytest.raises(NotHeldError, match="this object has not taken it"):
        one.release()
    assert store.repository(LeaseRecord).get("judge") == record
    two.renew()
    two.release()


def test_who_has_it_now_is_named(store: Store) -> None:
    one, two = of(store), of(store)
    one.acquire()
    run_out(store)
    two.acquire()
    with pytest.raises(NotHeldError, match="has lease 'judge'; it ran out") as caught:
        one.release()
    assert caught.value.holder == store.repository(LeaseRecord).get("judge").owner


def test_a_block_that_lost_its_lease_is_told_so(store: Store) -> None:
    with pytest.raises(NotHeldError), of(store):
        run_out(store)

    def fail() -> None:
        with of(store):
            run_out(store)
            raise RuntimeError("its own")

    with pytest.raises(RuntimeError, match="its own") as caught:
        fail()
    assert caught.value.__notes__ == [
        "nobody has lease 'judge'; it ran out: ask for more seconds, or renew it in time"
    ]

    async def block() -> None:
        async with of(store):
            run_out(store)

    with pytest.raises(NotHeldError):
        asyncio.run(block())


def test_what_was_not_taken_is_not_released(store: Store) -> None:
    lease = of(store)
    for call in (lease.release, lease.renew):
        with pytest.raises(NotHeldError, match="call acquire\\(\\) first"):
            call()
    lease.acquire()
    with pytest.raises(InvalidArgumentError, match="this object has taken lease 'judge'"):
        lease.acquire()
    lease.release()
    with pytest.raises(NotHeldError):
        lease.release()


@pytest.mark.parametrize("call", [Lease.renew, Lease.release])
def test_a_renewal_at_the_same_time_does_no_harm(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: Callable[[Lease], None]
) -> None:
    lease = of(store)
    lease.acquire()
    before_the_next_commit(monkeypatch, partial(lease.renew, 2 * LONG))
    call(lease)
    assert store.repository(LeaseRecord).exists() == (call is Lease.renew)


def test_what_a_lease_guards_is_done_by_one_at_a_time() -> None:
    with simstore.connect("memory://leases") as one, simstore.connect("memory://leases") as two:
        total = 0

        def count(store: Store) -> None:
            nonlocal total
            for _ in range(10):
                with Lease(store, "judge", seconds=LONG):
                    before = total
                    time.sleep(0)  # let the others try
                    total = before + 1

        async def acount() -> None:
            nonlocal total
            for _ in range(10):
                async with Lease(one, "judge", seconds=LONG):
                    before = total
                    await asyncio.sleep(0)
                    total = before + 1

        async def several() -> None:
            await asyncio.gather(acount(), acount())

        calls: list[Callable[[], None]] = [partial(count, (one, two)[n % 2]) for n in range(4)]
        at_once([*calls, lambda: asyncio.run(several())])
        assert total == 60
        assert not one.repository(LeaseRecord).exists()


def test_a_task_that_is_cancelled_has_no_lease(store: Store, begun: threading.Semaphore) -> None:
    async def wait() -> None:
        async with of(store):
            waiting = await beside(of(store, timeout=None).aacquire(), begun)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        with pytest.raises(LeaseTimeoutError):
            async with of(store), of(store):
                pytest.fail("it was not free")  # pragma: no cover
        taking = asyncio.ensure_future(of(store).aacquire())
        await asyncio.sleep(0)
        taking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await taking

    asyncio.run(asyncio.wait_for(wait(), LONG))
    assert not store.repository(LeaseRecord).exists()


def test_what_is_wrong_is_refused(store: Store) -> None:
    wrong: Any
    for wrong in (0, -1, math.nan, math.inf, "1", True, None):
        with pytest.raises(InvalidArgumentError, match="seconds is a number of seconds, above 0"):
            of(store, seconds=wrong)
    for wrong in (-1, math.nan, math.inf, "1", True):
        with pytest.raises(InvalidArgumentError, match="timeout is a number of seconds"):
            of(store, timeout=wrong)
    for wrong in ("", "a/b", None):
        with pytest.raises(InvalidPkError):
            Lease(store, wrong, seconds=1)
    with of(store) as lease, pytest.raises(InvalidArgumentError, match="above 0"):
        lease.renew(0)
    with (
        StorageStore("bare://", MemoryStorage(MemoryDatabase())) as bare,
        pytest.raises(UnsupportedError),
    ):
        of(bare).acquire()


def test_a_lease_that_is_held_is_no_unknown_record(store: Store) -> None:
    with of(store), simstore.connect("memory://") as target:
        assert diagnose(store).healthy
        copy_store(store, target)
        assert target.collections() == []
