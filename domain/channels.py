"""Channels, and what arrives from them: the values that a broker takes and gives."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from simstore.domain.errors import InvalidArgumentError, InvalidPkError
from simstore.domain.fields import check_pk

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Channel(Generic[M]):
    """A name under which messages are published, and their type.

    The type is a pydantic model, or a union of some that tells them apart:
    ``moves: Channel[Said | Left] = Channel("moves", Said | Left)``. Making one does nothing:
    a channel is there once something is published on it. Its name has the rules of a pk.

    Raises:
        InvalidArgumentError: the name cannot be kept.
    """

    name: str
    message_type: Any
    dead_letters_of: str | None = None
    """The group that gave up on these messages; None for the channel itself."""

    if TYPE_CHECKING:  # what dataclass makes does not tell M from a class

        @overload
        def __init__(
            self, name: str, message_type: type[M], dead_letters_of: str | None = None
        ) -> None: ...

        @overload
        def __init__(
            self, name: str, message_type: Any, dead_letters_of: str | None = None
        ) -> None: ...

        def __init__(
            self, name: str, message_type: Any, dead_letters_of: str | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        check_name("channel", self.name)
        if self.dead_letters_of is not None:
            check_name("group", self.dead_letters_of)

    def dead_letters(self, group: str) -> Self:
        """The channel of the messages on which `group` gave up, each after its last try.

        It is read as any other.
        """
        if self.dead_letters_of is not None:
            raise InvalidArgumentError(f"{self} has no dead letters of its own")
        return replace(self, dead_letters_of=group)

    def __str__(self) -> str:
        if self.dead_letters_of is None:
            return f"channel {self.name!r}"
        return f"dead letters of group {self.dead_letters_of!r} of channel {self.name!r}"


@dataclass(frozen=True, slots=True)
class Received(Generic[M_co]):
    """A message as it arrived.

    `id` tells it from all others of its channel; it is for `after` and `before`, and its text
    means nothing else. `published_at` is by the clock of the backend, in UTC; of a dead letter it
    is when the group gave it up.
    """

    id: str
    message: M_co
    published_at: datetime
    original_id: str | None = None
    """Of a dead letter, the id that it had when it was published."""


@dataclass(frozen=True, slots=True)
class Delivery(Received[M_co]):
    """A message that a consumer of a group was given, to acknowledge when it is done with it."""

    tries: int = 1
    """How many times the group was given it, this time included."""


def check_name(kind: str, name: object) -> str:
    """Return `name` if a channel, a group or a consumer, as `kind` says, may have it.

    Raises:
        InvalidArgumentError: it breaks a rule of primary keys.
    """
    try:
        return check_pk(name)
    except InvalidPkError as error:
        raise InvalidArgumentError(f"the name of a {kind}: {error}") from error
