"""Checks of the arguments that every repository shares."""

import math
from datetime import timedelta

from simstore.domain.errors import InvalidArgumentError


def check_paging(limit: int | None, offset: int = 0) -> None:
    """Refuse a limit or an offset that is negative or not an int."""
    if limit is not None:
        _check_int("limit", limit, least=0)
    _check_int("offset", offset, least=0)


def check_batch_size(batch_size: int) -> None:
    """Refuse a batch size that is not a positive int."""
    _check_int("batch_size", batch_size, least=1)


def _check_int(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgumentError(f"{name} is an int of at least {least}, not {value!r}")


def seconds_of(ttl: float | timedelta) -> float:
    """`ttl` in seconds, refused unless it is positive and finite."""
    seconds: object = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if (
        not isinstance(seconds, int | float)
        or isinstance(seconds, bool)
        or not (math.isfinite(seconds) and seconds > 0)
    ):
        raise InvalidArgumentError(
            f"ttl is a positive number of seconds or a timedelta, not {ttl!r}; "
            "to be rid of a record, delete it"
        )
    return float(seconds)
