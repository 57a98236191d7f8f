"""What a long call found: how many there are, and the first of them."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

KEPT_FINDINGS = 20
"""How many findings of each kind a report keeps; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings(Generic[T]):
    """How many were found, and the `first` of them as they came: as many as a report keeps."""

    count: int
    first: tuple[T, ...]


class Collector(Generic[T]):
    """Counts what it is given, and keeps the first `kept` of it: memory is bounded."""

    def __init__(self, kept: int = KEPT_FINDINGS) -> None:
        self._kept = kept
        self._count = 0
        self._first: list[T] = []

    @property
    def has_room(self) -> bool:
        """Whether the next finding will be kept, and not only counted."""
        return len(self._first) < self._kept

    def add(self, finding: T) -> None:
        """Take in one `finding`."""
        self._count += 1
        if self.has_room:
            self._first.append(finding)

    def findings(self) -> Findings[T]:
        """What it was given so far."""
        return Findings(count=self._count, first=tuple(self._first))
