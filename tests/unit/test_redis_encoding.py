"""Values as bytes in a Redis index: equal if the values are, and in their order."""

import itertools
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simstore.adapters.redis_pipeline.encoding import END, PAST_END, encoded, packed, range_of
from simstore.adapters.storage import Bound, Prefix, Range
from simstore.domain.numbers import MAX_INT, MIN_INT

INTS = st.integers(MIN_INT, MAX_INT) | st.integers(2**53 - 3, 2**53 + 3)
NUMBERS = INTS | st.floats(allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("a\0\1\2", max_size=4)
PKS = st.text("a0~\u00e9", min_size=1, max_size=3)


@given(NUMBERS, NUMBERS)
@example(2**53, float(2**53))
@example(2**53 + 1, float(2**53))
@example(-(2**53) - 1, -float(2**53))
@example(MAX_INT, float(MAX_INT))
@example(MIN_INT, -math.inf)
@example(0.0, -0.0)
@example(5e-324, 0)
def test_numbers_keep_their_order(one: float, other: float) -> None:
    assert (encoded(one) < encoded(other)) == (one < other)
    assert (encoded(one) == encoded(other)) == (one == other)


@given(TEXTS, TEXTS, PKS, PKS)
@example("a", "a\0", "b", "a")
@example("a\0", "a\0\0", "b", "a")
@example("a", "a\1", "b", "a")
def test_members_are_in_the_order_of_texts_and_then_of_pks(
    one: str, other: str, pk: str, other_pk: str
) -> None:
    members = [encoded(one) + END + pk.encode(), encoded(other) + END + other_pk.encode()]
    assert (members[0] < members[1]) == ((one, pk) < (other, other_pk))
    assert members[0].partition(END) == (encoded(one), END, pk.encode())


def test_kinds_are_kept_apart() -> None:
    values = [None, False, True, -math.inf, 0, 1, math.inf, "", "0", "1"]
    for one, other in itertools.combinations(values, 2):
        assert encoded(one) < encoded(other)
    assert encoded(1) == encoded(1.0) != encoded(True)


SORTED: dict[type, list[Any]] = {
    str: ["", "\0", "a", "a\0", "a\0b", "a\1", "ab", "b", "\uffff", "\U0001f600"],
    int: [-math.inf, MIN_INT, -1.5, -1, 0, 0.5, 1, 2**53, 2**53 + 1, MAX_INT, math.inf],
}
OTHERS: list[Any] = [None, False, True]


@pytest.mark.parametrize("kind", SORTED)
@pytest.mark.parametrize("high_inclusive", [True, False])
@pytest.mark.parametrize("low_inclusive", [True, False])
def test_a_range_holds_the_values_between_its_bounds(
    kind: type, low_inclusive: bool, high_inclusive: bool
) -> None:
    values = SORTED[kind]
    strangers = OTHERS + [v for other, vs in SORTED.items() if other is not kind for v in vs]
    for low, high in itertools.product([None, *values], repeat=2):
        if low is None and high is None:
            continue
        start, stop = range_of(
            Range(
                "x",
                None if low is None else Bound(low, low_inclusive),
                None if high is None else Bound(high, high_inclusive),
            )
        )
        found = [
            value for value in [*values, *strangers] if start <= encoded(value) + END + b"pk" < stop
        ]
        assert found == [
            value
            for value in values
            if (low is None or value > low or (low_inclusive and value == low))
            and (high is None or value < high or (high_inclusive and value == high))
        ]


@given(TEXTS, TEXTS)
@example("a", "a\0")
@example("a\0", "a\0\0")
@example("", "")
def test_a_prefix_is_a_range(prefix: str, text: str) -> None:
    start, stop = range_of(Prefix("x", prefix))
    assert (start <= encoded(text) + END + b"pk" < stop) == text.startswith(prefix)


def test_the_entries_of_a_record_are_packed_once_each() -> None:
    entries = packed([("tag", "a b"), ("tag", "a b"), ("labels", 1), ("labels", 1.0)])
    number = encoded(1)
    assert entries == b"tag 4 3a b" + b"labels %d %b" % (len(number), number)
    assert PAST_END not in entries
