"""Sotopia's local files, copied once into an SQLite file beside them.

Sotopia keeps a record in ``~/.sotopia/data/{class}/{pk}.json`` where it has no Redis. Such files
have no index, no expiry and no safe writes, so they are read, and never written. They are read
once: what Sotopia writes into them after the copy is not seen.
"""

import os
from pathlib import Path
from stat import S_ISREG
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from urllib.parse import quote

from pydantic import ValidationError

from simstore.adapters.codec import FAULTS, first_fault
from simstore.connection import connect
from simstore.domain.errors import BackendUnavailableError, ImportFileError, SaveManyError
from simstore.domain.record import load_record
from simstore.domain.repository import Repository
from simstore.domain.store import RECORD_MODELS, Store
from simstore.domain.text import shown
from simstore.services.files.jsonl import JsonError, JsonSyntaxError, load_json

DATABASE = "simstore.db"
SUFFIX = ".json"

BATCH = 200
"""How many records are held at a time."""

_ELSEWHERE = "set SIMSTORE_URL to a store elsewhere, such as sqlite:////path/to/file.db"


def open_local(folder: Path) -> Store:
    """The store beside `folder`, Sotopia's local files, of which it begins as a copy.

    They are copied when there is no database, all or nothing, and looked at no more. Where several
    processes do so at once, all use the copy that is complete first. One that is killed leaves a
    folder ``simstore.db.copying-…`` behind, which nobody uses.

    Raises:
        ImportFileError: a file makes no record, or it or a folder cannot be read; there is no
            database then.
        BackendUnavailableError: the database cannot be made or opened.
        StoreURLError: the folder's name cannot be written in a URL.
    """
    database = folder.parent / DATABASE
    log = Path(f"{database}-wal")
    orphaned = os.path.lexists(log)  # before the database, which others may make, and then a log
    if not os.path.lexists(database):
        if orphaned:  # SQLite would take it for the new database's
            raise BackendUnavailableError(
                f"{log} belongs to a database that is not there any more; remove it, too"
            )
        _make(database, folder)
    try:
        database.stat()  # SQLite would make an empty one where a link leads to nothing
    except OSError as error:
        raise BackendUnavailableError(
            f"{database} is a link to what cannot be opened: {error.strerror}; mend or remove it"
        ) from error
    return connect(_url(database))


def _make(database: Path, folder: Path) -> None:
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        own = TemporaryDirectory(
            prefix=f"{DATABASE}.copying-", dir=database.parent, ignore_cleanup_errors=True
        )
    except OSError as error:
        raise BackendUnavailableError(
            f"{database} cannot be made: {error.strerror}; {_ELSEWHERE}"
        ) from error
    with own:
        copy = Path(own.name, DATABASE)
        _copy(folder, copy)
        try:
            os.link(copy, database)  # which, unlike renaming, replaces nothing
        except FileExistsError:
            return  # another process was faster
        except OSError as error:
            raise BackendUnavailableError(
                f"{database} cannot be made by a hard link, which some file systems lack: "
                f"{error.strerror}; {_ELSEWHERE}"
            ) from error


def _copy(folder: Path, database: Path) -> None:
    # Not at the top: that module imports `binding`, and with it this one.
    from simstore.sotopia import records  # noqa: PLC0415

    _names(folder)  # says what is wrong with it, in its own name
    with connect(_url(database)) as store:
        for model in RECORD_MODELS:
            # Sotopia's class, not the plain one: it keeps fields that are not declared.
            repository = store.repository(getattr(records, model.__name__))
            of_model = folder / model.__name__
            paths = [of_model / name for name in _names(of_model) if name.endswith(SUFFIX)]
            for start in range(0, len(paths), BATCH):
                batch = [_record(repository, path) for path in paths[start : start + BATCH]]
                try:
                    repository.save_many(batch)
                except SaveManyError as error:
                    raise BackendUnavailableError(
                        f"{folder} cannot be copied into {database}: {error.__cause__}"
                    ) from error
    if Path(f"{database}-wal").exists():  # records that are not in the file
        raise BackendUnavailableError(f"{database} could not be completed; is the disk full?")


def _names(folder: Path) -> list[str]:
    """What is in `folder`, in order; nothing if it does not exist."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not folder.is_symlink():
            return []
        _refuse(folder, f"cannot be read as a folder: {error.strerror}", cause=error)


def _record(repository: Repository[Any], path: Path) -> Any:
    name = path.name.removesuffix(SUFFIX)
    document = _document(path)
    pk = document.get("pk")
    if pk is None or (isinstance(pk, str) and not pk.strip()):
        pk = name
    try:
        record: Any = load_record(repository.model, {**document, "pk": pk})
        repository.check(record)
    except ValidationError as error:
        field, reason = first_fault(error)
        _refuse(path, reason, field, error)
    except FAULTS as error:  # it cannot be stored as it is: an integer has too many digits, say
        _refuse(path, str(error), cause=error)
    if record.pk != name:
        _refuse(path, f"it is {shown(pk)}, and the file's name says {name!r}", "pk")
    return record


def _document(path: Path) -> dict[str, Any]:
    try:
        document = load_json(_text(path))
    except JsonSyntaxError as error:
        _refuse(path, f"is not JSON: {error.__cause__}", cause=error)
    except JsonError as error:
        _refuse(path, error.reason, error.field, error)
    if not isinstance(document, dict):
        _refuse(path, "is not a JSON object")
    return document


def _text(path: Path) -> str:
    try:
        if not S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            _refuse(path, "is not a file")
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        _refuse(path, f"is not UTF-8: {error.reason} at byte {error.start + 1}", cause=error)
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror}", cause=error)
    if text.startswith("\ufeff"):
        _refuse(path, "is not JSON: it begins with a byte order mark")
    return text


def _refuse(path: Path, reason: str, field: str = "", cause: Exception | None = None) -> NoReturn:
    advice = "mend it or move it away; nothing was copied"
    raise ImportFileError(str(path), 0, field, f"{reason}; {advice}") from cause


def _url(path: Path) -> str:
    return f"sqlite:///{quote(os.fsencode(path.absolute().as_posix()))}"
