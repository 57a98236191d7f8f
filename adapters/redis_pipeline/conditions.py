"""Index conditions as the arguments of the search script: each part before its own parts."""

from collections.abc import Iterator

from simstore.adapters.redis_pipeline.encoding import encoded, range_of
from simstore.adapters.storage import (
    AllOf,
    AnyOf,
    Complement,
    Equal,
    IndexCondition,
    OneOf,
    Pks,
    Prefix,
    Range,
)

Argument = str | bytes | int


def arguments_of(condition: IndexCondition) -> Iterator[Argument]:
    """`condition` as the script reads it."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            yield "all" if isinstance(condition, AllOf) else "any"
            yield len(parts)
            for part in parts:
                yield from arguments_of(part)
        case Complement(part):
            yield "not"
            yield from arguments_of(part)
        case Pks(pks):
            yield "pks"
            yield len(pks)
            yield from pks
        case Equal(index, value):
            yield from ("equal", index, encoded(value))
        case OneOf(index, values):
            different = dict.fromkeys(map(encoded, values))
            yield from ("any", len(different))
            for one in different:
                yield from ("equal", index, one)
        case Range(index) | Prefix(index):
            yield from ("range", index, *range_of(condition))
