"""Operations as the arguments of the write script, in batches of a size that suits a server."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from simstore.adapters.codec import dumps_values, json_of
from simstore.adapters.redis_connection.link import Argument, Call
from simstore.adapters.redis_pipeline.encoding import packed
from simstore.adapters.redis_pipeline.layout import Layout
from simstore.adapters.redis_pipeline.scripts import WRITE
from simstore.adapters.storage import Check, Delete, Expected, Operation, Put

RECORDS_AT_A_TIME = 100
"""How many records a script writes: the server does nothing else meanwhile."""

BYTES_AT_A_TIME = 1 << 20
"""How many bytes of records, unless one alone has more."""

BYTES_IN_FLIGHT = 8 << 20
"""How many bytes of batches are sent before their replies are read."""

LARGEST_ARGUMENT = 2_000
"""Bytes of a record that the script is given; larger ones cost the server less if staged."""


class Batch(NamedTuple):
    """Operations of one bucket, and the call that applies each on its own."""

    operations: list[Put | Delete]
    call: Call
    size: int


def one_call(layout: Layout, operations: Sequence[Operation]) -> Call:
    """The call that applies all of `operations` or none."""
    return _call("all", layout, operations)


def rounds(layout: Layout, operations: Sequence[Put | Delete]) -> Iterator[list[Batch]]:
    """`operations` in batches, so many of them at a time as one round trip should have."""
    flying: list[Batch] = []
    size = 0
    for batch in _batches(layout, operations):
        if flying and size + batch.size > BYTES_IN_FLIGHT:
            yield flying
            flying, size = [], 0
        flying.append(batch)
        size += batch.size
    if flying:
        yield flying


def _batches(layout: Layout, operations: Sequence[Put | Delete]) -> Iterator[Batch]:
    by_base: dict[str, list[Put | Delete]] = {}
    for operation in operations:
        base = layout.base_of(operation.collection.name, operation.pk)
        by_base.setdefault(base, []).append(operation)
    for some in by_base.values():
        batch: list[Put | Delete] = []
        size = 0
        for operation in some:
            length = len(json_of(operation.content)) if isinstance(operation, Put) else 0
            if batch and (len(batch) == RECORDS_AT_A_TIME or size + length > BYTES_AT_A_TIME):
                yield Batch(batch, _call("each", layout, batch), size)
                batch, size = [], 0
            batch.append(operation)
            size += length
        yield Batch(batch, _call("each", layout, batch), size)


def _call(mode: str, layout: Layout, operations: Sequence[Operation]) -> Call:
    bases: dict[str, int] = {}
    staged: list[tuple[str, bytes]] = []
    for position, operation in enumerate(operations, 1):
        base = layout.base_of(operation.collection.name, operation.pk)
        bases.setdefault(base, len(bases) + 1)
        if isinstance(operation, Put) and _is_staged(operation):
            staged.append((f"{base}:staged:{position}", json_of(operation.content)))
    return Call(list(bases), WRITE, _Arguments(mode, layout, bases, operations), staged)


@dataclass(frozen=True, slots=True)
class _Arguments:
    """The arguments of the script, made when they are sent: the server is at other batches then."""

    mode: str
    layout: Layout
    bases: Mapping[str, int]
    operations: Sequence[Operation]

    def __iter__(self) -> Iterator[Argument]:
        different = dict.fromkeys(each.collection.indexes.signature for each in self.operations)
        signatures = {signature: number for number, signature in enumerate(different, 1)}
        yield self.mode
        yield len(signatures)
        yield from signatures
        for operation in self.operations:
            yield self.bases[self.layout.base_of(operation.collection.name, operation.pk)]
            yield signatures[operation.collection.indexes.signature]
            yield from _arguments(operation)


def _arguments(operation: Operation) -> tuple[Argument, ...]:
    expected = operation.expected
    if isinstance(expected, Expected):
        expected = "any" if expected is Expected.ANYTHING else "nothing"
    match operation:
        case Put():
            indexes = operation.collection.indexes
            return (
                "put",
                operation.pk,
                expected,
                "keep" if operation.keep_ttl else operation.milliseconds or "",
                dumps_values(operation.values),
                packed(indexes.entries(operation.values)),
                "" if _is_staged(operation) else json_of(operation.content),
            )
        case Delete():
            return ("delete", operation.pk, expected)
        case Check():
            return ("check", operation.pk, expected)


def _is_staged(put: Put) -> bool:
    return len(json_of(put.content)) > LARGEST_ARGUMENT
