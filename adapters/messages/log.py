"""What a backend implements for its broker: channels as logs of texts, and their groups.

`LogBroker` builds the port of the domain on this interface, so a backend knows nothing of
models: it appends, reads behind a position, keeps the state of groups, and waits.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from simstore.adapters.messages.ids import MessageId


class Address(NamedTuple):
    """A log: that of a channel, or that of the dead letters of one of its groups."""

    channel: str
    dead_letters_of: str | None = None


class Entry(NamedTuple):
    """A message of a log: the JSON of its content, and of a dead letter its first id."""

    id: MessageId
    body: bytes
    original: MessageId | None = None


class Taken(NamedTuple):
    """An entry that was given to a consumer, and how many times it was given to any."""

    entry: Entry
    tries: int


class Share(NamedTuple):
    """Who takes part in a group, and by which rules."""

    group: str
    consumer: str
    start: MessageId | None
    """Behind which message a new group begins; None at the end of the log."""
    retry_after: float
    """Seconds."""
    max_tries: int


class Feed(ABC):
    """What one subscription or one consumer reads from, one thread at a time.

    It may hold a connection, which waits without keeping others from their work. When the
    backend goes away, it comes back to it, and goes on where it was.
    """

    @abstractmethod
    def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
        """The first `limit` entries behind `after`, once there are any.

        Returns none after `wait` seconds (None: never), or when it is closed.

        Raises:
            BackendUnavailableError: the backend was away for longer than its timeout.
        """

    @abstractmethod
    def join(self, share: Share) -> None:
        """Make the group if it is not there.

        What the consumer was given under its name, and did not acknowledge, is due at once.
        """

    @abstractmethod
    def take(self, share: Share, wait: float | None) -> Taken | None:
        """The entry that is the consumer's next, once there is one; else as `read`.

        What was not acknowledged and is due comes first, in the order of ids; what of it has
        had all its tries becomes a dead letter instead, with an id of its own. A group that
        was forgotten with its channel is made again, at the beginning of the log.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what it holds; a thread that waits in it returns soon."""


class AsyncFeed(ABC):
    """As `Feed`, for one task at a time; every wait may be cancelled, and loses no entry."""

    @abstractmethod
    async def last_id(self) -> MessageId:
        """As `MessageLog.last_id`."""

    @abstractmethod
    async def read(self, after: MessageId, limit: int, wait: float | None) -> list[Entry]:
        """As `Feed.read`."""

    @abstractmethod
    async def join(self, share: Share) -> None:
        """As `Feed.join`."""

    @abstractmethod
    async def take(self, share: Share, wait: float | None) -> Taken | None:
        """As `Feed.take`."""

    @abstractmethod
    async def aclose(self) -> None:
        """Release what it holds."""


class MessageLog(ABC):
    """The logs of one database. Safe to be shared by threads and inherited by forks.

    The ids of a log only grow, also over trimming and forgetting. Every method raises
    BackendError if the backend fails, chained to the backend's own error.
    """

    @abstractmethod
    def append(
        self, address: Address, bodies: Sequence[bytes], ttl: float | None
    ) -> list[MessageId]:
        """Put entries at the end, all or none, and wake who waits for them; their ids.

        With `ttl` the channel is forgotten so many seconds from now, unless a later call with
        one says otherwise.
        """

    @abstractmethod
    def last_id(self, address: Address) -> MessageId:
        """The id of the newest entry that there was, trimmed or not; ORIGIN for none."""

    @abstractmethod
    def entries(
        self, address: Address, after: MessageId, limit: int | None, *, newest: bool
    ) -> list[Entry]:
        """The entries behind `after`, ascending: the first `limit`, or the last if `newest`."""

    @abstractmethod
    def acknowledge(self, address: Address, group: str, message: MessageId) -> bool:
        """The group is done with an entry; whether it was given out, and not done before."""

    @abstractmethod
    def trim(self, address: Address, *, keep: int | None, before: MessageId | None) -> int:
        """Forget all but the newest `keep` entries, or those older than `before`; how many.

        They are not due to any group any more.
        """

    @abstractmethod
    def delete(self, address: Address) -> bool:
        """Forget a log; with that of a channel, its groups and their dead letters.

        Returns whether it was there.
        """

    @abstractmethod
    def feed(self, address: Address) -> Feed:
        """A way to wait for entries."""

    @abstractmethod
    def async_feed(self, address: Address) -> AsyncFeed:
        """A way to wait for entries, in the event loop of the task that uses it."""

    @abstractmethod
    def close(self) -> None:
        """Wake all who wait; their feeds, and every later call, raise StoreClosedError."""
