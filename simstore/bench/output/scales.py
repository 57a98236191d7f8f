"""Where the axes of charts begin and end, and what stands at them."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from simstore.bench.report import Figure, Unit

if TYPE_CHECKING:
    from matplotlib.axis import Axis


def logarithmic(measured: Sequence[Figure], *, from_decade: bool) -> tuple[float, float]:
    """Both ends of a logarithmic scale for `measured`, which may begin with a power of ten."""
    # A bar of what is least can still be seen.
    low = min(each.low for each in measured) / 1.4
    if from_decade:
        low = 10.0 ** math.floor(math.log10(low))
    return low, max(1.25 * max(each.high for each in measured), 12 * low)


def from_zero(measured: Sequence[Figure]) -> tuple[float, float]:
    """Both ends of a scale that begins at zero."""
    return 0.0, 1.08 * max(each.high for each in measured)


def set_decades(axis: "Axis", ends: tuple[float, float], unit: Unit, *, most: int) -> None:
    """Ticks at the powers of ten, or where there is one alone, between them as well."""
    from matplotlib.ticker import NullLocator  # noqa: PLC0415 — of an extra

    low, high = ends
    # A little less, because the logarithm of a power of ten need not be whole.
    powers = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high)) + 1)
    ticks = [10.0**power for power in powers]
    if len(ticks) < 2:
        around = range(powers.start - 1, powers.stop)
        finer = [digit * 10.0**power for power in around for digit in (1, 2, 5)]
        ticks = [tick for tick in finer if low <= tick <= high]
    kept = ticks[:: math.ceil(len(ticks) / most)]
    axis.set_minor_locator(NullLocator())
    axis.set_ticks(kept, labels=[_round(tick, unit) for tick in kept])


def set_steps(axis: "Axis", ends: tuple[float, float], unit: Unit) -> None:
    """A few ticks at even distances."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 — of an extra

    steps = [step for step in MaxNLocator(3).tick_values(*ends) if step <= ends[1]]
    axis.set_ticks(steps, labels=[_round(step, unit) for step in steps])


def axis_label(unit: Unit) -> str:
    """What an axis of times or sizes is of: ``time a call, logarithmic``."""
    what, _, of_what = unit.partition(" ")
    return f"size {of_what}" if what == "bytes" else f"time {of_what}, logarithmic"


def _round(value: float, unit: Unit) -> str:
    """A round value: ``1 µs``, ``10 ms``, ``20 KB``."""
    if unit == "bytes a record":
        return f"{value / 1000:g} KB"
    for larger, name in ((1e6, "s"), (1e3, "ms")):
        if value >= larger:
            return f"{value / larger:g} {name}"
    return f"{value:g} µs"
