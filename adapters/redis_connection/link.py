"""Commands to a server, many in one round trip, and never the same one twice by accident.

redis-py's own pipelines repeat what they sent when a connection breaks; a write that was
applied before the break would be applied twice. Here a lost connection is an error, and only
what reads is asked again. What the server refused, it did not apply: that may be sent anew.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import redis
from redis import exceptions

from simstore.adapters.redis_connection.dedicated import is_plain
from simstore.adapters.redis_connection.errors import translated
from simstore.adapters.redis_connection.scripts import Script
from simstore.adapters.redis_connection.settings import DEFAULT_TIMEOUT

Argument = str | bytes | int

HUNG_UP = (
    exceptions.BusyLoadingError,
    exceptions.AuthenticationError,
    exceptions.AuthorizationError,
)
"""Answers at which redis-py closes the connection, and takes for a connection that was lost."""


class NotConnectedError(exceptions.ConnectionError):  # type: ignore[misc]  # mypy does not follow redis-py
    """No connection could be made: nothing was sent."""


STAGED_FOR = 60_000
"""Milliseconds until staged contents vanish if their script fails; it takes them at once."""


class Call(NamedTuple):
    """A command or a script, for the node that has `keys`.

    `arguments` may be made as they are iterated: they are when the calls before are on their way.
    `staged` are keys and contents that are set before a script runs, in one transaction with it.
    """

    keys: Sequence[str]
    command: Script | str
    arguments: Iterable[Argument]
    staged: Sequence[tuple[str, bytes]] = ()

    def commands(self) -> list[tuple[Argument, ...]]:
        """As it is sent: a script by its SHA-1, with its keys; a command's are arguments."""
        if not isinstance(self.command, Script):
            return [(self.command, *self.arguments)]
        script = ("EVALSHA", self.command.sha, len(self.keys), *self.keys, *self.arguments)
        if not self.staged:
            return [script]
        stage = [("SET", key, content, "PX", STAGED_FOR) for key, content in self.staged]
        return [("MULTI",), *stage, script, ("EXEC",)]

    @property
    def length(self) -> int:
        """How many commands it is sent as: MULTI, what is staged, the script and EXEC."""
        return len(self.staged) + 3 if self.staged else 1

    def reply(self, replies: Sequence[Any]) -> Any:
        """The reply to the command or the script, of the replies to all commands."""
        if len(replies) == 1 or not isinstance(replies[-1], list):
            return next((each for each in replies if isinstance(each, Exception)), replies[-1])
        return replies[-1][-1]


def command(name: str, key: str, *arguments: Argument) -> Call:
    """A command that begins with a key."""
    return Call([key], name, (key, *arguments))


def script_call(script: Script, keys: Sequence[str], *arguments: Argument) -> Call:
    """A call of a script; all of `keys` are in one slot."""
    return Call(keys, script, arguments)


