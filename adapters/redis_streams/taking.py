"""Taking what is a consumer's next: the steps of one that takes part in a group."""

import math
import time
from collections import deque
from typing import Any

from simstore.adapters.messages.log import Share, Taken
from simstore.adapters.redis_connection.link import Call, Link, script_call
from simstore.adapters.redis_connection.names import escaped
from simstore.adapters.redis_streams.entries import entry_of
from simstore.adapters.redis_streams.scripts import TAKE
from simstore.adapters.redis_streams.steps import (
    Ask,
    Deadline,
    Steps,
    answered,
    blocking,
    longest_wait,
)

LOOKED_AT = 1_000
"""How many entries that are due one script looks at: others are served in between."""

REMEMBERED = 1_000
"""How many entries are remembered to have reached a consumer."""

SHORTEST_WAIT = 0.02
"""Seconds to wait before it is looked again for what is due."""

_SLACK = 5.0
"""Seconds that an answer that is lost may have been under way."""


class Hand:
    """What reached a consumer, and since when something may not have.

    An answer is lost where a connection breaks, or where a task is cancelled that waits for it:
    the server has given out an entry, of which nobody knows. The next take asks for it.
    """

    def __init__(self) -> None:
        self._arrived: deque[str] = deque(maxlen=REMEMBERED)
        self._unsure_since: float | None = None

    def reach_out(self) -> None:
        """An entry may be given out from now on."""
        if self._unsure_since is None:
            self._unsure_since = time.monotonic()

    def note(self, taken: Taken | None, *, sure: bool = True) -> None:
        """It arrived, or none was given out; `sure` that nothing else was lost."""
        if taken is not None:
            self._arrived.append(f"{taken.entry.id}:{taken.tries}")
        if sure:
            self._unsure_since = None

    def lost(self) -> tuple[str | int, ...]:
        """How many milliseconds ago an answer may first have been lost, and what did arrive."""
        if self._unsure_since is None:
            return ("",)
        seconds = time.monotonic() - self._unsure_since + _SLACK
        return (math.ceil(seconds * 1_000), *self._arrived)


class _Taking:
    """One call: it looks for what is due or new, waits for what is new, and looks again."""

    def __init__(self, keys: tuple[str, str], share: Share, hand: Hand, longest: float) -> None:
        self._keys = keys
        self._share = share
        self._group = escaped(share.group)
        self._hand = hand
        self._longest = max(SHORTEST_WAIT, min(longest, share.retry_after / 2))
        self._looked = False
        self._may_wait = False
        self.has_more = False

    def ask(self, deadline: Deadline) -> Ask:
        """What to ask next: to look, also if the connection broke while it waited."""
        block = deadline.within(self._longest) if self._may_wait else 0.0
        self._may_wait = False
        self._looked = block == 0
        ask = Ask(self._look()) if self._looked else Ask(self._wait(block), block)
        self._hand.reach_out()
        return ask

    def taken(self, answer: Any) -> Taken | None:
        """What was given."""
        return self._found(answer) if self._looked else self._come(answer)

    def _look(self) -> Call:
        share = self._share
        return script_call(
            TAKE,
            self._keys,
            self._group,
            share.consumer,
            math.ceil(share.retry_after * 1_000),
            share.max_tries,
            LOOKED_AT,
            *self._hand.lost(),
        )

    def _found(self, answer: Any) -> Taken | None:
        kind, *found = answer
        taken = Taken(entry_of(found[0]), found[1]) if found else None
        self._hand.note(taken, sure=kind != b"found")
        self._may_wait = kind == b"nothing"
        self.has_more = kind == b"more"
        return taken

    def _wait(self, block: float) -> Call:
        log = self._keys[0]
        words = ("GROUP", self._group, self._share.consumer, "COUNT", 1, *blocking(block))
        return Call([log], "XREADGROUP", (*words, "STREAMS", log, ">"))

    def _come(self, streams: Any) -> Taken | None:
        taken = None
        if streams:
            [(_, [entry])] = streams
            taken = Taken(entry_of(entry), tries=1)
        self._hand.note(taken)
        return taken


def taking(
    link: Link,
    keys: tuple[str, str],
    share: Share,
    hand: Hand,
    wait: float | None,
) -> Steps[Taken | None]:
    """The consumer's next entry, once there is one; None after `wait` seconds.

    `keys` are those of the log and of the group's dead letters.
    """
    deadline = Deadline(wait)
    call = _Taking(keys, share, hand, longest_wait(link))
    while True:
        taken = call.taken((yield from answered(link, lambda: call.ask(deadline))))
        if taken is not None or (deadline.passed and not call.has_more):
            return taken
