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
from simstore.services.files.csv_files import guarded_cell, write_rows
from simstore.services.files.formats import FileFormat, format_of
from simstore.services.files.jsonl import dump_json, half_a_pair_in
from simstore.services.files.layout import COLLECTION_KEY, Line, own_layout
from simstore.services.files.meter import Meter
from simstore.services.files.parquet import write_table
from simstore.services.files.streams import PathOrName, open_for_writing
from simstore.services.models import Models, chosen_models, unknown_collections
from simstore.services.progress import OnProgress

R = TypeVar("R", bytes, list[bytes], Line)


def export_records(  # noqa: PLR0913 — options, by name
    source: Store | Repository[Any] | Iterable[BaseModel],
    path: PathOrName,
    *,
    models: Models | None = None,
    format: str | None = None,  # noqa: A002 — what it is called everywhere
    guard_formulas: bool = False,
    progress: OnProgress | None = None,
) -> int:
    """Write the records of `source` to the file at `path`; return how many.

    `source` is a store (all its records, or those of `models`), a repository, or records of one
    model, such as ``store.episodes.iterate(tag="pilot")``. They are streamed. The format is
    ``jsonl``, ``csv`` or ``parquet``, by the path's suffix unless `format` says; ``.gz`` or
    ``.zst`` behind it compresses, and the path ``-`` is standard output. The file takes its name
    when it is complete: if anything fails, what was there before stays.

    With `guard_formulas`, texts in CSV that a spreadsheet would run as a formula get an apostrophe
    in front. That is for a spreadsheet's eyes: it stays when the file is imported.

    `progress` is told of the step ``export``; the records of a store or a repository are counted
    for it first.

    Raises:
        InvalidArgumentError: the format is unknown, or does not fit; the store has collections
            that no model was given for; there are no records and no `models` to make columns of;
            the file is a SQLite database.
        InvalidRecordError: names a record that the format cannot hold, or that no store would
            take: with NaN, say.
        WrongModelError: the records are not of one model.
        MissingDependencyError: the format needs an extra.
        OSError: the file cannot be written.
        SimstoreError: whatever the store raises.
    """
    chosen = format_of(path, format)
    given = () if models is None else chosen_models(models)
    model, items = _one_model(source, given, chosen)
    totals = {} if progress is None else _totals(source, (model,) if model else given)
    meter = Meter("export", progress, totals)
    with open_for_writing(path) as stream:
        if model is None:
            stream.writelines(_tagged_lines(items, meter))
        else:
            items = meter.counting(items, schema_of(model).collection)
            _write(stream, chosen, model, items, guard_formulas=guard_formulas)
    meter.finish()
    return meter.done.total()


def _totals(source: Any, models: tuple[type[BaseModel], ...]) -> dict[str, int]:
    """How many records of each collection there are to write, where that can be asked."""
    if hasattr(source, "repository"):
        repositories = [source.repository(model) for model in models or RECORD_MODELS]
    else:
        repositories = [source] if hasattr(source, "iterate") else []
    return {repository.collection: repository.count() for repository in repositories}


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
            f"there are no records to make the columns of a {chosen} file of; say whose they would "
            "be, as in models=AgentProfile"
        )
    return type(first), itertools.chain([first], items)


def _whole(store: Store, given: tuple[type[BaseModel], ...]) -> Iterator[BaseModel]:
    models = given or RECORD_MODELS
    unknown = () if given else unknown_collections(store, models)
    if unknown:
        raise InvalidArgumentError(
            f"the store also has records of {', '.join(unknown)}; give models= for all of them, "
            "or for those that you want"
        )
    return (record for model in models for record in store.repository(model).iterate())


def _tagged_lines(items: Iterable[BaseModel], meter: Meter) -> Iterator[bytes]:
    for model, group in itertools.groupby(items, key=type):
        collection = schema_of(model).collection
        tag = {COLLECTION_KEY: collection}

        def line(document: Line, tag: Line = tag) -> bytes:
            return dump_json(tag | document) + b"\n"

        yield from _written(model, meter.counting(group, collection), line)


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
            if _holds_replacement(written):
                _refuse_half_pairs(item)
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise InvalidRecordError(
                f"{model.__name__} {getattr(item, 'pk', '')!r} cannot be written: {error}"
            ) from error
        yield written


_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


def _holds_replacement(written: bytes | list[bytes] | Line) -> bool:
    """Whether that character is in a line, in cells, or in the nested values of a row."""
    if isinstance(written, dict):
        written = dump_json([v for v in written.values() if isinstance(v, dict | list)])
    parts = [written] if isinstance(written, bytes) else written
    # A single byte is looked for many times as fast as several.
    return any(_REPLACEMENT[:1] in part and _REPLACEMENT in part for part in parts)


def _refuse_half_pairs(item: BaseModel) -> None:
    """Raise ValueError if `item` has a key with half of a surrogate pair.

    In a dict's keys alone, pydantic replaces them instead of refusing them.
    """
    where = half_a_pair_in(item.model_dump())
    if where is not None:
        raise ValueError(f"{where}: is not unicode text: it holds half of a surrogate pair")


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

            def cell(name: str, value: Any) -> bytes:
                try:
                    written = write_cell(forms[name], value)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from error
                guard = guard_formulas and forms[name] is not CellForm.JSON
                return guarded_cell(written) if guard else written

            def cells(document: Line) -> list[bytes]:
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
