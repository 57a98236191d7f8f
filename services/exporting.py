"""Records of any model into a file: JSON lines, CSV or Parquet.

A file of one model has its fields, under their own names, as keys or columns. A file of a whole
store is JSON lines of all its models; each line says under ``__collection__`` whose it is.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeVar

from pydantic import BaseModel

from simstore.domain.errors import InvalidArgumentError, InvalidRecordError, WrongModelError
from simstore.domain.record import dumper_of
from simstore.domain.repository import Repository
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.files.cells import CellForm, cell_forms, write_cell
from simstore.services.files.csv_files import guarded, write_rows
from simstore.services.files.formats import FileFormat, format_of
from simstore.services.files.jsonl import dump_json
from simstore.services.files.layout import Line, own_layout
from simstore.services.files.parquet import write_table
from simstore.services.files.streams import PathOrName, open_for_writing

COLLECTION_KEY = "__collection__"
"""The key under which a line of a whole store's file names its collection."""

R = TypeVar("R")

Progress = Callable[[int], None]
"""Called now and then with how many records were done since the last call."""

_PROGRESS_EVERY = 100


def export_records(  # noqa: PLR0913 — options, by name
    source: Store | Repository[Any] | Iterable[BaseModel],
    path: PathOrName,
    *,
    models: type[BaseModel] | Iterable[type[BaseModel]] | None = None,
    format: str | None = None,  # noqa: A002 — what it is called everywhere
    guard_formulas: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write the records of `source` to the file at `path`; return how many.

    `source` is a store (all its records, or those of `models`), a repository, or records of one
    model, such as ``store.episodes.iterate(tag="pilot")``. They are streamed. The format is
    ``jsonl``, ``csv`` or ``parquet``, by the path's suffix unless `format` says; ``.gz`` or
    ``.zst`` behind it compresses, and the path ``-`` is standard output. The file takes its name
    when it is complete: if anything fails, what was there before stays.

    With `guard_formulas`, texts in CSV that a spreadsheet would run as a formula get an apostrophe
    in front. That is for a spreadsheet's eyes: it stays when the file is imported.

    Raises:
        InvalidArgumentError: the format is unknown, or does not fit; the store has collections
            that no model was given for; there are no records and no `models` to make columns of.
        InvalidRecordError: names a record that the format cannot hold, or that no store would
            take: with NaN, say.
        WrongModelError: the records are not of one model.
        MissingDependencyError: the format needs an extra.
        OSError: the file cannot be written.
        SimstoreError: whatever the store raises.
    """
    chosen = format_of(path, format)
    given = _listed(models)
    model, items = _one_model(source, given, chosen)
    counter = _Counter(progress)
    with open_for_writing(path) as stream:
        if model is None:
            stream.writelines(counter.through(_tagged_lines(items)))
        else:
            items = counter.through(items)
            _write(stream, chosen, model, items, guard_formulas=guard_formulas)
    counter.finish()
    return counter.count


class _Counter:
    """Counts what goes through it, and reports it."""

    def __init__(self, progress: Progress | None) -> None:
        self.count = 0
        self._reported = 0
        self._progress = progress

    def through(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            yield value
            self.count += 1
            if self._progress is not None and self.count - self._reported >= _PROGRESS_EVERY:
                self.finish()

    def finish(self) -> None:
        if self._progress is not None and self.count > self._reported:
            self._progress(self.count - self._reported)
            self._reported = self.count


def _one_model(
    source: Any, given: tuple[type[BaseModel], ...], chosen: FileFormat
) -> tuple[type[BaseModel] | None, Iterable[BaseModel]]:
    """The model of the records and the records; no model where lines must say it."""
    if hasattr(source, "repository"):
        if len(given) == 1:
            return given[0], source.repository(given[0]).iterate()
        if chosen is not FileFormat.JSONL:
            raise InvalidArgumentError(
                f"a {chosen} file holds records of one model; say which, or write .jsonl"
            )
        return None, _whole(source, given)
    if hasattr(source, "iterate"):
        if given not in {(), (source.model,)}:
            raise InvalidArgumentError(f"models= is not {source.model.__name__}, the repository's")
        return source.model, source.iterate()
    if isinstance(source, BaseModel):
        raise InvalidArgumentError("one record is no list of records; give [record]")
    if not isinstance(source, Iterable):
        raise InvalidArgumentError(
            f"records come from a store, a repository or an iterable, not {source!r}"
        )
    items = iter(source)
    if given:
        (model,) = given if len(given) == 1 else (None,)
        if model is None:
            raise InvalidArgumentError("models= names several models, for records of one")
        return model, items
    first = next(items, None)
    if first is None:
        if chosen is FileFormat.JSONL:
            return None, ()
        raise InvalidArgumentError(
            f"there are no records to make the columns of a {chosen} file of; give models="
        )
    return type(first), itertools.chain([first], items)


def _whole(store: Store, given: tuple[type[BaseModel], ...]) -> Iterator[BaseModel]:
    models = given or RECORD_MODELS
    known = {schema_of(model).collection for model in models}
    unknown = [name for name in store.collections() if name not in known]
    if unknown and not given:
        raise InvalidArgumentError(
            f"the store also has records of {', '.join(unknown)}; give models= for all of them, "
            "or for those that you want"
        )
    return (record for model in models for record in store.repository(model).iterate())


def _tagged_lines(items: Iterable[BaseModel]) -> Iterator[bytes]:
    for model, group in itertools.groupby(items, key=type):
        tag = {COLLECTION_KEY: schema_of(model).collection}

        def line(document: Line, tag: Line = tag) -> bytes:
            return dump_json(tag | document) + b"\n"

        yield from _written(model, group, line)


def _written(
    model: type[BaseModel], items: Iterable[BaseModel], write: Callable[[Line], R]
) -> Iterator[R]:
    """What `write` makes of the document of each of `items`; errors name the record."""
    dump = dumper_of(model)
    names = list(own_layout(model).fields)
    for item in items:
        if type(item) is not model:
            raise WrongModelError(
                f"the records are of {model.__name__} and {type(item).__name__}; "
                "a file holds those of one model"
            )
        try:
            document = dump(item)
            if COLLECTION_KEY in document:
                raise ValueError(f"a key {COLLECTION_KEY} has a meaning of its own in a file")  # noqa: TRY301 — as those of `dump`
            # A serializer of the model's own may leave fields out.
            ordered = {name: document.pop(name) for name in names if name in document}
            written = write(ordered | document)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise InvalidRecordError(
                f"{model.__name__} {getattr(item, 'pk', '')!r} cannot be written: {error}"
            ) from error
        yield written


def _write(
    stream: IO[bytes],
    chosen: FileFormat,
    model: type[BaseModel],
    items: Iterable[BaseModel],
    *,
    guard_formulas: bool,
) -> None:
    names = list(own_layout(model).fields)
    match chosen:
        case FileFormat.JSONL:
            stream.writelines(_written(model, items, lambda line: dump_json(line) + b"\n"))
        case FileFormat.CSV:
            forms = cell_forms(model)

            def cell(name: str, value: Any) -> str:
                try:
                    text = write_cell(forms[name], value)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
                guard = guard_formulas and forms[name] is not CellForm.JSON
                return guarded(text) if guard else text

            def cells(document: Line) -> list[str]:
                row = _row(document, names)
                return [cell(name, value) for name, value in row.items()]

            write_rows(stream, names, _written(model, items, cells))
        case FileFormat.PARQUET:
            rows = _written(model, items, lambda document: _row(document, names))
            write_table(stream, model, rows)


def _row(document: Line, names: list[str]) -> Line:
    """`document`, if it has a value for each column, and no others."""
    if len(document) != len(names) or document.keys() != set(names):
        extra = ", ".join(document.keys() - set(names))
        absent = ", ".join(set(names) - document.keys())
        raise ValueError(
            f"it has no value for column {absent}; write .jsonl"
            if absent
            else f"it has fields beyond its model's, which have no column: {extra}; write .jsonl"
        )
    return document


def _listed(
    models: type[BaseModel] | Iterable[type[BaseModel]] | None,
) -> tuple[type[BaseModel], ...]:
    if models is None:
        return ()
    return (models,) if isinstance(models, type) else tuple(models)
