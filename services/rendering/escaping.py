"""Text that stays text in Markdown: in CommonMark, and in GitHub's flavour of it."""

import re

from simstore.services.rendering.visible import one_line, visible

_MARKUP = re.compile(
    r"""(?P<at>@+)                              # mentions and mail addresses
      | (?P<entity>[|])                         # ends a cell of a table, whatever is before it
      | (?P<sign>[\\`*_~\[\]<>&#$]              # code, emphasis, links, HTML, entities, formulas
              | :(?=//) | \.(?=[^\W\d_]) | (?<=www)\.   # what looks like an address becomes a link
        )""",
    re.VERBOSE | re.IGNORECASE,
)
_LINE_START = re.compile(r"^(\d*)((?<!\d)[-+=:]|(?<=\d)[.)](?=\s|$))")
"""Lists, lines under headings and rules under the heads of tables begin like this."""


def escape_block(text: str) -> str:
    """`visible` text as the lines of one paragraph, which reads as `text` does when rendered.

    Line ends, blank lines too, become hard breaks; those at the ends of the text go.
    Signs that mean something are escaped with a backslash. An ``@`` becomes code, since
    GitHub makes mail addresses and mentions of escaped ones.
    """
    lines = [_line(line) for line in visible(text).strip("\n").split("\n")]
    return "\\\n".join(lines)


def escape_inline(text: str) -> str:
    """`one_line` of text, for headings, names and the cells of tables."""
    return _line(one_line(text))


def _line(line: str) -> str:
    stripped = line.strip()
    if not stripped:
        return _entities(line)
    begin = line[: len(line) - len(line.lstrip())]
    end = line[len(line.rstrip()) :]
    body = _LINE_START.sub(r"\1\\\2", _MARKUP.sub(_escape, stripped))
    return _entities(begin) + body + _entities(end)


def _escape(found: re.Match[str]) -> str:
    if found["at"]:
        return f"`{found['at']}`"
    if found["entity"]:
        return _entities(found["entity"])
    return f"\\{found[0]}"


def _entities(text: str) -> str:
    return "".join(f"&#{ord(character)};" for character in text)
