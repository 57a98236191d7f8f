"""Commands on whole stores: copy, check and doctor."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from simstore.cli.console import counted, note, say, write_json
from simstore.cli.environment import environment
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.hints import hint
from simstore.cli.options import (
    DEFAULT_STORE,
    JsonOption,
    StoreOption,
    TypeOption,
    all_models,
    open_store,
    refuse_unknown,
)
from simstore.cli.progress import progress_bar
from simstore.cli.tables import print_table
from simstore.domain.errors import CorruptRecordError, TransferError
from simstore.services.diagnosis import Diagnosis, diagnose
from simstore.services.findings import Findings
from simstore.services.transfer import (
    CollectionComparison,
    CopyReport,
    StoreComparison,
    compare_stores,
    copy_store,
)
from simstore.services.transfer.copying import OnConflict, OnUnreadable

SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="URL of the store to read.")]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="URL of the store to fill.")]


def copy(  # noqa: PLR0913 — the command's options
    source: SourceArgument,
    target: TargetArgument,
    *,
    type_: TypeOption = None,
    on_conflict: Annotated[
        OnConflict,
        typer.Option(help="What happens to a record that the target has with other contents."),
    ] = "error",
    on_unreadable: Annotated[
        OnUnreadable,
        typer.Option(help="What happens to a record of the source that cannot be read."),
    ] = "error",
    ignore_unknown: Annotated[
        bool,
        typer.Option("--ignore-unknown", help="Leave out collections of unknown models."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Copy a store into another, and verify it.

    What the target already has is not written again: a copy that broke off goes on when it is
    called again. Nothing is deleted.
    """
    models = all_models(type_)
    with (
        hint(TransferError, "say --on-conflict replace or skip", about="on_conflict"),
        hint(CorruptRecordError, "--on-unreadable skip leaves out what cannot be read"),
        open_store(source) as left,
    ):
        if not ignore_unknown:  # before the target is made
            refuse_unknown(left, models, ", or --ignore-unknown to leave them out")
        with open_store(target, must_exist=False) as right, progress_bar() as progress:
            report = copy_store(
                left,
                right,
                models=models,
                on_conflict=on_conflict,
                on_unreadable=on_unreadable,
                ignore_unknown=ignore_unknown,
                progress=progress,
            )
    if as_json:
        write_json(asdict(report))
    else:
        _tell_copy(report, left.url, right.url)


def check(
    left: Annotated[str, typer.Argument(metavar="LEFT", help="URL of a store.")],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="URL of another one.")],
    *,
    type_: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two stores, record by record.

    The exit code is 1 if they differ.
    """
    with (
        open_store(left) as first,
        open_store(right) as second,
        progress_bar() as progress,
    ):
        comparison = compare_stores(first, second, models=all_models(type_), progress=progress)
    if as_json:
        write_json({"equal": comparison.equal, **asdict(comparison)})
    else:
        _tell_comparison(comparison)
    if not comparison.equal:
        raise typer.Exit(PROBLEM)


def doctor(
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how a store is.

    What it is, what is in it, and what is wrong with that. Every record is read; the exit code
    is 1 if one cannot be, because it is spoilt or its model is unknown. References to records
    that are not there are counted.
    """
    with open_store(store) as opened, progress_bar() as progress:
        diagnosis = diagnose(opened, models=all_models(type_), progress=progress)
    if as_json:
        write_json({"healthy": diagnosis.healthy, **environment(), **asdict(diagnosis)})
    else:
        _tell_diagnosis(diagnosis)
    if not diagnosis.healthy:
        raise typer.Exit(PROBLEM)


def _tell_copy(report: CopyReport, source: str, target: str) -> None:
    shown = [each for each in report.collections if each.comparison.left.count]
    if not shown:
        say(f"{source} holds no records")
        return
    columns = ["collection", "copied", "unchanged", "replaced", "skipped"]
    print_table(
        columns,
        [
            (each.collection, each.copied, each.unchanged, each.replaced, each.skipped)
            for each in shown
        ],
        right=columns[1:],
    )
    verified = sum(each.comparison.left.count for each in shown)
    say(f"{counted(report.written, 'record')} written to {target}; {verified} verified")
    if report.extra:
        note(f"{target} also has {counted(report.extra, 'record')} that {source} lacks")


def _tell_comparison(comparison: StoreComparison) -> None:
    shown = [each for each in comparison.collections if each.left.count or each.right.count]
    columns = ["collection", "left", "right", "only left", "only right", "different"]
    if shown:
        print_table(
            columns,
            [
                (
                    each.collection,
                    each.left.count,
                    each.right.count,
                    each.only_left.count,
                    each.only_right.count,
                    each.different.count,
                )
                for each in shown
            ],
            right=columns[1:],
        )
    for each in shown:
        _tell_differences(each)
    for side, unknown in (("left", comparison.unknown_left), ("right", comparison.unknown_right)):
        if unknown:
            note(f"not compared, {side}: {', '.join(unknown)}; say with --type what they are")
    say("equal" if comparison.equal else "not equal")


def _tell_differences(each: CollectionComparison) -> None:
    name = each.collection
    _tell_first(f"{name}, only left: ", each.only_left)
    _tell_first(f"{name}, only right: ", each.only_right)
    _tell_first(
        f"{name}, different: ",
        each.different,
        (pk + (f", field {field}" if field else "") for pk, field in each.different.first),
    )
    for side in (each.left, each.right):
        _tell_first(
            f"{name}, unreadable: ",
            side.unreadable,
            (f"{fault.pk}, field {fault.field}: {fault.reason}" for fault in side.unreadable.first),
        )


def _tell_first(prefix: str, found: Findings[Any], shown: Iterable[str] | None = None) -> None:
    """A line for each of the first findings, and one that counts the rest."""
    for line in found.first if shown is None else shown:
        say(f"{prefix}{line}")
    if found.count > len(found.first):
        say(f"{prefix}and {found.count - len(found.first)} more")


def _tell_diagnosis(diagnosis: Diagnosis) -> None:
    runs_on = environment()
    say(f"{diagnosis.url}: simstore {runs_on['version']}, Python {runs_on['python']}")
    say(f"extras installed: {', '.join(runs_on['extras']) or 'none'}")
    for capability, reason in diagnosis.lacks.items():
        say(f"lacks: {capability}, because {reason}")
    if diagnosis.collections:
        columns = ["collection", "records", "unreadable", "dangling"]
        print_table(
            columns,
            [
                (each.collection, each.count, each.unreadable.count, each.dangling.count)
                for each in diagnosis.collections
            ],
            right=columns[1:],
        )
    elif not diagnosis.unknown:
        say("it holds no records")
    for each in diagnosis.collections:
        _tell_first(
            f"{each.collection} ",
            each.unreadable,
            (f"{fault.pk}: field {fault.field}: {fault.reason}" for fault in each.unreadable.first),
        )
        _tell_first(
            f"{each.collection} ",
            each.dangling,
            (
                f"{reference.pk}: {reference.field} names {reference.names!r}, which is not in "
                f"{reference.collection}"
                for reference in each.dangling.first
            ),
        )
    if diagnosis.unknown:
        types = " ".join(f"--type MODULE:{name}" for name in diagnosis.unknown)
        say(f"of unknown models, not read: {', '.join(diagnosis.unknown)}; say {types}")
    dangling = sum(each.dangling.count for each in diagnosis.collections)
    also = f"; {counted(dangling, 'dangling reference')}" if dangling else ""
    say(("healthy" if diagnosis.healthy else "problems were found") + also)
