"""Plans: what an index is asked, and whether its answer is exact."""

from enum import StrEnum
from typing import Annotated

import pytest

from simstore import FullText, Indexed, Record, field
from simstore.adapters.planner import MAX_LOOKUPS, MAX_VALUES, Plan, plan
from simstore.adapters.storage import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Bound,
    Complement,
    Equal,
    IndexCondition,
    OneOf,
    Pks,
    Precision,
    Prefix,
    Range,
    Storage,
)
from simstore.domain.checking import checked
from simstore.domain.query import And, Condition, Or
from simstore.domain.schema import schema_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Thing(Record):
    name: Annotated[str, Indexed()] = ""
    size: Annotated[int | float | None, Indexed()] = None
    colour: Annotated[Colour, Indexed()] = Colour.RED
    labels: Annotated[list[str | None] | None, Indexed()] = None
    text: Annotated[str, FullText()] = ""
    both: Annotated[str, Indexed(), FullText()] = ""
    plain: str = ""


def planned(*where: Condition, **equals: object) -> Plan:
    schema = schema_of(Thing)
    return plan(schema, checked(schema, where, equals), Storage.precision)


def planned_where(worth: dict[IndexCondition, Precision], condition: Condition) -> Plan:
    """The plan for a storage whose answers to some look-ups are not exact."""
    schema = schema_of(Thing)
    return plan(
        schema,
        checked(schema, [condition], {}),
        lambda look_up: worth.get(look_up, Precision.EXACT),
    )


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        (field("name") == "a", Equal("name", "a")),
        (field("size") == None, Equal("size", None)),
        (field("colour") == Colour.BLUE, Equal("colour", "blue")),
        (field("name") != "a", Complement(Equal("name", "a"))),
        (~(field("name") == "a"), Complement(Equal("name", "a"))),
        (field("name").in_(["a", "b"]), OneOf("name", ("a", "b"))),
        (field("name").in_([]), OneOf("name", ())),
        (field("size") > 3, Range("size", Bound(3, inclusive=False), None)),
        (field("size") <= 3.5, Range("size", None, Bound(3.5, inclusive=True))),
        (field("size") < None, NOTHING),
        (field("name").startswith("Ad"), Prefix("name", "Ad")),
        (field("labels").contains("x"), Equal("labels", "x")),
        (
            field("text").matches("Two  two WORDS"),
            AllOf((Equal("text:words", "two"), Equal("text:words", "words"))),
        ),
        (field("both").matches("one"), Equal("both:words", "one")),
        (
            (field("size") >= 1) & (field("size") < 9),
            Range("size", Bound(1, inclusive=True), Bound(9, inclusive=False)),
        ),
        (
            (field("name") == "a") | (field("size") == 1),
            AnyOf((Equal("name", "a"), Equal("size", 1))),
        ),
        (And(()), EVERYTHING),
        (Or(()), NOTHING),
    ],
    ids=str,
)  # fmt: skip
def test_an_exact_answer_by_index(condition: Condition, index: IndexCondition) -> None:
    found = planned(condition)
    assert found.index == index
    assert found.exact
    assert not found.explanation.scan
    assert not found.explanation.reads_all


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        (field("labels") == ["x", "y"], AllOf((Equal("labels", "x"), Equal("labels", "y")))),
        (field("labels") == None, Equal("labels", None)),
        (field("labels").contains(None), Equal("labels", None)),
        ((field("name") == "a") & (field("plain") == "b"), Equal("name", "a")),
    ],
    ids=str,
)
def test_a_superset_by_index(condition: Condition, index: IndexCondition) -> None:
    found = planned(condition)
    assert found.index == index
    assert not found.exact
    assert found.explanation.index
    assert found.explanation.scan
    assert not found.explanation.reads_all


@pytest.mark.parametrize(
    "condition",
    [
        field("plain") == "a",
        field("text") == "a",
        field("name").matches("a"),
        field("labels") == [],
        field("labels") != ["x"],
        ~(field("labels") == ["x"]),
        field("size") > 2**70,
        field("size").in_([1, -(2**70)]),
        (field("name") == "a") | (field("plain") == "b"),
        ~((field("name") == "a") & (field("plain") == "b")),
        field("name").in_([str(n) for n in range(MAX_VALUES + 1)]),
        Or(tuple(field("name") == str(n) for n in range(MAX_LOOKUPS + 1))),
    ],
    ids=lambda condition: str(condition)[:40],
)
def test_a_scan(condition: Condition) -> None:
    found = planned(condition)
    assert found.index == EVERYTHING
    assert not found.exact
    assert found.explanation.reads_all
    assert not found.explanation.index


A = Equal("name", "a")
SIZE = Equal("size", 1)
NAMED, SIZED = field("name") == "a", field("size") == 1


