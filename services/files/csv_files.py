"""CSV files: rows with a header, as spreadsheets and Python's csv module write them."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO

from simstore.domain.errors import ImportFileError
from simstore.services.files.columns import first_repeated
from simstore.services.files.jsonl import MAX_LINE_BYTES

FORMULA_STARTS = (
    *("=", "+", "-", "@", "\t", "\r", "\n", "\0"),
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
"""How a cell begins that a spreadsheet takes for a formula: some drop what cannot be printed, some
take the wide forms of East Asian text for the plain ones."""

_FORMULA_STARTS = tuple(start.encode() for start in FORMULA_STARTS)


def write_rows(stream: IO[bytes], header: Iterable[str], rows: Iterable[Iterable[bytes]]) -> None:
    """Write the `header`, then each of `rows`, with the line ends of RFC 4180; cells are UTF-8.

    The bytes are those of Python's csv module, which looks at each character in turn.
    """
    stream.write(_row(name.encode() for name in header))
    stream.writelines(map(_row, rows))


def _row(cells: Iterable[bytes]) -> bytes:
    # A row of one empty cell would be a blank line.
    return (b",".join(map(_quoted, cells)) or b'""') + b"\r\n"


def _quoted(cell: bytes) -> bytes:
    if b'"' in cell:
        return b'"' + cell.replace(b'"', b'""') + b'"'
    if b"," in cell or b"\n" in cell or b"\r" in cell:
        return b'"' + cell + b'"'
    return cell


def guarded(text: str) -> str:
    """`text` as a spreadsheet takes it for text: behind an apostrophe if it looks like a formula.

    What OWASP advises against CSV injection. The apostrophe stays when the file is read again.
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def guarded_cell(cell: bytes) -> bytes:
    """As `guarded`, for a cell of UTF-8."""
    return b"'" + cell if cell.startswith(_FORMULA_STARTS) else cell


def read_rows(
    stream: IO[bytes], name: str, after: int = 0
) -> Iterator[tuple[int, dict[str, str] | ImportFileError]]:
    """Yield (number of its first line, cells by column) for each row behind line `after`.

    `name` is what messages call the `stream` of UTF-8. Instead of cells comes an ImportFileError
    for a row with more or fewer cells than the header, or one that is not UTF-8. Blank lines are
    skipped, and so is a byte order mark.

    Raises:
        ImportFileError: the quotes do not match; no row after that can be trusted. Or the header
            names a column twice, is not UTF-8, has other separators than commas, or is missing.
            Or a line has no end within `MAX_LINE_BYTES`.
    """
    if csv.field_size_limit() < MAX_LINE_BYTES:
        # The module's own limit, for the whole process, is less than an episode.
        csv.field_size_limit(MAX_LINE_BYTES)
    # A wrong byte is the fault of its row alone: it cannot hide a comma, a quote or a line's end.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(_lines(text, name), strict=True)
    first_line = 1
    try:
        header = _header(next(filter(None, reader), []), reader.line_num or 1, name)
        first_line = reader.line_num + 1
        for cells in reader:
            if cells and first_line > after:
                yield first_line, _row_of(header, cells, name, first_line)
            first_line = reader.line_num + 1
    except csv.Error as error:
        raise ImportFileError(name, first_line, "", f"is not CSV: {error}") from error
    finally:
        # Whoever stops on the way may close the stream first, and this generator comes to its end
        # when nobody holds it any more.
        if not stream.closed:
            text.detach()


def _row_of(
    header: list[str], cells: list[str], name: str, line: int
) -> dict[str, str] | ImportFileError:
    """The `cells` by column, or what is wrong with them."""
    if len(cells) != len(header):
        reason = f"has {len(cells)} cells, the header {len(header)}"
        return ImportFileError(name, line, "", reason)
    row = dict(zip(header, cells, strict=True))
    wrong = next((key for key, cell in row.items() if not _is_utf8(cell)), None)
    return row if wrong is None else ImportFileError(name, line, wrong, "is not UTF-8")


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    lines = iter(lambda: text.readline(MAX_LINE_BYTES + 1), "")
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_BYTES:
            raise ImportFileError(name, number, "", f"is longer than {MAX_LINE_BYTES} characters")
        yield line


def column_names(stream: IO[bytes], name: str) -> list[str]:
    """The header of a file, as `read_rows` has it.

    Raises: as `read_rows`.
    """
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        reader = csv.reader(_lines(text, name), strict=True)
        return _header(next(filter(None, reader), []), reader.line_num or 1, name)
    except csv.Error as error:
        raise ImportFileError(name, 1, "", f"is not CSV: {error}") from error
    finally:
        text.detach()


def _is_utf8(cell: str) -> bool:
    if not cell.isascii():
        try:
            cell.encode()
        except UnicodeEncodeError:
            return False
    return True


def _header(columns: list[str], line: int, name: str) -> list[str]:
    if not columns:
        raise ImportFileError(name, line, "", "there is no header with the names of the columns")
    if not all(map(_is_utf8, columns)):
        raise ImportFileError(name, line, "", "is not UTF-8")
    if len(columns) == 1:
        for mark, separators in (";", "semicolons"), ("\t", "tabs"):
            if mark in columns[0]:
                reason = f"its columns are separated by {separators}; save it with commas"
                raise ImportFileError(name, line, "", reason)
    twice = first_repeated(columns)
    if twice is not None:
        raise ImportFileError(name, line, twice, f"the header names column {twice!r} twice")
    return columns
