"""Commands on two stores: copy and check."""

from dataclasses import asdict
from typing import Annotated

import typer

from simstore.cli.console import counted, note, say, write_json
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.findings import tell_first
from simstore.cli.hints import hint
from simstore.cli.options import (
    JsonOption,
    TypeOption,
    all_models,
    open_store,
    refuse_unknown,
)
from simstore.cli.progress import progress_bar
from simstore.cli.tables import print_table
from simstore.domain.errors import CorruptRecordError, TransferError
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
        open_store(source, way_out="") as left,
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
        open_store(left, way_out="") as first,
        open_store(right, way_out="") as second,
        progress_bar() as progress,
    ):
        comparison = compare_stores(first, second, models=all_models(type_), progress=progress)
    if as_json:
        write_json({"equal": comparison.equal, **asdict(comparison)})
    else:
        _tell_comparison(comparison)
    if not comparison.equal:
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
    tell_first(f"{name}, only left: ", each.only_left)
    tell_first(f"{name}, only right: ", each.only_right)
    tell_first(
        f"{name}, different: ",
        each.different,
        (pk + (f", field {field}" if field else "") for pk, field in each.different.first),
    )
    for side in (each.left, each.right):
        tell_first(
            f"{name}, unreadable: ",
            side.unreadable,
            (f"{fault.pk}, field {fault.field}: {fault.reason}" for fault in side.unreadable.first),
        )
