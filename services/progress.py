"""How far a long call has come."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long call has come with a collection.

    `step` is what is being done, such as ``check``, ``store``, ``export``, ``copy``, ``verify``,
    ``compare`` or ``read``. `done` counts the records that it was done with; `total` is how many
    there were at the start of the step, None where nobody knows. Others may write meanwhile, so
    that `done` may come out beside it.
    """

    step: str
    collection: str
    done: int
    total: int | None


OnProgress = Callable[[Progress], object]
"""Called every now and then, and at the end of each step; what it raises ends the call."""
