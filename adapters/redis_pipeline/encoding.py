"""Values as bytes that sort as the values do, and conditions as look-ups among them.

The members of an index are ``value 00 00 pk``, all of score 0, which Redis keeps in the order of
their bytes. Equality, ranges, prefixes and paging by pk are all ranges of such members.
"""

import math
import struct

from simstore.adapters.storage import Bound, Prefix, Range
from simstore.domain.query import Scalar

END = b"\x00\x00"
"""Ends a value. A NUL within a text is followed by 01, so the first END of a member is the one."""

PAST_END = b"\x00\x01"
"""Behind all members of a value, and before those of any other value of its kind."""

_NULL = b"0"
_BOOL = b"1"
_NUMBER = b"2"
_TEXT = b"3"
_AFTER = {_NUMBER: _TEXT, _TEXT: b"4"}

_PAST_TEXT = b"\xff"
"""No byte of UTF-8 is this or greater."""


def encoded(value: Scalar) -> bytes:
    """`value`, so that bytes sort as values of its kind do, and equal values are equal."""
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return _BOOL + (b"1" if value else b"0")
    if isinstance(value, str):
        return _TEXT + _text(value)
    return _NUMBER + _number(value)


def range_of(condition: Range | Prefix) -> tuple[bytes, bytes]:
    """The members from the first, inclusive, to the second, exclusive."""
    if isinstance(condition, Prefix):
        start = _TEXT + _text(condition.text)
        return start, start + _PAST_TEXT
    low, high = condition.low, condition.high
    given = low or high
    kind = _TEXT if given is not None and isinstance(given.value, str) else _NUMBER
    return (
        kind if low is None else _edge(low, beyond=not low.inclusive),
        _AFTER[kind] if high is None else _edge(high, beyond=high.inclusive),
    )


def _edge(bound: Bound, *, beyond: bool) -> bytes:
    return encoded(bound.value) + (PAST_END if beyond else END)


def _text(text: str) -> bytes:
    return text.encode().replace(b"\x00", PAST_END)


def _number(value: float) -> bytes:
    """The greatest float that is not above `value`, and how far it is below: exact for both.

    A float's bits sort as it does once those of negative ones are inverted and the sign bit of
    the others is set.
    """
    lower = float(value)
    if lower > value:
        lower = math.nextafter(lower, -math.inf)
    rest = 0 if math.isinf(lower) else int(value - int(lower)) if isinstance(value, int) else 0
    (bits,) = struct.unpack(">Q", struct.pack(">d", lower + 0.0))  # -0.0 + 0.0 is 0.0
    bits = bits ^ 0xFFFF_FFFF_FFFF_FFFF if bits >> 63 else bits | 1 << 63
    return b"%016x%03x" % (bits, rest)


def packed(entries: list[tuple[str, Scalar]]) -> bytes:
    """(index, value) pairs as the scripts read them: ``index length value``, each pair once."""
    parts = dict.fromkeys((index, encoded(value)) for index, value in entries)
    return b"".join(b"%b %d %b" % (index.encode(), len(value), value) for index, value in parts)
