"""How much memory values take that a file was read for."""

from typing import Any

_ROUNDING_BYTES = 16
"""What an object takes beside what it says: up to the next multiple, and the collector's head."""


def size_of(value: Any) -> int:
    """About how many bytes a JSON `value` takes, with all that is within it.

    Texts that were written as JSON before have their UTF-8 at hand, which counts. Keys that
    several objects share count for each.
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
