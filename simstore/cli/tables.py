"""Tables for people: whole in a pipe, as wide as the screen on a terminal."""

import json
import sys
from collections.abc import Container, Iterable, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from simstore.cli.console import note, out
from simstore.services.rendering.visible import one_line

SHOWN_RECORDS = 50
"""How many records a table shows unless it is told otherwise."""

CELL_CHARACTERS = 60
"""How much of a text a table shows on a terminal."""

LEAST_WIDTH = 10
"""A column of texts is not made narrower than this, but left out."""

_GAP = 2
"""What stands between two columns."""

_RULE = "─"
"""What stands below the headings."""


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()
) -> None:
    """Print a table; the columns named in `right` are numbers and stand to the right.

    On a terminal, columns of text become narrower, and the last ones are left out and named,
    until the others fit. The first is always whole.
    """
    room = _room()
    if room is None:
        # Rich takes a millisecond for a row.
        sys.stdout.write(plain_table(columns, rows, right=right, rule=_rule()))
        return
    names = [one_line(column) for column in columns]
    cells = [[cell(value, CELL_CHARACTERS) for value in row] for row in rows]
    numbers = set(right)
    widths = _widths(names, cells)
    if _total(widths) > room:
        least = [
            width
            if position == 0 or columns[position] in numbers
            # A heading is never cut: it says what the column is.
            else min(width, max(LEAST_WIDTH, cell_len(names[position])))
            for position, width in enumerate(widths)
        ]
        kept = len(names)
        while kept > 1 and _total(least[:kept]) > room:
            kept -= 1
        left_out = names[kept:]
        names, widths = names[:kept], _shared_out(least[:kept], widths[:kept], room)
    else:
        left_out = []
    _print(
        names, widths, cells, {names.index(one_line(n)) for n in numbers if one_line(n) in names}
    )
    if left_out:
        note(f"no room for {', '.join(left_out)}; a pipe has it, such as: | less -S")


def plain_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Iterable[str] = (),
    rule: str = _RULE,
) -> str:
    """A table as text, whole, as `print_table` prints it where there is no terminal."""
    names = [one_line(column) for column in columns]
    cells = [[cell(value) for value in row] for row in rows]
    widths = _widths(names, cells)
    numbers = set(right)
    pads = [_to_the_right if column in numbers else _to_the_left for column in columns]
    gap = " " * _GAP
    lines = [
        gap.join(pad(text, width) for pad, text, width in zip(pads, row, widths, strict=True))
        for row in (names, *cells)
    ]
    lines.insert(1, rule * _total(widths))
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _to_the_left(text: str, width: int) -> str:
    return text + " " * (width - _cells(text))


def _to_the_right(text: str, width: int) -> str:
    return " " * (width - _cells(text)) + text


def _cells(text: str) -> int:
    """How many columns of a screen `text` takes."""
    return len(text) if text.isascii() else cell_len(text)


def _rule() -> str:
    try:
        _RULE.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return "-"
    return _RULE


def print_turned(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Iterable[str] = (),
    corner: str | None = None,
    strong: Container[tuple[int, int]] = (),
) -> None:
    """Print a table; if the terminal is too narrow for it, its rows become columns.

    As many of them stand side by side as there is room for, the others below; their headings are
    broken between words. The first column is then headed by `corner`. On a terminal, cells at
    (row, column) that are `strong` stand out.
    """
    room = _room()
    turned = [[cell(value, CELL_CHARACTERS) for value in row] for row in rows]
    names = list(map(one_line, columns))
    if room is None:
        print_table(columns, rows, right=right)
        return
    if _total(widths := _widths(names, turned)) <= room:
        numbers = set(right)
        places = {place for place, name in enumerate(columns) if name in numbers}
        _print(names, widths, turned, places, strong)
        return
    label = max(map(cell_len, names[1:]))
    start = 0
    while start < len(turned):
        end, widths = start, [label]
        while end < len(turned):
            heading, *values = turned[end]
            width = max(map(cell_len, (*heading.split(), *values)))
            if end > start and _total([*widths, width]) > room:
                break
            widths.append(width)
            end += 1
        if start:
            out().print()
        _print(
            [names[0] if corner is None else corner, *(row[0] for row in turned[start:end])],
            widths,
            [
                [name, *(row[position] for row in turned[start:end])]
                for position, name in enumerate(names[1:], start=1)
            ],
            set(range(1, len(widths))),
            {
                (position - 1, place)
                for position in range(1, len(names))
                for place, row in enumerate(range(start, end), start=1)
                if (row, position) in strong
            },
        )
        start = end


def cell(value: Any, most: int | None = None) -> str:
    """A value as a table shows it: on one line, and in no more than `most` characters."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:.12g}"
    if isinstance(value, list) and all(isinstance(element, str) for element in value):
        value = ", ".join(value)
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = one_line(value)
    if most is None or len(text) <= most:
        return text
    return f"{text[: most - 3]}..."


def on_a_terminal() -> bool:
    """Whether a person sees what is printed."""
    return sys.stdout.isatty()


def _room() -> int | None:
    """How wide the terminal is; None where there is none."""
    return out().width if on_a_terminal() else None


def _widths(names: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    return [
        max(_cells(name), *(_cells(row[position]) for row in cells), 0)
        for position, name in enumerate(names)
    ]


def _shared_out(least: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Widths between the `least` and the `wanted` ones that fill the room, evenly."""
    widths = list(least)
    while _total(widths) < room:
        short = [n for n, width in enumerate(widths) if width < wanted[n]]
        if not short:
            break
        widths[min(short, key=lambda n: widths[n])] += 1
    return widths


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _print(
    names: Sequence[str],
    widths: Sequence[int],
    cells: Sequence[Sequence[str]],
    right: set[int],
    strong: Container[tuple[int, int]] = (),
) -> None:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for position, (name, width) in enumerate(zip(names, widths, strict=True)):
        table.add_column(
            Text(name, no_wrap=False, overflow="fold"),
            justify="right" if position in right else "left",
            width=width,
            no_wrap=position > 0,
            overflow="fold" if position == 0 else "ellipsis",
        )
    for number, row in enumerate(cells):
        table.add_row(
            *(
                Text(text, style="bold" if (number, place) in strong else "")
                for place, text in enumerate(row[: len(names)])
            )
        )
    out().print(table)
