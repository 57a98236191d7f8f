"""``order_by``: by one field or several, ties by pk, None last."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Self

from pydantic import BaseModel

from simstore.domain.errors import QueryError
from simstore.domain.repository import OrderBy
from simstore.domain.schema import Kind, ModelSchema, kind_of

_RANKS = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Ordering:
    """An order by the fields at `paths`, the first one first; each has an entry in `descending`."""

    schema: ModelSchema
    paths: tuple[str, ...]
    descending: tuple[bool, ...]

    @classmethod
    def parse(cls, schema: ModelSchema, order_by: OrderBy) -> Self | None:
        """The ordering that ``order_by="age"`` or ``"-age"`` asks for; None for that of pks.

        Raises:
            QueryError: there is no such field, or its values have no order.
        """
        names = _names(order_by)
        if names in ([], ["pk"]):
            return None
        ordering = cls(
            schema,
            tuple(name.removeprefix("-") for name in names),
            tuple(name.startswith("-") for name in names),
        )
        for path in ordering.paths:
            shape = schema.resolve(path).shape
            if shape.many or not shape.kinds:
                raise QueryError(
                    f"{schema.model.__name__}.{path} has no order: it is not one text, "
                    "number or bool"
                )
        return ordering

    def values(self, item: BaseModel) -> list[Any]:
        """What `item` is ordered by."""
        return [self.schema.resolve(path).scalars(item) for path in self.paths]

    def sorted(self, keys: Iterable[tuple[str, Sequence[Any]]]) -> list[str]:
        """The pks of (pk, values) pairs in this order."""
        rows = sorted(keys, key=itemgetter(0))
        # Sorting is stable, in reverse too: equal values stay in the order of what comes behind.
        for position, descending in reversed(list(enumerate(self.descending))):
            present = [row for row in rows if row[1][position] is not None]
            absent = [row for row in rows if row[1][position] is None]
            present.sort(key=lambda row: _rank(row[1][position]), reverse=descending)
            rows = present + absent
        return [pk for pk, _ in rows]


def _names(order_by: OrderBy) -> list[str]:
    several: object = order_by
    if several is None:
        return []
    names = [several] if isinstance(several, str) else several
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise QueryError(f"order_by is a field's name or a list of names, not {order_by!r}")
    return list(names)


def _rank(value: Any) -> tuple[int, Any]:
    kind = kind_of(value)
    assert kind is not None  # noqa: S101 — parse() let only comparable fields pass
    return _RANKS[kind], value
