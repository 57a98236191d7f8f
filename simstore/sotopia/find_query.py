"""What ``Model.find(...)`` returns: records that are read when they are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Self, TypeVar, overload

from pydantic import BaseModel

from simstore.adapters.ordering import Ordering
from simstore.domain.errors import NotFoundError
from simstore.domain.query import And, Condition, Field
from simstore.domain.record import Record
from simstore.domain.repository import DEFAULT_BATCH_SIZE, Repository
from simstore.domain.schema import scalar, schema_of
from simstore.sotopia.changing import changed
from simstore.sotopia.fields import path_of

T = TypeVar("T", bound=Record)


@dataclass(frozen=True, eq=False)
class FindQuery(Generic[T]):
    """Records of `model` that fulfil conditions, by pk or as `sort_by` says.

    Every call asks the store anew.
    """

    model: type[T]
    repository: Callable[[], Repository[T]] = field(repr=False)
    where: tuple[Condition, ...] = ()
    order_by: tuple[str, ...] = ()

    def __repr__(self) -> str:
        where = f" where {And(self.where)}" if self.where else ""
        order = f" by {', '.join(self.order_by)}" if self.order_by else ""
        return f"<{self.model.__name__} records{where}{order}>"

    def all(self, batch_size: int = DEFAULT_BATCH_SIZE) -> list[T]:
        """All of them; `batch_size` is how many are read at a time, unless they are sorted."""
        if self.order_by:
            return self.repository().find(*self.where, order_by=self.order_by)
        return list(self.repository().iterate(*self.where, batch_size=batch_size))

    def first(self) -> T:
        """The first of them.

        Raises:
            NotFoundError: there is none.
        """
        repository = self.repository()
        found = repository.first(*self.where, order_by=self.order_by)
        if found is None:
            raise NotFoundError(repository.collection, condition=str(And(self.where)))
        return found

    def count(self) -> int:
        """How many there are; no record is read where an index answers the conditions."""
        return self.repository().count(*self.where)

    def page(self, offset: int = 0, limit: int = 10) -> list[T]:
        """`limit` of them, without the first `offset`."""
        return self.repository().find(
            *self.where, order_by=self.order_by, limit=limit, offset=offset
        )

    def sort_by(self, *fields: str | Field) -> "FindQuery[T]":
        """The same in the order of `fields`: ``"age"``, or ``"-age"`` for descending.

        Raises:
            QueryError: there is no such field, or its values have no order.
        """
        order_by: list[str] = []
        for name in fields:
            sign = "-" if isinstance(name, str) and name.startswith("-") else ""
            order_by.append(sign + path_of(self.model, name[1:] if sign else name))  # type: ignore[index]  # a str
        Ordering.parse(schema_of(self.model), order_by)
        return replace(self, order_by=tuple(order_by))

    def values(self, *fields: str | Field) -> "Rows":
        """Some `fields` of each, as a dict; all that are declared if none is named.

        What is embedded is a dict as well. Where all are indexed, and those of the order, no
        record is read.

        Raises:
            QueryError: there is no such field.
        """
        stored = [name for name, info in self.model.model_fields.items() if not info.exclude]
        names = {path_of(self.model, name): name for name in fields or stored}
        ordering = Ordering.parse(schema_of(self.model), self.order_by)
        paths = () if ordering is None else ordering.paths
        rows = self.repository().project([*{*names, *paths, "pk"}], *self.where)
        if ordering is not None:
            by_pk = {row["pk"]: row for row in rows}
            keys = ((pk, [scalar(row[path]) for path in paths]) for pk, row in by_pk.items())
            rows = [by_pk[pk] for pk in ordering.sorted(keys)]
        return Rows(
            {_shown(name): _plain(row[path]) for path, name in names.items()} for row in rows
        )

    def update(self, /, **fields: Any) -> int:
        """Set `fields` in each of them; return in how many.

        All are checked before the first is written. A record that others delete meanwhile, or
        change so that it does not fulfil the conditions any more, is passed over.

        Raises:
            QueryError: there is no such field.
            InvalidRecordError: a value does not fit its field; nothing was written.
            InvalidArgumentError: the pk is among them; nothing was written.
        """
        repository = self.repository()
        for item in repository.iterate(*self.where):
            repository.check(changed(item, fields))
        return repository.update_many(lambda item: changed(item, fields), *self.where)

    def delete(self) -> int:
        """Delete them; return how many there were."""
        repository = self.repository()
        if self.where:
            return repository.delete_many(*self.where)
        return repository.delete_many(repository.pks())

    def __iter__(self) -> Iterator[T]:
        return iter(self.all()) if self.order_by else self.repository().iterate(*self.where)

    @overload
    def __getitem__(self, item: int) -> T: ...

    @overload
    def __getitem__(self, item: slice) -> list[T]: ...

    def __getitem__(self, item: int | slice) -> T | list[T]:
        """As of a list; what is not asked for is read only to count from the end.

        Raises:
            IndexError: there are not so many.
        """
        if isinstance(item, slice):
            start, stop = item.start or 0, item.stop
            if item.step is None and start >= 0 and stop is not None and stop >= 0:
                return self.page(start, max(0, stop - start))
            return self.all()[item]
        found = self.page(item, 1) if item >= 0 else self.all()[item : item + 1 or None]
        if not found:
            raise IndexError(f"{self!r} have no {item}")
        return found[0]


class Rows(list[dict[str, Any]]):
    """What `FindQuery.values` returns: a list, which may be asked for itself as in redis-om."""

    def all(self) -> Self:
        """Itself."""
        return self


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _shown(name: str | Field) -> str:
    return name if isinstance(name, str) else name.path
