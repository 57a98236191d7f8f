"""The command that compares the judge's scores with people's."""

from typing import Annotated

import typer

from simstore.cli.conditions import parse_conditions
from simstore.cli.console import counted, note, write_json
from simstore.cli.hints import hint
from simstore.cli.options import (
    DEFAULT_STORE,
    ConditionsArgument,
    JsonOption,
    StoreOption,
    open_store,
)
from simstore.cli.tables import print_table
from simstore.domain.episodes import AnnotationForEpisode
from simstore.domain.errors import NotFoundError
from simstore.services.agreements import annotation_agreement
from simstore.services.lookup import OnMissing


def agreement(
    conditions: ConditionsArgument = None,
    *,
    store: StoreOption = DEFAULT_STORE,
    each_annotation: Annotated[
        bool,
        typer.Option(
            "--each-annotation",
            help="Count each annotation by itself, not the mean of an episode's.",
        ),
    ] = False,
    missing: Annotated[
        OnMissing, typer.Option(help="What annotations do whose episode is not in the store.")
    ] = "raise",
    as_json: JsonOption = False,
) -> None:
    """Compare the judge's scores with people's.

    The people's are those of the annotations in the store. Conditions are on annotations, such
    as annotator_id=ann.
    """
    where = parse_conditions(AnnotationForEpisode, conditions)
    with (
        hint(NotFoundError, "--missing skip leaves their annotations out"),
        open_store(store) as opened,
    ):
        found = annotation_agreement(
            opened.annotations.iterate(*where),
            store=opened,
            aggregate=not each_annotation,
            missing=missing,
        )
    if as_json:
        write_json(found.as_dict())
    if not found.agents:
        note("no annotations of episodes that are in the store")
        return
    if as_json:
        return
    columns = ["dimension", "n", "skipped", "pearson", "spearman", "mse"]
    # As footnotes, since a column of sentences would be the first to have no room.
    marks = {
        reason: f"[{number}]"
        for number, reason in enumerate(
            dict.fromkeys(each.reason for each in found.dimensions if each.reason), start=1
        )
    }
    print_table(
        [*columns, ""] if marks else columns,
        [
            [row[name] for name in columns] + ([marks.get(row["reason"], "")] if marks else [])
            for row in found.to_rows()
        ],
        right=columns[1:],
    )
    for reason, mark in marks.items():
        note(f"{mark} {reason}")
    note(f"{counted(found.agents, 'agent')} in {counted(found.episodes, 'episode')}")
