"""Fields as redis-om declares and asks them: ``Field(index=True)`` and ``Model.field == value``."""

import inspect
import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

import pydantic
from pydantic import BaseModel

from simstore.domain import query
from simstore.domain.errors import ModelError, QueryError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.query import Condition, Operand, Scalar
from simstore.domain.schema import near_name, schema_of, shape_of

_PYDANTICS = frozenset(inspect.signature(pydantic.Field).parameters) - {"default", "extra"}
"""The words that `pydantic.Field` takes."""


_RENAMED = {"regex": "pattern", "min_items": "min_length", "max_items": "max_length"}
"""What redis-om still calls some of them."""


def Field(  # noqa: N802, PLR0913 — the name and the words that redis-om's users write
    default: Any = ...,
    *,
    index: bool = False,
    full_text_search: bool = False,
    sortable: bool = False,
    case_sensitive: bool = True,
    primary_key: bool = False,
    **others: Any,
) -> Any:
    """A field of a model, with redis-om's words for indexes; `others` are for `pydantic.Field`.

    `index` and `full_text_search` make it `Indexed` and `FullText`, if its values can be compared.
    Every field can be sorted by, and all equality is case-sensitive, so that `sortable` and
    `case_sensitive` change nothing.

    Raises:
        ModelError: it is to be the primary key, which is always the field ``pk``; or a word is
            known neither here nor to pydantic.
    """
    del sortable, case_sensitive
    if primary_key:
        raise ModelError("the primary key is always the field pk: a str, which every model has")
    others = {_RENAMED.get(name, name): value for name, value in others.items()}
    for name in others.keys() - _PYDANTICS:
        hint = near_name(name, [*_PYDANTICS, "index", "full_text_search", "sortable"])
        raise ModelError(f"Field() knows no {name!r}{hint}")
    if default is not ...:
        others["default"] = default
    field: Any = pydantic.Field(**others)
    if index:
        field.metadata.append(Indexed())
    if full_text_search:
        field.metadata.append(FullText())
    return field


def forget_vain_indexes(model: type[BaseModel]) -> None:
    """Take the index from fields whose values cannot be compared, such as dates.

    redis-om takes such a one, and finds nothing by it.
    """
    for field in model.model_fields.values():
        if not shape_of(field.annotation).kinds:
            marks = [mark for mark in field.metadata if not isinstance(mark, Indexed | FullText)]
            field.metadata = marks


class ModelField(query.Field):
    """A field of a model: what ``EpisodeLog.tag`` is, to be compared as redis-om compares it.

    In a list, ``==`` and ``<<`` look for an element, and ``!=`` and ``>>`` say that it has none;
    with a list on the right, ``==`` and ``!=`` compare the whole.
    """

    __slots__ = ("_model",)
    __hash__ = None

    def __init__(self, model: type[BaseModel], path: str) -> None:
        super().__init__(path)
        self._model = model

    def __repr__(self) -> str:
        return f"{self._model.__name__}.{self.path}"

    def __getattr__(self, name: str) -> "ModelField":
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self.path}.{name}"
        try:
            schema_of(self._model).resolve(path)
        except QueryError as error:
            raise AttributeError(f"{self!r} has no {name!r}: {error}") from error
        return ModelField(self._model, path)

    def __eq__(self, operand: Operand) -> Condition:  # type: ignore[override]
        if self._looks_into_list(operand):
            return self.contains(operand)  # type: ignore[arg-type]  # no list
        return super().__eq__(operand)

    def __ne__(self, operand: Operand) -> Condition:  # type: ignore[override]
        if self._looks_into_list(operand):
            return ~self.contains(operand)  # type: ignore[arg-type]  # no list
        return super().__ne__(operand)

    def __lshift__(self, operands: Iterable[Scalar | Enum]) -> Condition:
        """It is one of `operands`, or for a list: one of its elements is."""
        among = self.in_([operands] if isinstance(operands, str) else operands)
        if not schema_of(self._model).resolve(self.path).shape.many:
            return among
        values: Any = among.operand
        some = tuple(self.contains(value) for value in values)
        return some[0] if len(some) == 1 else query.Or(some)

    def __rshift__(self, operands: Iterable[Scalar | Enum]) -> Condition:
        """It is none of `operands`, or for a list: none of its elements is."""
        return ~(self << operands)

    def __mod__(self, words: str) -> Condition:
        """The text has every one of `words`, as `Field.matches` finds them."""
        if found := _SYNTAX.search(str(words)):
            raise QueryError(
                f"{self!r} % {words!r}: {found[0].strip()!r} is the query engine's syntax; here "
                "every word is looked for as it is, so join several conditions with &, | and ~"
            )
        return self.matches(words)

    def _looks_into_list(self, operand: object) -> bool:
        if operand is None or isinstance(operand, list | tuple | set | frozenset):
            return False
        return schema_of(self._model).resolve(self.path).shape.many


_SYNTAX = re.compile(r"""(?:^|\s)[-~@](?=\w)|[*%|"(){}\[\]$]""")
"""What RediSearch would take for something else than words."""


def path_of(model: type[BaseModel], name: str | query.Field) -> str:
    """The path of a field: ``Model.field``, or its name, ``outer__inner`` of one within another.

    Raises:
        QueryError: there is no such field.
    """
    if isinstance(name, query.Field):
        return name.path
    given: object = name
    if not isinstance(given, str):
        raise QueryError(f"a field is named by a str, or is Model.field, not {name!r}")
    path = name if name in model.model_fields else name.replace("__", ".")
    return schema_of(model).resolve(path).path
