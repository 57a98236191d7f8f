"""Which format an answer is written in: as --format says, or --json, or the suffix of --output."""

from collections.abc import Mapping
from typing import TypeVar

from simstore.cli.console import is_standard
from simstore.domain.errors import InvalidArgumentError
from simstore.services.files.streams import split_suffix

F = TypeVar("F", bound=str)


def chosen_format(
    asked: F | None,
    output: str | None,
    by_suffix: Mapping[str, F],
    default: F,
) -> F:
    """The format `asked` for, or that of the suffix of `output`; on standard output `default`.

    Raises:
        InvalidArgumentError: the suffix says nothing.
    """
    if asked is not None:
        return asked
    if output is None or is_standard(output):
        return default
    suffix, _ = split_suffix(output)
    found = by_suffix.get(suffix)
    if found is None:
        raise InvalidArgumentError(
            f"{output}: the suffix names no format; use {', '.join(by_suffix)}, or say --format"
        )
    return found


def with_json(asked: F | None, json_format: F, *, as_json: bool) -> F | None:
    """The format that --format and --json ask for together.

    Raises:
        InvalidArgumentError: they ask for two.
    """
    if not as_json:
        return asked
    if asked not in {None, json_format}:
        raise InvalidArgumentError(f"--json and --format {asked} exclude each other")
    return json_format
