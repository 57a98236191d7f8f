"""Figures as readers see them: three significant digits, and a unit that suits them."""

import math

from simstore.bench.report import Unit

NOTHING = "\N{EN DASH}"
"""Stands for a work that a contender does not do."""

UNKNOWN = "?"
"""Stands for a figure that should be there: it failed, or was not measured."""

MICROSECONDS = "µs"

_LARGEST = 9_995.0
"""What would be ``10,000``; from here on, the next unit is used."""

_KB = 1000


def three_digits(value: float) -> str:
    """``1,230``, ``123``, ``12.3``, ``1.23``, ``0.123``."""
    rounded = float(f"{value:.3g}")
    if not rounded:
        return "0"
    decimals = max(0, 2 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def amount(value: float, unit: Unit) -> str:
    """`value` without the unit that its table is in: µs, or KB of 1,000 bytes.

    What takes longer than 9,999 µs is in ms or s, and says so.
    """
    if unit == "bytes a record":
        return three_digits(value / _KB)
    if value < _LARGEST:
        return three_digits(value)
    return (
        f"{three_digits(value / 1e3)} ms"
        if value / 1e3 < _LARGEST
        else f"{three_digits(value / 1e6)} s"
    )


def with_unit(value: float, unit: Unit) -> str:
    """`value` with its unit: ``169 µs``, ``12.3 ms``, ``24.6 KB``."""
    text = amount(value, unit)
    if unit == "bytes a record":
        return f"{text} KB"
    return text if " " in text else f"{text} {MICROSECONDS}"


def between(low: float, high: float, unit: Unit) -> str:
    """``63.9 to 78.9 µs``, ``980 µs to 1.02 ms``."""
    first, last = with_unit(low, unit), with_unit(high, unit)
    number, _, shared = first.partition(" ")
    return f"{number if last.endswith(f' {shared}') else first} to {last}"


def shown_unit(unit: Unit) -> str:
    """What stands in the title of a table whose cells are `amount`."""
    return unit.replace("bytes", "KB")


def spread(low: float, median: float, high: float) -> str:
    """How far the furthest round was from the median, in percent of it, rounded up: ``±9%``."""
    if not median or low == high:
        return ""
    # Less a billionth, so that 9% is not 10% because of how floats are rounded.
    return f"±{math.ceil(100 * max(high - median, median - low) / median - 1e-9):,}%"


def times(ratio: float) -> str:
    """``1x`` is the same; ``0.83x``, ``1.04x``, ``5.4x``, ``45x``, ``1,230x``."""
    if ratio == 1:
        return "1x"
    if ratio < 1.995:
        return f"{ratio:.2f}x" if ratio >= 0.1 else f"{ratio:.1g}x"
    if ratio < 9.95:
        return f"{ratio:.1f}x"
    return f"{float(f'{ratio:.3g}'):,.0f}x"


def count(number: float) -> str:
    """``100,000``."""
    return f"{number:,.0f}"


def round_trip(milliseconds: float) -> str:
    """``0.5 ms``; no delay is loopback itself."""
    return f"{milliseconds:g} ms" if milliseconds else "loopback"
