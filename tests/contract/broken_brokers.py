"""Message brokers that are broken on purpose: the memory backend's, with one thing wrong."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.adapters.messages.broker import LogBroker
from simstore.adapters.messages.ids import ORIGIN
from simstore.adapters.messages.memory import MemoryLog
from simstore.domain.errors import CorruptMessageError
from simstore.testing import OpenStore
from tests.contract.broken_groups import BROKEN_GROUPS
from tests.contract.broken_logs import BROKEN_LOGS


class SoundBroker:
    """A broker that passes every call on: what is broken below overrides some of them."""

    def __init__(self, inner: LogBroker) -> None:
        self.inner = inner
        self.memory: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class SoundSource:
    """A subscription or consumer that passes every call on."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        received = self.receive(self.inner._timeout)
        if received is None:
            raise StopIteration
        return received

    def receive(self, timeout: float | None = None) -> Any:
        return self.inner.receive(timeout)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.inner.close()


class PublishesOneByOne(SoundBroker):
    """Several are published one after the other, until one is refused."""

    def publish_many(self, channel: Any, messages: Any, **options: Any) -> list[str]:
        return [self.inner.publish(channel, message, **options) for message in messages]


class SharesObjects(SoundBroker):
    """A message is read once, and every caller of history has it."""

    def history(self, channel: Any, **options: Any) -> Any:
        found = self.inner.history(channel, **options)
        return [self.memory.setdefault((channel, one.id), one) for one in found]


class SwallowsWhatItCannotRead(SoundBroker):
    """A message that cannot be read is passed over in silence."""

    def subscribe(self, *arguments: Any, **options: Any) -> Any:
        class Swallowing(SoundSource):
            def receive(self, timeout: float | None = None) -> Any:
                while True:
                    try:
                        return self.inner.receive(timeout)
                    except CorruptMessageError:
                        continue

        return Swallowing(self.inner.subscribe(*arguments, **options))


class StopsAtWhatItCannotRead(SoundBroker):
    """Nothing comes behind a message that cannot be read."""

    def subscribe(self, *arguments: Any, **options: Any) -> Any:
        class Stopping(SoundSource):
            error: Exception | None = None

            def receive(self, timeout: float | None = None) -> Any:
                if self.error is not None:
                    raise self.error
                try:
                    return self.inner.receive(timeout)
                except CorruptMessageError as error:
                    self.error = error
                    raise

        return Stopping(self.inner.subscribe(*arguments, **options))


class IsNewTooLate(SoundBroker):
    """``"new"`` means newer than the first message that is asked for."""

    def subscribe(self, channel: Any, *, after: Any = None, timeout: Any = None) -> Any:
        if after != "new":
            return self.inner.subscribe(channel, after=after, timeout=timeout)

        class Late(SoundSource):
            begun = False

            def receive(self, timeout: float | None = None) -> Any:
                if not self.begun:
                    self.inner = self.inner()
                    self.begun = True
                return self.inner.receive(timeout)

            def __next__(self) -> Any:
                received = self.receive(timeout)
                if received is None:
                    raise StopIteration
                return received

            def close(self) -> None:
                pass

            __exit__ = close  # type: ignore[assignment]  # what it is given is of no use

            @property
            def position(self) -> str:
                return str(ORIGIN)

        return Late(lambda: self.inner.subscribe(channel, after=after))


class WaitsForNothing(SoundBroker):
    """It has what is there, whatever the timeout."""

    def subscribe(self, *arguments: Any, **options: Any) -> Any:
        class Hasty(SoundSource):
            def receive(self, timeout: float | None = None) -> Any:
                return self.inner.receive(timeout=0)

        return Hasty(self.inner.subscribe(*arguments, **options))


