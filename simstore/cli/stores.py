"""Commands on whole stores: copy, check and doctor."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import typer

from simstore.cli.console import counted, note, say, write_json
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.options import (
    DEFAULT_STORE,
    JsonOption,
    StoreOption,
    TypeOption,
    all_models,
    open_store,
)
from simstore.cli.progress import progress_bar
from simstore.cli.tables import print_table
from simstore.services.diagnosis import Diagnosis, diagnose
from simstore.services.transfer import (
    CollectionComparison,
    CopyReport,
    Progress,
    StoreComparison,
    compare_stores,
    copy_store,
)


class OnCopyConflict(StrEnum):
    """What becomes of a record that the target has with other contents."""

    ERROR = "error"
    REPLACE = "replace"
    SKIP = "skip"


SourceArgument = Annotated[str, typer.Argument(metavar="SOURCE", help="URL of the store to read.")]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="URL of the store to fill.")]


def copy(
    source: SourceArgument,
    target: TargetArgument,
    *,
    type_: TypeOption = None,
    on_conflict: Annotated[
        OnCopyConflict,
        typer.Option(help="What happens to a record that the target has with other contents."),
    ] = OnCopyConflict.ERROR,
    as_json: JsonOption = False,
) -> None:
    """Copy a store into another, and verify it.

    What the target already has is not written again: a copy that broke off goes on when it is
    called again. Nothing is deleted.
    """
    with (
        open_store(source) as left,
        open_store(target, must_exist=False) as right,
        progress_bar() as advance,
    ):
        report = copy_store(
            left,
            right,
            models=all_models(type_),
            on_conflict=on_conflict.value,
            progress=_Steps(advance),
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
        progress_bar() as advance,
    ):
        comparison = compare_stores(
            first, second, models=all_models(type_), progress=_Steps(advance)
        )
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
    is 1 if one cannot be. References to records that are not there are counted.
    """
    with open_store(store) as opened, progress_bar() as advance:
        diagnosis = diagnose(
            opened,
            models=all_models(type_),
            progress=advance,
        )
    if as_json:
        write_json({"healthy": diagnosis.healthy, **asdict(diagnosis)})
    else:
        _tell_diagnosis(diagnosis)
    if not diagnosis.healthy:
        raise typer.Exit(PROBLEM)


class _Steps:
    """Feeds a progress bar, which counts what was done since, with how much is done."""

    def __init__(self, advance: Any) -> None:
        self._advance = advance
        self._done: dict[str, int] = {}

    def __call__(self, progress: Progress) -> None:
        step = f"{progress.step} {progress.collection}"
        self._advance(step, progress.done - self._done.get(step, 0), progress.total)
        self._done[step] = progress.done


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
    lines = [
        *(f"only left: {pk}" for pk in each.only_left.first),
        *(f"only right: {pk}" for pk in each.only_right.first),
        *(
            f"different: {pk}" + (f", field {field}" if field else "")
            for pk, field in each.different.first
        ),
        *(
            f"unreadable: {fault.pk}, field {fault.field}: {fault.reason}"
            for side in (each.left, each.right)
            for fault in side.unreadable.first
        ),
    ]
    for line in lines:
        say(f"{each.collection}, {line}")


def _tell_diagnosis(diagnosis: Diagnosis) -> None:
    say(f"{diagnosis.url}: simstore {diagnosis.version}, Python {diagnosis.python}")
    say(f"extras installed: {', '.join(diagnosis.extras) or 'none'}")
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
    else:
        say("it holds no records")
    for each in diagnosis.collections:
        for fault in each.unreadable.first:
            say(f"{each.collection} {fault.pk}: field {fault.field}: {fault.reason}")
        for reference in each.dangling.first:
            say(
                f"{each.collection} {reference.pk}: {reference.field} names "
                f"{reference.names!r}, which is not in {reference.collection}"
            )
    if diagnosis.unknown:
        say(f"of no known model, not read: {', '.join(diagnosis.unknown)}; say --type")
    say("healthy" if diagnosis.healthy else "problems were found")
