"""Commands on a database with RedisJSON and the query engine, many in one round trip."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import redis
from redis import exceptions

from simstore.adapters.reading import chunks
from simstore.adapters.redis_connection.errors import translated
from simstore.adapters.redis_connection.link import Call, Link
from simstore.domain.errors import BackendError, BackendUnavailableError

DOCUMENTS_AT_A_TIME = 100
"""How many documents one round trip reads; of large ones, 50 to 100 measured best."""

KEYS_AT_A_TIME = 1_000
"""How many keys SCAN looks at in a step."""

JSON_TYPE = "ReJSON-RL"
"""What TYPE says of a RedisJSON document."""

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

    def write(self, calls: Sequence[Call]) -> list[Reply]:
        """The replies to calls, errors among them, as ours; see `Link.write`."""
        replies: list[Reply] = []
        for reply in self.link.write(calls):
            if isinstance(reply, Exception):
                try:
                    with translated(self.link.shown):
                        raise reply
                except BackendError as error:
                    explained = _explained(error)
                    explained.__cause__ = reply
                    replies.append(explained)
            else:
                replies.append(reply)
        return replies

    def json(
        self, keys: Sequence[str], path: str, size: int = DOCUMENTS_AT_A_TIME
    ) -> list[bytes | None]:
        """The JSON at `path` of each document, None where there is no such; `size` at a time."""
        found: list[bytes | None] = []
        for some in chunks(keys, size):
            [reply] = self.read([Call(some, "JSON.MGET", (*some, path))])
            found += reply
        return found

    def are_documents(self, keys: Sequence[str]) -> list[bool]:
        """Whether each key holds a RedisJSON document."""
        return [kind == JSON_TYPE for kind in self._types(keys)]

    def check_free(self, keys: Sequence[str]) -> None:
        """Refuse to call missing what something else has taken the place of.

        Raises:
            BackendError: a key holds no RedisJSON document, but something.
        """
        for key, kind in zip(keys, self._types(keys), strict=True):
            if kind not in {JSON_TYPE, "none"}:
                raise BackendError(
                    f"{self.link.shown}: the key {key!r} of a record holds a {kind}, "
                    "which somebody else put there"
                )

    def _types(self, keys: Sequence[str]) -> list[str]:
        found: list[str] = []
        for some in chunks(keys, KEYS_AT_A_TIME):
            replies = self.read([Call([key], "TYPE", (key,)) for key in some])
            found += [reply.decode() for reply in replies]
        return found

    def documents(self, pattern: str) -> Iterator[str]:
        """The keys of RedisJSON documents that a pattern of SCAN fits, each once.

        A key that is no UTF-8 is nobody's pk, and left out.
        """
        seen: set[str] = set()
        cursor: bytes = b"0"
        while True:
            words = (cursor, "MATCH", pattern, "COUNT", KEYS_AT_A_TIME, "TYPE", JSON_TYPE)
            [reply] = self.read([Call([], "SCAN", words)])
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
    if "unknown command" in text or "unknown redis command" in text:
        return BackendUnavailableError(
            f"{error}: redis+om:// needs a server with RedisJSON and the query engine, such as "
            "Redis 8 or Redis Stack; redis:// does without them"
        )
    return error
