"""A range that is tested of each record holds what the same range of the index holds."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simstore
from simstore import AgentProfile, field
from simstore.adapters.memory_index import MANY, ValueIndex, is_within
from simstore.adapters.storage import Bound, Prefix, Range
from simstore.domain.matching import predicate
from simstore.domain.schema import schema_of

TEXTS = st.text(st.characters(codec="utf-8"), max_size=3)
NUMBERS = st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from([2**53 + 1, float("inf"), -0.0])
VALUES = TEXTS | NUMBERS | st.booleans() | st.none()


@st.composite
def ranges(draw: st.DrawFn) -> Range | Prefix:
    if draw(st.booleans()):
        return Prefix("x", draw(TEXTS))
    bounds = st.builds(Bound, draw(st.sampled_from([TEXTS, NUMBERS])), st.booleans())
    low, high = draw(st.tuples(bounds, bounds | st.none()))
    return Range("x", low, high) if draw(st.booleans()) else Range("x", high, low)


@given(st.lists(VALUES, max_size=20), ranges())
def test_a_value_is_within_a_range_if_the_index_finds_it(
    values: list[str | float | bool | None], condition: Range | Prefix
) -> None:
    index = ValueIndex()
    for number, value in enumerate(values):
        index.add(value, str(number))
    found = (
        index.starting_with(condition.text)
        if isinstance(condition, Prefix)
        else index.between(condition.low, condition.high)
    )
    tested = {str(number) for number, value in enumerate(values) if is_within(condition, value)}
    assert tested == found


@pytest.mark.parametrize("others", [MANY // 2, MANY * 2])
def test_few_and_many_that_a_range_is_joined_with_are_found(others: int) -> None:
    with simstore.connect("memory://") as store:
        store.agents.save_many(
            AgentProfile(first_name=f"Ada{n % 7}", last_name="L", age=n, tag=f"tag{n % 2}")
            for n in range(others * 2)
        )
        adults = store.agents.find(
            field("age") >= 18, field("first_name").startswith("Ada3"), tag="tag0"
        )
        expected = [n for n in range(18, others * 2) if n % 2 == 0 and n % 7 == 3]
    assert sorted(agent.age for agent in adults) == expected


def test_a_query_leaves_the_indexes_as_they_were() -> None:
    with simstore.connect("memory://") as store:
        agents = store.agents
        agents.save_many(
            AgentProfile(first_name=f"n{n}", last_name="L", age=n % 90) for n in range(4 * MANY)
        )
        assert agents.count((field("age") >= 10) & field("first_name").startswith("n1")) > 0
        assert agents.count() == 4 * MANY
        assert agents.count(~(field("age") == 5)) == sum(n % 90 != 5 for n in range(4 * MANY))


PARTS = st.one_of(
    st.builds(lambda n: field("age") >= n, st.integers(-1, 91)),
    st.builds(lambda n: field("age") < n, st.integers(-1, 91)),
    st.builds(lambda n: field("age").in_(range(n)), st.integers(0, 91)),
    st.builds(lambda text: field("first_name").startswith(text), st.sampled_from(["", "n1", "x"])),
    st.builds(lambda n: field("tag") == f"tag{n}", st.integers(0, 3)),
)
CONDITIONS = st.recursive(
    PARTS,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def filled() -> Iterator[list[simstore.Store]]:
    with simstore.connect("memory://") as one, simstore.connect("memory://") as other:
        for store in (one, other):
            store.agents.save_many(
                AgentProfile(
                    pk=f"{n:04}", first_name=f"n{n}", last_name="L", age=n % 90, tag=f"tag{n % 3}"
                )
                for n in range(3 * MANY)
            )
        yield [one, other]


@given(condition=CONDITIONS)
def test_many_records_are_found_as_if_each_were_looked_at(
    filled: list[simstore.Store], condition: simstore.Condition
) -> None:
    indexed, read = filled
    holds = predicate(schema_of(AgentProfile), condition)
    expected = [item.pk for item in read.agents.find() if holds(item)]
    assert indexed.agents.pks(condition) == expected
