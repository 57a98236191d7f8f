"""What a feed asks of the server, one step after the other: for threads and for asyncio alike.

A generator yields what is to be asked, or how long to pause, and is given the answer, or redis-py's
error. So it is told here, once, what happens in an outage.
"""

import math
import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeVar

from redis import exceptions

from simstore.adapters.redis_connection.errors import may_pass, translated
from simstore.adapters.redis_connection.link import Call, Link
from simstore.adapters.redis_connection.scripts import Script
from simstore.domain.errors import BackendError, BackendUnavailableError

T = TypeVar("T")

SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 1.0
"""Seconds between attempts to reach a server that is away."""

LONGEST_WAIT = 5.0
"""Seconds for which the server is asked to wait: then it is asked anew, which shows it is there."""

LONGEST_WAIT_UNWOKEN = 0.5
"""The same, for a connection that no other thread can wake, such as one of fakeredis."""

_WOKEN = ("NOGROUP", "UNBLOCKED")
"""Answers to one who waits while the stream is deleted, or while the server becomes a replica."""


class Ask(NamedTuple):
    """A call to send. The server may let `block` seconds pass before it begins to answer."""

    call: Call
    block: float = 0.0


class Pause(NamedTuple):
    """So many seconds to let pass."""

    seconds: float


Steps = Generator[Ask | Pause, Any, T]


class Deadline:
    """A moment until which to wait, `wait` seconds from now; None for never."""

    def __init__(self, wait: float | None) -> None:
        self._until = None if wait is None else time.monotonic() + wait

    @property
    def passed(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def within(self, longest: float) -> float:
        """The seconds that are left, of them at most `longest`."""
        if self._until is None:
            return longest
        return min(max(0.0, self._until - time.monotonic()), longest)


def longest_wait(link: Link) -> float:
    """For how many seconds to ask a server to wait."""
    return min(link.timeout, LONGEST_WAIT if link.can_be_woken else LONGEST_WAIT_UNWOKEN)


def blocking(seconds: float) -> tuple[str | int, ...]:
    """The words of a command by which it waits so long; without any, it does not."""
    return ("BLOCK", math.ceil(seconds * 1_000)) if seconds > 0 else ()


def answered(link: Link, next_ask: Callable[[], Ask]) -> Steps[Any]:
    """The answer to what `next_ask` says; None if the server had to stop waiting.

    While the server is away, it is asked again and again, until that took longer than the
    timeout of `link`.

    Raises:
        BackendUnavailableError: it did.
        BackendError: the server refuses.
    """
    pause = SHORTEST_PAUSE
    away_since: float | None = None
    while True:
        ask = next_ask()
        sent = time.monotonic()
        try:
            return (yield ask)
        except (exceptions.RedisError, exceptions.RedisClusterException) as error:
            if isinstance(error, exceptions.NoScriptError):
                yield from _load(link, ask)
                continue
            if _is_woken(error):
                return None
            if not may_pass(error, cluster=link.is_cluster):
                with translated(link.shown):
                    raise
            now = time.monotonic()
            if away_since is None:
                away_since = min(now, sent + ask.block)
            if now + pause - away_since > link.timeout:
                raise _away(link, error) from error
        yield Pause(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _load(link: Link, ask: Ask) -> Steps[None]:
    script = ask.call.command
    assert isinstance(script, Script)  # noqa: S101 — NOSCRIPT says so
    load = Ask(Call(ask.call.keys, "SCRIPT", ("LOAD", script.source)))
    yield from answered(link, lambda: load)


def _is_woken(error: Exception) -> bool:
    return isinstance(error, exceptions.ResponseError) and str(error).startswith(_WOKEN)


def _away(link: Link, error: Exception) -> BackendUnavailableError:
    try:
        with translated(link.shown):
            raise error
    except BackendError as ours:
        return BackendUnavailableError(f"{ours}; it was away for longer than {link.timeout:g} s")
