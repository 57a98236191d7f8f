"""Tables as the command line prints them where there is no terminal."""

import io
import sys

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

from hypothesis import given
from hypothesis import strategies as st
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simstore.cli.tables import plain_table, print_table
from simstore.services.rendering.visible import one_line

CELLS = st.text(st.sampled_from("ab 1漢é[/]\x1b\n🎉"), max_size=8) | st.integers() | st.none()


def by_rich(columns: list[str], rows: list[list[object]], right: set[str]) -> str:
    """The same table, as Rich lays it out."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name in columns:
        justify = "right" if name in right else "left"
        table.add_column(Text(name), justify=justify, no_wrap=True)  # type: ignore[arg-type]  # one of its literals
    for row in rows:
        texts = ["-" if cell is None else one_line(str(cell)) for cell in row]
        table.add_row(*map(Text, texts))
    console = Console(width=10_000, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=4))
def test_a_table_looks_as_on_a_terminal(rows: list[list[object]]) -> None:
    columns = ["first", "漢字", "n"]
    assert plain_table(columns, rows, right=["n"]) == by_rich(columns, rows, {"n"})


def test_a_stream_that_has_no_line_gets_dashes(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    print_table(["a", "b"], [["x", 1]], right=["b"])
    narrow.flush()
    assert narrow.buffer.getvalue().decode() == "a  b\n----\nx  1\n"
