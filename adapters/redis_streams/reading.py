"""Reading a log on: the steps of a subscription."""

from collections.abc import Sequence

from simstore.adapters.messages.ids import MessageId
from simstore.adapters.messages.log import Entry
from simstore.adapters.redis_connection.link import Argument, Call, Link
from simstore.adapters.redis_streams.entries import entries_of
from simstore.adapters.redis_streams.steps import (
    Ask,
    Deadline,
    Steps,
    answered,
    blocking,
    longest_wait,
)


def reading(
    link: Link, log: str, after: MessageId, limit: int, wait: float | None
) -> Steps[Sequence[Entry]]:
    """The first `limit` entries behind `after`, once there are any; none after `wait` seconds.

    The server is asked to wait some seconds at a time, so that it is noticed when it is gone.
    """
    deadline = Deadline(wait)

    def ask() -> Ask:
        block = deadline.within(longest_wait(link))
        words: tuple[Argument, ...] = ("COUNT", limit, *blocking(block))
        return Ask(Call([log], "XREAD", (*words, "STREAMS", log, str(after))), block)

    while True:
        streams = yield from answered(link, ask)
        if streams:
            [(_, entries)] = streams
            return entries_of(entries)
        if deadline.passed:
            return []
