"""Waiting within a process: whoever publishes rings, and threads and tasks look again.

For logs that answer at once, and do not wait themselves: those in memory and in a file.
"""

import asyncio
import os
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, RLock
from typing import NamedTuple, TypeVar

from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Address, AsyncFeed, Entry, Feed, MessageLog, Share, Taken
from simstore.domain.errors import StoreClosedError

T = TypeVar("T")


class Look(NamedTuple):
    """What a look at a group found, and in how many seconds something of it will be due."""

    taken: Taken | None
    due_in: float | None = None


class Bell:
    """Calls those who wait for an address. Safe to be shared by threads."""

    def __init__(self) -> None:
        # Reentrant: a coroutine that is thrown away ends its wait in whatever thread that happens.
        self._lock = RLock()
        self._process = os.getpid()
        self._waiting: dict[Address, list[Callable[[], None]]] = {}

    def before_fork(self) -> None:
        """Wait for the call of another thread to end; after the locks under which it is rung."""
        self._lock.acquire()

    def after_fork(self) -> None:
        """Go on, in a child without those who waited."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._leave_to_parent()
        self._lock.release()

    def _leave_to_parent(self) -> None:
        """Forget, in a child, who waits in the parent."""
        self._waiting.clear()

    @contextmanager
    def calling(self, address: Address, wake: Callable[[], None]) -> Iterator[None]:
        """While it lasts, `wake` is called whenever it is rung; from any thread, and briefly."""
        with self._lock:
            self._waiting.setdefault(address, []).append(wake)
        try:
            yield
        finally:
            with self._lock:
                others = self._waiting.get(address, [])
                if wake in others:  # a child of a fork has nobody who waits
                    others.remove(wake)
                if not others:
                    self._waiting.pop(address, None)

    def ring(self, address: Address) -> None:
        """There is something new at `address`."""
        with self._lock:
            wakes = list(self._waiting.get(address, ()))
        for wake in wakes:
            wake()

    def ring_all(self) -> None:
        """Let everybody look."""
        with self._lock:
            wakes = [wake for some in self._waiting.values() for wake in some]
        for wake in wakes:
            wake()


class LookedAtLog(MessageLog):
    """A log at which one looks, and waits for its bell in between."""

    looks_block = False
    """Whether a look may take long enough to keep an event loop from its other tasks."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell
        self.closed = False

    @abstractmethod
    def join(self, address: Address, share: Share) -> None:
        """As `Feed.join`."""

    @abstractmethod
    def look(self, address: Address, share: Share) -> Look:
        """As `Feed.take`, without waiting."""

    def place(self, address: Address) -> Address:
        """What is rung for an address: the bell may serve several namespaces."""
        return address

    def feed(self, address: Address) -> Feed:
        return BellFeed(self, address)

    def async_feed(self, address: Address) -> AsyncFeed:
        return AsyncBellFeed(self, address)

    def close(self) -> None:
        self.closed = True
        self.bell.ring_all()

    def check_open(self) -> None:
        """Raise StoreClosedError if it is closed."""
        if self.closed:
            raise StoreClosedError("the store was closed; connect() to it again")


class BellFeed(Feed):
    """A thread's way to wait for a log's entries."""

    def __init__(self, log: LookedAtLog, address: Address) -> None:
        self._log = log
        self._address = address
        self._woken = Event()
        self._closed = False

    def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
        def look() -> tuple[list[Entry], None]:
            return self._log.entries(self._address, after, limit, newest=False), None

        return self._wait(look, wait) or []

    def join(self, share: Share) -> None:
        self._log.check_open()
        self._log.join(self._address, share)

    def take(self, share: Share, wait: float | None) -> Taken | None:
        return self._wait(lambda: self._log.look(self._address, share), wait)

    def _wait(self, look: Callable[[], tuple[T, float | None]], wait: float | None) -> T | None:
        until = None if wait is None else time.monotonic() + wait
        if self._closed:
            return None
        self._log.check_open()
        found, due_in = look()  # before anybody is told to ring: mostly there is something
        if found or wait == 0:
            return found
        with self._log.bell.calling(self._log.place(self._address), self._woken.set):
            while True:
                self._woken.clear()
                if self._closed:
                    return None
                self._log.check_open()
                found, due_in = look()
                left = None if until is None else until - time.monotonic()
                if found or (left is not None and left <= 0):
                    return found
                self._woken.wait(_shortest(left, due_in))

    def close(self) -> None:
        self._closed = True
        self._woken.set()


class AsyncBellFeed(AsyncFeed):
    """A task's way to wait for a log's entries."""

    def __init__(self, log: LookedAtLog, address: Address) -> None:
        self._log = log
        self._address = address
        self._woken = asyncio.Event()
        self._closed = False
        self._taking = Lock()
        self._given: Taken | None = None
        """What was taken for a task that was cancelled meanwhile: it is for the next."""
        self._asked_at = 0.0

    async def last_id(self) -> MessageId:
        return await self._call(lambda: self._log.last_id(self._address))

    async def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
        def look() -> tuple[list[Entry], None]:
            return self._log.entries(self._address, after, limit, newest=False), None

        return await self._wait(look, wait) or []

    async def join(self, share: Share) -> None:
        await self._call(lambda: self._log.join(self._address, share))

    async def take(self, share: Share, wait: float | None) -> Taken | None:
        def look() -> Look:
            with self._taking:  # the thread of a cancelled call may be at it still
                # Until it is due again nobody else was given it.
                if self._given and time.monotonic() < self._asked_at + share.retry_after:
                    return Look(self._given)
                self._asked_at = time.monotonic()
                found = self._log.look(self._address, share)
                self._given = found.taken
                return found

        taken = await self._wait(look, wait)
        self._given = None
        return taken

    async def _wait(
        self, look: Callable[[], tuple[T, float | None]], wait: float | None
    ) -> T | None:
        loop = asyncio.get_running_loop()
        until = None if wait is None else loop.time() + wait
        await asyncio.sleep(0)  # other tasks have their turn, also while there is much to read

        def wake() -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(self._woken.set)

        with self._log.bell.calling(self._log.place(self._address), wake):
            while True:
                self._woken.clear()
                if self._closed:
                    return None
                found, due_in = await self._call(look)
                left = None if until is None else until - loop.time()
                if found or (left is not None and left <= 0):
                    return found
                pause = _shortest(left, due_in)
                try:
                    async with asyncio.timeout(pause):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    async def _call(self, call: Callable[[], T]) -> T:
        self._log.check_open()
        return await asyncio.to_thread(call) if self._log.looks_block else call()

    async def aclose(self) -> None:
        self._closed = True
        self._woken.set()


def _shortest(*pauses: float | None) -> float | None:
    return min((max(pause, 0.0) for pause in pauses if pause is not None), default=None)
