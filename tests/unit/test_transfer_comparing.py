"""Whole stores compared."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from pydantic import BaseModel, Field, field_serializer

import simstore
from simstore import AgentProfile, BackendError, EpisodeLog, InvalidArgumentError, Record
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.progress import Progress
from simstore.services.transfer import (
    CollectionComparison,
    Difference,
    Unreadable,
    compare_stores,
)
from simstore.services.transfer.canonical import canonical_text, documents_of
from simstore.testing.examples import example_records
from tests.contract.broken import Sound, WrappedStore


class Mixed(Record):
    """A record whose values differ by their kind alone."""

    value: bool | int | float | str | None = None
    more: dict[str, Any] = Field(default_factory=dict)


class LooseMixed(BaseModel):
    """What somebody else thinks that it is."""

    __collection__: ClassVar[str] = "Mixed"
    pk: str
    more: str


@pytest.fixture
def left() -> Iterator[Store]:
    with simstore.connect(f"memory://{uuid4().hex}") as store:
        yield store


@pytest.fixture
def right(tmp_path: Path) -> Iterator[Store]:
    with simstore.connect(f"sqlite:///{tmp_path}/right.db") as store:
        yield store


def agent(pk: str, **fields: Any) -> AgentProfile:
    return AgentProfile(pk=pk, first_name="A", last_name="B", **fields)


def of_agents(left: Store, right: Store) -> CollectionComparison:
    return compare_stores(left, right).collections[RECORD_MODELS.index(AgentProfile)]


def damage(store: Store, *pks: str) -> None:
    with simstore.connect(store.url) as other:
        other.repository(LooseMixed).save_many(LooseMixed(pk=pk, more="none") for pk in pks)


def test_empty_stores_are_equal(left: Store, right: Store) -> None:
    comparison = compare_stores(left, right)
    assert comparison.equal
    assert len(comparison.collections) == len(RECORD_MODELS)
    assert of_agents(left, right).left.checksum == hashlib.sha256().hexdigest()


def test_a_store_equals_itself(left: Store) -> None:
    left.agents.save(agent("a"))
    assert compare_stores(left, left).equal


def test_stores_of_the_same_records_are_equal(left: Store, right: Store) -> None:
    for item in example_records():
        left.repository(type(item)).save(item)
    for item in reversed(example_records()):
        right.repository(type(item)).save(item)
    comparison = compare_stores(left, right)
    assert comparison.equal
    for collection in comparison.collections:
        assert collection.left == collection.right
        assert collection.left.count == 1
    assert len({each.left.checksum for each in comparison.collections}) == len(RECORD_MODELS)


def test_what_only_one_has_is_named(left: Store, right: Store) -> None:
    left.agents.save_many(agent(pk) for pk in ("a", "B", "c", "é", "😀"))
    right.agents.save_many(agent(pk) for pk in ("a", "b", "é", "\uffff"))
    found = of_agents(left, right)
    assert (found.only_left.count, found.only_left.first) == (3, ("B", "c", "😀"))
    assert (found.only_right.count, found.only_right.first) == (2, ("b", "\uffff"))
    assert (found.left.count, found.right.count) == (5, 4)
    assert found.left.checksum != found.right.checksum
    assert found.different.count == 0
    assert not found.equal
    assert not compare_stores(left, right).equal


def test_the_first_field_that_differs_is_named(left: Store, right: Store) -> None:
    left.agents.save_many([agent("a", tag="x", age=1), agent("b"), agent("c", secret="s")])
    right.agents.save_many([agent("a", tag="y", age=2), agent("b"), agent("c", secret="t")])
    found = of_agents(left, right)
    assert found.different.first == (Difference("a", "age"), Difference("c", "secret"))
    assert found.different.count == 2
    assert not found.equal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        (None, float("inf")),
        ("1", 1),
        (None, "null"),
        (1e16, 10**16),
    ],
    ids=repr,
)
def test_values_that_differ_by_their_kind_alone_differ(
    left: Store, right: Store, one: object, other: object
) -> None:
    for store, value in ((left, one), (right, other)):
        store.repository(Mixed).save(
            Mixed.model_construct(pk="a", value=value, more={"x": [value]})
        )
    (found,) = compare_stores(left, right, models=[Mixed]).collections
    assert found.different.first == (Difference("a", "value"),)
    assert found.left.checksum != found.right.checksum


def test_the_order_of_keys_and_of_sets_makes_no_difference(left: Store, right: Store) -> None:
    class Bag(Record):
        words: set[int]
        inner: dict[str, list[frozenset[str]]]

    one, other = [0, 8, 64, 16], [16, 64, 8, 0]
    left.repository(Bag).save(Bag(pk="a", words=set(one), inner={"a": [frozenset("ab")], "b": []}))
    right.repository(Bag).save(
        Bag(pk="a", words=set(other), inner={"b": [], "a": [frozenset("ba")]})
    )
    assert list(set(one)) != list(set(other)), "the sets are meant to come in another order"
    assert compare_stores(left, right, models=[Bag]).equal


def test_twenty_of_each_kind_are_kept_and_all_are_counted(left: Store, right: Store) -> None:
    left.agents.save_many(agent(f"{n:03}") for n in range(100))
    right.agents.save_many(agent(f"{n:03}", tag="x") for n in range(50, 200))
    found = of_agents(left, right)
    for findings, count in ((found.only_left, 50), (found.only_right, 100), (found.different, 50)):
        assert findings.count == count
        assert len(findings.first) == 20
    assert found.different.first[-1] == Difference("069", "tag")


def test_what_cannot_be_read_is_reported_and_ends_nothing(left: Store, right: Store) -> None:
    for store in (left, right):
        store.repository(Mixed).save_many(Mixed(pk=f"{n:04}") for n in range(300))
    damage(left, "0000", "0100", "0299", "zzz")
    damage(right, "0100", "0200", "0298")
    (found,) = compare_stores(left, right, models=[Mixed]).collections
    assert [each.pk for each in found.left.unreadable.first] == ["0000", "0100", "0299", "zzz"]
    assert [each.pk for each in found.right.unreadable.first] == ["0100", "0200", "0298"]
    assert isinstance(found.left.unreadable.first[0], Unreadable)
    assert found.left.unreadable.first[0].field == "more"
    assert "dict" in found.left.unreadable.first[0].reason
    assert found.only_left.first == ("zzz",)
    assert found.different.count == 5
    assert set(found.different.first) == {
        Difference(pk, "") for pk in ("0000", "0100", "0200", "0298", "0299")
    }
    assert (found.left.count, found.right.count) == (301, 300)
    assert not found.equal


def test_collections_of_no_known_model_are_named(left: Store, right: Store) -> None:
    left.repository(Mixed).save(Mixed(pk="a"))
    comparison = compare_stores(left, right)
    assert (comparison.unknown_left, comparison.unknown_right) == (("Mixed",), ())
    assert not comparison.equal
    right.repository(Mixed).save(Mixed(pk="a"))
    assert not compare_stores(left, right).equal
    assert compare_stores(left, right, models=[*RECORD_MODELS, Mixed]).equal


def test_the_checksum_is_that_of_the_records_line_by_line(left: Store, right: Store) -> None:
    left.agents.save_many([agent("b", tag="é"), agent("a")])
    lines = [
        json.dumps(item.pk)
        + " "
        + json.dumps(item.model_dump(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        for item in left.agents.iterate()
    ]
    text = "".join(f"{line}\n" for line in lines)
    assert of_agents(left, right).left.checksum == hashlib.sha256(text.encode()).hexdigest()


def test_a_single_model_will_do(left: Store, right: Store) -> None:
    left.agents.save(agent("a"))
    comparison = compare_stores(left, right, models=AgentProfile)
    assert [each.collection for each in comparison.collections] == ["AgentProfile"]
    assert compare_stores(left, right, models=EpisodeLog).unknown_left == ("AgentProfile",)


@pytest.mark.parametrize("models", ["AgentProfile", ["AgentProfile"], 3, None], ids=repr)
def test_what_is_no_model_is_refused(left: Store, right: Store, models: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"models is a model or a series of models"):
        compare_stores(left, right, models=models)


def test_models_may_be_given_once_only_or_twice(left: Store, right: Store) -> None:
    twice: Iterator[type[BaseModel]] = iter([AgentProfile, EpisodeLog, AgentProfile])
    comparison = compare_stores(left, right, models=twice)
    assert [each.collection for each in comparison.collections] == ["AgentProfile", "EpisodeLog"]


def test_nothing_is_written(left: Store, right: Store) -> None:
    class ReadOnly(Sound):
        def __getattr__(self, name: str) -> Any:
            assert name in {"pks", "get_many", "model", "collection"}
            return getattr(self.inner, name)

    left.agents.save(agent("a"))
    stores = [WrappedStore(store, ReadOnly, {}) for store in (left, right)]
    assert not compare_stores(*stores).equal


def test_an_outage_is_no_difference(left: Store, right: Store) -> None:
    class Dead(Sound):
        def pks(self, **_: Any) -> Any:
            raise BackendError("the line went dead")

    with pytest.raises(BackendError, match="dead"):
        compare_stores(left, WrappedStore(right, Dead, {}))


def test_progress_is_told(left: Store, right: Store) -> None:
    left.agents.save_many(agent(f"{n:04}") for n in range(2_500))
    told: list[Progress] = []
    compare_stores(left, right, models=[AgentProfile], progress=told.append)
    assert [(each.step, each.done, each.total) for each in told] == [
        ("compare", done, 2_500) for done in (1_000, 2_000, 2_500)
    ]


def test_what_a_serializer_of_the_model_s_own_makes_of_a_set_is_left_alone() -> None:
    class Odd(Record):
        words: set[str]
        joined: set[str]

        @field_serializer("joined", when_used="json")
        def _join(self, words: set[str]) -> list[str]:
            return ["/".join(sorted(words))]

    document = documents_of(Odd)(Odd(pk="a", words={"b", "a", "c"}, joined={"y", "x"}))
    assert document == {"pk": "a", "words": ["a", "b", "c"], "joined": ["x/y"]}


def test_an_infinity_is_no_null() -> None:
    assert canonical_text({"b": 1, "a": [None, float("-inf")]}) == b'{"a":[null,-Infinity],"b":1}'
