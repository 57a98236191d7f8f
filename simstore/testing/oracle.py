"""What a repository means, in the simplest code: a dict, and conditions read off the records.

It shares no code with the backends or with `simstore.domain`'s checking and matching; only
the classes of the condition tree are theirs. It is slow, single-threaded and obvious.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from simstore.domain.errors import DuplicateError, NotFoundError
from simstore.domain.query import And, Comparison, Condition, Not, Operator, Or
from simstore.domain.repository import OrderBy

T = TypeVar("T", bound=BaseModel)


def value_at(item: Any, path: str) -> Any:
    """What `path` leads to; through a list of models, the list of what it leads to in each."""
    for name in path.split("."):
        if item is None:
            return None
        if isinstance(item, list):
            item = [getattr(one, name) for one in item]
        else:
            item = getattr(item, name)
    return item


def words_of(text: str) -> set[str]:
    """The words of `text`: runs of letters and digits, casefolded."""
    spaced = "".join(char if char.isalnum() else " " for char in text)
    return {word.casefold() for word in spaced.split(" ") if word}


def plain(value: Any) -> Any:
    """`value` with every enum's member replaced by its value."""
    if isinstance(value, list | tuple):
        return [plain(element) for element in value]
    return value.value if isinstance(value, Enum) else value


def equal(left: Any, right: Any) -> bool:
    """Equality of plain values, to which True is no number."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def before(left: Any, right: Any) -> bool:
    """Whether `left` sorts before `right`; False where they have no order."""
    if isinstance(left, str) and isinstance(right, str):
        return [ord(char) for char in left] < [ord(char) for char in right]
    for value in (left, right):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
    return bool(left < right)


def holds(condition: Condition, item: BaseModel) -> bool:
    """Whether `item` fulfils `condition`."""
    match condition:
        case And(parts):
            return all(holds(part, item) for part in parts)
        case Or(parts):
            return any(holds(part, item) for part in parts)
        case Not(part):
            return not holds(part, item)
        case Comparison(path, operator, operand):
            return _compare(plain(value_at(item, path)), operator, plain(operand))
    raise AssertionError(condition)


def _compare(value: Any, operator: Operator, operand: Any) -> bool:  # noqa: PLR0911 — one for each operator
    match operator:
        case Operator.EQUAL:
            return equal(value, operand)
        case Operator.NOT_EQUAL:
            return not equal(value, operand)
        case Operator.LESS:
            return before(value, operand)
        case Operator.GREATER:
            return before(operand, value)
        case Operator.LESS_EQUAL:
            return before(value, operand) or _same_order(value, operand)
        case Operator.GREATER_EQUAL:
            return before(operand, value) or _same_order(value, operand)
        case Operator.IN:
            return any(equal(value, choice) for choice in operand)
        case Operator.CONTAINS:
            return value is not None and any(equal(element, operand) for element in value)
        case Operator.STARTSWITH:
            return isinstance(value, str) and value[: len(operand)] == operand
        case Operator.MATCHES:
            return isinstance(value, str) and words_of(operand) <= words_of(value)
    raise AssertionError(operator)


def _same_order(value: Any, operand: Any) -> bool:
    return value is not None and equal(value, operand)


class Oracle(Generic[T]):
    """The records of one model, by primary key. Records go in and come out as copies."""

    def __init__(self) -> None:
        self.records: dict[str, T] = {}

    def save(self, item: T) -> None:
        """Insert or replace."""
        self.records[_pk(item)] = item.model_copy(deep=True)

    def add(self, item: T) -> None:
        """Insert, or DuplicateError."""
        if _pk(item) in self.records:
            raise DuplicateError("oracle", _pk(item))
        self.save(item)

    def get(self, pk: str) -> T:
        """The record of `pk`, or NotFoundError."""
        return self.get_many([pk])[0]

    def get_many(self, pks: Iterable[str], missing: str = "raise") -> list[T]:
        """The records of `pks`, in that order."""
        wanted = list(pks)
        absent = [pk for pk in wanted if pk not in self.records]
        if absent and missing == "raise":
            raise NotFoundError("oracle", list(dict.fromkeys(absent)))
        return [self.records[pk].model_copy(deep=True) for pk in wanted if pk in self.records]

    def update(self, pk: str, change: Callable[[T], T | None]) -> T:
        """Apply `change`."""
        item = self.get(pk)
        changed = change(item)
        item = item if changed is None else changed
        self.save(item)
        return item

    def update_many(self, change: Callable[[T], T | None], *where: Condition) -> int:
        """Apply `change` to the records that fulfil `where`."""
        pks = self.pks(*where)
        for pk in pks:
            self.update(pk, change)
        return len(pks)

    def delete(self, pk: str) -> None:
        """Delete the record of `pk`, or NotFoundError."""
        self.get(pk)
        del self.records[pk]

    def delete_many(self, pks: Iterable[str]) -> int:
        """Delete those of `pks` that are there."""
        present = set(pks) & self.records.keys()
        for pk in present:
            del self.records[pk]
        return len(present)

    def find(
        self,
        *where: Condition,
        order_by: OrderBy = None,
        limit: int | None = None,
        offset: int = 0,
        after: str | None = None,
    ) -> list[T]:
        """The records that fulfil `where`, in order."""
        found = [
            item
            for pk, item in sorted(self.records.items())
            if all(holds(condition, item) for condition in where) and (after is None or pk > after)
        ]
        names = [order_by] if isinstance(order_by, str) else order_by or ()
        for name in reversed(names):
            found = _ordered(found, name.removeprefix("-"), name.startswith("-"))
        return [item.model_copy(deep=True) for item in found[offset:][:limit]]

    def pks(
        self, *where: Condition, limit: int | None = None, after: str | None = None
    ) -> list[str]:
        """The primary keys of the records that fulfil `where`."""
        return [_pk(item) for item in self.find(*where, limit=limit, after=after)]

    def project(self, fields: Sequence[str], *where: Condition) -> list[dict[str, Any]]:
        """Some `fields` of the records that fulfil `where`."""
        return [{name: value_at(item, name) for name in fields} for item in self.find(*where)]


def _ordered(items: list[T], path: str, descending: bool) -> list[T]:
    """`items`, which are in the order of pks, by the value at `path`; None last."""

    def key(item: T) -> Any:
        return plain(value_at(item, path))

    with_value = [item for item in items if key(item) is not None]
    # Python's sort keeps the order of ties, also when reversed.
    with_value.sort(key=key, reverse=descending)
    return with_value + [item for item in items if key(item) is None]


def _pk(item: BaseModel) -> str:
    pk = item.pk  # type: ignore[attr-defined]  # every record has one
    assert isinstance(pk, str)
    return pk
