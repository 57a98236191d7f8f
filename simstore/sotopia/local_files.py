"""Sotopia's local files, copied once into an SQLite file beside them.

Sotopia keeps a record in ``~/.sotopia/data/{class}/{pk}.json`` where it has no Redis. Such files
have no index, no expiry and no safe writes, so they are read, and never written.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from pydantic import BaseModel, ValidationError

from simstore.connection import connect
from simstore.domain.errors import ImportFileError
from simstore.domain.record import load_record
from simstore.domain.store import RECORD_MODELS, Store

DATABASE = "simstore.db"


def open_local(folder: Path) -> Store:
    """The store beside `folder`, Sotopia's local files, of which it begins as a copy.

    They are copied when the database is made, all or nothing, and looked at no more.

    Raises:
        ImportFileError: a file makes no record; there is no database then.
        BackendUnavailableError: the database cannot be opened.
        OSError: a file cannot be read, or the database cannot be made.
    """
    database = folder.parent / DATABASE
    if not database.exists():
        database.parent.mkdir(parents=True, exist_ok=True)
        _copy(folder, database)
    return connect(_url(database))


def _copy(folder: Path, database: Path) -> None:
    unfinished = database.with_name(f"{database.name}.{os.getpid()}")
    try:
        with connect(_url(unfinished)) as store:
            for model in RECORD_MODELS:
                store.repository(model).save_many(_records(model, folder / model.__name__))
        with suppress(FileExistsError):  # another process was faster
            os.link(unfinished, database)
    finally:
        for path in database.parent.glob(f"{unfinished.name}*"):
            path.unlink()


def _records(model: type[BaseModel], folder: Path) -> Iterator[BaseModel]:
    for path in sorted(folder.glob("*.json")):
        try:
            document: Any = orjson.loads(path.read_bytes())
            if not isinstance(document, dict):
                raise ImportFileError(str(path), 0, "", "it is not a JSON object")
            yield load_record(model, {"pk": path.stem, **document})
        except orjson.JSONDecodeError as error:
            raise ImportFileError(str(path), 0, "", f"it is not JSON: {error}") from error
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            name = ".".join(map(str, first["loc"][:1]))
            reason = first["msg"].removeprefix("Value error, ")
            raise ImportFileError(str(path), 0, name, reason) from error


def _url(path: Path) -> str:
    return f"sqlite:///{quote(path.absolute().as_posix())}"