class Link(ABC):
    """The way to a server or a cluster. Safe to be shared by threads and inherited by forks."""

    is_cluster = False
    can_be_woken = True
    """Whether a thread that waits for an answer can be woken by another."""

    def __init__(self, shown: str, timeout: float) -> None:
        self.shown = shown
        """The URL, without its password."""
        self.timeout = timeout
        """Seconds to wait for an answer."""

    def write(self, calls: Sequence[Call]) -> list[Any]:
        """The replies to `calls`, errors among them, in one round trip.

        Raises:
            BackendError: the connection was lost; whether calls were applied is unknown.
        """
        with translated(self.shown):
            return self._answers(calls)

    def read(self, calls: Sequence[Call]) -> list[Any]:
        """The replies to `calls`, in one round trip; they may be repeated.

        They only read, or do the same when they are done again.

        Raises:
            BackendError: an answer is an error, or there is none.
        """
        with translated(self.shown):
            try:
                return self._good_answers(calls)
            except (*HUNG_UP, NotConnectedError):
                raise
            except exceptions.ConnectionError:
                return self._good_answers(calls)  # it may have been an old connection

    def _good_answers(self, calls: Sequence[Call]) -> list[Any]:
        replies = self._answers(calls)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def _answers(self, calls: Sequence[Call]) -> list[Any]:
        replies = self._exchange(calls)
        unknown = [
            position
            for position, reply in enumerate(replies)
            if isinstance(reply, exceptions.NoScriptError)
        ]
        if unknown:
            # For each call, since on a cluster each may be for another node.
            again: list[Call] = []
            for position in unknown:
                call = calls[position]
                assert isinstance(call.command, Script)  # noqa: S101 — NOSCRIPT says so
                again += [Call(call.keys, "SCRIPT", ("LOAD", call.command.source)), call]
            for position, reply in zip(unknown, self._exchange(again)[1::2], strict=True):
                replies[position] = reply
        return replies

    @abstractmethod
    def _exchange(self, calls: Sequence[Call]) -> list[Any]:
        """Send `calls`, and return the replies, errors among them.

        Raises:
            RedisError: a connection could not be made, or was lost.
        """

    @abstractmethod
    def one_slot(self, keys: Sequence[str]) -> bool:
        """Whether one script may use all of `keys`."""

    @abstractmethod
    def clients(self) -> list[redis.Redis]:
        """A client of each server that holds records."""

    @abstractmethod
    def pool_of(self, key: str) -> redis.ConnectionPool:
        """The connections to the server that has `key`.

        Raises:
            RedisError: redis-py's own; it is not known which it is.
            RedisClusterException: redis-py's own; the same.
        """

    @abstractmethod
    def look_up_anew(self) -> None:
        """Find out anew which server has which key, where that may have changed."""

    def scan(self, client: redis.Redis, pattern: str, count: int) -> Iterator[list[bytes]]:
        """The keys of a server that fit `pattern`, some at a time; some may come twice."""
        cursor: int | bytes = 0
        while True:
            with translated(self.shown):
                cursor, keys = client.execute_command(
                    "SCAN", cursor, "MATCH", pattern, "COUNT", count
                )
            yield keys
            if int(cursor) == 0:
                return

    @abstractmethod
    def close(self) -> None:
        """Close the connections that nobody uses; a call that is under way ends as it would."""


class ServerLink(Link):
    """The way to one server."""

    def __init__(self, shown: str, client: redis.Redis, *, owned: bool = True) -> None:
        self._client = client
        self._owned = owned
        self._pool = client.connection_pool
        timeout = self._pool.connection_kwargs.get("socket_timeout")
        super().__init__(shown, DEFAULT_TIMEOUT if timeout is None else timeout)
        self.can_be_woken = is_plain(self._pool)

    def _exchange(self, calls: Sequence[Call]) -> list[Any]:
        return receive(self._pool, send(self._pool, calls), calls)

    def one_slot(self, keys: Sequence[str]) -> bool:  # noqa: ARG002 — a server has no slots
        return True

    def clients(self) -> list[redis.Redis]:
        return [self._client]

    def pool_of(self, key: str) -> redis.ConnectionPool:  # noqa: ARG002 — as above
        return self._pool

    def look_up_anew(self) -> None:
        """There is nothing to look up."""

    def close(self) -> None:
        if self._owned:
            self._pool.disconnect(inuse_connections=False)


def send(pool: redis.ConnectionPool, calls: Sequence[Call]) -> redis.Connection:
    """Send `calls` over a connection of `pool`, which `receive` gives back."""
    try:
        connection = pool.get_connection()
    except HUNG_UP:
        raise
    except exceptions.ConnectionError as error:
        raise NotConnectedError(str(error)) from error
    try:
        for call in calls:  # one by one: the server begins while the next is packed
            connection.send_packed_command(
                connection.pack_commands(call.commands()), check_health=False
            )
    except BaseException:
        connection.disconnect()
        pool.release(connection)
        raise
    return connection


def receive(
    pool: redis.ConnectionPool, connection: redis.Connection, calls: Sequence[Call]
) -> list[Any]:
    """The replies to `calls`, errors that the server answered with among them."""
    replies: list[Any] = []
    try:
        for call in calls:
            answers = [_receive_one(connection) for _ in range(call.length)]
            replies.append(call.reply(answers))
    except HUNG_UP as error:
        # This call was refused. Those behind it were sent, and may have been applied.
        lost = exceptions.ConnectionError(f"the connection was closed after the answer: {error}")
        replies += [error, *[lost] * (len(calls) - len(replies) - 1)]
    finally:
        if len(replies) < len(calls):
            connection.disconnect()  # what is still to come must not answer another call
        pool.release(connection)
    return replies


def _receive_one(connection: redis.Connection) -> Any:
    try:
        return connection.read_response()
    except exceptions.ResponseError as error:
        return error
