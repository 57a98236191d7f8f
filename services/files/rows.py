"""The rows of a file in any format, each with its number and how much memory it takes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from simstore.domain.errors import ImportFileError
from simstore.services.files.cells import CellError, CellForm, cell_forms, read_cell
from simstore.services.files.csv_files import read_rows
from simstore.services.files.formats import FileFormat
from simstore.services.files.jsonl import read_sized_objects, size_of
from simstore.services.files.layout import Layout, Line, LineError
from simstore.services.files.parquet import column_names, read_table

LineOfRow = Callable[[Mapping[str, str]], Line]
"""Makes a line of the cells of a row, by column."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of JSON, or a row of a table.

    `number` counts from 1, `content` is what it says or what is wrong with it, and `size` is
    about how many bytes that takes in memory.
    """

    number: int
    content: Line | ImportFileError
    size: int


def first_keys(stream: IO[bytes], name: str, chosen: FileFormat) -> list[str] | None:
    """The keys of the first row that can be read; None where there is none."""
    if chosen is FileFormat.PARQUET:
        return column_names(stream, name)
    rows: Iterator[tuple[Any, ...]] = (
        read_rows(stream, name) if chosen is FileFormat.CSV else read_sized_objects(stream, name)
    )
    for _, content, *_ in rows:
        if not isinstance(content, ImportFileError):
            return list(content)
    return None


def row_reader(layout: Layout[Any]) -> LineOfRow:
    """A function that makes a line of the cells of a row by column, in simstore's own tables.

    It raises LineError for a cell that cannot be read.
    """
    by_field = cell_forms(layout.model)
    forms = {key: by_field[field] for key, field in layout.fields.items()}

    def line_of(cells: Mapping[str, str]) -> Line:
        line: Line = {}
        for column, cell in cells.items():
            form = forms.get(column, CellForm.TEXT)
            if form is CellForm.JSON and not cell:
                continue  # nobody writes that; what a spreadsheet leaves empty is not given
            try:
                line[column] = read_cell(form, cell)
            except CellError as error:
                raise LineError(column, str(error)) from error
        return line

    return line_of


def read_file(  # noqa: PLR0913 — what to read, and how
    stream: IO[bytes],
    name: str,
    chosen: FileFormat,
    layout: Layout[Any] | None,
    line_of: LineOfRow | None,
    *,
    after: int = 0,
) -> Iterator[Row]:
    """The rows of a `stream` called `name`, from where it stands, behind the one numbered `after`.

    Tables need the `layout` that they are in, and those of CSV `line_of`, which reads cells.
    Without, they are taken to have no rows.

    Raises:
        ImportFileError: the file as a whole cannot be read, or not from some place on.
        MissingDependencyError: the format needs an extra.
    """
    if chosen is FileFormat.JSONL:
        for number, content, size in read_sized_objects(stream, name, after):
            yield Row(number, content, size)
    elif layout is not None and chosen is FileFormat.PARQUET:
        for number, content, size in read_table(stream, name, layout.model):
            if number <= after:
                continue
            yield Row(number, content, size)
    elif line_of is not None:
        for number, cells in read_rows(stream, name):
            if number <= after:
                continue
            if isinstance(cells, ImportFileError):
                yield Row(number, cells, 0)
                continue
            size = sum(map(size_of, cells.values()))
            try:
                yield Row(number, line_of(cells), size)
            except LineError as error:
                fault = ImportFileError(name, number, error.field, error.reason)
                fault.__cause__ = error.__cause__
                yield Row(number, fault, 0)
