"""What RedisJSON would change of a document, and how to write it so that it does not.

Tried on RedisJSON 2.8.3. It keeps the order of keys, all strings, NUL included, -0.0 and every
integer of 64 bits. But it does not take infinities, nor containers within containers beyond 127
levels; and it reads some floats as their neighbours, since it turns their digits and their
power of ten into floats one by one (so does serde_json without its feature float_roundtrip).
What it holds it prints exactly: so a float that it would misread is written with other digits,
which every reader takes for the same float.
"""

import math
import re

LEVELS = 127
"""How deep a document may be nested, the document itself included."""

_RISKY = re.compile(rb"[0-9][eE]|[0-9.]{17}|Infinity")
"""No float without an exponent and with 15 digits at most is misread: both parts are exact."""

_TOKEN = re.compile(rb"-?Infinity|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_BRACKET = re.compile(rb"[\[{\]}]")
_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([-+]?[0-9]+))?")

_NEIGHBOURS = 16
"""How many floats to either side are tried as the digits of another spelling."""


_ESCAPES = ((rb"\\", b"\0\0"), (rb"\"", b"\0\1"))
"""The escapes by which a quote within a text is told from its end, and what hides them."""


def kept_json(content: bytes, levels: int = LEVELS) -> bytes | None:
    """`content` as RedisJSON keeps it exactly; None if it cannot.

    `levels` is how deep it may be nested.
    """
    hidden = content
    escapes = _ESCAPES if b"\\" in content else ()
    for escape, stand_in in escapes:
        hidden = hidden.replace(escape, stand_in)
    # Outside of texts and within, by turns: quicker than to look at each character of a text.
    parts = hidden.split(b'"')
    outside = b'"'.join(parts[::2])
    brackets = outside.count(b"[") + outside.count(b"{")
    if (brackets > levels and _depth(outside) > levels) or b"\0" in content:
        return None
    if _RISKY.search(outside) is None:
        return content
    try:
        spelled_parts = [_TOKEN.sub(_spelled_token, part) for part in parts[::2]]
    except OverflowError:
        return None
    if spelled_parts == parts[::2]:
        return content
    parts[::2] = spelled_parts
    kept = b'"'.join(parts)
    for escape, stand_in in escapes[::-1]:
        kept = kept.replace(stand_in, escape)
    return kept


def _depth(outside: bytes) -> int:
    deepest = depth = 0
    for bracket in _BRACKET.findall(outside):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _spelled_token(match: re.Match[bytes]) -> bytes:
    token = match[0]
    if token.endswith(b"Infinity"):
        raise OverflowError
    if token.lstrip(b"-").isdigit():
        return token
    text = token.decode()
    spelling = text if read_by_redisjson(text) == float(text) else spelled(float(text))
    if spelling is None:
        raise OverflowError
    return spelling.encode()


def read_by_redisjson(text: str) -> float | None:
    """The float that RedisJSON reads for a number of JSON; None where it is not known."""
    match = _NUMBER.fullmatch(text)
    assert match is not None, text  # noqa: S101 — a number
    sign, whole, fraction, exponent = match.groups()
    fraction = fraction or ""
    digits = int(whole + fraction)
    power = int(exponent or 0) - len(fraction)
    # Of more digits or powers it makes several steps.
    if digits >= 2**64 or abs(power) > 308:
        return None
    value = float(digits) * float(10**power) if power >= 0 else float(digits) / float(10**-power)
    return -value if sign else value


def spelled(value: float) -> str | None:
    """`value`, which is finite and not 0, in digits that are read as just it; None if none are.

    The digits are themselves a float, so that only one step rounds.
    """
    numerator, denominator = abs(value).as_integer_ratio()
    size = math.floor(math.log10(abs(value)))
    for power in range(19 - size, 9 - size, -1):
        if abs(power) > 308:
            continue
        scaled = (
            numerator * 10**power // denominator
            if power >= 0
            else numerator // (denominator * 10**-power)
        )
        digits = float(scaled)
        for _ in range(_NEIGHBOURS):
            digits = math.nextafter(digits, 0.0)
        for _ in range(2 * _NEIGHBOURS):
            digits = math.nextafter(digits, math.inf)
            if not 1 <= digits < 2**64 or not digits.is_integer():
                continue
            text = f"{'-' if value < 0 else ''}{int(digits)}e{-power}"
            if read_by_redisjson(text) == value == float(text):
                return text
    return None
