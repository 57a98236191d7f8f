"""Which classes have the same records."""

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model, field_serializer, field_validator

import simstore
from simstore import sotopia
from simstore.domain.store import RECORD_MODELS
from simstore.domain.views import record_class


class Cat(BaseModel):
    pk: str
    name: str = ""
    age: int = 0

    @field_validator("name")
    @classmethod
    def _strip(cls, name: str) -> str:
        return name.strip()


def subclass(**namespace: Any) -> type[BaseModel]:
    return type("Cat", (Cat,), {"__module__": "elsewhere", **namespace})


class Uneasy:
    """A value that cannot be compared, as numpy's arrays cannot."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("which of them?")

    __hash__ = None  # type: ignore[assignment]  # as theirs


@pytest.mark.parametrize(
    "namespace",
    [
        {},
        {"meow": lambda _: "!"},
        {"model_config": ConfigDict(extra="allow", frozen=True, title="A cat")},
        {"__doc__": "Another."},
    ],
    ids=lambda namespace: "-".join(sorted(namespace)),
)
def test_a_subclass_of_methods_has_the_records_of_its_base(namespace: dict[str, Any]) -> None:
    view = subclass(**namespace)
    assert record_class(view) is record_class(subclass()) is Cat


@pytest.mark.parametrize(
    "namespace",
    [
        {"__annotations__": {"tail": bool}, "tail": True},
        {"__annotations__": {"age": float}, "age": 0},
        {"__annotations__": {"age": int}, "age": 1},
        {"__annotations__": {"age": int}, "age": Field(default=0, exclude=True)},
        {"__annotations__": {"age": int}, "age": Field(default=0, alias="years")},
        {"__annotations__": {"age": Any}, "age": Uneasy()},
        {"model_config": ConfigDict(str_to_upper=True)},
        {"_loud": field_validator("name")(lambda name: name.upper())},
        {"_strip": field_validator("name")(lambda name: name)},
        {"_short": field_serializer("name")(lambda name: name[:1])},
        {"__collection__": "Lion"},
    ],
    ids=lambda namespace: "-".join(sorted(namespace.keys() - {"__annotations__"})),
)
def test_a_subclass_that_reads_or_writes_otherwise_has_records_of_its_own(
    namespace: dict[str, Any],
) -> None:
    other = subclass(**namespace)
    assert record_class(other) is other
    if "__collection__" not in namespace:
        with simstore.connect("memory://") as store:
            store.repository(Cat)
            with pytest.raises(simstore.ModelError):
                store.repository(other)


def test_a_class_of_another_name_has_records_of_its_own() -> None:
    lion = create_model("Lion", __base__=Cat)
    assert record_class(lion) is lion


@pytest.mark.parametrize("model", RECORD_MODELS, ids=lambda model: model.__name__)
def test_the_drop_in_has_views_of_simstores_models(model: type[BaseModel]) -> None:
    assert record_class(getattr(sotopia, model.__name__)) is record_class(model) is model
