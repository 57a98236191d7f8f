"""What the contracts of the broker share: their fixtures, and ways to wait without hanging."""

import asyncio
import gc
import signal
import sys
import warnings
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from threading import Thread, current_thread, main_thread
from types import FrameType
from typing import Any, TypeVar

import pytest

from simstore.domain.broker import AsyncConsumer, AsyncSubscription, Consumer, MessageBroker
from simstore.domain.channels import Channel, Received
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, need
from simstore.testing.messages import NOTES, Note, note

R = TypeVar("R")

LONGEST = 6
"""How many times as long as anything takes a whole test takes at most."""

LITTLE = 0.05
"""Seconds to wait for what does not come."""

NEVER = 3_600.0
"""Seconds after which something is due that is not to be due within the test."""


class BrokerBinding(Binding):
    """The base of the broker's contracts: skips what a store without messages cannot do."""

    soon: float = 10.0
    """Seconds within which what is sure to come has come, on the slowest machine."""

    @pytest.fixture
    def broker(self, store: Store) -> MessageBroker:
        """The broker of an open store on an empty database."""
        need(store, Capability.MESSAGES)
        return store.broker

    @pytest.fixture
    def ids(self, broker: MessageBroker) -> list[str]:
        """The ids of the messages 0 to 4 of `NOTES`, which are published."""
        return broker.publish_many(NOTES, [note(f"{n}") for n in range(5)])

    @pytest.fixture(autouse=True)
    def bounded(self, request: pytest.FixtureRequest) -> Iterator[None]:
        """End a test in which a broken backend waits, or gives messages, for ever.

        By a signal to the main thread, so not on Windows.
        """
        if not hasattr(signal, "setitimer") or current_thread() is not main_thread():
            yield
            return
        test = request.function.__code__
        longest = LONGEST * self.soon

        def end(_: int, frame: FrameType | None) -> None:
            while frame is not None and frame.f_code is not test:
                frame = frame.f_back
            if frame is not None:  # else it has ended, and its outcome is being told
                raise AssertionError(f"it did not end within {longest:g} s")

        before = signal.signal(signal.SIGALRM, end)
        # Again and again: raised within a finalizer or the garbage collector, an error is lost.
        signal.setitimer(signal.ITIMER_REAL, longest, longest / 10)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def other_namespace(self, store: Store) -> str:
        """The full URL of the same database, but of another namespace."""
        address, _, options = self.full_url(store).partition("?")
        kept = [option for option in options.split("&") if option.split("=")[0] != "namespace"]
        return f"{address}?{'&'.join([*filter(None, kept), 'namespace=elsewhere'])}"

    def run(self, main: Callable[[], Awaitable[R]]) -> R:
        """What `main` returns, in an event loop of its own that it must leave tidy.

        A warning, an exception that nobody saw, a task that was destroyed or a thread that
        stays busy fails the test, whatever the test runner makes of such things.
        """
        untidy: list[object] = []

        async def bounded() -> R:
            asyncio.get_running_loop().set_exception_handler(lambda _, told: untidy.append(told))
            async with asyncio.timeout(LONGEST * self.soon):
                return await main()

        gc.freeze()  # what others left behind is not looked at, which also saves much time
        hook, sys.unraisablehook = sys.unraisablehook, lambda told: untidy.append(told.exc_value)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with asyncio.Runner() as runner:
                    result = runner.run(bounded())
                gc.collect()
        finally:
            sys.unraisablehook = hook
            gc.unfreeze()
        assert untidy == []
        return result


def begin(call: Callable[[], R]) -> "Future[R]":
    """`call` in a thread of its own, which keeps no test runner from ending."""
    future: Future[R] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 — it is raised where the result is asked for
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def texts(received: Iterable[Received[Note]]) -> list[str]:
    """The texts of messages."""
    return [one.message.text for one in received]


def there(broker: MessageBroker, channel: Channel[Note], after: str | None = None) -> list[str]:
    """The texts of all messages that a channel keeps, read in both ways."""
    received = broker.history(channel, after=after)
    with broker.subscribe(channel, after=after, timeout=0) as subscription:
        # One more than there are, not all: a broken backend may give them for ever.
        assert list(islice(subscription, len(received) + 1)) == received
    return texts(received)


def given(consumer: Consumer[Note], *, acknowledge: bool = True) -> list[str]:
    """The texts of what a consumer is given without waiting."""
    found = []
    while (delivery := consumer.receive(timeout=0)) is not None:
        found.append(delivery.message.text)
        if acknowledge:
            assert consumer.acknowledge(delivery)
    return found


async def arriving(source: AsyncSubscription[Note] | AsyncConsumer[Note], count: int) -> list[str]:
    """The texts of the next `count` messages."""
    found: list[str] = []
    while len(found) < count:
        one: Any = await source.receive()
        found.append(one.message.text)
    return found
