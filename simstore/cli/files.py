"""Commands on files: import and export."""

import errno
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import BaseModel

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import counted, note, say, write_json
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.options import (
    DEFAULT_STORE,
    ConditionsArgument,
    JsonOption,
    StoreOption,
    TypeOption,
    all_models,
    model_named,
    open_store,
    own_models,
)
from simstore.cli.progress import Advance, progress_bar
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.exporting import export_records
from simstore.services.files.formats import FileFormat, format_of
from simstore.services.files.streams import STANDARD_STREAM
from simstore.services.importing import ImportReport, import_records
from simstore.services.sotopia_files.files import write_csv, write_jsonl
from simstore.services.sotopia_files.layouts import SOTOPIA_LAYOUTS
from simstore.services.sotopia_files.lines import episode_lines, record_lines

T = TypeVar("T")

FormatOption = Annotated[
    FileFormat | None,
    typer.Option("--format", help="What the file is, where its suffix does not say."),
]

EVERYTHING = "all"
"""The name that stands for every collection of a store."""


class OnError(StrEnum):
    """What a line does that makes no record."""

    RAISE = "raise"
    SKIP = "skip"
    COLLECT = "collect"


class OnConflict(StrEnum):
    """What becomes of a record whose pk is taken."""

    REPLACE = "replace"
    SKIP = "skip"
    ERROR = "error"


class FileLayout(StrEnum):
    """Whose keys and columns a file has."""

    SIMSTORE = "simstore"
    SOTOPIA = "sotopia"


class MissingProfiles(StrEnum):
    """What becomes of columns that need profiles which the store lacks."""

    RAISE = "raise"
    NULL = "null"


def import_(  # noqa: PLR0913 — the command's options
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", help="Files to read; - is standard input.")
    ],
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    collection: Annotated[
        str | None,
        typer.Option(
            "--collection", metavar="NAME", help="Whose records they are, if their keys don't say."
        ),
    ] = None,
    format_: FormatOption = None,
    on_error: Annotated[
        OnError,
        typer.Option(
            help="What a bad line does: raise the first, collect all (either way nothing of the "
            "file is stored), or skip it."
        ),
    ] = OnError.COLLECT,
    on_conflict: Annotated[
        OnConflict, typer.Option(help="What happens to a record whose key is taken.")
    ] = OnConflict.REPLACE,
    as_json: JsonOption = False,
) -> None:
    """Read files of records into a store.

    JSON lines, CSV or Parquet, .gz and .zst too: what simstore exports, and what Sotopia does.
    Each file is stored whole or, if it has errors, not at all.
    """
    models = [model_named(collection, type_)] if collection else all_models(type_)
    for file in files:  # before anything is made or stored
        _check_readable(file, format_)
    reports: list[tuple[str, ImportReport]] = []
    try:
        with open_store(store, must_exist=False) as opened, progress_bar() as advance:
            for file in files:
                report = import_records(
                    file,
                    opened,
                    models=models,
                    format=format_,
                    on_error=on_error.value,
                    on_conflict=on_conflict.value,
                    progress=lambda step, done, file=file: advance(f"{file}: {step}", done, None),  # type: ignore[misc]  # a default binds the loop's value
                )
                reports.append((file, report))
    finally:  # also where a later file fails: what was stored is stored
        if as_json:
            write_json([{"file": file, **_report(report)} for file, report in reports])
        else:
            for file, report in reports:
                _tell(file, report)
    if any(report.fault_count for _, report in reports):
        raise typer.Exit(PROBLEM)


def _check_readable(file: str, format_: FileFormat | None) -> None:
    if file == STANDARD_STREAM:
        return
    if not Path(file).exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such file", file)
    if Path(file).is_dir():
        raise InvalidArgumentError(
            f"{file} is a folder; name the files in it, as in {file}/*.jsonl"
        )
    format_of(file, format_)


