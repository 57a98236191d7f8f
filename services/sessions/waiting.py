"""What all that waits shares: checked arguments, the time that is left, calls from asyncio."""

import asyncio
import contextvars
import functools
import math
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.text import shown

P = ParamSpec("P")
R = TypeVar("R")


LONGEST = 1e9
"""Seconds, some 30 years: a longer time is as long."""

LOOK_AGAIN = 10.0
"""Seconds after which whoever waits looks at the record, though nothing was announced: who changed
it may have died before it could announce that, and a record that is gone announces nothing."""


class Deadline:
    """The end of a wait that begins now.

    Raises:
        InvalidArgumentError: `timeout` is neither None nor a number of seconds, 0 or more.
    """

    def __init__(self, timeout: float | None) -> None:
        self._end: float | None = None
        if timeout is not None:
            which = "0 or more, or None to wait for ever"
            self._end = time.monotonic() + check_seconds("timeout", timeout, which, least=0.0)

    @property
    def left(self) -> float | None:
        """Seconds until then, 0 or more; None if there is no end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def has_passed(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0.0

    def cap(self, seconds: float) -> float:
        """`seconds`, or what is left if that is less."""
        left = self.left
        return seconds if left is None else min(seconds, left)


def check_seconds(name: str, value: object, which: str, *, least: float) -> float:
    """A finite number of seconds that is not below `least`.

    Raises:
        InvalidArgumentError: it is none; the message says `which` are.
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value < math.inf:
        return float(min(value, LONGEST))
    raise InvalidArgumentError(f"{name} is a number of seconds, {which}, not {shown(value)}")


def check_text(name: str, value: object) -> str:
    """A text that can be stored.

    Raises:
        InvalidArgumentError: it is none.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name} is a str, not {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(
            f"{name} holds half a character, which cannot be stored: {error}"
        ) from error
    return value


def check_id(name: str, value: object) -> str:
    """A text that names somebody: not blank.

    Raises:
        InvalidArgumentError: it is none.
    """
    if not check_text(name, value).strip():
        raise InvalidArgumentError(f"{name} is a str that is not blank, not {value!r}")
    return str(value)


def check_expire_time(seconds: object) -> int:
    """How long a session is kept.

    Raises:
        InvalidArgumentError: it is no positive int.
    """
    if isinstance(seconds, int) and not isinstance(seconds, bool) and 0 < seconds < 2**53:
        return seconds
    raise InvalidArgumentError(f"expire_time is a positive int of seconds, not {shown(seconds)}")


async def in_thread(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """As `asyncio.to_thread`, but a task that is cancelled first sees the call to its end.

    So whoever cleans up afterwards knows that nothing more is written behind its back. The
    calls are short: none of them waits for a message.
    """
    # No task of its own: whoever cancels all tasks, as asyncio.run does at its end, would end the
    # wait for it, too.
    context = contextvars.copy_context()
    bound = functools.partial(context.run, call, *args, **kwargs)
    running = asyncio.get_running_loop().run_in_executor(None, bound)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # it was seen: asyncio need not warn of it
        raise
