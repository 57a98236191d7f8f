"""What the tests of copying share: a model of a user's own, records, pairs of stores."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple
from uuid import uuid4

from pydantic import BaseModel, Field

import simstore
from simstore import AgentProfile, Indexed, Record
from simstore.domain.store import Store

DIRECTIONS = ("memory to sqlite", "sqlite to memory")


class Note(Record):
    """A user's own model."""

    stars: Annotated[int, Indexed()] = 0
    words: set[str] = Field(default_factory=set)


class LooseNote(BaseModel):
    """What somebody else thinks a note is."""

    __collection__: ClassVar[str] = "Note"
    pk: str
    stars: str


class Pair(NamedTuple):
    source: Store
    target: Store


def agents(number: int, start: int = 0, **fields: Any) -> list[AgentProfile]:
    return [
        AgentProfile(pk=f"{n:05}", first_name="A", last_name=f"{n}", **fields)
        for n in range(start, start + number)
    ]


def damage(url: str, *pks: str) -> None:
    """Store notes that are none, past the model."""
    with simstore.connect(url) as store:
        store.repository(LooseNote).save_many(LooseNote(pk=pk, stars="many") for pk in pks)


def urls_of(direction: str, folder: Path) -> tuple[str, str]:
    """The URLs of a source and a target, both empty."""
    memory, sqlite = f"memory://{uuid4().hex}", f"sqlite:///{folder}/store.db"
    return (memory, sqlite) if direction == DIRECTIONS[0] else (sqlite, memory)
