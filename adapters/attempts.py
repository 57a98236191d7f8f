"""How often, and how fast, a write is tried again that others were faster than."""

import random
import time
from collections.abc import Iterator

UPDATE_ATTEMPTS = 1_000
LONGEST_PAUSE = 0.02
"""Seconds; the pauses between attempts grow to a random part of this."""


def attempts() -> Iterator[int]:
    """Numbers for the attempts at one write, with a pause before each but the first."""
    for attempt in range(UPDATE_ATTEMPTS):
        if attempt:
            longest = min(LONGEST_PAUSE, 0.0001 * 2 ** (attempt - 1))
            time.sleep(random.random() * longest)  # noqa: S311 — a pause is no secret
        yield attempt
