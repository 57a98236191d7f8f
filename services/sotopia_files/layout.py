"""How Sotopia writes the records of a model: as lines, and as the cells of a row.

In cells, texts stand as they are, and nullable ones by the rule of `simstore.services.files.cells`.
Lists and tuples are in Python's notation, as Sotopia writes them; None, where there is no text, is
the empty cell. What is too long to be read in that notation is JSON.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel

from simstore.services.files.cells import MAX_LITERAL_CHARACTERS, CellForm, cell_forms, write_cell
from simstore.services.files.csv_files import guarded_cell
from simstore.services.files.jsonl import dump_json
from simstore.services.files.layout import Layout, Line, LineOfRow, cell_value

T = TypeVar("T", bound=BaseModel)

NO_CONSTRAINT = "none"
"""What Sotopia's lines say where `EnvironmentProfile.agent_constraint` is None."""

CellWriter = Callable[[Any], bytes]
"""Makes the cell of a value of a line, in UTF-8."""


@dataclass(frozen=True, slots=True)
class SotopiaLayout(Layout[T]):
    """A layout of Sotopia's.

    `table` are the columns in their order, where it is not that of the lines. `bare` are columns
    that are no texts but are read as they stand, empty ones as None. `writers` make the cells of
    some columns; `dump` makes a line's JSON.
    """

    table: tuple[str, ...] = ()
    bare: frozenset[str] = frozenset()
    writers: Mapping[str, CellWriter] = field(default_factory=dict)
    dump: Callable[[Line], bytes] = dump_json

    @property
    def columns(self) -> tuple[str, ...]:
        """The header of a table."""
        return self.table or tuple(self.fields)

    def row_writer(self, *, guard_formulas: bool = False) -> Callable[[Line], list[bytes]]:
        """A function that makes the cells of a line, in the order of `columns`.

        With `guard_formulas`, texts that a spreadsheet would run get an apostrophe in front.
        """
        forms = cell_forms(self.model)
        writers: list[tuple[str, CellWriter]] = []
        for key in self.columns:
            form = forms[self.fields[key]] if key in self.fields else CellForm.JSON
            usual = _cell if form is CellForm.JSON else partial(write_cell, form)
            writers.append((key, self.writers.get(key, usual)))

        def cells_of(line: Line) -> list[bytes]:
            cells = [write(line[key]) for key, write in writers]
            if guard_formulas:
                return [
                    guarded_cell(cell) if isinstance(line[key], str) else cell
                    for cell, (key, _) in zip(cells, writers, strict=True)
                ]
            return cells

        return cells_of

    def row_reader(self) -> LineOfRow:
        """As of every layout. Columns that stand for no field stay text."""
        forms = cell_forms(self.model)
        by_key = {
            key: CellForm.TEXT if key in self.bare else forms[name]
            for key, name in self.fields.items()
        }

        def line_of(cells: Mapping[str, str]) -> Line:
            return {
                key: self._read(key, by_key[key], cell) if key in by_key else cell
                for key, cell in cells.items()
            }

        return line_of

    def _read(self, key: str, form: CellForm, cell: str) -> Any:
        if not cell and (key in self.bare or form is CellForm.JSON):
            return None
        if form is CellForm.JSON:
            return read_value(key, cell)
        return cell_value(key, form, cell)


def read_value(key: str, cell: str) -> Any:
    """The value of a cell that is no text.

    Raises:
        LineError: it is none in JSON nor in Python's notation; it names the `key`.
    """
    return None if cell in {"", NO_CONSTRAINT} else cell_value(key, CellForm.JSON, cell)


def constraint_cell(value: Any) -> bytes:
    """The cell of an agent constraint, empty where lines have a word for None."""
    return b"" if value == NO_CONSTRAINT else _literal(value)


def json_cell(value: Any) -> bytes:
    """The cell of a value that Sotopia leaves out: JSON, which may be nested deeper than Python."""
    return b"" if value is None else write_cell(CellForm.JSON, value)


def _cell(value: Any) -> bytes:
    """The cell of a value of no fixed type; what is text here has no other form."""
    if value is None:
        return b""
    return value.encode() if isinstance(value, str) else _literal(value)


def _literal(value: Any) -> bytes:
    """`value` in Python's notation; in JSON where that would be too long to be read again."""
    text = repr(value)
    return (
        text.encode() if len(text) <= MAX_LITERAL_CHARACTERS else write_cell(CellForm.JSON, value)
    )
