"""The rows of a file of each format, with their numbers; those up to `after` are passed over."""

from collections.abc import Iterator
from typing import IO, NamedTuple

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.services.files.csv_files import read_rows
from simstore.services.files.faults import LineError, fault_at
from simstore.services.files.jsonl import read_objects
from simstore.services.files.layout import Line, LineOfRow
from simstore.services.files.parquet import read_table


class Row(NamedTuple):
    """A line of JSON, or a row of a table.

    `number` counts from 1, `content` is what it says or what is wrong with it.
    """

    number: int
    content: Line | ImportFileError


def jsonl_rows(stream: IO[bytes], name: str, after: int) -> Iterator[Row]:
    """The lines of a `stream` of JSON lines called `name`, from where it stands.

    Raises:
        ImportFileError: a line has no end.
    """
    return map(Row._make, read_objects(stream, name, after))


def csv_rows(stream: IO[bytes], name: str, line_of: LineOfRow, after: int) -> Iterator[Row]:
    """The rows of a `stream` of CSV called `name`; `line_of` reads their cells.

    Raises:
        ImportFileError: the header is wrong, or the quotes do not match from some place on.
    """
    for number, cells in read_rows(stream, name, after):
        if isinstance(cells, ImportFileError):
            yield Row(number, cells)
            continue
        try:
            yield Row(number, line_of(cells))
        except LineError as error:
            yield Row(number, fault_at(name, number, error))


def parquet_rows(stream: IO[bytes], name: str, model: type[BaseModel], after: int) -> Iterator[Row]:
    """The rows of a `stream` of Parquet called `name`, with records of `model`.

    Raises:
        ImportFileError: the file is not Parquet, or broken.
        MissingDependencyError: pyarrow is not installed.
    """
    return map(Row._make, read_table(stream, name, model, after))
