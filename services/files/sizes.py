"""How much memory values take that a file was read for."""

import contextlib
from typing import Any

import orjson

_ROUNDING_BYTES = 16
"""What an object takes beside what it says: up to the next multiple, and the collector's head."""


def size_of(value: Any) -> int:
    """About how many bytes a JSON `value` takes, with all that is within it.

    Texts that were written as JSON before keep their UTF-8, which counts. Keys that several
    objects share count for each.
    """
    size = 0
    level: list[Any] = [[value]]
    while level:  # values may be nested deeper than Python's calls
        inner = []
        for container in level:
            members = container if type(container) is list else (*container, *container.values())
            for member in members:
                kind = type(member)
                if kind is list or kind is dict:
                    inner.append(member)
                # Not sys.getsizeof, which takes as long as all the rest.
                size += member.__sizeof__() + _ROUNDING_BYTES
        level = inner
    return size


def size_when_written(value: Any) -> int:
    """As `size_of`, for a `value` whose texts may not have been written as JSON yet."""
    with contextlib.suppress(orjson.JSONEncodeError):  # its own fault, of which others will tell
        orjson.dumps(value)
    return size_of(value)
