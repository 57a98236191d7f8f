"""Text: its words, for full-text conditions and indexes, and values as messages show them."""

import re

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words of `text` in order: its longest runs of letters and digits, casefolded."""
    return [word.casefold() for word in _WORD.findall(text)]


def shown(value: object) -> str:
    """`value` in a message: cut short."""
    try:
        text = repr(value)
    except ValueError:  # an int of more digits than Python writes
        return f"an {type(value).__name__} that is too long"
    return text if len(text) <= 80 else f"{text[:77]}..."
