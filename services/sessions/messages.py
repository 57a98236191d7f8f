"""The messages of a session: which of them are meant, and their times."""

import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.messaging import MessageTransaction, SessionTransaction
from simstore.domain.text import shown
from simstore.services.sessions.waiting import check_id

Predicate = Callable[[MessageTransaction], object]
"""Says of a message whether it is one that is waited for."""

Moment = float | str | MessageTransaction
"""A time: Unix seconds, such a number as text, or a message that was sent then."""


class Unseen:
    """Those messages of a record that fit and were not given before; equal ones are counted."""

    def __init__(self, fits: Predicate) -> None:
        self._fits = fits
        self._given: Counter[tuple[str, str, str]] = Counter()

    def of(self, record: SessionTransaction) -> Iterator[MessageTransaction]:
        """Give them, in the order of time."""
        stored: Counter[tuple[str, str, str]] = Counter()
        for message in record.message_list:
            key = (message.timestamp_str, message.sender, message.message)
            stored[key] += 1
            if stored[key] > self._given[key] and self._fits(message):
                self._given[key] += 1
                yield message


def filter_of(
    predicate: Predicate | None, sender: str | None, since: Moment | None
) -> Callable[[MessageTransaction], bool]:
    """All conditions in one.

    Raises:
        InvalidArgumentError: one of them is of the wrong type, or no time.
    """
    if predicate is not None and not callable(predicate):
        raise InvalidArgumentError(
            f"predicate is a function of a message, not {shown(predicate)}; "
            "to wait for somebody's message, write sender="
        )
    if sender is not None:
        check_id("sender", sender)
    earliest = -math.inf if since is None else seconds_of(since)
    return lambda message: (
        message.seconds > earliest
        and sender in {None, message.sender}
        and (predicate is None or bool(predicate(message)))
    )


def seconds(message: MessageTransaction) -> float:
    """When it was sent, in Unix seconds."""
    return message.seconds


def seconds_of(moment: Moment) -> float:
    """A time in Unix seconds.

    Raises:
        InvalidArgumentError: it is none.
    """
    if isinstance(moment, MessageTransaction):
        return moment.seconds
    return float(timestamp_text(moment, "since", ", or a message"))


def timestamp_text(value: object, name: str = "timestamp", others: str = "") -> str:
    """A time as a message has it; `others` is what else the argument `name` may be.

    Raises:
        InvalidArgumentError: it is no finite number.
    """
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with suppress(ValueError):  # of more digits than Python reads, or writes
            text = str(value)
            if math.isfinite(float(text)):
                return text
    raise InvalidArgumentError(
        f"{name} is a finite number of Unix seconds, as a float or as text such as "
        f"'1732367000.25'{others}, not {shown(value)}"
    )


def text_after(messages: list[MessageTransaction]) -> str:
    """Now, or the next float after the last message if the clock is not past it."""
    if not messages:
        return str(time.time())
    following = math.nextafter(messages[-1].seconds, sys.float_info.max)
    return str(max(time.time(), following))
