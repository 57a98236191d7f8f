"""Parquet files, by pyarrow: text, numbers, bools and lists of them as such, the rest as JSON.

A column of JSON is a column of text; that it is JSON, its metadata say (``simstore: json``).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError, InvalidRecordError, MissingDependencyError
from simstore.services.files.cells import CellError, CellForm, read_cell
from simstore.services.files.columns import Column, columns_of, first_repeated
from simstore.services.files.jsonl import dump_json
from simstore.services.files.layout import Line

GROUP_ROWS = 10_000
GROUP_BYTES = 4 << 20
"""How much a row group holds at most: it is built, and often read, in memory."""

_ROWS_AT_A_TIME = 100
"""How many rows of a table are held."""

_JSON_MARK = {b"simstore": b"json"}

_NATIVE = {"string": "string", "integer": "int64", "number": "float64", "boolean": "bool_"}


def write_table(
    stream: IO[bytes], model: type[BaseModel], documents: Iterable[Mapping[str, Any]]
) -> None:
    """Write `documents`, JSON values by field of `model`, as a table with its columns.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        InvalidRecordError: names a record with a value that does not fit its column.
    """
    pyarrow, parquet = _pyarrow()
    columns = list(columns_of(model).values())
    schema = pyarrow.schema([_arrow_field(pyarrow, column) for column in columns])
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(documents, schema):
            try:
                batch = pyarrow.RecordBatch.from_pylist(group, schema)
            except _MISFITS as error:
                culprit = next(row for row in group if _misfits(pyarrow, row, schema))
                raise InvalidRecordError(
                    f"{model.__name__} {culprit['pk']!r} cannot be written to Parquet: {error}"
                ) from error
            writer.write_batch(batch)


def read_table(
    stream: IO[bytes], name: str, model: type[BaseModel], after: int = 0
) -> Iterator[tuple[int, Line | ImportFileError]]:
    """Yield (row from 1, values by column) for each row behind row `after` of `model`'s table.

    Instead of values comes an ImportFileError for a row whose text is not JSON where it should be.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        ImportFileError: the file is not Parquet, or broken.
    """
    pyarrow, parquet = _pyarrow()
    not_text = {
        column.field for column in columns_of(model).values() if not column.types & {"string"}
    }
    number = 0
    try:
        with parquet.ParquetFile(stream) as file:
            as_json = not_text | {field.name for field in file.schema_arrow if _is_json(field)}
            for batch in file.iter_batches(batch_size=_ROWS_AT_A_TIME, use_threads=False):
                passed = max(0, min(after - number, batch.num_rows))
                number += passed
                for row in batch.slice(passed).to_pylist():
                    number += 1
                    yield number, _line(row, as_json, name, number)
    except (pyarrow.ArrowException, OSError, *_MISFITS) as error:
        # A file can say that bytes are text, or a date, which are none.
        raise ImportFileError(name, 0, "", f"is not Parquet that can be read: {error}") from error


def column_names(stream: IO[bytes], name: str) -> list[str]:
    """The names of a table's columns.

    Raises: as `read_table`; and ImportFileError where two columns have one name.
    """
    pyarrow, parquet = _pyarrow()
    try:
        names: list[str] = parquet.read_schema(stream).names
    except (pyarrow.ArrowException, OSError, *_MISFITS) as error:
        raise ImportFileError(name, 0, "", f"is not Parquet that can be read: {error}") from error
    twice = first_repeated(names)
    if twice is not None:
        raise ImportFileError(name, 0, twice, f"the table has two columns {twice!r}")
    return names


def _line(row: Line, as_json: set[str], name: str, number: int) -> Line | ImportFileError:
    for column in as_json & row.keys():
        value = row[column]
        if isinstance(value, str):
            try:
                row[column] = read_cell(CellForm.JSON, value)
            except CellError as error:
                return ImportFileError(name, number, column, str(error))
    return row


_MISFITS = (ArithmeticError, LookupError, TypeError, ValueError)
"""What pyarrow's errors about values are, and Python's own, which it lets through."""


def _misfits(pyarrow: Any, row: Line, schema: Any) -> bool:
    try:
        pyarrow.RecordBatch.from_pylist([row], schema)
    except _MISFITS:
        return True
    return False


def _groups(documents: Iterable[Mapping[str, Any]], schema: Any) -> Iterator[list[Line]]:
    as_json = {field.name for field in schema if _is_json(field)}
    filled = {field.name for field in schema if not field.nullable}
    group: list[Line] = []
    size = 0
    for document in documents:
        row: Line = {}
        for name, value in document.items():
            try:
                row[name], length = _cell(value, as_json=name in as_json, filled=name in filled)
            except ValueError as error:
                raise InvalidRecordError(
                    f"record {document['pk']!r} cannot be written: {name}: {error}"
                ) from error
            size += length
        group.append(row)
        if len(group) >= GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _cell(value: Any, *, as_json: bool, filled: bool) -> tuple[Any, int]:
    """What stands for `value` in its column, and about how many bytes it takes."""
    if isinstance(value, str) and not as_json:
        return value, len(value)
    if value is None and filled and not as_json:
        raise ValueError("is None, which the model's schema does not have")
    data = dump_json(value)  # of numbers, too: it refuses NaN
    return (data.decode() if as_json else value), len(data)


def _arrow_field(pyarrow: Any, column: Column) -> Any:
    types = column.types - {"null"}
    nullable = "null" in column.types
    if len(types) == 1 and len(column.types) == len(types) + nullable:
        (kind,) = types
        if kind in _NATIVE:
            return pyarrow.field(column.field, getattr(pyarrow, _NATIVE[kind])(), nullable)
        if kind == "array" and len(column.item_types) == 1:
            (item,) = column.item_types
            if item in _NATIVE:
                element = pyarrow.field("element", getattr(pyarrow, _NATIVE[item])(), False)  # noqa: FBT003 — "nullable", in pyarrow's order
                return pyarrow.field(column.field, pyarrow.list_(element), nullable)
    return pyarrow.field(column.field, pyarrow.string(), False, _JSON_MARK)  # noqa: FBT003 — None is JSON's null


def _is_json(field: Any) -> bool:
    return bool(field.metadata) and field.metadata.get(b"simstore") == b"json"


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: ICN001, PLC0415 — by its name, and for Parquet files alone
        from pyarrow import parquet  # noqa: PLC0415 — the same
    except ImportError as error:
        raise MissingDependencyError("Parquet files", "parquet") from error
    return pyarrow, parquet
