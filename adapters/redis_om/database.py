"""Commands on a database with RedisJSON and the query engine, many in one round trip."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import redis
from redis import exceptions

from simstore.adapters.reading import DOCUMENTS_AT_A_TIME, chunks
from simstore.adapters.redis_connection.errors import as_ours
from simstore.adapters.redis_connection.link import Call, Link
from simstore.domain.errors import BackendError, BackendUnavailableError

KEYS_AT_A_TIME = 1_000
"""How many keys SCAN looks at in a step."""

JSON_TYPE = "ReJSON-RL"
"""What TYPE says of a RedisJSON document."""

_UNKNOWN = ("unknown command", "unknown redis command", "unknown type name")
"""What a server says that lacks the modules: of commands, in scripts too, and of SCAN's TYPE."""

Reply = Any
"""What the server answered: each command has its own form."""


class Database:
    """The commands that the storage and its indexes need; errors are ours."""

    def __init__(self, link: Link) -> None:
        self.link = link

    @property
    def client(self) -> redis.Redis:
        """A client of the server."""
        return self.link.clients()[0]

    def read(self, calls: Sequence[Call]) -> list[Reply]:
        """The replies to calls that only read; see `Link.read`."""
        try:
            return self.link.read(calls)
        except BackendError as error:
            raise _explained(error) from error.__cause__

    def read_at_once(self, calls: Sequence[Call]) -> list[Reply]:
        """As `read`, of one moment: nothing is written in between."""
        *_, replies = self.read([Call([], "MULTI", ()), *calls, Call([], "EXEC", ())])
        for reply in replies:
            if isinstance(reply, exceptions.RedisError):
                raise self._ours(reply)
        return list(replies)

    def write(self, calls: Sequence[Call]) -> list[Reply]:
        """The replies to calls, errors among them, as ours; see `Link.write`."""
        return [
            self._ours(reply) if isinstance(reply, exceptions.RedisError) else reply
            for reply in self.link.write(calls)
        ]

    def _ours(self, error: exceptions.RedisError) -> BackendError:
        """What the server answered, as our error."""
        ours = as_ours(self.link.shown, error)
        ours.__cause__ = error
        explained = _explained(ours)
        explained.__cause__ = error
        return explained

    def json(
        self, keys: Sequence[str], path: str, size: int = DOCUMENTS_AT_A_TIME
    ) -> list[bytes | None]:
        """The JSON at `path` of each document, None where there is no such; `size` at a time."""
        found: list[bytes | None] = []
        for some in chunks(keys, size):
            [reply] = self.read([Call(some, "JSON.MGET", (*some, path))])
            found += reply
        return found

    def types(self, keys: Sequence[str]) -> list[str]:
        """What TYPE says of each key: ``none`` of one that is not there."""
        found: list[str] = []
        for some in chunks(keys, KEYS_AT_A_TIME):
            replies = self.read([Call([key], "TYPE", (key,)) for key in some])
            found += [reply.decode() for reply in replies]
        return found

    def documents(self, pattern: str) -> Iterator[str]:
        """As `keys`, but of RedisJSON documents alone."""
        return self._scan(pattern, "TYPE", JSON_TYPE)

    def keys(self, pattern: str) -> Iterator[str]:
        """The keys that a pattern of SCAN fits, each once.

        A key that is no UTF-8 is nobody's pk, and left out.
        """
        self.check_modules(pattern)
        return self._scan(pattern)

    def check_modules(self, key: str) -> None:
        """Let a server without RedisJSON say so, where nothing else would: it has no records.

        Raises:
            BackendUnavailableError: it has none.
        """
        self.read([Call([key], "JSON.MGET", (key, ".nothing"))])

    def _scan(self, pattern: str, *others: str) -> Iterator[str]:
        seen: set[str] = set()
        cursor: bytes = b"0"
        while True:
            step = Call([], "SCAN", (cursor, "MATCH", pattern, "COUNT", KEYS_AT_A_TIME, *others))
            [reply] = self.read([step])
            cursor, keys = reply
            for key in keys:
                try:
                    text = key.decode()
                except UnicodeDecodeError:
                    continue
                if text not in seen:
                    seen.add(text)
                    yield text
            if cursor == b"0":
                return


def prefix_pattern(prefix: str) -> str:
    """A pattern of SCAN for what begins with `prefix`, and goes on."""
    return re.sub(r"([*?\[\]\\^-])", r"\\\1", prefix) + "?*"


def is_no_index(error: BackendError) -> bool:
    """Whether the server said that there is no such index."""
    text = str(error.__cause__).lower()
    return isinstance(error.__cause__, exceptions.ResponseError) and (
        "no such index" in text or "unknown index name" in text or "index not found" in text
    )


def _explained(error: BackendError) -> BackendError:
    text = str(error.__cause__).lower()
    if any(words in text for words in _UNKNOWN):
        return BackendUnavailableError(
            f"{error}: redis+om:// needs a server with RedisJSON and the query engine, such as "
            "Redis 8 or Redis Stack; redis:// does without them"
        )
    return error
