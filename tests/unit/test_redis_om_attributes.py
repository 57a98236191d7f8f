"""What the query engine is told of a model: the fields that are read as they are stored."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import count
from typing import Annotated, Any, Literal, NewType

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    StringConstraints,
    create_model,
    field_validator,
    model_validator,
)

import simstore
import simstore.sotopia
from simstore.adapters.codec import RecordCodec
from simstore.adapters.redis_om.attributes import Attribute, attributes_of
from simstore.adapters.redis_om.candidates import Parameters
from simstore.adapters.storage import Bound, Equal, OneOf, Range
from simstore.domain.fields import Indexed
from simstore.domain.numbers import Number
from simstore.domain.record import Record
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS
from simstore.testing.models import Level, Part, Specimen

TAG = ("TAG", "CASESENSITIVE")
NUMERIC = ("NUMERIC",)


def told(model: type[BaseModel]) -> Mapping[str, Attribute]:
    """The attributes of `model`, by path."""
    schema = schema_of(model)
    return attributes_of(schema, RecordCodec(model, schema, keeps_objects=False).indexes)


def words(model: type[BaseModel]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The JSON path and the type of each."""
    return {
        path: (attribute.words()[0], attribute.words()[3:])
        for path, attribute in told(model).items()
    }


def test_texts_and_numbers_are_told_wherever_they_are() -> None:
    assert words(Specimen) == {
        "tag": ("$.tag", TAG),
        "nickname": ("$.nickname", TAG),
        "number": ("$.number", NUMERIC),
        "score": ("$.score", NUMERIC),
        "ratio": ("$.ratio", NUMERIC),
        "level": ("$.level", NUMERIC),
        "colour": ("$.colour", TAG),
        "status": ("$.status", TAG),
        "labels": ("$.labels[*]", TAG),
        "marks": ("$.marks[*]", NUMERIC),
        "home.label": ("$.home.label", TAG),
        "parts.label": ("$.parts[*].label", TAG),
        "motto": ("$.motto", TAG),
    }
    names = [attribute.name for attribute in told(Specimen).values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("model", RECORD_MODELS)
def test_of_sotopias_models_every_field_is_told_that_is_asked_for(model: type[BaseModel]) -> None:
    exact = [each.path for each in schema_of(model).indexed if each.shape.indexed]
    assert [*told(model)] == exact
    assert [*told(getattr(simstore.sotopia, model.__name__))] == exact


class Deep(BaseModel):
    parts: list[Part] = Field(default_factory=list)


class Deeper(BaseModel):
    deep: Deep = Deep()
    tags: tuple[Annotated[str, Indexed()], ...] = ()
    a_b: Annotated[str, Indexed()] = ""


class Tree(Record):
    name: Annotated[str, Indexed()] = ""
    below: "Tree | None" = None
    first: Deeper | None = None
    second: Deeper | None = None


def test_paths_of_several_steps_and_models_within_themselves() -> None:
    one = {
        "deep.parts.label": ("deep.parts[*].label", TAG),
        "tags": ("tags[*]", TAG),
        "a_b": ("a_b", TAG),
    }
    assert words(Tree) == {
        "name": ("$.name", TAG),
        **{
            f"{outer}.{path}": (f"$.{outer}.{json_path}", kind)
            for outer in ("first", "second")
            for path, (json_path, kind) in one.items()
        },
    }


class OwnEnum(StrEnum):
    a = "a"

    @classmethod
    def _missing_(cls, value: object) -> "OwnEnum | None":
        return cls.a if value == "A" else None


class TwoValues(StrEnum):
    a = "a"


TwoValues._value2member_map_["A"] = TwoValues.a  # as _add_value_alias_ does on Python 3.13


class LowText(str):
    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        inner = handler(str)
        return {
            "type": "function-after",
            "schema": inner,
            "function": {"type": "no-info", "function": str.lower},
        }


def lowered(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


TextId = NewType("TextId", str)

KEPT: dict[str, Any] = {
    "a bound": Annotated[int, Field(ge=0, le=9)],
    "a pattern": Annotated[str, StringConstraints(min_length=1, pattern="a")],
    "an enum": Level,
    "a literal": Literal["a", "b"],
    "several numbers": int | float,
    "an optional set": set[str] | None,
    "a name for a type": TextId,
    "a validator of ours": Number,
}

CHANGED: dict[str, Any] = {
    "stripped": Annotated[str, StringConstraints(strip_whitespace=True)],
    "lower": Annotated[str, StringConstraints(to_lower=True)],
    "a validator before": Annotated[str, BeforeValidator(lowered)],
    "a validator after": Annotated[str, AfterValidator(lowered)],
    "a validator of elements": list[Annotated[str, AfterValidator(lowered)]],
    "a validator in an optional": Annotated[str, AfterValidator(lowered)] | None,
    "an enum that takes more": OwnEnum,
    "an enum with a second value": TwoValues,
    "a class of text": LowText,
    "several kinds": str | int,
    "a bool": bool,
    "not ASCII": str,
}


@pytest.mark.parametrize("name", [*KEPT, *CHANGED])
def test_a_field_that_its_type_may_change_is_not_told(name: str) -> None:
    kind = {**KEPT, **CHANGED}[name]
    field_name = "größe" if name == "not ASCII" else "value"
    fields: dict[str, Any] = {field_name: (Annotated[kind, Indexed()], ...)}
    model = create_model("Model", __base__=Record, other=(Annotated[str, Indexed()], ""), **fields)
    assert [*told(model)] == (["other"] if name in CHANGED else ["other", "value"])


class Stripping(Record):
    model_config = ConfigDict(str_strip_whitespace=True)
    value: Annotated[str, Indexed()]


class Checking(Record):
    model_config = ConfigDict(validate_default=True)
    value: Annotated[str, Indexed()] = "x"


class Validated(Record):
    value: Annotated[str, Indexed()]

    @field_validator("value")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.lower()


class Whole(Record):
    value: Annotated[str, Indexed()]

    @model_validator(mode="before")
    @classmethod
    def _lower(cls, values: Any) -> Any:
        return {**values, "value": values["value"].lower()}


class Initialized(Record):
    value: Annotated[str, Indexed()]

    def __init__(self, **values: Any) -> None:
        super().__init__(**{**values, "value": lowered(values.get("value"))})


class Finished(Record):
    value: Annotated[str, Indexed()]

    def model_post_init(self, context: Any, /) -> None:
        self.value = self.value.lower()


class FinishedWithPrivates(Finished):
    _private: int = PrivateAttr(1)


class Rooted(RootModel[str]):
    root: Annotated[str, Indexed()]


class WithRoot(Record):
    value: Rooted


class WithStripping(Record):
    within: Stripping


@pytest.mark.parametrize(
    "model",
    [
        Stripping,
        Checking,
        Validated,
        Whole,
        Initialized,
        Finished,
        FinishedWithPrivates,
        WithRoot,
        WithStripping,
    ],
)
def test_nothing_is_told_that_the_model_may_change(model: type[BaseModel]) -> None:
    assert schema_of(model).indexed
    assert told(model) == {}


class Private(Record):
    value: Annotated[str, Indexed()]
    _private: int = PrivateAttr(1)


class DropIn(simstore.sotopia.JsonModel):
    value: str = simstore.sotopia.Field(index=True)


@pytest.mark.parametrize("model", [Private, DropIn])
def test_what_leaves_the_fields_alone_hinders_nothing(model: type[BaseModel]) -> None:
    assert [*told(model)] == ["value"]


def query(model: type[BaseModel], asked: Any) -> str | None:
    return told(model)[asked.index].query(asked, Parameters())


class Inner(BaseModel):
    number: Annotated[int, Indexed()] = 7
    must: Annotated[int, Indexed()]


_numbers: Iterator[int] = count()


class Defaults(Record):
    must: Annotated[int, Indexed()]
    number: Annotated[int, Indexed()] = 5
    none: Annotated[int | None, Indexed()] = None
    several: Annotated[list[int], Indexed()] = Field(default_factory=lambda: [1, 2])
    level: Annotated[Level, Indexed()] = Level.high
    changing: Annotated[int, Indexed()] = Field(default_factory=lambda: next(_numbers))
    derived: Annotated[int, Indexed()] = Field(default_factory=lambda data: data["must"])
    wrong: Annotated[int, Indexed()] = Field(default={"a": 1})  # type: ignore[assignment]  # on purpose
    inner: Inner = Inner(number=8, must=9)
    inners: list[Inner] = Field(default_factory=list)
    perhaps: Inner | None = None


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("must", []),
        ("number", [5]),
        ("none", []),
        ("several", [1, 2]),
        ("level", [10]),
        ("inner.number", [7, 8]),
        ("inner.must", [9]),
        ("inners.number", [7]),
        ("perhaps.number", [7]),
        ("perhaps.must", []),
    ],
)
def test_there_is_no_query_for_what_is_read_where_a_field_is_missing(
    path: str, read: list[int]
) -> None:
    for value in range(-1, 12):
        found = {
            "equal": query(Defaults, Equal(path, value)),
            "one of": query(Defaults, OneOf(path, (value, 99))),
            "range": query(
                Defaults, Range(path, Bound(value, inclusive=True), Bound(value, inclusive=True))
            ),
        }
        assert {name: each is None for name, each in found.items()} == dict.fromkeys(
            found, value in read
        )


@pytest.mark.parametrize("path", ["changing", "derived", "wrong"])
def test_there_is_none_where_that_is_not_known(path: str) -> None:
    assert query(Defaults, Equal(path, 99)) is None
