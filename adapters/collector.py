"""The cyclic garbage collector, paused while many records are made at once."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_pauses = 0
_was_enabled = False


@contextmanager
def collector_paused() -> Iterator[None]:
    """Let the collector rest in this block, which makes many objects and no garbage.

    It would look at all of them over and over, and cost a fifth of the decoding of large
    records and a third of that of small ones. Several threads may pause it at once.
    """
    global _pauses, _was_enabled  # noqa: PLW0603 — there is one collector in a process
    with _lock:
        if not _pauses:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses and _was_enabled:
                gc.enable()


def _begin_anew() -> None:
    """In a child, the threads that paused it are not there to let it go on."""
    global _lock, _pauses  # noqa: PLW0603 — as above
    _lock = Lock()
    if _pauses and _was_enabled:
        gc.enable()
    _pauses = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
