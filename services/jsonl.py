"""JSON lines, read strictly: one object a line, each with its line number.

Python's own parser reads here, not a faster one: a key that is given twice must be an error,
and only a parser that shows every pair can tell. Infinities, which records may hold and which
Python writes as ``Infinity``, are read; NaN is not, nor is half of a surrogate pair, which no
text can hold.
"""

import json
import math
from collections.abc import Callable, Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import Any, NoReturn

from simstore.domain.errors import ImportFileError

_BOM = b"\xef\xbb\xbf"


def read_objects(path: str | PathLike[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) for each line of the UTF-8 file at `path`.

    Blank lines are skipped, and so is a byte order mark at the start. One line is held at a
    time.

    Raises:
        ImportFileError: a line is not one JSON object, gives a key twice, or holds NaN or text
            that is not unicode.
        OSError: the file cannot be opened or read.
    """
    name = fspath(path)
    with Path(path).open("rb") as lines:  # in bytes: only \n ends a line, as JSON lines has it
        for number, raw in enumerate(lines, start=1):
            content = raw.removeprefix(_BOM).strip() if number == 1 else raw.strip()
            if content:
                try:
                    yield number, _parse(content)
                except _FaultError as fault:
                    raise ImportFileError(name, number, fault.field, str(fault)) from (
                        fault.__cause__ or fault
                    )


class _FaultError(ValueError):
    """What is wrong with a line, and where in it."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class _NanTokenError(ValueError):
    """The parser met the token NaN."""


def _parse(content: bytes) -> dict[str, Any]:
    try:
        return _object(content.decode())
    except UnicodeDecodeError as error:
        raise _FaultError(f"is not UTF-8: {error.reason} at byte {error.start + 1}") from error
    except RecursionError as error:
        raise _FaultError("is nested too deeply") from error


def _object(text: str) -> dict[str, Any]:
    try:
        value = _STRICT.decode(text)
    except _NanTokenError as error:
        raise _FaultError("NaN is not JSON and not a value; leave it out", _nan_in(text)) from error
    except json.JSONDecodeError as error:
        raise _FaultError(_explain(error)) from error
    except _FaultError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise _FaultError(f"is not JSON that can be read: {error}") from error
    if not isinstance(value, dict):
        kind = "null" if value is None else type(value).__name__
        raise _FaultError(f"is a JSON value of type {kind}; each line must be one object {{...}}")
    if "\\ud" in text or "\\uD" in text:  # an escape can name half of a pair alone
        where = _place_of(_is_half_a_pair, value)
        if where is not None:
            raise _FaultError("is not unicode text: it holds half of a surrogate pair", where)
    return value


def _nan_in(text: str) -> str:
    """Where the first NaN of a line is; nowhere if there is another fault behind it."""
    try:
        return _place_of(_is_nan, _LENIENT.decode(text)) or ""
    except ValueError:
        return ""


def _explain(error: json.JSONDecodeError) -> str:
    text = error.doc
    cut_short = text.startswith("{") and not text.endswith("}") and error.msg != "Extra data"
    if cut_short or error.pos >= len(text):
        return f"the JSON object is not complete: the line ends after {len(text)} characters"
    return f"is not JSON: {error.msg} at character {error.pos + 1}"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _FaultError(f"the key {key!r} is given twice", key)
            seen.add(key)
    return made


def _constant(token: str) -> float:
    if token == "NaN":  # noqa: S105 — a token of JSON, not of a login
        _refuse_nan()
    return float(token)


def _refuse_nan() -> NoReturn:
    raise _NanTokenError


_STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_constant)
_LENIENT = json.JSONDecoder()


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_half_a_pair(value: object) -> bool:
    return isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)


def _place_of(is_fault: Callable[[object], bool], value: object) -> str | None:
    """Where in a parsed line the first fault is, such as ``raw_rewards[0][1].goal``."""
    found = _path_to(is_fault, value)
    return None if found is None else place(found)


def _path_to(is_fault: Callable[[object], bool], value: object) -> list[str | int] | None:
    if is_fault(value):
        return []
    members: Any = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, member in members:
        found = [] if is_fault(key) else _path_to(is_fault, member)
        if found is not None:
            return [key, *found]
    return None


def place(steps: list[str | int]) -> str:
    """A place within a JSON object, from its keys and positions: ``raw_rewards[0][1].goal``.

    A place that is very deep ends in dots; what could not be printed is escaped.
    """
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps[:8])
    dots = "..." if len(steps) > 8 else ""
    return written.removeprefix(".").encode(errors="backslashreplace").decode() + dots
