"""Plain models' records are read and checked as pydantic does it, whatever there is to read."""

import copy
import datetime as dt
import enum
import json
import math
from types import GenericAlias
from typing import Annotated, Any, Literal, Self, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, create_model

from simstore import Record
from simstore.adapters.codec import RecordCodec, json_of
from simstore.domain.errors import CorruptRecordError, InvalidRecordError
from simstore.domain.numbers import check_numbers
from simstore.domain.schema import schema_of
from simstore.testing.records import RECORDS


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Text(enum.StrEnum):
    A = "a"
    THREE = "3"


class Bare(enum.Enum):
    B = "b"


class Shade(str, enum.Enum):  # noqa: UP042 — its value is not its text
    RED = "red", "#f00"

    def __new__(cls, text: str, value: str) -> Self:
        member = str.__new__(cls, text)
        member._value_ = value
        return member


class Name(str):
    __slots__ = ()


class Weight(float):
    pass


class Row(list[Any]):
    pass


def _doubled(value: Any) -> Any:
    if value == "#":
        raise ValueError("no # here")
    return value * 2 if isinstance(value, str | int | list) else value


def _stripped(value: object) -> object:
    return value.strip("x") if isinstance(value, str) else value


LEAVES: list[Any] = [
    str,
    int,
    float,
    bool,
    type(None),
    Number,
    Text,
    Bare,
    Literal["a", "3"],
]
OTHERS: list[Any] = [
    Literal["a", 1, True],
    Annotated[int, Field(gt=0)],
    Annotated[str, Field(max_length=2)],
    Annotated[str, BeforeValidator(_stripped)],
    dt.date,
]
"""What makes a model another than a plain one, unless it stands alone."""

AROUND: list[Any] = [
    *[lambda inner: inner] * 5,
    lambda inner: Annotated[inner, AfterValidator(check_numbers)],
    lambda inner: Annotated[inner, AfterValidator(_doubled)],
    lambda inner: Annotated[inner, BeforeValidator(_stripped)],
]


def _wider(inner: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda kind: GenericAlias(list, (kind,))),
        inner.map(lambda kind: GenericAlias(tuple, (kind, ...))),
        inner.map(lambda kind: GenericAlias(dict, (str, kind))),
        st.lists(inner, min_size=1, max_size=3).map(lambda kinds: GenericAlias(tuple, (*kinds,))),
        st.lists(inner, min_size=2, max_size=3).map(lambda kinds: Union[tuple(kinds)]),  # noqa: UP007 — there is no `|` for a list
        inner.map(lambda kind: Union[kind, None]),  # noqa: UP007 — nor for Annotated's
    )


KINDS = st.recursive(st.sampled_from([*LEAVES * 5, *OTHERS]), _wider, max_leaves=4)

ONE_IN_FIVE = st.integers(1, 5).map(lambda number: number == 5)

HOSTILE: list[Any] = [
    *(None, True, False, 0, 1, 2, -1, 3.0, -0.0, 2.5, math.inf, -math.inf, math.nan),
    *(2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64 + 1, -(2**63), -(2**63) - 1, 2**70, 1e22),
    *("", "a", "b", "3", "true", "#", "xax", "\ud800", "\x00", "é", "你好", "\0missing"),
    *([], {}, [1], ["a"], {"a": 1}, [None], [[0.5, {"a": 1}]], ["a", "b", "c"]),
]


OBJECTS: list[Any] = [
    *(*Number, *Text, *Bare, *Shade, Name("a"), Weight(1.5), Row(["a"]), b"a", (), ("a",), {"a"}),
    *(object(), [Name("a"), Text.A], {Name("a"): 1}, {1: "a"}, [("a", "b")], range(2)),
]
"""What code may leave in a record, and JSON has not or has otherwise."""


@st.composite
def models(draw: st.DrawFn) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name in ("first", "second", "third")[: draw(st.integers(1, 3))]:
        kind = draw(st.sampled_from(AROUND))(draw(KINDS))
        default: Any = draw(st.sampled_from([..., ..., None, 1, "a", Field(default_factory=list)]))
        fields[name] = (kind, default)
    return create_model("Generated", __base__=Record, **fields)


def _fitting(kind: Any) -> SearchStrategy[Any]:
    """Python values that are of `kind`, or nearly."""
    fitting = st.from_type(kind)
    return st.one_of(*[fitting] * 5, st.sampled_from(HOSTILE))


@st.composite
def spoilt(draw: st.DrawFn, value: Any, hostile: list[Any]) -> Any:
    """`value` with a hostile one somewhere within it."""
    if draw(ONE_IN_FIVE) or not isinstance(value, list | tuple | dict) or not value:
        return copy.deepcopy(draw(st.sampled_from(hostile)))
    if isinstance(value, dict):
        key = draw(st.sampled_from(list(value)))
        return {**value, key: draw(spoilt(value[key], hostile))}
    position = draw(st.integers(0, len(value) - 1))
    members = list(value)
    members[position] = draw(spoilt(members[position], hostile))
    return type(value)(members)


