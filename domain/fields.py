"""What a record's fields are made of: index markers and primary keys."""

import os
import re
import threading
import time
from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator

from simstore.domain.errors import InvalidPkError


@dataclass(frozen=True, slots=True)
class Indexed:
    """Marks a field that backends index: ``tag: Annotated[str, Indexed()]``.

    Filters on it cost as much as what they find, not as much as what is stored. On a list
    the index answers ``contains``. Other fields can be filtered too, by reading every record.
    """


@dataclass(frozen=True, slots=True)
class FullText:
    """Marks a text field whose words are indexed, for ``field("bio").matches("two words")``."""


MAX_PK_BYTES = 255
"""The longest primary key, in UTF-8 bytes: it must do as a file name and in an index."""

_FORBIDDEN_IN_PK = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\ud800-\udfff]")


def check_pk(pk: object) -> str:
    """Return `pk` if every backend can keep it.

    A primary key is 1 to 255 UTF-8 bytes without slashes, backslashes and control
    characters, not blank, and neither ``.`` nor ``..``.

    Raises:
        InvalidPkError: says which rule it breaks.
    """
    if isinstance(pk, str) and pk.isascii() and pk.isalnum() and len(pk) <= MAX_PK_BYTES:
        return pk  # every ULID, at a tenth of the cost of the search below
    if not isinstance(pk, str):
        raise InvalidPkError(f"a primary key is a str, not {type(pk).__name__}")
    found = _FORBIDDEN_IN_PK.search(pk)
    if found is not None:
        raise InvalidPkError(
            f"the primary key {_shorten(pk)} holds {found[0]!r}: slashes, backslashes and "
            "control characters are not allowed"
        )
    if not pk or pk.isspace():
        raise InvalidPkError("a primary key must not be blank")
    if pk in {".", ".."}:
        raise InvalidPkError(f"the primary key {pk!r} is a path, not a name")
    if len(pk) * 4 > MAX_PK_BYTES and len(pk.encode()) > MAX_PK_BYTES:
        raise InvalidPkError(
            f"the primary key {_shorten(pk)} is {len(pk.encode())} bytes long; "
            f"at most {MAX_PK_BYTES} are allowed"
        )
    return pk


def _shorten(pk: str) -> str:
    return repr(pk) if len(pk) <= 40 else f"{pk[:40]!r}..."


_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [high + low for high in _CROCKFORD for low in _CROCKFORD]
_PAIR_SHIFTS = range(120, -1, -10)
_RANDOM_BITS = 80


class _UlidSource:
    """Makes ULIDs that grow within a process, also within a millisecond and across threads.

    Format: https://github.com/ulid/spec — 48 bits of Unix milliseconds, 80 random bits,
    26 characters of Crockford's base 32. When the clock stands still or goes back, the next
    one is the last one plus 1.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> str:
        moment = (time.time_ns() // 1_000_000) << _RANDOM_BITS
        fresh = moment | int.from_bytes(os.urandom(_RANDOM_BITS // 8), "big")
        with self._lock:
            # Compare the milliseconds alone: a fresh value of the same one may be smaller.
            number = fresh if moment > self._last else self._last + 1
            self._last = number
        return "".join([_PAIRS[(number >> shift) & 1023] for shift in _PAIR_SHIFTS])


_source = _UlidSource()


def _renew_source() -> None:
    global _source  # noqa: PLW0603 — a forked child must not count on from its parent's last ULID
    _source = _UlidSource()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_source)


def new_pk() -> str:
    """A fresh primary key: a ULID, 26 characters that sort by the time they were made."""
    return _source.next()


def _assigned(pk: object) -> object:
    if isinstance(pk, str) and pk and not pk.isspace():
        return check_pk(pk)
    return new_pk() if pk is None or isinstance(pk, str) else pk


Pk = Annotated[str, BeforeValidator(_assigned)]
"""A primary key; None or a blank one means "assign one"."""
