"""Characters that would act on a page, or hide in it, made into signs that can be seen."""

import re

_PLANE_ENDS = "".join(chr(plane << 16 | end) for plane in range(17) for end in (0xFFFE, 0xFFFF))
"""The last two of each of Unicode's planes, which are no characters."""

_ACTING = re.compile(
    "["
    r"\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but not tab and newline
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks and overrides of writing direction
    r"\u200b\u2028\u2029\u2060-\u206f\ufeff\ufff9-\ufffb"  # spaces and breaks without a width
    r"\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # letters without a shape
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format characters of shorthand and music
    r"\ufe00-\ufe0e\U000e0100-\U000e01ef"  # selectors of variants, which can spell a hidden text
    rf"\ud800-\udfff\ufdd0-\ufdef{_PLANE_ENDS}"  # halves of pairs, and noncharacters
    r"\U000e0000-\U000e007f"  # tags: letters that nobody sees
    "]"
)
"""What stays: joiners (U+200C, U+200D) and the emoji selector (U+FE0F), which many scripts and
emoji are written with."""

_PICTURES = 0x2400
"""Where Unicode has a picture of each control character, in their order."""

_DELETE = 0x7F
_DELETE_PICTURE = "\N{SYMBOL FOR DELETE}"


def visible(text: str) -> str:
    """`text` with its line ends as newlines, and a sign for each character that acts on a page.

    A control character becomes its picture (escape: ``␛``); one that changes the direction of
    writing, has no width or is no character becomes its number, as in ``⟨U+202E⟩``. A
    transcript may then neither be reordered nor hide anything, and can be encoded.
    """
    if text.isascii() and text.isprintable():
        return text
    return _ACTING.sub(_sign, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`visible` text with each run of whitespace as one space: for names and headings."""
    return " ".join(visible(text).split())


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(_PICTURES + code)
    return _DELETE_PICTURE if code == _DELETE else _number(found[0])


def _number(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"