@pytest.mark.parametrize(
    ("condition", "index", "scan"),
    [
        (NAMED, A, "name == 'a'"),
        (NAMED & SIZED, AllOf((A, SIZE)), "name == 'a'"),
        (SIZED | NAMED, AnyOf((SIZE, A)), "((size == 1) | (name == 'a'))"),
        (NAMED & ~SIZED, AllOf((A, Complement(SIZE))), "name == 'a'"),
        (NAMED & (field("size") != 1), AllOf((A, Complement(SIZE))), "name == 'a'"),
    ],
    ids=str,
)
def test_what_a_look_up_narrows_is_read(
    condition: Condition, index: IndexCondition, scan: str
) -> None:
    found = planned_where({A: Precision.NARROWS}, condition)
    assert found.index == index
    assert not found.exact
    assert found.explanation.scan == scan
    assert found.explanation.index
    assert not found.explanation.reads_all


@pytest.mark.parametrize(
    "condition",
    [
        field("name") != "a",
        ~NAMED,
        ~(NAMED & SIZED),
        ~(NAMED | SIZED),
        (field("name") != "a") | SIZED,
    ],
    ids=str,
)
@pytest.mark.parametrize("worth", [Precision.NARROWS, Precision.NONE], ids=lambda one: one.name)
def test_the_negation_of_what_is_not_exact_is_a_scan(
    condition: Condition, worth: Precision
) -> None:
    # The complement of a superset would lack records that are asked for.
    found = planned_where({A: worth}, condition)
    assert found.index == EVERYTHING
    assert not found.exact
    assert found.explanation.reads_all


def test_a_look_up_that_may_miss_records_is_not_made() -> None:
    useless: dict[IndexCondition, Precision] = {A: Precision.NONE}
    assert planned_where(useless, NAMED).explanation.reads_all
    assert planned_where(useless, NAMED | SIZED).explanation.reads_all
    both = planned_where(useless, NAMED & SIZED)
    assert (both.index, both.exact, both.explanation.scan) == (SIZE, False, "name == 'a'")


def test_one_look_up_of_several_decides_what_all_are_worth() -> None:
    word = Equal("text:words", "one")
    condition = field("text").matches("one two")
    narrowed = planned_where({word: Precision.NARROWS}, condition)
    assert narrowed.index == AllOf((word, Equal("text:words", "two")))
    assert not narrowed.exact
    assert planned_where({word: Precision.NONE}, condition).index == EVERYTHING
    assert planned_where({Pks(("a",)): Precision.NARROWS}, ~(field("pk") == "a")).index == (
        EVERYTHING
    )


def test_pks_are_an_index() -> None:
    assert planned(pk="a").index == Pks(("a",))
    assert planned(field("pk").in_(["b", "a", "b"])).index == Pks(("a", "b"))
    assert planned(field("pk") != "a").index == Complement(Pks(("a",)))
    found = planned(field("plain") == "x", field("pk").in_(["b", "a"]))
    assert found.index == Pks(("a", "b"))
    assert not found.exact
    assert found.explanation.index == "pk in ('b', 'a')"
    assert found.explanation.scan == "plain == 'x'"
    assert not found.explanation.reads_all


def test_many_values_in_several_lists_are_a_scan() -> None:
    half = [str(n) for n in range(MAX_VALUES // 2 + 1)]
    assert planned(field("name").in_(half)).exact
    assert planned(field("name").in_(half), field("colour").in_(["red"])).exact
    assert planned(field("name").in_(half) | field("both").in_(half)).index == EVERYTHING


def test_alternatives_stand_in_parentheses() -> None:
    found = planned((field("name") == "a") | (field("name") == "b"), size=3)
    assert found.explanation.index == "((name == 'a') | (name == 'b')) & size == 3"


def test_bounds_of_two_kinds_are_not_one_range() -> None:
    class Mixed(Record):
        value: Annotated[int | str, Indexed()] = 0

    schema = schema_of(Mixed)
    condition = checked(schema, [(field("value") > 3) & (field("value") < "x")], {})
    assert plan(schema, condition, Storage.precision).index == AllOf(
        (
            Range("value", Bound(3, inclusive=False), None),
            Range("value", None, Bound("x", inclusive=False)),
        )
    )


def test_an_explanation_reads_well() -> None:
    found = planned(field("size") >= 18, field("plain").startswith("She"), name="Ada")
    assert str(found.explanation) == (
        "Thing:\n"
        "  by index: size >= 18 & name == 'Ada'\n"
        "  by reading what the index finds: plain startswith 'She'"
    )
    assert str(planned().explanation) == "Thing:\n  every record, unfiltered"
    assert str(planned(plain="x").explanation) == (
        "Thing:\n  by reading every record: plain == 'x'"
    )
