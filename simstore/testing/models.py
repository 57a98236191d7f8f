"""The kit's own models: between them, every shape of field that a backend has to store."""

from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from simstore.domain.fields import FullText, Indexed
from simstore.domain.numbers import Number, check_numbers
from simstore.domain.record import ExpiringRecord, Record


class Level(IntEnum):
    """An enum of numbers."""

    low = 0
    middle = 5
    high = 10


class Colour(StrEnum):
    """An enum of text, one member of which needs quoting."""

    red = "red"
    blue = "Blue | {green}"


class Part(BaseModel):
    """A model within a record; as Record does, it refuses names that it does not know."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    label: Annotated[str, Indexed()] = ""
    weight: Number = 0.0
    remark: str | None = None


class Specimen(Record):
    """A record with a field of every shape, indexed and not."""

    tag: Annotated[str, Indexed()] = ""
    nickname: Annotated[str | None, Indexed()] = None
    number: Annotated[int, Indexed()] = 0
    score: Annotated[Number, Indexed()] = 0.0
    ratio: Annotated[Number | None, Indexed()] = None
    active: Annotated[bool, Indexed()] = False
    level: Annotated[Level, Indexed()] = Level.low
    colour: Annotated[Colour | None, Indexed()] = None
    status: Annotated[Literal["new", "used"], Indexed()] = "new"
    mixed: Annotated[bool | int | float | str | None, Indexed()] = None
    labels: Annotated[list[str], Indexed()] = Field(default_factory=list)
    marks: Annotated[list[int] | None, Indexed()] = None
    home: Part | None = None
    parts: list[Part] = Field(default_factory=list)
    bio: Annotated[str, FullText()] = ""
    motto: Annotated[str | None, Indexed(), FullText()] = None

    plain_text: str = ""
    plain_nickname: str | None = None
    plain_number: int = 0
    plain_score: Number = 0.0
    plain_active: bool = False
    plain_level: Level = Level.low
    plain_labels: list[str] = Field(default_factory=list)
    extra: Annotated[dict[str, JsonValue], AfterValidator(check_numbers)] = Field(
        default_factory=dict
    )


class Span(Record):
    """A record with an invariant."""

    start: int
    end: int

    @model_validator(mode="after")
    def _start_first(self) -> "Span":
        if self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        return self


class Ticket(ExpiringRecord):
    """A record that knows how long it lives."""

    owner: Annotated[str, Indexed()] = ""
