"""Statistics without rounding until the end: no order and no origin of the numbers changes them."""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from operator import mul, sub


class Moments:
    """The count, the sum and the sum of squares of numbers, exactly.

    Every float is a whole number over a power of two, so the sums are kept as whole numbers over
    the smallest power that all of them fit. Nothing is rounded: the order of the numbers does
    not matter, and the variance of large numbers that differ little is right. The memory is
    bounded: some 4,000 bits for the widest floats there are, under 100 for usual scores.
    """

    __slots__ = ("_bits", "_squares", "_total", "count")

    def __init__(self) -> None:
        self.count = 0
        self._total = 0
        self._squares = 0
        self._bits = 0

    def add(self, number: float) -> None:
        """Take in one `number`, which must be finite."""
        numerator, denominator = number.as_integer_ratio()
        bits = denominator.bit_length() - 1
        if bits > self._bits:
            self._total <<= bits - self._bits
            self._squares <<= 2 * (bits - self._bits)
            self._bits = bits
        elif bits < self._bits:
            numerator <<= self._bits - bits
        self.count += 1
        self._total += numerator
        self._squares += numerator * numerator

    @property
    def total(self) -> Fraction:
        """The sum; 0 if there are no numbers."""
        return Fraction(self._total, 1 << self._bits)

    @property
    def mean(self) -> Fraction:
        """The sum over the count, of which there must be at least 1."""
        return self.total / self.count

    @property
    def sample_variance(self) -> Fraction:
        """The squared deviations from the mean over ``count - 1``; 0 for a single number."""
        if self.count < 2:
            return Fraction(0)
        deviations = self._squares * self.count - self._total * self._total
        return Fraction(deviations, self.count * (self.count - 1) << 2 * self._bits)


def square_root(value: Fraction) -> float:
    """The square root of `value`, which is not negative; right where its float would overflow.

    Raises:
        OverflowError: the root itself is beyond the range of floats.
    """
    if not value:
        return 0.0
    halves = (value.numerator.bit_length() - value.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(value / Fraction(4) ** halves), halves)


def exact_mean(numbers: Iterable[float]) -> Fraction:
    """The mean of finite numbers, of which there must be at least 1."""
    moments = Moments()
    for number in numbers:
        moments.add(number)
    return moments.mean


def correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Pearson's correlation: the covariance over the product of the standard deviations.

    Both have as many numbers, at least 2, all of them finite and not all equal.
    """
    # Not statistics.correlation: it rounds on the way, so that 1e300, 2e300 and -1e300 have none
    # with 1, 2 and 3, and its last digits differ between versions of Python.
    # The correlation is the same for multiples of the numbers, and so for whole ones.
    x, y, n = _whole(first)[0], _whole(second)[0], len(first)
    sum_x, sum_y = sum(x), sum(y)
    covariance = n * sum(map(mul, x, y)) - sum_x * sum_y
    variances = (n * sum(map(mul, x, x)) - sum_x**2) * (n * sum(map(mul, y, y)) - sum_y**2)
    size = math.sqrt(Fraction(covariance**2, variances))
    return size if covariance >= 0 else -size


def mean_squared_error(first: Sequence[float], second: Sequence[float]) -> Fraction:
    """The mean of the squared differences of two lists of as many finite numbers, at least 1."""
    numbers, unit = _whole([*first, *second])
    errors = map(sub, numbers[: len(first)], numbers[len(first) :])
    return Fraction(sum(error**2 for error in errors), len(first) * unit**2)


def _whole(numbers: Sequence[float]) -> tuple[list[int], int]:
    """Every number times the smallest power of two that makes all of them whole; and the power."""
    ratios = [number.as_integer_ratio() for number in numbers]
    unit = max(denominator for _, denominator in ratios)
    return [numerator * (unit // denominator) for numerator, denominator in ratios], unit
