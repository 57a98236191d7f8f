"""A range that is tested of each record holds what the same range of the index holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simstore
from simstore import AgentProfile, field
from simstore.adapters.memory_index import MANY, ValueIndex, is_within
from simstore.adapters.storage import Bound, Prefix, Range

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
