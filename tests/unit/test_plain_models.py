"""Which models are read in one pass, and which of their documents."""

import math
from enum import Flag
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    JsonValue,
    ValidationInfo,
    create_model,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic_core import core_schema

import simstore
from simstore import AgentProfile, EpisodeLog, Record, RelationshipProfile
from simstore.adapters.codec import dumps
from simstore.adapters.plain_models import PlainModel
from simstore.domain.numbers import check_numbers
from simstore.domain.record import dump_record, load_record

AGENT = AgentProfile(pk="a", first_name="Ada", last_name="L", age=36, moral_values=["Care"])
EPISODE = EpisodeLog(
    pk="e",
    environment="v",
    agents=["a", "b"],
    models=None,
    messages=[[("Ada", "Environment", "— 你好"), ("Bob", "Environment", "")]],
    rewards=[(1.5, {"goal": 2.0}), -0.0],
)
FRIENDS = RelationshipProfile(pk="r", agent_1_id="a", agent_2_id="b", relationship=3)  # type: ignore[arg-type]


def reader(model: type[BaseModel]) -> PlainModel[Any]:
    plain = PlainModel.of(model)
    assert plain is not None
    return plain


@pytest.mark.parametrize("item", [AGENT, EPISODE, FRIENDS], ids=lambda item: type(item).__name__)
def test_the_usual_records_are_read(item: BaseModel) -> None:
    back = reader(type(item)).read(dumps(dump_record(item)))
    assert repr(back) == repr(item)
    assert back is not None
    assert back.model_copy(deep=True) == item  # all that pydantic keeps of a record is there


def test_an_older_document_has_the_defaults_of_new_fields() -> None:
    old = {"last_name": "L", "pk": "a", "first_name": "Ada"}
    loaded = load_record(AgentProfile, old)
    back = reader(AgentProfile).read(dumps(old))
    assert back is not None
    assert list(back.__dict__.items()) == list(loaded.__dict__.items())
    assert back.model_fields_set == loaded.model_fields_set == set(old)
    again = reader(AgentProfile).read(dumps(old))
    assert again is not None
    assert again.moral_values is not back.moral_values


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"pk":"a","first_name":"A"}',
        b'{"pk":"a","first_name":"A","last_name":"B","unknown":1}',
        b'{"pk":"a","first_name":"A","last_name":"B","age":null}',
        b'{"pk":"a","first_name":"A","last_name":"B","age":3.0}',
        b'{"pk":"a","first_name":"A","last_name":"B","age":18446744073709551617}',
        b'{"pk":"a","first_name":"A","last_name":"\\ud800"}',
        b'{"pk":"a/b","first_name":"A","last_name":"B"}',
    ],
)
def test_everything_else_is_in_doubt(data: bytes) -> None:
    assert reader(AgentProfile).read(data) is None


class Measured(Record):
    count: int = 0
    counts: list[int] = Field(default_factory=list)
    share: float = 0.0
    shares: dict[str, float | None] = Field(default_factory=dict)
    note: str = ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("count", number) for number in (2**63, 2**64, -(2**63) - 1, True, 1.0)),
        *(("counts", numbers) for numbers in ([2**63], [2**70], [True], (1,))),
        *(("share", number) for number in (math.nan, math.inf, 1, 2**63, True, "1")),
        *(("shares", {"a": number}) for number in (math.nan, -math.inf, 1, "1")),
        *(("note", text) for text in ("\ud800", None, 1)),
    ],
)
def test_an_item_that_json_may_change_is_in_doubt(name: str, value: object) -> None:
    item = Measured(pk="a", shares={"a": None, "b": -0.0})
    assert reader(Measured).write(item) == (item, dumps(dump_record(item)))
    setattr(item, name, value)
    assert reader(Measured).write(item) is None


def test_a_broken_invariant_is_in_doubt() -> None:
    document = {**dump_record(EPISODE), "agents": ["a"]}
    assert reader(EpisodeLog).read(dumps(document)) is None


def test_pydantic_keeps_nothing_else_of_a_record() -> None:
    """`PlainModel` sets these four; were there a fifth, it would have to as well."""
    assert BaseModel.__slots__ == (
        "__dict__",
        "__pydantic_fields_set__",
        "__pydantic_extra__",
        "__pydantic_private__",
    )


class WithInfo(Record):
    text: str

    @field_validator("text")
    @classmethod
    def _check(cls, text: str, info: ValidationInfo) -> str:
        return f"{text}{len(info.data)}"


