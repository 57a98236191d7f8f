"""Writes as calls of one script."""

from collections.abc import Iterator, Sequence

from simstore.adapters.codec import json_of
from simstore.adapters.redis_connection.link import Call, script_call
from simstore.adapters.redis_om.layout import Layout
from simstore.adapters.redis_om.scripts import COMMIT
from simstore.adapters.storage import Check, Delete, Expected, Operation, Put

RECORDS_AT_A_TIME = 100
BYTES_AT_A_TIME = 8 << 20
"""How much one round trip writes at most, unless one record alone is larger."""

_EXPECTED = {Expected.ANYTHING: "*", Expected.NOTHING: "-"}


def commit_call(layout: Layout, operations: Sequence[Operation]) -> Call:
    """The call that applies `operations`, all or none.

    Raises:
        InvalidRecordError: a record cannot be kept exactly.
    """
    keys: list[str] = []
    words: list[str | bytes] = [layout.record_path, "ours" if layout.is_ours_alone else ""]
    for operation in operations:
        keys.append(layout.prefix(operation.collection) + operation.pk)
        words += _words(layout, operation)
    return script_call(COMMIT, keys, *words)


def _words(layout: Layout, operation: Operation) -> tuple[str | bytes, ...]:
    expected = operation.expected
    wanted = _EXPECTED[expected] if isinstance(expected, Expected) else expected
    match operation:
        case Put():
            return "put", wanted, layout.document(operation), _ttl(operation)
        case Delete():
            return "delete", wanted, "", ""
        case Check():
            return "check", wanted, "", ""


def _ttl(put: Put) -> str:
    if put.keep_ttl:
        return "keep"
    return str(put.milliseconds or "")


def batches(
    layout: Layout, operations: Sequence[Put | Delete]
) -> Iterator[list[tuple[Put | Delete, Call]]]:
    """Each operation with a call of its own; so many at a time as one round trip writes."""
    batch: list[tuple[Put | Delete, Call]] = []
    size = 0
    for operation in operations:
        content = json_of(operation.content) if isinstance(operation, Put) else b""
        if batch and (len(batch) == RECORDS_AT_A_TIME or size + len(content) > BYTES_AT_A_TIME):
            yield batch
            batch, size = [], 0
        batch.append((operation, commit_call(layout, [operation])))
        size += len(content)
    if batch:
        yield batch