FRAGMENTS = [
    *(b"", b" ", b"0", b"1e400", b"NaN", b"-0", b"3.0", b"1.", b"01", b"null", b'"', b"\\", b","),
    *(b'"\xff"', b'"\\ud800"', b'"\\u00e9"', b"\xed\xa0\x80", b"\n", b"[", b"}", b"\xef\xbb\xbf"),
    b"[" * 1100,
]
MEMBERS = [
    *(b'"unknown": 1,', b'"unknown": "\xff",', b'"unknown": [1e400],', b'"unknown": {"\xff": 1},'),
    *(b'"pk": "a",', b'"pk": "b",', b'"pk": null,', b'"first": 1,', b'"first": 1.,', b'"\xff": 1,'),
]


@st.composite
def jsons(draw: st.DrawFn, document: Any) -> bytes:
    """The JSON of `document`, perhaps spoilt in its values, its names or its bytes."""
    if draw(ONE_IN_FIVE):
        document = draw(spoilt(document, HOSTILE))
    if isinstance(document, dict) and draw(ONE_IN_FIVE):
        dropped = draw(st.sampled_from([*document, ""]))
        document = {name: value for name, value in document.items() if name != dropped}
        if draw(st.booleans()):
            document = dict(reversed(document.items()))
    text = json.dumps(document, ensure_ascii=draw(st.booleans()), default=_json)
    data = text.encode("utf-8", "surrogatepass")
    if draw(ONE_IN_FIVE):
        return data[:1] + draw(st.sampled_from(MEMBERS)) + data[1:]
    if draw(ONE_IN_FIVE):
        start = draw(st.integers(0, len(data)))
        stop = draw(st.integers(start, min(start + 3, len(data))))
        return data[:start] + draw(st.sampled_from(FRAGMENTS)) + data[stop:]
    return data


def _json(value: Any) -> object:
    return value.value if isinstance(value, enum.Enum) else str(value)


def _codecs(model: type[BaseModel]) -> tuple[RecordCodec[Any], RecordCodec[Any]]:
    """One that knows plain models, and one that asks pydantic alone."""
    fast, general = (RecordCodec(model, schema_of(model), keeps_objects=False) for _ in range(2))
    general._plain = None
    return fast, general


def _read(codec: RecordCodec[Any], pk: str, data: bytes) -> object:
    try:
        item = codec.decode(pk, data)
    except CorruptRecordError as error:
        return str(error)
    return (
        type(item),
        repr(item.__dict__),  # which has types, signs of zeros and the order of fields
        item.__pydantic_fields_set__,
        item.__pydantic_extra__,
        item.__pydantic_private__,
    )


def _write(codec: RecordCodec[Any], item: BaseModel) -> tuple[bytes, str] | str:
    """What is stored of an item, and its indexed values; or why it is not."""
    try:
        _, content, values = codec.encode(item)
    except InvalidRecordError as error:
        return str(error)
    assert isinstance(content, bytes)
    return content, repr(values)


def _check_writing(model: type[BaseModel], item: BaseModel) -> None:
    fast, general = _codecs(model)
    before = repr(item.__dict__)
    written, expected = _write(fast, item), _write(general, item)
    assert repr(item.__dict__) == before
    if isinstance(written, str) or isinstance(expected, str):
        assert written == expected
        return
    pk: str = item.pk  # type: ignore[attr-defined]  # a record
    back = general.decode(pk, expected[0])
    assert written == expected
    keeping = RecordCodec(model, schema_of(model), keeps_objects=True)
    _, kept, values = keeping.encode(item)
    assert (json_of(kept), repr(values)) == written
    assert repr(keeping.decode(pk, kept).__dict__) == repr(back.__dict__)


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_any_json_makes_the_record_or_the_error_that_pydantic_makes(
    model: type[BaseModel], data: st.DataObject
) -> None:
    fast, general = _codecs(model)
    item = data.draw(RECORDS[model])
    document = json.loads(item.model_dump_json())
    text = data.draw(jsons(document))
    pk = document["pk"]
    assert _read(fast, pk, text) == _read(general, pk, text)


@given(data=st.data())
def test_so_it_does_for_other_models(data: st.DataObject) -> None:
    model = data.draw(models())
    fast, general = _codecs(model)
    document = {"pk": "a"}
    for name, field in list(model.model_fields.items())[1:]:
        document[name] = data.draw(_fitting(field.annotation))
    text = data.draw(jsons(document))
    assert _read(fast, "a", text) == _read(general, "a", text)


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_any_item_is_stored_or_refused_as_pydantic_does_it(
    model: type[BaseModel], data: st.DataObject
) -> None:
    item = data.draw(RECORDS[model])
    values = item.__dict__
    for name in data.draw(st.sets(st.sampled_from(sorted(values.keys() - {"pk"})), max_size=2)):
        values[name] = data.draw(spoilt(values[name], HOSTILE + OBJECTS))
    _check_writing(model, item)


@given(data=st.data())
def test_so_are_those_of_other_models(data: st.DataObject) -> None:
    model = data.draw(models())
    values: dict[str, Any] = {}
    for name, field in list(model.model_fields.items())[1:]:
        values[name] = data.draw(_fitting(field.annotation))
    for name in data.draw(st.sets(st.sampled_from(sorted(values)))):
        values[name] = data.draw(spoilt(values[name], HOSTILE + OBJECTS))
    _check_writing(model, model.model_construct(**{**values, "pk": "a"}))
