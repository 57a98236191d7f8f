"""JSON lines: one object a line, written compactly and read strictly, each with its line number.

A key that is given twice must be an error, and only a parser that shows every pair can tell: that
is Python's own, not the faster one, which is used where its answer can be proved. Infinities, which
records may hold and which Python writes as ``Infinity``, are read; NaN is not, nor is half of a
surrogate pair, which no text can hold.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from typing import IO, Any, NoReturn

import orjson
from pydantic_core import to_json

from simstore.domain.errors import ImportFileError
from simstore.services.files.faults import LineError, fault_at
from simstore.services.files.place import place

MAX_LINE_BYTES = 1 << 28
"""How long a line may be: 256 MiB. Longer ones are no records, and would fill the memory."""

_BOM = b"\xef\xbb\xbf"


def dump_json(value: Any) -> bytes:
    """A JSON `value` in UTF-8, infinities as Python writes them.

    Raises:
        ValueError: it holds NaN, half of a surrogate pair, or what has no JSON.
    """
    try:
        data = orjson.dumps(value)
        if b"null" not in data:
            return data  # it would write infinities and NaN as null
    except orjson.JSONEncodeError:
        pass  # the slower one says why, or writes it
    data = to_json(value, inf_nan_mode="constants")
    if b"NaN" in data:  # in a text, or as a number
        where = _place_of(_is_nan, value)
        if where is not None:
            raise ValueError(f"{where}: NaN is not a value; leave it out".removeprefix(": "))
    return data


def load_json(text: str) -> Any:
    """The value that `text` holds.

    Raises:
        JsonError: it is not JSON, or gives a key twice, or holds NaN or text that is not unicode.
    """
    try:
        value = _STRICT.decode(text)
        # An escape can name half of a pair alone; but then the value cannot be written.
        escaped = not _is_writable(value) and _HALF_A_PAIR.search(text)
        half = half_a_pair_in(value) if escaped else None
    except RecursionError as error:
        raise JsonError("is nested too deeply") from error
    except _NanTokenError as error:
        raise JsonError("NaN is not JSON and not a value; leave it out", _nan_in(text)) from error
    except json.JSONDecodeError as error:
        raise JsonSyntaxError(_explain(error)) from error
    except JsonError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise JsonError(f"is not JSON that can be read: {error}") from error
    if half is not None:
        raise JsonError("is not unicode text: it holds half of a surrogate pair", half)
    return value


def read_objects(
    stream: IO[bytes], name: str, after: int = 0
) -> Iterator[tuple[int, dict[str, Any] | ImportFileError]]:
    """Yield (line number, object) for each line behind line `after` of a UTF-8 `stream`.

    `name` is what messages call it. Lines count from 1; those up to `after` are not parsed. Instead
    of an object comes an ImportFileError where a line is not one JSON object, gives a key twice, or
    holds NaN or text that is not unicode. Blank lines are skipped, and so is a byte order mark at
    the start. One line is held at a time.

    Raises:
        ImportFileError: a line has no end within `MAX_LINE_BYTES`.
    """
    # In bytes: only \n ends a line, as JSON lines has it.
    lines = iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b"")
    for number, raw in enumerate(lines, start=1):
        if len(raw) > MAX_LINE_BYTES:
            raise ImportFileError(name, number, "", f"is longer than {MAX_LINE_BYTES} bytes")
        if number <= after:
            continue
        content = raw.removeprefix(_BOM).strip() if number == 1 else raw.strip()
        if content:
            try:
                value = _proved(content)
                yield number, _object(_decode(content)) if value is None else value
            except JsonError as fault:
                yield number, fault_at(name, number, fault)


class JsonError(LineError):
    """What is wrong with a text as JSON, and in which `field` of it."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(field, reason)


class JsonSyntaxError(JsonError):
    """The text is not JSON at all."""


class _NanTokenError(ValueError):
    """The parser met the token NaN."""


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise JsonError(f"is not UTF-8: {error.reason} at byte {error.start + 1}") from error


def _proved(content: bytes) -> dict[str, Any] | None:
    """The object of a line by the fast parser, if it is right about it; else None.

    It keeps the last of two equal keys, and makes floats of large integers. But if what it read
    is written as the very same bytes, nothing was lost: so it is with what simstore wrote.
    """
    if _SPACED in content[:_FIRST_KEYS]:
        return None  # another's writing, which would only be read in vain
    try:
        value = orjson.loads(content)
        if isinstance(value, dict) and orjson.dumps(value) == content:
            return value
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        pass  # the strict parser says why, or reads it
    return None


_SPACED = b'": '
_FIRST_KEYS = 100


def _object(text: str) -> dict[str, Any]:
    value = load_json(text)
    if not isinstance(value, dict):
        kind = "null" if value is None else type(value).__name__
        raise JsonError(f"is a JSON value of type {kind}; each line must be one object {{...}}")
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
                raise JsonError(f"the key {key!r} is given twice", key)
            seen.add(key)
    return made


def _constant(token: str) -> float:
    if token == "NaN":  # noqa: S105 — a token of JSON, not of a login
        _refuse_nan()
    return float(token)


def _refuse_nan() -> NoReturn:
    raise _NanTokenError


_HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")

_STRICT = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_constant)
_LENIENT = json.JSONDecoder()


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _is_half_a_pair(value: object) -> bool:
    return isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value)


def half_a_pair_in(value: object) -> str | None:
    """Where in a JSON `value`, its keys too, is half of a surrogate pair; None if nowhere."""
    return None if _is_writable(value) else _place_of(_is_half_a_pair, value)


def _is_writable(value: object) -> bool:
    """Whether `value` is written without a fault, and so has no half of a pair.

    Cheap: texts keep the UTF-8 that they are given here for when they are stored.
    """
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


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
    elif isinstance(value, list | tuple):
        members = enumerate(value)
    for key, member in members:
        found = [] if is_fault(key) else _path_to(is_fault, member)
        if found is not None:
            return [key, *found]
    return None
