"""A line of Sotopia's files as the cells of a row, and back.

Texts stand as they are, and nullable ones by the rule of `simstore.services.files.cells`. Lists
and tuples are in Python's notation, as Sotopia writes them; None, where there is no text, is the
empty cell. ``game_metadata``, which Sotopia leaves out, is JSON.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from simstore.services.files.cells import CellError, CellForm, cell_forms, read_cell, write_cell
from simstore.services.files.layout import Layout, Line, LineError
from simstore.services.sotopia_files.layouts import (
    DERIVED_COLUMNS,
    EPISODES,
    NO_CONSTRAINT,
    RAW_REWARDS,
    REWARDS,
)

_EPISODE_COLUMNS = (
    "episode_id",
    "environment_id",
    "agent_ids",
    "experiment_tag",
    "experiment_model_name_pairs",
    "raw_messages",
    "raw_rewards_prompt",
    RAW_REWARDS,
    *DERIVED_COLUMNS[:-1],
    "reasoning",
    REWARDS,
    "agent_classes",
)
"""Not the order of the lines: Sotopia's tables have the prompt before the rewards."""

_RELATIONSHIP = "relationship"


def columns(layout: Layout[Any]) -> tuple[str, ...]:
    """The header of a Sotopia table: the keys of its lines, in the order of its columns."""
    return _EPISODE_COLUMNS if layout is EPISODES else tuple(layout.fields)


def row_writer(layout: Layout[Any]) -> Callable[[Line], list[str]]:
    """A function that makes the cells of a line, in the order of `columns`."""
    forms = cell_forms(layout.model)
    writers: list[tuple[str, Callable[[Any], str]]] = []
    for key in columns(layout):
        form = forms[layout.fields[key]] if key in layout.fields else CellForm.JSON
        if form is not CellForm.JSON:
            writers.append((key, partial(write_cell, form)))
        else:
            writers.append((key, _CELL_WRITERS.get(key, _cell)))
    return lambda line: [write(line[key]) for key, write in writers]


def row_reader(layout: Layout[Any]) -> Callable[[Mapping[str, str]], Line]:
    """A function that makes a line of the cells of a row by column, for `Layout.loader`.

    It raises LineError for a cell that cannot be read. Columns that stand for no field stay text,
    and the loader leaves them aside.
    """
    forms = _reading_forms(layout)

    def line_of(cells: Mapping[str, str]) -> Line:
        line: Line = {
            key: _read(key, forms[key], cell) if key in forms else cell
            for key, cell in cells.items()
        }
        if layout is EPISODES and line.get(RAW_REWARDS) is None and REWARDS in cells:
            line[REWARDS] = _read(REWARDS, CellForm.JSON, cells[REWARDS])
        return line

    return line_of


def _reading_forms(layout: Layout[BaseModel]) -> dict[str, CellForm]:
    forms = cell_forms(layout.model)
    by_key = {key: forms[name] for key, name in layout.fields.items()}
    if _RELATIONSHIP in by_key:
        # Its number, or its name where Python before 3.11 wrote the table; as in the lines.
        by_key[_RELATIONSHIP] = CellForm.TEXT
    return by_key


def _read(key: str, form: CellForm, cell: str) -> Any:
    if (form is CellForm.JSON and cell in {"", NO_CONSTRAINT}) or (
        key == _RELATIONSHIP and not cell
    ):
        return None
    try:
        return read_cell(form, cell)
    except CellError as error:
        raise LineError(key, str(error)) from error


def _cell(value: Any) -> str:
    """The cell of a value of no fixed type; what is text here has no other form."""
    if value is None:
        return ""
    return value if isinstance(value, str) else repr(value)


def _constraint_cell(value: Any) -> str:
    return "" if value == NO_CONSTRAINT else repr(value)


def _json_cell(value: Any) -> str:
    # Python reads its own notation less deep than JSON.
    return "" if value is None else write_cell(CellForm.JSON, value)


_CELL_WRITERS: dict[str, Callable[[Any], str]] = {
    "agent_constraint": _constraint_cell,
    "game_metadata": _json_cell,
}
