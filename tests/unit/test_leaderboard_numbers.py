"""Student's t against tables and closed forms, and sums without rounding."""

import math
import sys
from fractions import Fraction
from statistics import NormalDist, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.domain.errors import InvalidArgumentError, MissingDependencyError
from simstore.services.exact import Moments, square_root
from simstore.services.leaderboards import student_t
from simstore.services.leaderboards.student import _quantile

mpmath = pytest.importorskip("mpmath")

CONFIDENCES = st.floats(min_value=1e-300, max_value=1 - 2**-53)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


# ------------------------------------------------------------------------------ Student's t


@pytest.mark.parametrize(
    ("confidence", "degrees", "expected"),
    [
        (0.95, 1, 12.7062047362),
        (0.95, 2, 4.3026527297),
        (0.95, 3, 3.1824463053),
        (0.95, 4, 2.7764451052),
        (0.95, 5, 2.5705818356),
        (0.95, 10, 2.2281388520),
        (0.95, 20, 2.0859634473),
        (0.95, 30, 2.0422724563),
        (0.95, 60, 2.0002978220),
        (0.95, 100, 1.9839715185),
        (0.95, 120, 1.9799304051),
        (0.99, 5, 4.0321429836),
        (0.99, 10, 3.1692726726),
        (0.90, 10, 1.8124611228),
    ],
)
def test_t_is_that_of_the_tables(confidence: float, degrees: int, expected: float) -> None:
    assert student_t(confidence, degrees) == pytest.approx(expected, abs=5.1e-11)


@given(CONFIDENCES)
def test_one_degree_has_a_closed_form(confidence: float) -> None:
    # tan(pi / 2 * confidence), by the cotangent where the tangent would lose its digits.
    if confidence < 0.5:
        expected = math.tan(math.pi / 2 * confidence)
    else:
        expected = 1 / math.tan(math.pi / 2 * (1 - confidence))
    assert student_t(confidence, 1) == pytest.approx(expected, rel=1e-14)


@given(CONFIDENCES)
def test_two_degrees_have_a_closed_form(confidence: float) -> None:
    expected = confidence * math.sqrt(2 / ((1 - confidence) * (1 + confidence)))
    assert student_t(confidence, 2) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("degrees", [10**6, 10**9, 10**15])
def test_many_degrees_come_near_the_normal_distribution(degrees: int) -> None:
    z = NormalDist().inv_cdf(0.975)
    # The first term of the expansion; the next is smaller by another factor of `degrees`.
    expected = z + (z**3 + z) / (4 * degrees)
    assert student_t(0.95, degrees) == pytest.approx(expected, rel=1e-11)


def test_the_caller_s_precision_is_left_alone() -> None:
    _quantile.cache_clear()
    before = mpmath.mp.dps
    student_t(0.95, 7)
    assert mpmath.mp.dps == before


@pytest.mark.parametrize(
    ("confidence", "degrees"), [(0.0, 5), (1.0, 5), (-0.5, 5), (math.nan, 5), (0.95, 0), (0.95, -1)]
)
def test_what_has_no_quantile_is_refused(confidence: float, degrees: int) -> None:
    with pytest.raises(InvalidArgumentError, match="must be"):
        student_t(confidence, degrees)


def test_without_mpmath_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _quantile.cache_clear()
    monkeypatch.setitem(sys.modules, "mpmath", None)
    with pytest.raises(MissingDependencyError, match=r"simstore\[stats\]"):
        student_t(0.95, 5)


# --------------------------------------------------------------------------------- moments


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_mean_and_variance_are_exact(numbers: list[float]) -> None:
    moments = Moments()
    for number in numbers:
        moments.add(number)
    exact = [Fraction(number) for number in numbers]
    assert moments.count == len(numbers)
    assert moments.mean == sum(exact) / len(exact)
    assert moments.sample_variance == (variance(exact) if len(exact) > 1 else 0)


def test_nothing_is_summed_to_zero() -> None:
    empty = Moments()
    assert empty.count == 0
    assert empty.total == empty.sample_variance == Fraction(0)


def test_the_memory_is_bounded() -> None:
    moments = Moments()
    for _ in range(1000):
        moments.add(sys.float_info.max)
        moments.add(5e-324)
    assert sum(getattr(moments, name).bit_length() for name in ("_squares", "_total")) < 7_000


@given(FINITE.map(abs))
def test_the_root_of_a_square_is_the_number(number: float) -> None:
    assert square_root(Fraction(number) ** 2) == pytest.approx(number, rel=1e-15)


def test_a_root_beyond_floats_overflows() -> None:
    with pytest.raises(OverflowError):
        square_root(Fraction(10) ** 700)
