"""What a report keeps of what was found, as lines."""

from collections.abc import Iterable
from typing import Any

from simstore.cli.console import say
from simstore.services.findings import Findings


def tell_first(prefix: str, found: Findings[Any], shown: Iterable[str] | None = None) -> None:
    """A line for each of the first findings, and one that counts the rest."""
    for line in found.first if shown is None else shown:
        say(f"{prefix}{line}")
    if found.count > len(found.first):
        say(f"{prefix}and {found.count - len(found.first)} more")
