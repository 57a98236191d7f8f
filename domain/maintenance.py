"""What the upkeep of a store finds: faults of its indexes, and facts of its server or file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["missing", "stale", "orphaned"]
"""How an index can be wrong about a record; see `IndexFault`."""


@dataclass(frozen=True, slots=True)
class IndexFault:
    """An index that does not say of a record what the record says.

    `kind` is ``missing`` where the index lacks an entry that the record has, ``stale`` where it
    has one that the record has no more, and ``orphaned`` where it has entries of a record that
    is gone. `index` names the index: the path of its field, ``path:words`` for words, ``pk``
    for the list of all records, ``ttl`` for that of those which expire.
    """

    kind: FaultKind
    collection: str
    pk: str
    index: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a backend says of itself.

    `facts` are short texts by name, such as its version. `warnings` are sentences, each of a
    setting under which records would be lost, and what to do about it.
    """

    facts: Mapping[str, str]
    warnings: tuple[str, ...]
