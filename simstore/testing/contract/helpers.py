"""What the contracts' tests share."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from simstore.domain.repository import Repository
from simstore.testing.identity import identical
from simstore.testing.models import Specimen


def specimen(pk: str, **fields: Any) -> Specimen:
    """A specimen."""
    return Specimen(pk=pk, **fields)


def pks_of(items: Iterable[BaseModel]) -> list[str]:
    """The primary keys of `items`."""
    return [item.pk for item in items]  # type: ignore[attr-defined]  # every record has one


def assert_identical(found: object, expected: object) -> None:
    """Equal, type by type, to the last bit."""
    assert found == expected
    assert identical(found, expected), f"equal, but not the same: {found!r} and {expected!r}"


def contents(repository: Repository[Specimen]) -> Sequence[Specimen]:
    """All that is stored, each record also read by its own pk."""
    found = repository.find()
    assert repository.get_many(pks_of(found)) == found
    assert repository.count() == len(found)
    return found
