"""Candidates are a superset of what is asked for, and the test of values is exact."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.adapters.memory import MemoryDatabase, MemoryStorage
from simstore.adapters.redis_om.candidates import Candidates, Parameters, candidates_of
from simstore.adapters.redis_om.entries import EntryFields, tag_of
from simstore.adapters.redis_om.exact import asks_for_values
from simstore.adapters.redis_om.exact import test_of as exact_test
from simstore.adapters.storage import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Bound,
    Collection,
    Complement,
    Equal,
    IndexCondition,
    Indexes,
    OneOf,
    Pks,
    Prefix,
    Put,
    Range,
    words_index,
)
from simstore.domain.schema import kind_of, schema_of
from simstore.testing.models import Specimen
from simstore.testing.texts import HOSTILE_TEXTS, LONG_TEXT
from simstore.testing.values import HOSTILE_FLOATS, HOSTILE_INTS, floats, free_texts, integers

INDEXES = Indexes(exact=["text", "number", "list"], words=["text"])
TEXTS = [text for text in HOSTILE_TEXTS if text != LONG_TEXT]
SCALARS: list[Any] = [None, True, False, *HOSTILE_INTS, *HOSTILE_FLOATS, *TEXTS]


def query_of(look_up: object) -> str | None:
    """A query that shows what it was made of; none for prefixes."""
    values = getattr(look_up, "values", (getattr(look_up, "value", ""),))
    return None if isinstance(look_up, Prefix) else f"q{'+'.join(values)}"


A, B, C = Equal("text", "a"), Equal("number", "b"), Prefix("text", "c")
RANGE = Range("number", Bound(1, inclusive=True), None)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (EVERYTHING, None),
        (NOTHING, Candidates()),
        (A, Candidates(query="qa")),
        (C, None),
        (Pks(("x", "y")), Candidates(frozenset("xy"))),
        (Complement(A), None),
        (AllOf((A, B)), Candidates(query="(qa) (qb)")),
        (AllOf((A, C)), Candidates(query="(qa)")),
        (AllOf((A, Complement(B))), Candidates(query="(qa)")),
        (AllOf((A, Pks(("x",)))), Candidates(frozenset("x"))),
        (AllOf((Pks(("x", "y")), Pks(("y", "z")))), Candidates(frozenset("y"))),
        (AnyOf((A, B)), Candidates(query="(qa)|(qb)")),
        (AnyOf((A, B, OneOf("text", ("c", "d")), A)), Candidates(query="(qa+c+d+a)|(qb)")),
        (AnyOf((RANGE, B, RANGE)), Candidates(query="((q)|(qb))|(q)")),
        (AnyOf((AllOf((A, B)), A)), Candidates(query="((qa) (qb))|(qa)")),
        (AnyOf((A, C)), None),
        (AnyOf((A, Pks(("x",)))), Candidates(frozenset("x"), "qa")),
        (AllOf((AnyOf((A, Pks(("x",)))), B)), Candidates(query="(qb)")),
        (AllOf((AnyOf((A, Pks(("x",)))), C)), Candidates(frozenset("x"), "qa")),
    ],
    ids=lambda part: "" if isinstance(part, Candidates | None) else str(part),
)
def test_candidates(condition: IndexCondition, expected: Candidates | None) -> None:
    assert candidates_of(condition, query_of) == expected


def test_values_are_sent_beside_the_query() -> None:
    parameters = Parameters()
    assert parameters.words() == []
    assert [parameters.add(text) for text in ("a", "} | @x:{*", "é")] == ["$v0", "$v1", "$v2"]
    assert parameters.words() == [
        "PARAMS", 6, "v0", b"a", "v1", b"} | @x:{*", "v2", "é".encode(),
    ]  # fmt: skip


def test_tags_tell_values_apart_as_they_compare() -> None:
    by_tag: dict[str, list[Any]] = {}
    for value in SCALARS:
        tag = tag_of(value)
        assert re.fullmatch("[A-Za-z0-9_]{1,65}", tag), value
        by_tag.setdefault(tag, []).append(value)
    for values in by_tag.values():
        assert len({(kind_of(value), value) for value in values}) == 1, values
    assert len(by_tag) == len({(kind_of(value), value) for value in SCALARS})
    assert tag_of(1) == tag_of(1.0) != tag_of(True)
    assert tag_of(0.0) == tag_of(-0.0) == tag_of(0)
    assert tag_of(2**53 + 1) != tag_of(2.0**53)


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text[:20]))
def test_no_text_becomes_part_of_a_query(text: str) -> None:
    fields = EntryFields(INDEXES)
    for look_up in (Equal("text", text), OneOf("list", (text, "a")), Equal("text:words", text)):
        query = fields.query_of(look_up)
        assert query is not None
        assert re.fullmatch(r"@entries_f[0-9]_[a-z_]+:\{\w+(\|\w+)?\}", query, re.ASCII)


def test_texts_have_no_order_in_the_query_engine() -> None:
    fields = EntryFields(INDEXES)
    assert fields.query_of(Prefix("text", "a")) is None
    assert fields.query_of(Range("text", Bound("a", inclusive=True), None)) is None


@given(st.one_of(integers(), floats()), st.one_of(integers(), floats()))
def test_a_range_is_asked_for_a_little_wider(value: float, end: float) -> None:
    fields = EntryFields(INDEXES)
    number = fields.entries(("", value, []))["f1_number_n"]
    for low, high in ((Bound(end, inclusive=False), None), (None, Bound(end, inclusive=True))):
        query = fields.query_of(Range("number", low, high))
        assert query is not None
        match = re.fullmatch(r"@entries_f1_number_n:\[(\S+) (\S+)\]", query)
        assert match is not None
        inside = value >= end if low else value <= end
        if inside:
            assert float(match[1]) <= number <= float(match[2])


@given(st.data())
def test_the_test_of_values_says_what_memory_says(data: st.DataObject) -> None:
    """For every condition, on records of hostile values, one of them unreadable."""
    texts = st.sampled_from(TEXTS) | free_texts(8)
    scalars = st.one_of(st.sampled_from(SCALARS), texts, integers(), floats())
    values = st.tuples(
        st.one_of(st.none(), texts), scalars, st.one_of(st.none(), st.lists(scalars, max_size=3))
    )
    records = dict(enumerate(data.draw(st.lists(st.none() | values, min_size=1, max_size=6))))
    known = [value for row in records.values() if row for value in (row[0], row[1])]
    conditions = _conditions(st.one_of(st.sampled_from(known), scalars) if known else scalars)
    condition = data.draw(conditions)
    collection = Collection("Records", INDEXES, lambda pk, _: records[int(pk)], schema_of(Specimen))
    memory = MemoryStorage(MemoryDatabase())
    memory.commit([Put(collection, str(pk), b"", row) for pk, row in records.items() if row])
    test = exact_test(INDEXES, condition)
    found = [str(pk) for pk, row in records.items() if row is not None and test(str(pk), row)]
    assert found == memory.search(collection, condition, after=None, limit=None)
    if not asks_for_values(condition):
        assert found == [str(pk) for pk in records if records[pk] and test(str(pk), None)]


def _conditions(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[IndexCondition]:
    names = st.sampled_from(["text", "number", "list"])
    numbers = scalars.filter(lambda value: isinstance(value, int | float) and value is not True)
    ends = scalars.filter(lambda value: isinstance(value, str)) | numbers.filter(
        lambda value: not isinstance(value, bool)
    )
    bounds = st.tuples(ends, st.booleans()).map(lambda end: Bound(end[0], inclusive=end[1]))
    look_ups: st.SearchStrategy[IndexCondition] = st.one_of(
        st.builds(Equal, names, scalars),
        st.builds(OneOf, names, st.lists(scalars, max_size=3).map(tuple)),
        st.builds(Range, names, bounds, st.none()),
        st.builds(Range, names, st.none(), bounds),
        st.builds(Prefix, names, free_texts(2)),
        st.builds(lambda word: Equal(words_index("text"), word), st.sampled_from(["pilot", "two"])),
        st.builds(Pks, st.lists(st.sampled_from("0123z"), max_size=3, unique=True).map(tuple)),
    )
    return st.recursive(
        look_ups,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: AllOf(tuple(parts))),
            st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
            inner.map(Complement),
        ),
        max_leaves=5,
    )
