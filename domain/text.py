"""How text is split into words, for full-text conditions and the indexes that answer them."""

import re

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """The words of `text` in order: its longest runs of letters and digits, casefolded."""
    return [word.casefold() for word in _WORD.findall(text)]
