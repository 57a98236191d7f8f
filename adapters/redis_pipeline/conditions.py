"""Index conditions as the arguments of the search script: each part before its own parts."""

from collections.abc import Iterator

from simstore.adapters.redis_connection.link import Argument
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


def arguments_of(condition: IndexCondition) -> Iterator[Argument]:
    """`condition` as the script reads it."""
    match condition:
        case AllOf():
            flat = list(_parts_of(condition))
            yield from ("all", len(flat))
            for part in flat:
                yield from arguments_of(part)
        case AnyOf(parts):
            yield from ("any", len(parts))
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
            yield from ("one of", index, len(different))
            yield from different
        case Range(index) | Prefix(index):
            yield from ("range", index, *range_of(condition))


def _parts_of(condition: AllOf) -> Iterator[IndexCondition]:
    """The parts of `condition` and of those that are of its kind."""
    for part in condition.parts:
        if isinstance(part, AllOf):
            yield from _parts_of(part)
        else:
            yield part
