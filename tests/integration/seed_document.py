"""The document that the project was made from, beside the checkout: its programs and its table."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "seed"

MOVED = {"from redis_om import": "from simstore.sotopia import"}
MOVED["from sotopia.database import"] = MOVED["from redis_om import"]
"""The line that changes: where the names come from."""


@dataclass(frozen=True)
class Function:
    """A row of the table of functions: what the document says of one."""

    name: str
    arguments: tuple[str, ...]
    returns: str


def text() -> str:
    """The document."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.txt")))


def programs() -> list[str]:
    """Its programs, in their order, with the lines changed that import the names.

    The document has lost the indentation: a class holds the fields behind it, a loop one line.
    """
    found: list[list[str]] = []
    inside = False
    for line in text().splitlines():
        if not _is_code(line):
            inside = False
            continue
        if not inside:
            found.append([])
        inside = True
        found[-1].append(line)
    return ["\n".join(_indented(lines)) + "\n" for lines in found]


def functions() -> list[Function]:
    """The rows of its table."""
    rows = [line.split(" | ") for line in text().splitlines() if line.count(" | ") == 3]
    return [
        Function(
            name.strip(),
            tuple(part.strip() for part in re.split(r",\s(?=\w+:)", arguments)),
            returns.removesuffix("|").strip(),
        )
        for name, _, arguments, returns in rows
        if "_" in name
    ]


def _is_code(line: str) -> bool:
    """Whether it is a comment or a statement; of expressions, a call: prose may be one of names."""
    try:
        body = ast.parse(f"{line} ..." if line.endswith(":") else line).body
    except SyntaxError:
        return False
    first = body[0] if body else None
    return bool(line) and (not isinstance(first, ast.Expr) or isinstance(first.value, ast.Call))


def _indented(lines: list[str]) -> list[str]:
    done: list[str] = []
    opener = ""
    for line in lines:
        for old, new in MOVED.items():
            line = line.replace(old, new)  # noqa: PLW2901 — the same line, moved
        belongs = opener == "for" or (opener == "class" and re.match(r"\w+: ", line))
        done.append(f"    {line}" if belongs else line)
        if not belongs or opener == "for":
            opener = line.partition(" ")[0] if line.endswith(":") else ""
    return done
