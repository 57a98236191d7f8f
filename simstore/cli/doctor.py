"""The command doctor: how a store is, and the mending of its indexes."""

from dataclasses import asdict
from typing import Annotated

import typer

from simstore.cli.console import counted, say, write_json
from simstore.cli.environment import environment
from simstore.cli.exit_codes import PROBLEM
from simstore.cli.findings import tell_first
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
from simstore.domain.maintenance import FaultKind, IndexFault
from simstore.services.diagnosis import CollectionDiagnosis, Diagnosis, diagnose

_IN_WORDS: dict[FaultKind, str] = {
    "missing": "missing from the index {}",
    "stale": "in the index {} under a value that it does not have",
    "orphaned": "in the index {}, but there is no such record",
}


def doctor(
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend indexes that are wrong; no record is changed."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say how a store is.

    What it is and how it keeps records, what is in it, and what is wrong with that. Every
    record is read, and held against the indexes; the exit code is 1 if one cannot be read,
    because it is spoilt or its model is unknown, or if an index is wrong and was not mended.
    References to records that are not there are counted.
    """
    with open_store(store) as opened, progress_bar() as progress:
        diagnosis = diagnose(opened, models=all_models(type_), repair=repair, progress=progress)
    if as_json:
        write_json({"healthy": diagnosis.healthy, **environment(), **asdict(diagnosis)})
    else:
        _tell(diagnosis, repair=repair)
    if not diagnosis.healthy:
        raise typer.Exit(PROBLEM)


def _tell(diagnosis: Diagnosis, *, repair: bool) -> None:
    runs_on = environment()
    say(f"{diagnosis.url}: simstore {runs_on['version']}, Python {runs_on['python']}")
    say(f"extras installed: {', '.join(runs_on['extras']) or 'none'}")
    if diagnosis.inspection.facts:
        print_table(["backend", ""], list(diagnosis.inspection.facts.items()))
    if diagnosis.collections:
        _tell_collections(diagnosis, repair=repair)
    elif not diagnosis.unknown:
        say("it holds no records")
    for each in diagnosis.collections:
        _tell_findings(each)
    if diagnosis.unknown:
        types = " ".join(f"--type MODULE:{name}" for name in diagnosis.unknown)
        say(f"of unknown models, not read: {', '.join(diagnosis.unknown)}; say {types}")
    # Below the tables, since they are long.
    for capability, reason in diagnosis.lacks.items():
        say(f"lacks: {capability}, because {reason}", wrapped=True)
    for warning in diagnosis.inspection.warnings:
        say(f"warning: {warning}", wrapped=True)
    _tell_outcome(diagnosis, repair=repair)


def _tell_collections(diagnosis: Diagnosis, *, repair: bool) -> None:
    columns = ["collection", "records", "unreadable", "dangling", "index faults"]
    if repair:
        columns.append("mended")
    print_table(
        columns,
        [
            (
                each.collection,
                each.count,
                each.unreadable.count,
                each.dangling.count,
                each.index_faults.count,
                each.mended.count,
            )[: len(columns)]
            for each in diagnosis.collections
        ],
        right=columns[1:],
    )


def _tell_findings(each: CollectionDiagnosis) -> None:
    tell_first(
        f"{each.collection} ",
        each.unreadable,
        (f"{fault.pk}: field {fault.field}: {fault.reason}" for fault in each.unreadable.first),
    )
    tell_first(
        f"{each.collection} ",
        each.dangling,
        (
            f"{reference.pk}: {reference.field} names {reference.names!r}, which is not in "
            f"{reference.collection}"
            for reference in each.dangling.first
        ),
    )
    tell_first(f"{each.collection} ", each.index_faults, map(_in_words, each.index_faults.first))
    tell_first(f"mended: {each.collection} ", each.mended, map(_in_words, each.mended.first))


def _in_words(fault: IndexFault) -> str:
    return f"{fault.pk}: {_IN_WORDS[fault.kind].format(fault.index)}"


def _tell_outcome(diagnosis: Diagnosis, *, repair: bool) -> None:
    outcome = ["healthy" if diagnosis.healthy else "problems were found"]
    faults = sum(each.index_faults.count for each in diagnosis.collections)
    if faults:
        left = " left" if repair else ", which --repair mends"
        outcome.append(f"{counted(faults, 'index fault')}{left}")
    mended = sum(each.mended.count for each in diagnosis.collections)
    if mended:
        outcome.append(f"{counted(mended, 'index fault')} mended")
    dangling = sum(each.dangling.count for each in diagnosis.collections)
    if dangling:
        outcome.append(counted(dangling, "dangling reference"))
    say("; ".join(outcome))
