"""``order_by``: by one field, ties by pk, None last."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Self

from pydantic import BaseModel

from simstore.domain.errors import QueryError
from simstore.domain.schema import Kind, ModelSchema, kind_of

_RANKS = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Ordering:
    """An order by the field at `path`."""

    schema: ModelSchema
    path: str
    descending: bool

    @classmethod
    def parse(cls, schema: ModelSchema, order_by: str | None) -> Self | None:
        """The ordering that ``order_by="age"`` or ``"-age"`` asks for; None for that of pks.

        Raises:
            QueryError: there is no such field, or its values have no order.
        """
        if order_by is None or order_by == "pk":
            return None
        if not isinstance(order_by, str):
            raise QueryError(f"order_by is a field's name, not {order_by!r}")
        ordering = cls(schema, order_by.removeprefix("-"), order_by.startswith("-"))
        shape = schema.resolve(ordering.path).shape
        if shape.many or not shape.kinds:
            raise QueryError(
                f"{schema.model.__name__}.{ordering.path} has no order: it is not one text, "
                "number or bool"
            )
        return ordering

    def value(self, item: BaseModel) -> Any:
        """What `item` is ordered by."""
        return self.schema.resolve(self.path).scalars(item)

    def sorted(self, keys: Iterable[tuple[str, Any]]) -> list[str]:
        """The pks of (pk, value) pairs in this order."""
        keys = sorted(keys, key=itemgetter(0))
        present = [(pk, value) for pk, value in keys if value is not None]
        # Sorting is stable, in reverse too: equal values stay in the order of their pks.
        present.sort(key=_rank, reverse=self.descending)
        return [pk for pk, _ in present] + [pk for pk, value in keys if value is None]


def _rank(key: tuple[str, Any]) -> tuple[int, Any]:
    value = key[1]
    kind = kind_of(value)
    assert kind is not None  # noqa: S101 — parse() let only comparable fields pass
    return _RANKS[kind], value
