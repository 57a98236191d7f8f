"""Files as streams of bytes: compressed by suffix, ``-`` for the standard streams, written whole.

A file is written beside its destination and takes its name when it is complete and on the disk:
whoever opens the destination finds the old file or the new one, never a part.
"""

import contextlib
import errno
import gzip
import io
import os
import sys
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from pathlib import Path
from typing import IO, Any, cast

from simstore.domain.errors import ImportFileError, InvalidArgumentError, MissingDependencyError

PathOrName = str | PathLike[str]

STANDARD_STREAM = "-"
"""The path that means standard input or standard output."""

_STANDARD_OUTPUTS = (STANDARD_STREAM, "/dev/stdout")
"""Where standard output is a file, that must be written on in, not replaced."""

COMPRESSIONS = (".gz", ".zst")
"""The suffixes of compressed files."""

_BUFFER_BYTES = 1 << 20


def shown_name(path: PathOrName, standard: str = "standard input") -> str:
    """What messages call the file at `path`."""
    return standard if fspath(path) == STANDARD_STREAM else fspath(path)


def split_suffix(path: PathOrName) -> tuple[str, str]:
    """The suffix that names the format of a file and the one that names its compression.

    In lower case, each with its dot: ``(".jsonl", ".gz")`` for ``a.jsonl.gz``; either is empty
    where there is none.
    """
    name = Path(path)
    compression = name.suffix.lower()
    if compression not in COMPRESSIONS:
        return compression, ""
    return name.with_suffix("").suffix.lower(), compression


@contextmanager
def open_for_reading(path: PathOrName) -> Iterator[IO[bytes]]:
    """The bytes of the file at `path`, decompressed where its suffix says so.

    Raises:
        ImportFileError: what is read is not compressed as the suffix says, or is cut short.
        MissingDependencyError: ``.zst`` needs an extra.
        OSError: the file cannot be opened or read.
    """
    with contextlib.ExitStack() as stack:
        if fspath(path) == STANDARD_STREAM:
            raw: IO[bytes] = sys.stdin.buffer
        else:
            raw = stack.enter_context(Path(path).open("rb", _BUFFER_BYTES))
        _, compression = split_suffix(path)
        if not compression:
            yield raw
            return
        kind = "gzip" if compression == ".gz" else "Zstandard"
        try:
            yield stack.enter_context(_decompressed(raw, compression))
        except EOFError as error:
            raise ImportFileError(
                shown_name(path), 0, "", f"the {kind} data is cut short"
            ) from error
        except _decompression_errors(compression) as error:
            raise ImportFileError(
                shown_name(path), 0, "", f"is not {kind} data, as its suffix says: {error}"
            ) from error


def state_of(stream: IO[bytes]) -> tuple[int, int] | None:
    """Tells whether the file that `stream` reads was written to: its size, its last change in ns.

    None where no file is behind it, and nobody else can write there.
    """
    try:
        status = os.fstat(stream.fileno())
    except io.UnsupportedOperation:
        return None
    return status.st_size, status.st_mtime_ns


@contextmanager
def open_for_writing(path: PathOrName) -> Iterator[IO[bytes]]:
    """A stream whose bytes become the file at `path`, compressed where its suffix says so.

    When the block ends, the file takes its name; if it fails, what was there stays and nothing
    else is left. Devices and pipes are written to directly, and so is standard output.

    Raises:
        InvalidArgumentError: the file is a SQLite database, which nobody wants to lose.
        MissingDependencyError: ``.zst`` needs an extra.
        OSError: the file cannot be written.
    """
    if fspath(path) in _STANDARD_OUTPUTS:
        sys.stdout.flush()  # what was printed before stands before
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    _, compression = split_suffix(path)
    if compression == ".zst":
        _zstd()  # before anything is made
    with _destination(Path(path)) as raw:
        if not compression:
            yield raw
            return
        with _compressed(raw, compression) as packed:
            packed.write(b"")  # else ZstdFile leaves an empty file, not the data of nothing
            # Compressors are slow with small pieces.
            buffered = io.BufferedWriter(cast("io.RawIOBase", packed), _BUFFER_BYTES)
            yield buffered
            buffered.flush()
            buffered.detach()


@contextmanager
def _destination(path: Path) -> Iterator[IO[bytes]]:
    # Asked of the path itself: links in /proc lead to pipes that have no real path.
    if path.exists() and not path.is_file():
        with path.open("wb", buffering=_BUFFER_BYTES) as device:
            yield device
        return
    target = Path(os.path.realpath(path))  # a link stays a link
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "there is no such folder", str(target.parent))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file may not be written", str(target))
    if _is_database(target):
        raise InvalidArgumentError(f"{path} is a database; name another file")
    beside = target.with_name(f".simstore-{uuid.uuid4().hex}.partial")
    # With the permissions of a new file, or of the one that is replaced.
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)
    try:
        with os.fdopen(descriptor, "wb", _BUFFER_BYTES) as file:
            if target.exists():
                beside.chmod(target.stat().st_mode & 0o7777)
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


_DATABASE_START = b"SQLite format 3\0"


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_DATABASE_START)) == _DATABASE_START
    except (FileNotFoundError, PermissionError):
        return False  # what may be written need not be readable


_BINARY = getattr(os, "O_BINARY", 0)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where folders can be told to."""
    with contextlib.suppress(OSError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _compressed(raw: IO[bytes], compression: str) -> IO[bytes]:
    if compression == ".gz":
        # No name and no time in it: the same records make the same file.
        return cast(
            "IO[bytes]", gzip.GzipFile("", mode="wb", compresslevel=6, fileobj=raw, mtime=0)
        )
    return cast("IO[bytes]", _zstd().ZstdFile(raw, mode="wb"))


def _decompressed(raw: IO[bytes], compression: str) -> IO[bytes]:
    if not cast("io.BufferedReader", raw).peek(1):
        raise EOFError  # the decompressors take it for the data of nothing
    if compression == ".gz":
        return cast("IO[bytes]", gzip.GzipFile(mode="rb", fileobj=raw))
    return cast("IO[bytes]", _zstd().ZstdFile(raw, mode="rb"))


def broken_data_errors() -> tuple[type[Exception], ...]:
    """What a stream of `open_for_reading` raises, within its block, of data that is broken."""
    errors: tuple[type[Exception], ...] = (EOFError, *_decompression_errors(".gz"))
    with contextlib.suppress(MissingDependencyError):
        errors += _decompression_errors(".zst")
    return errors


def _decompression_errors(compression: str) -> tuple[type[Exception], ...]:
    if compression == ".gz":
        return gzip.BadGzipFile, zlib.error
    return (_zstd().ZstdError,)


def _zstd() -> Any:
    """The zstd module: Python's own where it has one (3.14), else the backport of it."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd  # noqa: PLC0415 — needed for .zst files alone
        else:
            from backports import zstd  # noqa: PLC0415 — the same
    except ImportError as error:
        raise MissingDependencyError(".zst files", "zstd") from error
    return zstd
