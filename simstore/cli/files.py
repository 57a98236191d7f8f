"""Commands on files: import and export."""

import errno
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import counted, note, say, write_json
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.hints import hint
from simstore.cli.options import (
    DEFAULT_STORE,
    ConditionsArgument,
    JsonOption,
    StoreOption,
    TypeOption,
    all_models,
    model_named,
    open_store,
    refuse_unknown,
    repository_named,
)
from simstore.cli.progress import progress_bar, progress_bars
from simstore.domain.errors import ImportFileError, InvalidArgumentError, NotFoundError
from simstore.domain.schema import schema_of
from simstore.domain.store import Store
from simstore.services.exporting import export_records
from simstore.services.files.formats import FileFormat, format_of
from simstore.services.files.streams import STANDARD_STREAM
from simstore.services.importing import ImportReport, import_records
from simstore.services.importing.importer import OnConflict, OnError
from simstore.services.progress import OnProgress
from simstore.services.sotopia_files import export_sotopia
from simstore.services.sotopia_files.lines import MissingProfiles

FormatOption = Annotated[
    FileFormat | None,
    typer.Option("--format", help="What the file is, where its suffix does not say."),
]
FileLayout = Literal["simstore", "sotopia"]

EVERYTHING = "all"
"""The name that stands for every collection of a store."""


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
    ] = "collect",
    on_conflict: Annotated[
        OnConflict, typer.Option(help="What happens to a record whose key is taken.")
    ] = "replace",
    as_json: JsonOption = False,
) -> None:
    """Read files of records into a store.

    JSON lines, CSV or Parquet, .gz and .zst too: what simstore exports, and what Sotopia does.
    Each file is stored whole or, if it has errors, not at all.
    """
    models = [model_named(collection, type_)] if collection else all_models(type_)
    order = [schema_of(model).collection for model in models]
    for file in files:  # before anything is made or stored
        _check_readable(file, format_)
    reports: list[tuple[str, ImportReport]] = []
    try:
        with (
            hint(
                ImportFileError,
                "say --collection NAME or --type MODULE:CLASS",
                about="name the model",
            ),
            open_store(store, must_exist=False) as opened,
            progress_bars() as bars,
        ):
            for file in files:
                report = import_records(
                    file,
                    opened,
                    models=models,
                    format=format_,
                    on_error=on_error,
                    on_conflict=on_conflict,
                    progress=bars.of(file),
                )
                reports.append((file, report))
    finally:  # also where a later file fails: what was stored is stored
        if as_json:
            write_json([{"file": file, **_report(report, order)} for file, report in reports])
        else:
            for file, report in reports:
                _tell(file, report, order)
    if any(report.faults.count for _, report in reports):
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
    ] = "simstore",
    missing_profiles: Annotated[
        MissingProfiles,
        typer.Option(
            help="With --layout sotopia: what is to become of columns that need profiles which "
            "the store lacks."
        ),
    ] = "raise",
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
    if collection == EVERYTHING and layout == "sotopia":
        raise InvalidArgumentError("a file of Sotopia's holds one collection; name it")
    with (
        hint(NotFoundError, "--missing-profiles null leaves empty what needs them"),
        open_store(store) as opened,
        progress_bar(hidden=file == STANDARD_STREAM and sys.stdout.isatty()) as progress,
    ):
        if collection == EVERYTHING:
            count = _export_everything(opened, file, format_, conditions, type_, progress)
        else:
            repository = repository_named(opened, collection, type_)
            where = parse_conditions(repository.model, conditions)
            # Of a repository the number of records is known beforehand.
            records = repository.iterate(*where) if where else repository
            if layout == "sotopia":
                count = export_sotopia(
                    records,
                    file,
                    model=repository.model,
                    store=opened,
                    missing_profiles=missing_profiles,
                    format=format_,
                    guard_formulas=guard_formulas,
                    progress=progress,
                )
            else:
                count = export_records(
                    records,
                    file,
                    models=repository.model,
                    format=format_,
                    guard_formulas=guard_formulas,
                    progress=progress,
                )
    if file != STANDARD_STREAM:
        say(f"{counted(count, 'record')} in {file}")


def _export_everything(  # noqa: PLR0913, PLR0917 — what the command was given
    store: Store,
    file: str,
    format_: FileFormat | None,
    conditions: list[str] | None,
    types: list[str] | None,
    progress: OnProgress,
) -> int:
    if conditions:
        raise InvalidArgumentError("conditions are on one collection; name it instead of all")
    models = all_models(types)
    refuse_unknown(store, models)
    return export_records(store, file, models=models, format=format_, progress=progress)


def _stored(report: ImportReport, order: list[str]) -> dict[str, int]:
    """How many records were stored, by collection, in an order of ours: theirs may be any."""
    return {name: report.stored[name] for name in order if name in report.stored}


def _tell(file: str, report: ImportReport, order: list[str]) -> None:
    counts = [f"{count} {name}" for name, count in _stored(report, order).items()]
    parts = [", ".join(counts) or "no records"]
    if report.skipped:
        parts.append(f"{report.skipped} left out, their keys being taken")
    say(f"{file}: {'; '.join(parts)}")
    if report.ignored_keys:
        note(f"{file}: no field stands for {', '.join(report.ignored_keys)}; left aside")
    for fault in report.faults.first:
        note(f"skipped {fault}")
    if report.faults.count > len(report.faults.first):
        note(f"skipped {counted(report.faults.count - len(report.faults.first), 'more line')}")


def _report(report: ImportReport, order: list[str]) -> dict[str, Any]:
    return {
        "stored": _stored(report, order),
        "skipped": report.skipped,
        "faults": {
            "count": report.faults.count,
            "first": [
                {"line": fault.line, "field": fault.field, "reason": fault.reason}
                for fault in report.faults.first
            ],
        },
        "ignored_keys": report.ignored_keys,
    }