def export(  # noqa: PLR0913 — the command's options
    collection: Annotated[
        str,
        typer.Argument(
            metavar="COLLECTION", help="Such as agents or episodes; all for the whole store."
        ),
    ],
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The file to write; - is standard output.")
    ],
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    format_: FormatOption = None,
    layout: Annotated[
        FileLayout, typer.Option(help="Our own keys and columns, or Sotopia's.")
    ] = FileLayout.SIMSTORE,
    missing_profiles: Annotated[
        MissingProfiles,
        typer.Option(
            help="With --layout sotopia: what is to become of columns that need profiles which "
            "the store lacks."
        ),
    ] = MissingProfiles.RAISE,
    guard_formulas: Annotated[
        bool,
        typer.Option(
            "--guard-formulas",
            help="In CSV, put an apostrophe before what a spreadsheet would run as a formula.",
        ),
    ] = False,
) -> None:
    """Write records to a file.

    It is JSON lines, CSV or Parquet, by its suffix; add .gz or .zst to compress. A file that
    exists is replaced, once the new one is complete. The collection all writes
    every collection to one file of JSON lines.
    """
    if layout is FileLayout.SOTOPIA:
        if collection == EVERYTHING:
            raise InvalidArgumentError("a file of Sotopia's holds one collection; name it")
        if guard_formulas:
            raise InvalidArgumentError("--guard-formulas is for simstore's own layout")
    with (
        open_store(store) as opened,
        progress_bar(hidden=file == STANDARD_STREAM and sys.stdout.isatty()) as advance,
    ):
        if collection == EVERYTHING:
            count = _export_everything(opened, file, format_, conditions, type_, advance)
        else:
            repository = opened.repository(model_named(collection, type_))
            where = parse_conditions(repository.model, conditions)
            total = repository.count(*where)
            records = _counted(repository.iterate(*where), lambda: advance("records", 1, total))
            if layout is FileLayout.SOTOPIA:
                chosen = format_of(file, format_)
                _write_sotopia(opened, repository.model, records, file, chosen, missing_profiles)
                count = total
            else:
                count = export_records(
                    records,
                    file,
                    models=repository.model,
                    format=format_,
                    guard_formulas=guard_formulas,
                )
    if file != STANDARD_STREAM:
        say(f"{counted(count, 'record')} in {file}")


def _export_everything(  # noqa: PLR0913, PLR0917 — what the command was given
    store: Store,
    file: str,
    format_: FileFormat | None,
    conditions: list[str] | None,
    types: list[str] | None,
    advance: Advance,
) -> int:
    if conditions:
        raise InvalidArgumentError("conditions are on one collection; name it instead of all")
    own = own_models(types)
    models = [*RECORD_MODELS, *own]
    unknown = set(store.collections()) - {schema_of(model).collection for model in models}
    if unknown:
        raise InvalidArgumentError(
            f"the store also has records of {', '.join(sorted(unknown))}; say with --type which "
            "models they are"
        )
    total = sum(store.repository(model).count() for model in models)
    return export_records(
        store,
        file,
        models=models,
        format=format_,
        progress=lambda done: advance("records", done, total),
    )


def _counted(records: Iterable[T], count: Callable[[], None]) -> Iterator[T]:
    for record in records:
        yield record
        count()


def _write_sotopia(  # noqa: PLR0913, PLR0917 — what the command was given
    store: Store,
    model: type[BaseModel],
    records: Iterator[Any],
    file: str,
    chosen: FileFormat,
    missing_profiles: MissingProfiles,
) -> None:
    layouts = {layout.model: layout for layout in SOTOPIA_LAYOUTS}
    if model not in layouts:
        names = ", ".join(known.__name__ for known in layouts)
        raise InvalidArgumentError(
            f"Sotopia has no files of {model.__name__}; it has those of {names}"
        )
    if chosen is FileFormat.PARQUET:
        raise InvalidArgumentError("Sotopia's files are JSON lines or CSV")
    lines = (
        episode_lines(records, store, missing_profiles.value)
        if model is EpisodeLog
        else record_lines(layouts[model], records)
    )
    write = write_jsonl if chosen is FileFormat.JSONL else write_csv
    write(layouts[model], lines, file)


def _tell(file: str, report: ImportReport) -> None:
    counts = [f"{count} {collection}" for collection, count in report.stored.items()]
    parts = [", ".join(counts) or "no records"]
    if report.kept:
        parts.append(f"{report.kept} left out, their keys being taken")
    say(f"{file}: {'; '.join(parts)}")
    if report.ignored_keys:
        note(f"{file}: no field stands for {', '.join(report.ignored_keys)}; left aside")
    for fault in report.faults:
        note(f"skipped {fault}")
    if report.fault_count > len(report.faults):
        note(f"skipped {counted(report.fault_count - len(report.faults), 'more line')}")


def _report(report: ImportReport) -> dict[str, Any]:
    return {
        "stored": report.stored,
        "kept": report.kept,
        "skipped": report.fault_count,
        "faults": [
            {"line": fault.line, "field": fault.field, "reason": fault.reason}
            for fault in report.faults
        ],
        "ignored_keys": report.ignored_keys,
    }
