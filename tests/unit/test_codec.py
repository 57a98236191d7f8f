"""What is stored comes back equal, or is refused; what is read is named when it is broken."""

import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_serializer

import simstore
from simstore import AgentProfile, EpisodeLog, Record
from simstore.adapters.codec import RecordCodec, dumps, json_of, loads, version_of
from simstore.domain.errors import CorruptRecordError, InvalidRecordError, WrongModelError
from simstore.domain.record import dump_record
from simstore.domain.schema import schema_of


def codec_of(model: type[BaseModel], *, keeps_objects: bool = False) -> RecordCodec[Any]:
    return RecordCodec(model, schema_of(model), keeps_objects=keeps_objects)


class Anything(Record):
    value: Any = None


class Plain(Record):
    pairs: list[tuple[str, dict[str, list[float]]]]
    by_name: dict[str, list[list[str]]]
    either: list[str] | str
    none: list[list[str]] | None
    triples: tuple[list[int], ...] = ([1], [])


class Typed(Record):
    model_config = ConfigDict(extra="ignore")

    when: datetime = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    amount: Decimal = Decimal("0.10")
    id: UUID = UUID(int=7)
    pair: tuple[int, str] = (1, "one")
    letters: frozenset[str] = frozenset("ab")
    by_number: dict[int, str] = Field(default_factory=lambda: {1: "one"})
    aliased: str = Field(default="x", alias="other_name")
    derived: str = Field(default="not stored", exclude=True)


class Lossy(Record):
    text: str

    @field_serializer("text")
    def _shorten(self, text: str) -> str:
        return text[:3]


class Open(Record):
    model_config = ConfigDict(extra="allow")


class Forgetful(Open):
    text: str = ""

    @model_serializer
    def _declared(self) -> dict[str, str]:
        return {"pk": self.pk, "text": self.text}


class Strict(Record):
    model_config = ConfigDict(strict=True)

    pair: tuple[int, int]
    when: datetime


@pytest.mark.parametrize(
    "item",
    [
        Typed(),
        Typed(other_name="y"),
        Strict(pair=(1, 2), when=datetime(2026, 1, 2, tzinfo=UTC)),
        Plain(pairs=[("a", {"b": [-0.0, 1.0]})], by_name={"c": [[]]}, either=["x"], none=None),
        Plain(pairs=[], by_name={}, either="x", none=[["y"], []]),
        Anything(value={"a": [1, 2.5, None, True, {"b": "c"}]}),
        Anything(value=-0.0),
        Anything(value=[math.inf, -math.inf, {"deep": math.inf}]),
        Anything(value="NaN Infinity null"),
        Anything(value="\x00\n\u2028\U0001f600e\u0301"),
        Anything(value=[-(2**63), 2**63 - 1, 2**53 + 1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_comes_back_equal(item: BaseModel) -> None:
    contents = []
    for keeps_objects in (True, False):
        codec = codec_of(type(item), keeps_objects=keeps_objects)
        pk, content, _ = codec.encode(item)
        contents.append(content)
        back = codec.decode(pk, content)
        assert back == item
        if isinstance(item, Anything | Plain):
            assert repr(back) == repr(item)  # -0.0 is not 0.0, True is not 1
    kept, data = contents
    assert isinstance(data, bytes)
    assert json_of(kept) == data
    assert version_of(kept) == version_of(data)
    assert dumps(dump_record(item)) == data
    assert loads("x", "p", data) == dump_record(item)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (Anything(value=(1, 2)), r"value: \(1, 2\) would come back as \[1, 2\]"),
        (Anything(value={1: 2}), "value: {1: 2} would come back as {'1': 2}"),
        (Anything(value=math.nan), "value"),
        (Anything(value=[{"a": math.nan}]), "value"),
        (Anything(value=2**63), "value: 9223372036854775808 is beyond 64 bits"),
        (Anything(value=[-(2**70)]), r"value\[0\]: .* is beyond 64 bits"),
        (Anything(value=object()), "object"),
        (Anything(value=b"\xff"), "utf"),
        (Anything(value="\ud800"), "value: .*surrogate"),
        (Lossy(text="longer"), "text: 'longer' would come back as 'lon'"),
        (Open.model_validate({"copy": (1, 2)}), r"copy: \(1, 2\) would come back as \[1, 2\]"),
        (Forgetful.model_validate({"other": 1}), "other: it would not come back"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_change_is_refused(item: BaseModel, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason):
        codec_of(type(item)).encode(item)


def test_a_cycle_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InvalidRecordError):
        codec_of(Anything).encode(Anything(value=loop))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"age": "old"}, "age: Input should be a valid integer.* not 'old'"),
        ({"age": "30"}, "age: '30' would come back as 30"),
        ({"first_name": None}, "first_name: "),
        ({"moral_values": ["Care", 3]}, "moral_values: "),
        ({"moral_values": ("Care",)}, r"moral_values: \('Care',\) would come back as \['Care'\]"),
    ],
    ids=str,
)
def test_a_change_that_makes_it_invalid_is_refused(change: dict[str, Any], reason: str) -> None:
    agent = AgentProfile(pk="a", first_name="Ada", last_name="L")
    for name, value in change.items():
        setattr(agent, name, value)
    with pytest.raises(InvalidRecordError, match=f"AgentProfile 'a' cannot be stored: {reason}"):
        codec_of(AgentProfile).encode(agent)


