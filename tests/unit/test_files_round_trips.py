"""Records that were exported and imported again are what they were, in every format."""

import tempfile
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer

import simstore
from simstore import Record
from simstore.domain.errors import InvalidRecordError
from simstore.domain.messaging import MessageTransaction
from simstore.services.exporting import export_records
from simstore.services.importing import import_records
from simstore.testing import identical
from simstore.testing.models import Span, Specimen, Ticket
from simstore.testing.records import RECORDS
from simstore.testing.texts import HOSTILE_TEXTS
from simstore.testing.values import floats, integers, json_values, pks, texts

SUFFIXES = ("jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "csv.zst", "parquet")
PLAIN = ("jsonl", "csv", "parquet")


def through_a_file(records: Sequence[Any], suffix: str, **options: Any) -> list[Any]:
    """`records` exported, imported into an empty store and read from there, by pk."""
    with tempfile.TemporaryDirectory() as folder, simstore.connect("memory://") as store:
        path = Path(folder) / f"records.{suffix}"
        assert export_records(records, path) == len(records)
        assert [found.name for found in Path(folder).iterdir()] == [path.name]
        report = import_records(path, store, **options)
        assert sum(report.stored.values()) == len(records)
        assert not report.ignored_keys
        return list(store.repository(type(records[0])).iterate())


def by_pk(records: Sequence[Any]) -> list[Any]:
    return sorted(records, key=lambda record: str(record.pk).encode())


def assert_all_come_back(records: Sequence[Any], suffix: str, **options: Any) -> None:
    back = by_pk(through_a_file(records, suffix, **options))
    for returned, given_ in zip(back, by_pk(records), strict=True):
        assert identical(returned, given_)
        assert getattr(returned, "__pydantic_extra__", None) == given_.__pydantic_extra__


def some(records: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(records, min_size=1, max_size=3, unique_by=lambda record: record.pk)


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
@settings(max_examples=12)
@given(data=st.data())
def test_every_record_comes_back_and_its_file_is_recognized(
    model: type[BaseModel], suffix: str, data: st.DataObject
) -> None:
    assert_all_come_back(data.draw(some(RECORDS[model])), suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_hostile_texts_come_back_from_every_format_and_compression(suffix: str) -> None:
    more = ("null", '"', '""', '"null"', "\ufeff", "\r", "a\rb", "=1+1", "x" * 200_000)
    records = [
        simstore.EnvironmentProfile(
            pk=f"{number:04}",
            scenario=text,
            codename=text,
            age_constraint=text,
            agent_goals=[text],
            game_metadata={text: text},
        )
        for number, text in enumerate(dict.fromkeys((*HOSTILE_TEXTS, *more)))
    ]
    assert_all_come_back(records, suffix)


def test_a_csv_file_has_universal_line_ends_within_its_cells_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    export_records([simstore.Annotator(pk="a", name="x\ry\nz", email="\r\n")], path)
    assert path.read_bytes() == b'pk,name,email\r\na,"x\ry\nz","\r\n"\r\n'


class Word(Enum):
    yes = "yes"
    empty = ""
    null = "null"


class Size(IntEnum):
    small = 1
    large = 2


class Mixed(Enum):
    text = "1"
    number = 1


class Inner(BaseModel):
    label: str = Field("", alias="theLabel")
    note: str | None = None

    model_config = ConfigDict(populate_by_name=True)


class Aliased(Record):
    model_config = ConfigDict(populate_by_name=True)

    full_name: str = Field("", alias="fullName")
    inner: Inner = Field(default_factory=lambda: Inner(theLabel=""), alias="Inner")
    seen: int = Field(0, validation_alias="wasSeen", serialization_alias="SEEN")


class Types(Record):
    day: date = date(2026, 1, 1)
    moment: datetime = datetime(2026, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 — a timezone, in JSON
    hour: time | None = None
    span: timedelta = timedelta(0)
    amount: Decimal = Decimal(0)
    key: UUID = UUID(int=0)
    raw: bytes = b""
    marks: set[int] = Field(default_factory=set)
    names: frozenset[str] = frozenset()
    pair: tuple[int, str] = (0, "")
    word: Word = Word.yes
    maybe_word: Word | None = None
    size: Size = Size.small
    mixed: Mixed = Mixed.text
    literal: Literal["a", 1] | None = None
    either: str | int = ""
    number: int | float = 0
    flag: bool | None = None
    anything: JsonValue = None
    table: dict[str, list[float | None]] = Field(default_factory=dict)


class Nullable(Record):
    none: str | None = None
    empty: str | None = ""
    other: str | None = "x"
    required: str | None
    null: str | None = "null"
    made: str | None = Field(default_factory=str)
    number: int | None = 3
    texts: list[str] | None = None
    untrue: str = None  # type: ignore[assignment]  # a default that pydantic never checks
    untrue_number: int = None  # type: ignore[assignment]  # the same


class Hiding(Record):
    shown: str = ""
    cache: str = Field("fresh", exclude=True)
    count: int = Field(7, exclude=True)


class Tree(Record):
    name: str = ""
    children: list["Tree"] = Field(default_factory=list)
    parent: "Tree | None" = None


class Odd(Record):
    """Fields with the names of other things."""

    collection: str = ""
    metadata: str = ""
    simstore: str = ""
    line: int = 0
    pks: list[str] = Field(default_factory=list)


class NoSchema(Record):
    text: str = ""
    callback: Annotated[Any, PlainSerializer(lambda _: None)] = None


class Open(Record):
    model_config = ConfigDict(extra="allow")

    name: str = ""


short = texts().filter(lambda text: len(text) < 1_000)
moments = st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(timezone.utc))  # noqa: DTZ001, UP017 — hypothesis adds the zone
inner = st.builds(Inner, label=short, note=st.none() | short)
leaves = st.builds(Tree, pk=pks(), name=short)

OWN: dict[type[BaseModel], st.SearchStrategy[Any]] = {
    Aliased: st.builds(Aliased, pk=pks(), full_name=short, inner=inner, wasSeen=integers()),
    Types: st.builds(
        Types,
        pk=pks(),
        moment=moments,
        hour=st.none() | st.times(),
        span=st.timedeltas(timedelta(-1_000), timedelta(1_000)),
        amount=st.decimals(allow_nan=False, allow_infinity=False),
        raw=short.map(str.encode),
        marks=st.sets(st.integers(-5, 5)),
        names=st.frozensets(short, max_size=3),
        pair=st.tuples(integers(), short),
        word=st.sampled_from(Word),
        maybe_word=st.none() | st.sampled_from(Word),
        size=st.sampled_from(Size),
        mixed=st.sampled_from(Mixed),
        number=integers() | floats(),
        either=short | integers(),
        literal=st.sampled_from(["a", 1, None]),
        flag=st.sampled_from([True, False, None]),
        anything=json_values(),
        table=st.dictionaries(short, st.lists(st.none() | floats(), max_size=3), max_size=3),
    ),
    Nullable: st.builds(
        Nullable,
        pk=pks(),
        **dict.fromkeys(("none", "empty", "other", "required", "null", "made"), st.none() | short),
        number=st.none() | integers(),
        texts=st.none() | st.lists(short, max_size=2),
    ),
    Hiding: st.builds(Hiding, pk=pks(), shown=short),
    Tree: st.builds(
        Tree, pk=pks(), children=st.lists(leaves, max_size=2), parent=st.none() | leaves
    ),
    Odd: st.builds(Odd, pk=pks(), collection=short, metadata=short, simstore=short),
    NoSchema: st.builds(NoSchema, pk=pks(), text=short),
    Specimen: st.builds(
        Specimen,
        pk=pks(),
        nickname=st.none() | short,
        score=floats(),
        mixed=st.none() | st.booleans() | integers() | floats() | short,
        labels=st.lists(short, max_size=2),
        marks=st.none() | st.lists(integers(), max_size=2),
        motto=st.none() | short,
    ),
    Span: st.builds(Span, pk=pks(), start=st.just(1), end=integers().filter(lambda n: n > 0)),
    Ticket: st.builds(Ticket, pk=pks(), owner=short),
}


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize("model", OWN, ids=lambda model: model.__name__)
@settings(max_examples=15)
@given(data=st.data())
def test_records_of_users_own_models_come_back(
    model: type[BaseModel], suffix: str, data: st.DataObject
) -> None:
    assert_all_come_back(data.draw(some(OWN[model])), suffix, models=[model])


@settings(max_examples=40)
@given(extras=st.dictionaries(short.filter(str.isidentifier), json_values(), max_size=3))
def test_extra_fields_come_back_from_json_lines(extras: dict[str, Any]) -> None:
    names = extras.keys() - set(Open.model_fields) - set(dir(Open))
    record = Open(pk="a", **{name: extras[name] for name in names})
    assert_all_come_back([record], "jsonl", models=Open)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_extra_fields_have_no_column(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"open.{suffix}"
    with pytest.raises(InvalidRecordError, match=r"'b' cannot be .* no column: mood"):
        export_records([Open(pk="a"), Open(pk="b", mood="good")], path)  # type: ignore[call-arg]  # an extra
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", PLAIN)
def test_an_extra_field_that_looks_like_the_tag_of_an_archive_is_refused(
    tmp_path: Path, suffix: str
) -> None:
    record = Open(pk="a", __collection__="AgentProfile")  # type: ignore[call-arg]  # an extra
    with pytest.raises(InvalidRecordError, match="__collection__ has a meaning of its own"):
        export_records([record], tmp_path / f"open.{suffix}")


class Leaving(Record):
    """A model that leaves fields out when they are None."""

    text: str | None = Field(default=None, exclude_if=lambda value: value is None)
    number: int = 1


def test_a_field_that_is_left_out_for_some_records_comes_back_from_json_lines() -> None:
    assert_all_come_back([Leaving(pk="a"), Leaving(pk="b", text="x")], "jsonl", models=Leaving)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_field_that_is_left_out_for_some_records_has_no_cell(tmp_path: Path, suffix: str) -> None:
    assert_all_come_back([Leaving(pk="a", text="")], suffix, models=Leaving)
    with pytest.raises(InvalidRecordError, match=r"'a' cannot be .* no value for column text"):
        export_records([Leaving(pk="a")], tmp_path / f"a.{suffix}")


def test_embedded_models_come_back_from_every_format() -> None:
    messages = [MessageTransaction(timestamp_str="1", sender="a", message='"=x"')]
    session = simstore.SessionTransaction(
        pk="s", session_id="1", client_id="c", server_id="s", message_list=messages
    )
    for suffix in SUFFIXES:
        assert_all_come_back([session], suffix)
