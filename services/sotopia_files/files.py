"""Lines of Sotopia's into files, and files of Sotopia's into records: JSON lines and CSV."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError, InvalidRecordError
from simstore.services.files.csv_files import read_rows, write_rows
from simstore.services.files.faults import LineError, fault_at
from simstore.services.files.jsonl import read_objects
from simstore.services.files.layout import Line
from simstore.services.files.streams import (
    PathOrName,
    open_for_reading,
    open_for_writing,
    shown_name,
)
from simstore.services.sotopia_files.layout import SotopiaLayout

T = TypeVar("T", bound=BaseModel)
R = TypeVar("R")


def write_jsonl(layout: SotopiaLayout[Any], lines: Iterable[Line], path: PathOrName) -> None:
    """Write `lines` of `layout` to the file at `path`, which takes its name when it is complete.

    Raises:
        InvalidRecordError: a line holds what has no JSON, such as half of a surrogate pair.
        OSError: the file cannot be written.
    """
    with open_for_writing(path) as stream:
        for line in lines:
            try:
                data = layout.dump(line)
            except (TypeError, ValueError) as error:
                raise _unwritable(layout, line, error) from error
            stream.write(data)  # not with its end, which would copy it
            stream.write(b"\n")


def write_csv(
    layout: SotopiaLayout[Any],
    lines: Iterable[Line],
    path: PathOrName,
    *,
    guard_formulas: bool = False,
) -> None:
    """Write `lines` of `layout` as a table to the file at `path`, as `write_jsonl` does.

    Raises:
        InvalidRecordError: a line holds what has no UTF-8, such as half of a surrogate pair.
        OSError: the file cannot be written.
    """
    cells_of = layout.row_writer(guard_formulas=guard_formulas)

    def rows() -> Iterator[list[bytes]]:
        for line in lines:
            try:
                cells = cells_of(line)
            except (TypeError, ValueError) as error:
                raise _unwritable(layout, line, error) from error
            yield cells

    with open_for_writing(path) as stream:
        write_rows(stream, layout.columns, rows())


def read_jsonl(layout: SotopiaLayout[T], path: PathOrName) -> Iterator[T]:
    """Yield the records of the file at `path`, one line held at a time.

    Raises:
        ImportFileError: a line does not make a record; those before it were yielded.
        OSError: the file cannot be read.
    """
    name = shown_name(path)
    with open_for_reading(path) as stream:
        yield from _records(layout.loader(), read_objects(stream, name), name)


def read_csv(layout: SotopiaLayout[T], path: PathOrName) -> Iterator[T]:
    """Yield the records of the table at `path`, one row held at a time.

    Raises:
        ImportFileError: a row does not make a record; those before it were yielded.
        OSError: the file cannot be read.
    """
    name = shown_name(path)
    line_of, load = layout.row_reader(), layout.loader()
    with open_for_reading(path) as stream, _closing(read_rows(stream, name)) as rows:
        yield from _records(lambda cells: load(line_of(cells)), rows, name)


@contextmanager
def _closing(rows: Iterator[R]) -> Iterator[Iterator[R]]:
    """`rows`, which let go of their stream when the block ends, before the stream is closed."""
    try:
        yield rows
    finally:
        if isinstance(rows, Generator):
            rows.close()


def _records(
    record_of: Callable[[Any], T], found: Iterable[tuple[int, Any | ImportFileError]], name: str
) -> Iterator[T]:
    for number, line in found:
        if isinstance(line, ImportFileError):
            raise line
        try:
            yield record_of(line)
        except LineError as fault:
            raise fault_at(name, number, fault) from fault


def _unwritable(layout: SotopiaLayout[Any], line: Line, error: Exception) -> InvalidRecordError:
    pk = next(iter(line.values()))
    return InvalidRecordError(f"{layout.model.__name__} {pk!r} cannot be written: {error}")