def test_a_broken_invariant_is_refused() -> None:
    episode = EpisodeLog(environment="e", agents=["a"], messages=[], rewards=[0.0])
    episode.agents.append("b")
    with pytest.raises(InvalidRecordError, match="1 rewards for 2 agents"):
        codec_of(EpisodeLog).encode(episode)


def test_an_item_of_another_model_is_refused() -> None:
    class Child(AgentProfile):
        extra_field: str = ""

    codec = codec_of(AgentProfile)
    for item in (Child(first_name="A", last_name="B"), Anything(), "text", None):
        with pytest.raises(WrongModelError, match="does not take a"):
            codec.encode(item)
    again = type("AgentProfile", (AgentProfile,), {"__qualname__": "AgentProfile"})
    with pytest.raises(WrongModelError, match="another definition of the class"):
        codec.encode(again(first_name="A", last_name="B"))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b'{"a": "\\ud800"}']
)
def test_what_is_no_document_is_named(data: bytes) -> None:
    with pytest.raises(CorruptRecordError, match="record 'p' of Thing cannot be read") as caught:
        loads("Thing", "p", data)
    assert caught.value.field == ""


def test_a_document_of_another_pk_is_named() -> None:
    with pytest.raises(CorruptRecordError, match="stored under another pk: 'b'") as caught:
        codec_of(Anything).decode("a", b'{"pk":"b","value":1}')
    assert caught.value.field == "pk"


def test_older_documents_load() -> None:
    codec = codec_of(AgentProfile)
    old = {"first_name": "Ada", "last_name": "L", "mbti": None, "tag": None, "unknown": 1}
    agent = codec.decode("a", dumps(old))
    assert (agent.pk, agent.mbti, agent.tag) == ("a", "", "")
    with pytest.raises(CorruptRecordError, match="field 'first_name'") as caught:
        codec.decode("a", dumps({**old, "first_name": None}))
    assert caught.value.field == "first_name"


def test_what_is_kept_is_shared_with_nobody() -> None:
    codec = codec_of(Plain, keeps_objects=True)
    item = Plain(
        pk="p", pairs=[("a", {"b": [1.0]})], by_name={"c": [["d"]]}, either=["e"], none=[["f"]]
    )
    before = repr(item)
    _, kept, _ = codec.encode(item)
    assert isinstance(kept, Plain)
    shared: Any
    for shared in (item, codec.decode("p", kept)):
        shared.pairs[0][1]["b"].append(2.0)
        shared.pairs.append(("a", {}))
        shared.by_name["c"][0].append("y")
        shared.by_name["d"] = []
        shared.either.append("y")
        shared.none[0].append("y")
        shared.none.append([])
        shared.triples[0].append(2)
        shared.pk = "q"
        assert repr(kept) == before
        assert repr(codec.decode("p", kept)) == before


def test_a_record_of_another_definition_of_the_model_is_read_from_its_json() -> None:
    class AgentProfile(Record):
        __collection__ = "AgentProfile"
        first_name: str
        last_name: str
        shoe_size: int = 40

    item = simstore.AgentProfile(pk="a", first_name="Ada", last_name="L")
    _, kept, _ = codec_of(simstore.AgentProfile, keeps_objects=True).encode(item)
    other = codec_of(AgentProfile, keeps_objects=True).decode("a", kept)
    assert repr(other) == "AgentProfile(pk='a', first_name='Ada', last_name='L', shoe_size=40)"


def test_the_version_follows_the_content() -> None:
    codec = codec_of(Anything)
    versions = []
    for value in (1, 1, 2):
        _, content, _ = codec.encode(Anything(pk="a", value=value))
        assert isinstance(content, bytes)
        versions.append(version_of(content))
    assert versions[0] == versions[1] != versions[2]


SIGNATURE = """
import sys
from typing import Annotated
from pydantic import AfterValidator, Field
from simstore import EpisodeLog, Indexed, Record, new_pk
from simstore.adapters.codec import RecordCodec
from simstore.domain.record import dump_record
from simstore.domain.schema import schema_of
class Thing(Record):
    name: Annotated[str, Indexed(), AfterValidator(lambda s: s)] = Field(default_factory=new_pk)
    kind: Annotated[set[str], Indexed()] = Field(default_factory=lambda: {"a", "b", "c"})
for model in (EpisodeLog, Thing):
    print(RecordCodec(model, schema_of(model), keeps_objects=False).indexes.signature)
"""


def test_every_process_finds_the_same_signature() -> None:
    signatures = {
        subprocess.run(
            [sys.executable, "-c", SIGNATURE],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(signatures) == 1


@pytest.mark.parametrize(
    "value", ["NaN", str(2**64), "123456789012345678901234567890", "[" * 300 + "]" * 300]
)
def test_an_undeclared_field_that_cannot_be_written_again_is_an_error(value: str) -> None:
    stored = b'{"pk":"a","first_name":"A","last_name":"B","x":%s}' % value.encode()
    content = b'{"pk":"a","first_name":"A","last_name":"C"}'
    with pytest.raises(InvalidRecordError, match="does not declare"):
        codec_of(AgentProfile).with_undeclared(content, stored)