class WaitsTooLong(SoundBroker):
    """What is there is given when the time to wait is over."""

    def subscribe(self, *arguments: Any, **options: Any) -> Any:
        class Slow(SoundSource):
            def receive(self, timeout: float | None = None) -> Any:
                time.sleep(min(timeout or 0.0, 2.0))
                return self.inner.receive(timeout=timeout)

        return Slow(self.inner.subscribe(*arguments, **options))


class RefusesWhoIsLate(SoundBroker):
    """Who took too long cannot acknowledge what another was given."""

    def consume(self, channel: Any, group: str, *arguments: Any, **options: Any) -> Any:
        memory = self.memory

        class Strict(SoundSource):
            def receive(self, timeout: float | None = None) -> Any:
                delivery = self.inner.receive(timeout)
                if delivery is not None:
                    memory[channel, group, delivery.id] = delivery.tries
                return delivery

            def acknowledge(self, delivery: Any) -> bool:
                tries = memory.get((channel, group, getattr(delivery, "id", None)))
                if tries is not None and tries != delivery.tries:
                    return False
                return cast("bool", self.inner.acknowledge(delivery))

        return Strict(self.inner.consume(channel, group, *arguments, **options))


class LosesWhatIsCancelled(SoundBroker):
    """A task that is cancelled takes with it what was on its way to it."""

    def asubscribe(self, *arguments: Any, **options: Any) -> Any:
        subscription = self.inner.asubscribe(*arguments, **options)
        receive = subscription.receive

        async def slow(timeout: float | None = None) -> Any:  # noqa: ASYNC109 — the port's
            received = await receive(timeout)
            await asyncio.sleep(0.003)
            return received

        subscription.receive = slow  # type: ignore[method-assign, assignment]  # on purpose
        return subscription


class LeavesTasksBehind(SoundBroker):
    """A task of its own reads on when nobody does any more."""

    def asubscribe(self, *arguments: Any, **options: Any) -> Any:
        subscription = self.inner.asubscribe(*arguments, **options)
        receive = subscription.receive

        async def lingering(timeout: float | None = None) -> Any:  # noqa: ASYNC109 — the port's
            async def fail() -> None:
                raise OSError("the connection was left open")

            self.memory["task"] = asyncio.create_task(fail())
            return await receive(timeout)

        subscription.receive = lingering  # type: ignore[method-assign, assignment]  # on purpose
        return subscription


class TakesAnyTimeout(SoundBroker):
    """A timeout that is none is as good as 0."""

    def subscribe(self, *arguments: Any, timeout: Any = None, **options: Any) -> Any:
        good = timeout is None or (type(timeout) in {int, float} and 0 <= timeout < 1e300)
        return self.inner.subscribe(*arguments, timeout=timeout if good else 0, **options)


class BrokenStore(StorageStore):
    """A store whose broker is `broker` of the log's."""

    def __init__(self, database: MemoryDatabase, log: type[MemoryLog], broker: Any) -> None:
        super().__init__("memory://", MemoryStorage(database), log(database.messages))
        self._wrapped = broker(self._broker)

    @property
    def broker(self) -> Any:
        return self._wrapped


_BROKERS = (
    SoundBroker, PublishesOneByOne, SharesObjects, SwallowsWhatItCannotRead,
    StopsAtWhatItCannotRead, IsNewTooLate, WaitsForNothing, WaitsTooLong, RefusesWhoIsLate,
    LosesWhatIsCancelled, LeavesTasksBehind, TakesAnyTimeout,
)  # fmt: skip

BROKERS: Mapping[str, tuple[type[MemoryLog], Callable[[LogBroker], Any]]] = {
    log.__name__: (log, SoundBroker) for log in (*BROKEN_LOGS, *BROKEN_GROUPS)
} | {broker.__name__: (MemoryLog, broker) for broker in _BROKERS}
"""Log and broker by the name of what is broken; SoundBroker is right in everything."""


def open_broken_broker(name: str) -> OpenStore:
    """Opens stores with that broker on one empty database."""
    database = MemoryDatabase()
    return lambda: BrokenStore(database, *BROKERS[name])
