"""Checks of the arguments that every repository shares."""

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from pydantic import BaseModel

from simstore.adapters.storage import Expected
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.fields import check_pk
from simstore.domain.text import shown

T = TypeVar("T", bound=BaseModel)


def check_paging(limit: int | None, offset: int = 0) -> None:
    """Refuse a limit or an offset that is negative or not an int."""
    if limit is not None:
        check_int("limit", limit, least=0)
    check_int("offset", offset, least=0)


def check_batch_size(batch_size: int) -> None:
    """Refuse a batch size that is not a positive int."""
    check_int("batch_size", batch_size, least=1)


MOST = 2**53
"""More than any store holds, and less than any backend or iterator chokes on."""


def check_int(name: str, value: object, least: int) -> int:
    """`value`, refused unless it is an int that is at least so many."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= MOST:
        raise InvalidArgumentError(f"{name} is an int from {least} to 2**53, not {shown(value)}")
    return value


def check_after(after: str | None) -> str | None:
    """A pk to page behind, or None."""
    return None if after is None else check_pk(after)


def check_pks(pks: object) -> list[str]:
    """Several pks, each checked."""
    if isinstance(pks, str | BaseModel) or not isinstance(pks, Iterable):
        raise InvalidArgumentError(f"pks is a list of primary keys, not {shown(pks)}")
    return [check_pk(pk) for pk in pks]


def check_items(items: Iterable[T]) -> Iterable[T]:
    """Several records: anything iterable but a record, which iterates over its fields."""
    several: object = items
    if isinstance(several, str | BaseModel) or not isinstance(several, Iterable):
        raise InvalidArgumentError(
            f"items is a list of records, not {shown(several)}; save() takes one"
        )
    return items


def check_change(change: object) -> None:
    """Refuse what cannot be called to change a record."""
    if not callable(change):
        raise InvalidArgumentError(
            f"change is a function that alters the record or returns a new one, not {shown(change)}"
        )


def check_version(version: str | None) -> Expected | str:
    """What a write expects: a version, or anything."""
    if version is None:
        return Expected.ANYTHING
    if not isinstance(version, str):
        raise InvalidArgumentError(
            f"if_version is the str that get_versioned() returned second, not {shown(version)}"
        )
    return version


LONGEST_TTL = 1e12
"""Seconds, some 30,000 years: in milliseconds still an int of 64 bits."""


def seconds_of(ttl: float | timedelta) -> float:
    """`ttl` in seconds, refused unless it is positive and finite."""
    seconds: object = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if (
        not isinstance(seconds, int | float)
        or isinstance(seconds, bool)
        or not 0 < seconds < math.inf
    ):
        raise InvalidArgumentError(
            f"ttl is a positive number of seconds or a timedelta, not {ttl!r}; "
            "to be rid of a record, delete it"
        )
    return float(min(seconds, LONGEST_TTL))
