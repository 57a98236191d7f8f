"""Which numbers can be stored: every float but NaN, and integers of 64 bits."""

import math
from collections.abc import Iterable
from typing import Annotated, TypeVar

from pydantic import AfterValidator

MIN_INT = -(2**63)
MAX_INT = 2**63 - 1

V = TypeVar("V")


def check_numbers(value: V) -> V:
    """Return `value` if every number within it, in lists and dicts too, can be stored.

    Raises:
        ValueError: it holds NaN, or an integer beyond 64 bits, which no database and few JSON
            readers keep exactly. The message begins with the place, such as ``[2]['score']: ``.
    """
    holds_infinity(value)
    return value


def holds_infinity(value: object) -> bool:
    """Whether an infinity is within `value`, which is checked as `check_numbers` does."""
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError("NaN cannot be compared or averaged; leave it out")
        return math.isinf(value)
    if isinstance(value, int):
        if not MIN_INT <= value <= MAX_INT:
            raise ValueError(f"{_digits(value)} is beyond 64 bits; keep it as text")
        return False
    members: Iterable[tuple[object, object]]
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list | tuple):
        members = enumerate(value)
    else:
        return False
    found = False
    for key, member in members:
        # The usual members, without a call: of floats, only NaN and infinities fail this test.
        if isinstance(member, str) or (isinstance(member, float) and member - member == 0.0):
            continue
        try:
            found = holds_infinity(member) or found
        except ValueError as error:
            inner = str(error)
            colon = "" if inner.startswith("[") else ": "
            raise ValueError(f"[{key!r}]{colon}{inner}") from None
    return found


def _digits(number: int) -> str:
    return str(number) if abs(number) < 10**30 else f"an integer of {number.bit_length()} bits"


Number = Annotated[float, AfterValidator(check_numbers)]
"""A float that is not NaN; infinities are allowed."""
