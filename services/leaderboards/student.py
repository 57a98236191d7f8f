"""Quantiles of Student's t distribution."""

from functools import lru_cache
from importlib import import_module
from statistics import NormalDist
from typing import Any

from simstore.domain.errors import InvalidArgumentError, MissingDependencyError

DIGITS = 80
"""Decimal digits of the computation: 32 are lost where the tails are the last bit of a float."""

ENOUGH = 1e-20
"""The step, relative to t, after which Newton's next would change no digit of a float."""


def check_confidence(confidence: float) -> float:
    """Return `confidence` if it is a probability strictly between 0 and 1.

    Raises:
        InvalidArgumentError: it is not.
    """
    if isinstance(confidence, float | int) and 0 < confidence < 1:  # type: ignore[redundant-expr]  # not all callers are checked
        return confidence
    raise InvalidArgumentError(
        f"confidence must be between 0 and 1, such as 0.95, but is {confidence!r}"
    )


def load_mpmath() -> Any:
    """The package mpmath, imported at the first call.

    Raises:
        MissingDependencyError: it is not installed.
    """
    # By name, and so untyped: it has no types.
    try:
        return import_module("mpmath")
    except ImportError as error:
        raise MissingDependencyError("Student's t", "stats") from error


def student_t(confidence: float, degrees: int) -> float:
    """The t for which a Student variable of `degrees` of freedom is within ±t with `confidence`.

    That is the quantile of ``(1 + confidence) / 2``: 0.95 gives t(0.975). It is exact but for
    the rounding to a float.

    Raises:
        InvalidArgumentError: `confidence` is not between 0 and 1, or `degrees` less than 1.
        MissingDependencyError: mpmath is not installed.
    """
    check_confidence(confidence)
    if degrees < 1:
        raise InvalidArgumentError(f"degrees of freedom must be 1 or more, but are {degrees}")
    return _quantile(confidence, degrees)


@lru_cache(maxsize=65_536)
def _quantile(confidence: float, degrees: int) -> float:
    # A context of its own: mpmath's global precision is the caller's, and threads share it.
    context = load_mpmath().mp.__class__()
    context.dps = DIGITS
    df, wanted, half = context.mpf(degrees), context.mpf(confidence), context.mpf(0.5)
    # P(|T| < t) is the regularized incomplete beta function I_y(1/2, df/2), y = t²/(df + t²)
    # (Abramowitz and Stegun 26.5.27 and 26.7.1), and its slope is twice the density.
    peak = 2 / (context.sqrt(df) * context.beta(half, df / 2))
    # Newton's method. The normal quantile is below that of t, and the function is concave: so
    # steps go up to the root and never past it, until one is nothing but rounding.
    t = context.mpf(NormalDist().inv_cdf(min((1 + confidence) / 2, 1 - 2**-53)))
    while True:
        square = t * t / df
        within = context.betainc(half, df / 2, 0, square / (1 + square), regularized=True)
        step = (wanted - within) / (peak * (1 + square) ** (-(df + 1) / 2))
        t += step
        if step <= t * ENOUGH:
            return float(t)
