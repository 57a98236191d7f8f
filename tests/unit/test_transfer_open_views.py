"""Views of models that keep undeclared fields."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

import simstore.sotopia
from simstore import Indexed, ModelError, Record
from simstore.domain.record import dump_record, load_record
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS
from simstore.domain.views import collection_of, record_class
from simstore.services.transfer.open_views import open_view

T = TypeVar("T")


class Plain(Record):
    """A model of the usual kind."""

    age: Annotated[int, Indexed()] = 0


class Frozen(Record):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Named(Record):
    __collection__: ClassVar[str] = "others"


class Box(Record, Generic[T]):
    __collection__: ClassVar[str] = "boxes"
    value: T


class Tree(Record):
    below: "list[Tree]" = Field(default_factory=list)


with pytest.warns(UserWarning, match="protected namespace"):  # once, by pydantic

    class Warned(Record):
        model_dump_all: str = ""


class Outer:
    class Within(Record):
        """A model within a class."""


class Odd(Record):
    alias: str = Field("", alias="other")
    _private: int = PrivateAttr(default=7)

    @cached_property
    def length(self) -> int:
        return len(self.alias)

    @model_validator(mode="after")
    def _check(self) -> "Odd":
        assert self.alias != "wrong"
        return self


class Refusing(Record):
    def __init_subclass__(cls, **options: Any) -> None:
        raise TypeError("no subclasses")


class Meta(type(BaseModel)):  # type: ignore[misc]  # pydantic has no public name for it
    def __init__(cls, *arguments: Any, reason: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        cls.reason = reason

    def __new__(cls, *arguments: Any, reason: str, **options: Any) -> Any:
        del reason
        return super().__new__(cls, *arguments, **options)


class OfMeta(Record, metaclass=Meta, reason="it is asked for"):
    pass


class Renaming(Record):
    __collection__: ClassVar[str] = "renaming"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__collection__ = "renamed"


MODELS = [*RECORD_MODELS, Plain, Frozen, Named, Box, Box[int], Tree, Warned, Outer.Within, Odd]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_view_is_the_model_but_for_undeclared_fields(model: type[BaseModel]) -> None:
    view = open_view(model)
    assert view is open_view(model)
    assert view is not model
    assert view.model_config["extra"] == "allow"
    assert record_class(view) is record_class(model)
    assert collection_of(view) == collection_of(model)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        assert getattr(view, name) == getattr(model, name), name
    ours, theirs = schema_of(view), schema_of(model)
    assert [f.path for f in ours.indexed] == [f.path for f in theirs.indexed]
    assert open_view(view) is view


def test_it_keeps_what_the_model_would_refuse_or_overlook() -> None:
    for model in (Plain, Frozen, Named, Odd, Warned):
        document = {
            **dump_record(model.model_validate({"pk": "a"})),
            "other": "x",
            "length": [1],
            "_private": 2,
        }
        view = open_view(model)
        assert dump_record(load_record(view, document)) == document
    with pytest.raises(ValueError, match="Assertion"):
        load_record(open_view(Odd), {"pk": "a", "alias": "wrong"})


def test_models_within_functions_have_views() -> None:
    class Inner(BaseModel):
        text: str

    class Outer(Record):
        inner: "Inner"
        others: "list[Outer]" = Field(default_factory=list)

    view = open_view(Outer)
    assert view is not Outer
    document = {"pk": "a", "inner": {"text": "x"}, "others": [], "later": 1}
    assert dump_record(load_record(view, document)) == document


def test_a_model_that_keeps_them_is_its_own_view() -> None:
    assert open_view(simstore.sotopia.EpisodeLog) is simstore.sotopia.EpisodeLog


@pytest.mark.parametrize("model", [Refusing, OfMeta, Renaming])
def test_a_model_without_a_view_stands_for_itself(model: type[BaseModel]) -> None:
    assert open_view(model) is model


def test_what_is_no_model_of_records_is_refused() -> None:
    with pytest.raises(ModelError, match="Home has no field 'pk'"):
        open_view(type("Home", (BaseModel,), {"__module__": __name__}))
