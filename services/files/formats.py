"""The file formats of records, and which of them a path means."""

from enum import StrEnum

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import near_name
from simstore.services.files.streams import (
    COMPRESSIONS,
    STANDARD_STREAM,
    PathOrName,
    shown_name,
    split_suffix,
)


class FileFormat(StrEnum):
    """What a file of records is written in."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


_BY_SUFFIX = {
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
    ".csv": FileFormat.CSV,
    ".parquet": FileFormat.PARQUET,
}


def format_of(path: PathOrName, asked: str | None = None) -> FileFormat:
    """The format of the file at `path`: the one `asked` for, else by its suffix.

    Standard streams are JSON lines unless another is asked for.

    Raises:
        InvalidArgumentError: there is no such format, or the suffix says nothing.
    """
    if asked is not None:
        if asked not in set(FileFormat):
            known = [known.value for known in FileFormat]
            hint = near_name(str(asked), known) or f"; there are {', '.join(known)}"
            raise InvalidArgumentError(f"there is no file format {asked!r}{hint}")
        chosen = FileFormat(asked)
    elif str(path) == STANDARD_STREAM:
        chosen = FileFormat.JSONL
    else:
        suffix, _ = split_suffix(path)
        if suffix not in _BY_SUFFIX:
            raise InvalidArgumentError(
                f"{shown_name(path)}: the suffix names no format; use one of "
                f"{', '.join(_BY_SUFFIX)}, with {' or '.join(COMPRESSIONS)} behind it to compress, "
                "or say which format it is"
            )
        chosen = _BY_SUFFIX[suffix]
    if chosen is FileFormat.PARQUET and split_suffix(path)[1]:
        raise InvalidArgumentError(
            f"{shown_name(path)}: Parquet is compressed within; leave the second suffix out"
        )
    return chosen
