"""The import of a file: its options, and the stream that it is read from."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import fspath
from pathlib import Path
from typing import IO

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import near_name
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.files.formats import format_of
from simstore.services.files.streams import (
    STANDARD_STREAM,
    PathOrName,
    open_for_reading,
    shown_name,
)
from simstore.services.importing.importer import (
    Import,
    ImportReport,
    OnConflict,
    OnError,
)
from simstore.services.importing.source import Source
from simstore.services.models import Models, chosen_models
from simstore.services.progress import OnProgress


def import_records(  # noqa: PLR0913 — options, by name
    path: PathOrName,
    store: Store,
    *,
    models: Models = RECORD_MODELS,
    format: str | None = None,  # noqa: A002 — what it is called everywhere
    on_error: OnError = "raise",
    on_conflict: OnConflict = "replace",
    progress: OnProgress | None = None,
) -> ImportReport:
    """Store the records of the file at `path`.

    The file is what `export_records` writes, or Sotopia's exporters: JSON lines, CSV or Parquet, by
    its suffix unless `format` says, compressed where its suffix says so; ``-`` is standard input.
    Whose records they are, its keys tell; `models` are those that they may be of, and one
    model alone settles it. A record without a pk is given one.

    `on_error` says what a line that makes no record does:

    - ``raise``: the first one is raised, and nothing is stored;
    - ``collect``: all of them are raised together, and nothing is stored;
    - ``skip``: they are left out and reported.

    `on_conflict` says what happens to a record whose pk is taken, in the store or by an earlier
    line: it replaces the other one, is skipped, or is an error as a bad line is. (For the latter
    two, the pks of the file are held in memory. A record that somebody else stores between
    the look-up and the write is replaced.)

    The file is streamed. To store nothing of a file with errors, all of it is checked first. What
    fits into `HELD_BYTES` of memory is held until then, and what is behind that in the file is read
    a second time. The process stays below 200 MB; with CSV it may take 10 MB more, and with Parquet
    pyarrow takes up to 90 MB more.

    A file of which a part is read twice must not be written to meanwhile: it is an error if its
    size or the time of its last change is another, once all is checked and again at the end, or if
    what is read twice makes no records then, or more or fewer. Nothing is stored in the first case,
    and in the others what comes before. What is held is stored as it was checked.

    `progress` is told of the steps ``check`` (records that the file has) and ``store``, which are
    under way at once with ``skip``; nobody knows their totals. What embedded models do not know is
    left aside like unknown keys, but not reported.

    Raises:
        ImportFileError: a line makes no record; or the file as a whole cannot be read. Or it
            changed while it was read: the message says how many of its records are stored.
        ImportFaultsError: all such lines, with ``collect``.
        InvalidArgumentError: the format or an option is unknown.
        MissingDependencyError: the format needs an extra.
        OSError: the file cannot be opened or read.
        SimstoreError: whatever the store raises.
    """
    _check_choice("on_error", on_error, ("raise", "skip", "collect"))
    _check_choice("on_conflict", on_conflict, ("replace", "skip", "error"))
    chosen = format_of(path, format)
    given = chosen_models(models)
    with _seekable(path) as stream:
        source = Source(stream, shown_name(path), chosen, given)
        return Import(source, store, on_error, on_conflict, progress).run()


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        hint = near_name(str(value), choices) or f"; choose {', '.join(choices)}"
        raise InvalidArgumentError(f"{name}={value!r} is not a choice{hint}")


@contextmanager
def _seekable(path: PathOrName) -> Iterator[IO[bytes]]:
    """The bytes of the file at `path`; those of a pipe are put into a file that can be reread."""
    with open_for_reading(path) as stream:
        # Decompressors say that they are seekable whatever they read from.
        if stream.seekable() and (fspath(path) == STANDARD_STREAM or Path(path).is_file()):
            yield stream
            return
        with tempfile.TemporaryFile() as spooled:
            shutil.copyfileobj(stream, spooled)
            spooled.seek(0)
            yield spooled
