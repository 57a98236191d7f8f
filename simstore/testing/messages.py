"""The kit's own messages, and the channels that the tests publish them on."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from simstore.domain.channels import Channel
from simstore.domain.numbers import Number, check_numbers


class Note(BaseModel):
    """A message with a field of every shape."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    text: str = ""
    nickname: str | None = None
    number: Annotated[int, AfterValidator(check_numbers)] = 0
    score: Number = 0.0
    active: bool = False
    labels: list[str] = Field(default_factory=list)
    extra: Annotated[dict[str, JsonValue], AfterValidator(check_numbers)] = Field(
        default_factory=dict
    )


class LongerNote(Note):
    """A note of a newer program, with a field that others do not know."""

    signature: str = "nobody"


class LooseNote(BaseModel):
    """A note of a program that passes over what it does not know."""

    text: str


class OpenNote(BaseModel):
    """A note of a program that keeps what it does not know."""

    model_config = ConfigDict(extra="allow")

    text: str


class Gone(BaseModel):
    """A message that is no note, and cannot be read as one."""

    model_config = ConfigDict(extra="forbid")

    who: str
    text: int = 0


class Interval(BaseModel):
    """A message with an invariant."""

    start: int
    end: int

    @model_validator(mode="after")
    def _start_first(self) -> "Interval":
        if self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        return self


class Whispered(BaseModel):
    """A message of which pydantic leaves a part out."""

    text: str
    aside: Annotated[str, Field(exclude=True)] = ""
    _heard: bool = False


class Twin(BaseModel):
    """Of the same fields as `LooseNote`: a union of the two cannot tell them apart."""

    text: str


class Spoke(BaseModel):
    """One kind of move."""

    kind: Literal["spoke"] = "spoke"
    what: str


class Walked(BaseModel):
    """Another kind of move, of the same fields."""

    kind: Literal["walked"] = "walked"
    what: str


Move = Annotated[Spoke | Walked, Field(discriminator="kind")]
"""A union that a field tells apart."""

NOTES: Channel[Note] = Channel("notes", Note)
"""Where most tests publish."""

OTHERS: Channel[Note] = Channel("others", Note)
"""Another channel of the same type."""

STRANGERS: Channel[Gone] = Channel(NOTES.name, Gone)
"""The channel of `NOTES` as a program with another type for it sees it."""

MOVES: Channel[Any] = Channel("moves", Move)
"""A channel of a union with a discriminator."""

EITHER: Channel[Note | Gone] = Channel("either", Note | Gone)
"""A channel of a plain union."""


def note(text: str, **fields: Any) -> Note:
    """A note."""
    return Note(text=text, **fields)
