"""Models that save and find themselves, as redis-om's do, in the store that is bound."""

from collections.abc import Iterable
from contextvars import ContextVar
from copy import copy
from typing import TYPE_CHECKING, Any, Self, TypeVar, dataclass_transform

import pydantic
from pydantic import BaseModel, ConfigDict

from simstore.domain.checking import checked
from simstore.domain.errors import (
    InvalidArgumentError,
    InvalidPkError,
    ModelError,
    NotFoundError,
)
from simstore.domain.query import Condition
from simstore.domain.record import Record
from simstore.domain.repository import Repository
from simstore.domain.schema import near_name, schema_of
from simstore.sotopia.binding import current_store
from simstore.sotopia.changing import changed, take_over, write_settled
from simstore.sotopia.fields import ModelField, forget_vain_indexes, path_of
from simstore.sotopia.find_query import FindQuery

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)  # which pydantic has no public name for

M = TypeVar("M", bound="JsonModel")

METHODS = frozenset(
    ("add", "all", "all_pks", "delete", "delete_many", "expire", "find", "get", "save", "update")
)
"""What every model can do, so that no field can be called so."""

_making = ContextVar("a class is being made", default=False)


@dataclass_transform(kw_only_default=True, field_specifiers=(pydantic.Field, pydantic.PrivateAttr))
class ActiveRecordMeta(ModelMetaclass):
    """Makes ``EpisodeLog.tag`` a field to be compared, where it would be an AttributeError.

    To type checkers it is what a record has there, and a field with `Field` has a default, since
    they understand none that is given by position.
    """

    def __new__(cls, *arguments: Any, **options: Any) -> Any:
        token = _making.set(True)
        try:
            made: Any = super().__new__(cls, *arguments, **options)
        finally:
            _making.reset(token)
        for name in METHODS & made.model_fields.keys():
            raise ModelError(
                f"{made.__name__}.{name} cannot be a field: every JsonModel has a method {name}()"
            )
        with_own_pk(made)
        return made

    if not TYPE_CHECKING:  # to type checkers, fields are what pydantic says

        def __getattr__(cls, name: str) -> Any:  # noqa: N805 — its instances are classes
            fields = cls.__dict__.get("__pydantic_fields__")
            # pydantic looks whether a class that is being made hides attributes of its parents.
            if fields is None or name.startswith("_") or _making.get():
                return super().__getattr__(name)
            if name not in fields:
                raise AttributeError(f"{cls.__name__} has no {name!r}{near_name(name, fields)}")
            return ModelField(cls, name)


def with_own_pk(model: type[BaseModel]) -> None:
    """Let a blank pk be assigned where `model`, or another base of it, declares one.

    Sotopia's say ``pk: str | None = Field(default_factory=lambda: "")``.
    """
    pk = model.model_fields["pk"]
    is_text = pk.annotation is str or pk.annotation == (str | None)
    if not is_text or pk.is_required() or pk.default_factory_takes_validated_data:
        return
    if pk.annotation is str and pk.default_factory is not None:
        return  # keys of the user's own making
    if pk.get_default(call_default_factory=True) not in {None, ""}:
        return
    model.__pydantic_fields__["pk"] = copy(Record.model_fields["pk"])
    if model.__pydantic_complete__:
        model.model_rebuild(force=True)


class EmbeddedJsonModel(BaseModel):
    """A model within others, which has no records of its own."""

    model_config = ConfigDict(extra="allow")

    def __init_subclass__(cls, *, index: bool = True, **options: Any) -> None:
        super().__init_subclass__(**options)
        del index  # what redis-om 1 is told of every model; here fields alone say it

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        forget_vain_indexes(cls)


