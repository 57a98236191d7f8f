"""The command that deletes records."""

import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from simstore.cli.conditions import is_condition, parse_conditions
from simstore.cli.console import ask, counted, note, say
from simstore.cli.options import (
    DEFAULT_STORE,
    CollectionArgument,
    StoreOption,
    TypeOption,
    open_store,
    repository_named,
)
from simstore.domain.errors import InvalidArgumentError, NotFoundError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.services.lookup import stored_pks

_SIGN_APART = re.compile(r"[\w.]+\s*(?:[!<>^*~=]=|[=<>])")
"""How what is meant for a condition begins, blanks around its sign or not."""


def delete(  # noqa: PLR0913 — the command's options
    collection: CollectionArgument,
    targets: Annotated[
        list[str],
        typer.Argument(metavar="PK|CONDITION", help="Keys, whole; or conditions, as in find."),
    ],
    *,
    store: StoreOption = DEFAULT_STORE,
    type_: TypeOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the keys of what would be deleted.")
    ] = False,
) -> None:
    """Delete records, by key or by conditions. It asks first.

    What is the key of a record is taken as that, and never as a condition.
    """
    with open_store(store) as opened:
        repository = repository_named(opened, collection, type_)
        pks = _targets(repository, targets)
        if not pks:
            say("nothing to delete")
            return
        amount = f"{counted(len(pks), 'record')} of {repository.collection}"
        if dry_run:
            say("\n".join(pks))
            note(f"{amount} would be deleted; nothing was")
            return
        question = f"Delete {amount} from {opened.url}?"
        if not yes:
            if not _somebody_is_there():
                raise InvalidArgumentError(f"{question} Nobody is there to answer; say --yes")
            if not ask(question):
                note("nothing was deleted")
                return
        deleted = repository.delete_many(pks)
        say(f"deleted {counted(deleted, 'record')}")


def _somebody_is_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _targets(repository: Repository[Any], targets: Sequence[str]) -> list[str]:
    """The pks of the records to be deleted; no record is read for a key."""
    wanted = list(dict.fromkeys(targets))
    there = stored_pks(repository, wanted)
    others = [target for target in wanted if target not in there]
    if not others:
        return wanted
    conditions = [target for target in others if is_condition(target)]
    if len(conditions) == len(wanted):
        return repository.pks(*parse_conditions(repository.model, conditions))
    if conditions:
        raise InvalidArgumentError(
            f"{conditions[0]!r} is the key of no record; give keys or conditions, not both"
        )
    # Before anything is deleted: a key that is not there is a mistake.
    for target in others:
        _refuse(repository, target)
    raise NotFoundError(repository.collection, others)


def _refuse(repository: Repository[Any], target: str) -> None:
    """Say what was meant by a key that is not there, where that can be told.

    Raises:
        InvalidArgumentError: it is the beginning of one, or nearly a condition.
    """
    if _SIGN_APART.match(target):
        raise InvalidArgumentError(
            f"{target!r} is neither a key nor a condition, in which no blanks are around the sign"
        )
    longer = repository.pks(field("pk").startswith(target), limit=2) if target else []
    if len(longer) == 1:
        raise InvalidArgumentError(f"delete takes whole keys; did you mean {longer[0]!r}?")
    if longer:
        raise InvalidArgumentError(
            f"delete takes whole keys; several of {repository.collection} begin with {target!r}"
        )
