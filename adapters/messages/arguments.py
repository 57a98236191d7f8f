"""Checks of what brokers are asked."""

import math
from typing import Any

from simstore.adapters.arguments import check_int
from simstore.adapters.messages.ids import ORIGIN, MessageId
from simstore.adapters.messages.log import Address, Share
from simstore.domain.broker import Position
from simstore.domain.channels import Channel, check_name
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.text import shown

LONGEST_TIMEOUT = 1e7
"""Seconds, some 100 days: a longer one is none."""


def address_of(channel: Channel[Any]) -> Address:
    """Where the messages of `channel` are."""
    if not isinstance(channel, Channel):
        raise InvalidArgumentError(
            f"a channel is written Channel(name, type of its messages), not {shown(channel)}"
        )
    return Address(channel.name, channel.dead_letters_of)


def check_published(channel: Channel[Any]) -> Address:
    """`address_of` a channel that is published on and consumed, which dead letters are not."""
    address = address_of(channel)
    if address.dead_letters_of is not None:
        raise InvalidArgumentError(
            f"{channel} are read by subscribe() or history(); "
            "publish on the channel itself what is to be tried again"
        )
    return address


def check_timeout(timeout: float | None) -> float | None:
    """Seconds to wait, or None for ever."""
    if timeout is None:
        return None
    return _check_seconds("timeout", timeout, "0 or more, or None to wait for ever")


def check_start(after: Position) -> MessageId | None:
    """Behind which message to begin; None behind the newest."""
    if after is None:
        return ORIGIN
    return None if after == "new" else MessageId.parse(after, 'after is None, "new", or')


def check_share(
    group: str, consumer: str, after: Position, retry_after: float, max_tries: int
) -> Share:
    """Who takes part in a group."""
    seconds = _check_seconds("retry_after", retry_after, "above 0")
    if seconds == 0:
        raise InvalidArgumentError("retry_after is a number of seconds above 0, not 0")
    return Share(
        check_name("group", group),
        check_name("consumer", consumer),
        check_start(after),
        seconds,
        check_int("max_tries", max_tries, least=1),
    )


def _check_seconds(name: str, value: object, which: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise InvalidArgumentError(f"{name} is a number of seconds, {which}, not {shown(value)}")
    return float(min(value, LONGEST_TIMEOUT))
