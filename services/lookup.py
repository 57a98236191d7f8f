"""Many records by pk, in few reads, with what is missing told apart."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal, TypeVar

from simstore.domain.errors import InvalidArgumentError, InvalidPkError, NotFoundError
from simstore.domain.fields import check_pk
from simstore.domain.query import field
from simstore.domain.record import Record
from simstore.domain.repository import Repository

T = TypeVar("T", bound=Record)

OnMissing = Literal["raise", "skip"]
"""What becomes of records that are not there: an error that names them all, or nothing."""

CHUNK = 500
"""How many records are asked for in one call, so that no request grows without bound."""


def by_pk(repository: Repository[T], pks: Iterable[str], *, missing: OnMissing) -> dict[str, T]:
    """The records of `pks`, each read once, `CHUNK` of them a call.

    References in old data may be names or blank. What no primary key can be is missing, like
    any other that is not stored.

    Raises:
        NotFoundError: names every pk that is missing, unless they are to be skipped.
        InvalidArgumentError: `missing` is neither.
    """
    if missing not in {"raise", "skip"}:
        raise InvalidArgumentError(f"missing is 'raise' or 'skip', not {missing!r}")
    asked = list(dict.fromkeys(pks))
    found: dict[str, T] = {}
    for chunk in _possible(asked):
        found |= {record.pk: record for record in repository.get_many(chunk, missing="skip")}
    absent = [pk for pk in asked if pk not in found]
    if absent and missing == "raise":
        raise NotFoundError(repository.collection, absent)
    return found


def stored_pks(repository: Repository[Any], pks: Iterable[str]) -> set[str]:
    """Those of `pks` that are stored, `CHUNK` of them asked for in a call; no document is read.

    What no primary key can be is not stored.
    """
    found: set[str] = set()
    for chunk in _possible(dict.fromkeys(pks)):
        found.update(repository.pks(field("pk").in_(chunk)))
    return found


def _possible(pks: Iterable[str]) -> Iterator[list[str]]:
    """Those of `pks` that a primary key can be, `CHUNK` of them at a time."""
    possible = filter(_is_pk, pks)
    while chunk := list(islice(possible, CHUNK)):
        yield chunk


def _is_pk(pk: str) -> bool:
    try:
        check_pk(pk)
    except InvalidPkError:
        return False
    return True
