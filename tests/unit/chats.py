"""What the tests of chats share: threads, and knowing when somebody waits."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from simstore.adapters.messages.subscription import LogAsyncSubscription, LogSubscription
from simstore.adapters.transaction import BufferedTransaction
from simstore.domain.channels import Received

R = TypeVar("R")

LONG = 30.0
"""Seconds that nobody waits for: a wait that ends was ended by an event."""


def watch_waits(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Is released each time that somebody begins to wait for a message."""
    begun = threading.Semaphore(0)
    receive, areceive = LogSubscription.receive, LogAsyncSubscription.receive

    def watched(self: Any, timeout: float | None = None) -> Received[Any] | None:
        if timeout != 0:
            begun.release()
        return receive(self, timeout)

    async def awatched(self: Any, timeout: float | None = None) -> Received[Any] | None:  # noqa: ASYNC109 — the port's
        if timeout != 0:
            begun.release()
        return await areceive(self, timeout)

    monkeypatch.setattr(LogSubscription, "receive", watched)
    monkeypatch.setattr(LogAsyncSubscription, "receive", awatched)
    return begun


def before_the_next_commit(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> None:
    """Let somebody else be faster than the transaction that is committed next."""
    commit = BufferedTransaction.commit

    def overtaken(self: BufferedTransaction) -> None:
        monkeypatch.setattr(BufferedTransaction, "commit", commit)
        call()
        commit(self)

    monkeypatch.setattr(BufferedTransaction, "commit", overtaken)


@contextmanager
def meanwhile(call: Callable[[], R], begun: threading.Semaphore) -> Iterator[Future[R]]:
    """The result of `call`, which waits by now in a thread, and is waited for at the end."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(call)
        assert begun.acquire(timeout=LONG)
        yield running
        running.result(LONG)


async def beside(call: Awaitable[R], begun: threading.Semaphore) -> "asyncio.Future[R]":
    """The task of `call`, which waits by now."""
    task = asyncio.ensure_future(call)
    assert await asyncio.to_thread(begun.acquire, timeout=LONG)
    return task


def at_once(calls: Sequence[Callable[[], R]]) -> list[R]:
    """The results of calls that begin together, each in a thread."""
    start = threading.Barrier(len(calls))

    def begin(call: Callable[[], R]) -> R:
        start.wait(LONG)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [running.result(2 * LONG) for running in [pool.submit(begin, c) for c in calls]]
