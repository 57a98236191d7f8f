"""Which numbers can be stored."""

import math
import sys
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from simstore.domain.numbers import MAX_INT, MIN_INT, Number, check_numbers


@pytest.mark.parametrize(
    "value",
    [
        0,
        MIN_INT,
        MAX_INT,
        -0.0,
        math.inf,
        -math.inf,
        sys.float_info.max,
        5e-324,
        True,
        None,
        "NaN",
        [],
        {"a": [1, {"b": (2.5, "x")}]},
        2**53 + 1,
    ],
)
def test_kept_as_it_is(value: Any) -> None:
    assert check_numbers(value) is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (math.nan, "NaN cannot be compared or averaged; leave it out"),
        ([1, math.nan], "[1]: NaN cannot"),
        ({"a": [0, {"b": math.nan}]}, "['a'][1]['b']: NaN cannot"),
        ((1.0, {"goal": math.nan}), "[1]['goal']: NaN cannot"),
        (MAX_INT + 1, "9223372036854775808 is beyond 64 bits; keep it as text"),
        (MIN_INT - 1, "-9223372036854775809 is beyond 64 bits"),
        ({"n": 10**5000}, "['n']: an integer of 16610 bits is beyond 64 bits"),
    ],
)
def test_refused_with_the_place(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"beyond|NaN") as raised:
        check_numbers(value)
    assert message in str(raised.value)


def test_a_number_is_a_float_but_not_nan() -> None:
    number: TypeAdapter[float] = TypeAdapter(Number)
    assert number.validate_python(3) == 3.0
    assert math.copysign(1, number.validate_python(-0.0)) == -1
    assert number.validate_python(math.inf) == math.inf
    for bad in (math.nan, "nan", "x", None):
        with pytest.raises(ValidationError):
            number.validate_python(bad)
