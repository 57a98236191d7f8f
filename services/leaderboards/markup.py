"""Tables in Markdown and LaTeX; names of models are never taken for markup."""

import re
from collections.abc import Iterable

from simstore.services.leaderboards.tables import NOTHING, Table
from simstore.services.rendering.escaping import escape_inline
from simstore.services.rendering.visible import one_line

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # Two of these make another character, as does the first after ? and !.
    "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}",
}

_LIGATURES = re.compile(r"([-,])(?=\1)")
"""Two dashes or commas, of which LaTeX would make one character."""

_ARGUMENT = re.compile(r"^[\[*]")
"""At the start of a row, these would belong to the ``\\\\`` before it."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")

_PUBLISHED = re.compile(r"[A-Z]+ \[-?\d+, \d+\]")
"""The published names of columns, which need no escapes: they are no links."""


def markdown(table: Table) -> str:
    """`table` in Markdown, as GitHub reads it, with a newline at the end."""
    columns = len(table.header)
    lines = [
        map(_markdown, table.header),
        [":--"] * table.keys + ["--:"] * (columns - table.keys),
        *((*map(_markdown, row[: table.keys]), *row[table.keys :]) for row in table.rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex(table: Table) -> str:
    r"""`table` as a LaTeX tabular, with a newline at the end.

    Its first line is a comment on what it needs. Numbers are in math mode; letters beyond ASCII
    stay as they are.
    """
    columns = "l" * table.keys + "r" * (len(table.header) - table.keys)
    lines = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(map(_latex, table.header)),
        r"\midrule",
        *(
            _latex_row((*map(_latex, row[: table.keys]), *map(_latex_number, row[table.keys :])))
            for row in table.rows
        ),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "".join(f"{line}\n" for line in lines)


def _markdown(text: str) -> str:
    if _PUBLISHED.fullmatch(text):
        return text
    return escape_inline(text)


def _latex(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in one_line(text))
    return _ARGUMENT.sub(r"{\g<0>}", _LIGATURES.sub(r"\1{}", escaped))


def _latex_number(text: str) -> str:
    """A cell that holds ``-``, ``1.0``, ``1.0 ± 0.5`` or ``0.5 to 1.5``."""
    if text == NOTHING:
        return "--"
    numbers = _NUMBER.sub(r"$\g<0>$", text)
    return numbers.replace("$ ± $", r" \pm ")


def _latex_row(cells: Iterable[str]) -> str:
    return rf"{' & '.join(cells)} \\"