class JsonModel(Record, metaclass=ActiveRecordMeta):
    """A record that saves and finds itself: the base of your own models.

    As with redis-om, fields that are not declared are kept, and a class may say ``index=True``,
    which changes nothing: its fields say what is indexed.
    """

    model_config = ConfigDict(extra="allow")

    def __init_subclass__(cls, *, index: bool = True, **options: Any) -> None:
        super().__init_subclass__(**options)
        del index

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        forget_vain_indexes(cls)

    def __lt__(self, other: object) -> bool:
        """By pk, so that records can be sorted as redis-om's can."""
        return self.pk < other.pk if isinstance(other, JsonModel) else NotImplemented

    @classmethod
    def _repository(cls) -> Repository[Self]:
        return current_store().repository(cls)

    @classmethod
    def _key(cls, pk: Any) -> str:
        if isinstance(pk, BaseModel):
            raise InvalidArgumentError(
                f"{cls.__name__} is asked for a pk, not for a record: {pk!r}"
            )
        return str(pk)

    def save(self) -> Self:
        """Store it under its pk, in the place of what is there.

        Raises:
            InvalidRecordError: a value does not fit its field; the message names it.
        """
        repository = self._repository()
        write_settled([self], lambda items: repository.save(items[0]))
        return self

    @classmethod
    def add(cls, models: Iterable[Self]) -> list[Self]:
        """Store all `models` in bulk; return them.

        Raises:
            InvalidRecordError: one of them cannot be stored; nothing was.
            SaveManyError: the backend failed part of the way; it says what was not stored.
        """
        given = list(models)
        write_settled(given, cls._repository().save_many)
        return given

    @classmethod
    def get(cls, pk: Any) -> Self:
        """The record of `pk`.

        Raises:
            NotFoundError: there is none.
        """
        repository, key = cls._repository(), cls._key(pk)
        try:
            return repository.get(key)
        except InvalidPkError as error:  # what no record can have
            raise NotFoundError(repository.collection, [key]) from error

    @classmethod
    def find(cls, /, *conditions: Any, **equals: Any) -> FindQuery[Self]:
        """The records that fulfil all `conditions` and have the values of `equals`.

        ``EpisodeLog.find(EpisodeLog.tag == tag, environment=pk)``. Nothing is read yet.

        Raises:
            QueryError: a condition does not fit the model; the message says why.
        """
        fields = [ModelField(cls, path_of(cls, name)) == value for name, value in equals.items()]
        where: tuple[Condition, ...] = (*conditions, *fields)
        if where:  # held against the model now, and out of reach of who changes a list later
            where = (checked(schema_of(cls), where, {}),)
        return FindQuery(cls, cls._repository, where)

    @classmethod
    def all(cls) -> list[Self]:
        """All records, by pk."""
        return cls._repository().find()

    @classmethod
    def all_pks(cls) -> list[str]:
        """The primary keys of all records, in order; no record is read."""
        return cls._repository().pks()

    @classmethod
    def delete(cls, pk: Any) -> int:
        """Delete the record of `pk`; return 1, or 0 if there is none."""
        try:
            return cls._repository().delete_many([cls._key(pk)])
        except InvalidPkError:
            return 0

    @classmethod
    def delete_many(cls, models: Iterable[Self]) -> int:
        """Delete `models`; return how many were there.

        Those of a subclass are deleted among its records.

        Raises:
            InvalidArgumentError: one of them is no record of this model.
        """
        by_class: dict[type[JsonModel], list[str]] = {}
        for model in models:
            if not isinstance(model, cls):
                raise InvalidArgumentError(
                    f"{cls.__name__}.delete_many() takes its records, not {model!r}"
                )
            by_class.setdefault(type(model), []).append(model.pk)
        store = current_store()
        return sum(store.repository(each).delete_many(pks) for each, pks in by_class.items())

    def update(self, /, **fields: Any) -> Self:
        """Set `fields`, and save; ``outer__inner=value`` sets one of an embedded model.

        If a value does not fit, nothing is set.

        Raises:
            QueryError: there is no such field.
            InvalidRecordError: a value does not fit its field.
            InvalidArgumentError: the pk is among them.
        """
        take_over(self, changed(self, fields).save())
        return self

    def expire(self, num_seconds: float) -> None:
        """Let the stored record be forgotten in `num_seconds`, unless it is saved again.

        Raises:
            NotFoundError: it is not stored.
            InvalidArgumentError: `num_seconds` is not positive.
        """
        self._repository().update(self.pk, lambda item: item, ttl=num_seconds)


def adopted(model: type[M], record: BaseModel) -> M:
    """A `model` that takes over the values of `record`, of which it is a subclass with methods."""
    return model.model_construct(record.model_fields_set, **record.__dict__)