class Before(Record):
    @model_validator(mode="before")
    @classmethod
    def _mend(cls, data: Any) -> Any:
        return data


class Serialized(Record):
    text: str

    @field_serializer("text")
    def _shorten(self, text: str) -> str:
        return text[:3]


class Private(Record):
    _note: str = ""


class Initialized(Record):
    def __init__(self, **values: Any) -> None:
        super().__init__(**values)


class Stripping(Record):
    model_config = ConfigDict(str_strip_whitespace=True)


class Access(Flag):
    READ = 1


OTHER_TYPES: list[Any] = [
    Any,
    JsonValue,
    bytes,
    list,
    set[str],
    dict[int, str],
    AgentProfile,
    Access,
    Literal["a", 1],
    int | float,
    list[str] | tuple[str, str],
    Annotated[str, Field(max_length=3)],
    Annotated[list[str], Field(max_length=3)],
    Annotated[str, Field(exclude=True)],
]


@pytest.mark.parametrize(
    "model",
    [
        WithInfo,
        Before,
        Serialized,
        Private,
        Initialized,
        Stripping,
        *(create_model("Field", __base__=Record, field=(kind, ...)) for kind in OTHER_TYPES),
    ],
    ids=lambda model: str(model.model_fields.get("field", model.__name__)),
)
def test_a_model_that_is_more_than_its_types_is_not_plain(model: type[BaseModel]) -> None:
    assert PlainModel.of(model) is None


class Open(Record):
    model_config = ConfigDict(extra="allow")

    number: int = 0


def test_a_model_that_takes_other_fields_is_plain_without_them() -> None:
    plain = Open(pk="a", number=1)
    kept = reader(Open).write(plain)
    assert kept is not None
    for back in (reader(Open).read(kept[1]), reader(Open).clone(kept[0]), kept[0]):
        assert back == plain
        assert back.model_extra == {}
    kept[0].other = "x"  # its own dict
    assert Open(pk="b").model_extra == {}
    assert reader(Open).write(Open(pk="a", other=1)) is None  # type: ignore[call-arg]  # an extra
    assert reader(Open).read(b'{"pk":"a","number":1,"other":2}') is None


def test_numbers_are_checked_that_a_validator_made() -> None:
    def squared(value: int) -> int:
        return value**2

    kind = Annotated[int, AfterValidator(squared), AfterValidator(check_numbers)]
    model = create_model("Squared", __base__=Record, number=(kind, ...))
    back = reader(model).read(b'{"pk":"a","number":3}')
    assert repr(back) == "Squared(pk='a', number=9)"
    assert reader(model).read(b'{"pk":"a","number":4294967296}') is None


class Caching(BaseModel):
    pk: str
    tags: list[str] = []

    @cached_property
    def loud(self) -> list[str]:
        return [tag.upper() for tag in self.tags]

    @model_validator(mode="after")
    def _look(self) -> Self:
        assert self.loud is not None
        return self


class Noting(Record):
    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="after")
    def _note(self) -> Self:
        self.__dict__["noted"] = [1]
        return self


@pytest.mark.parametrize("item", [Caching(pk="a", tags=["x"]), Noting(pk="a")])
def test_what_a_validator_keeps_beside_the_fields_is_neither_stored_nor_shared(
    item: BaseModel,
) -> None:
    assert reader(type(item)).write(item) is None
    with simstore.connect("memory://") as store:
        repository = store.repository(type(item))
        repository.save(item)
        for value in repository.get("a").__dict__.values():
            if isinstance(value, list):
                value.append("changed")
        assert repository.get("a") == type(item).model_validate(dump_record(item))


def by_hand(schema: core_schema.CoreSchema) -> Any:
    return Annotated[list[str], GetPydanticSchema(lambda _, __: schema)]


@pytest.mark.parametrize(
    "kind",
    [tuple[()], list[tuple[()]], by_hand(core_schema.list_schema())],
    ids=["empty tuple", "empty tuples", "a schema without its parts"],
)
def test_an_unusual_type_makes_a_model_no_worse_than_not_plain(kind: Any) -> None:
    model = create_model("Unusual", __base__=Record, field=(kind, ...))
    assert PlainModel.of(model) is None
    with simstore.connect("memory://") as store:
        item = store.repository(model).save(model.model_validate({"pk": "a", "field": ()}))
        assert store.repository(model).get("a") == item
