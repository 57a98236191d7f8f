"""Live conversations: messages, chat sessions and the waiting room before them."""

import itertools
import math
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from simstore.domain.fields import Indexed
from simstore.domain.numbers import Number
from simstore.domain.record import ExpiringRecord

NO_ACTION = "no action"
"""What `client_action_lock` says when no client acts."""


class MessageTransaction(BaseModel):
    """One message of a session; `timestamp_str` is Unix seconds, written as a decimal number."""

    model_config = ConfigDict(extra="forbid")

    timestamp_str: Annotated[str, Indexed()]
    sender: Annotated[str, Indexed()]
    message: str

    @field_validator("timestamp_str")
    @classmethod
    def _is_a_moment(cls, text: str) -> str:
        try:
            moment = float(text)
        except ValueError:
            moment = math.nan
        if not math.isfinite(moment):
            raise ValueError(f"{text!r} is not a number of seconds, such as '1732367000.25'")
        return text

    @property
    def seconds(self) -> float:
        """When it was sent, in Unix seconds."""
        return float(self.timestamp_str)

    def to_tuple(self) -> tuple[float, str, str]:
        """(Unix seconds, sender, message)."""
        return self.seconds, self.sender, self.message


class SessionTransaction(ExpiringRecord):
    """A chat session between a client and a server, its messages in the order of their time."""

    session_id: Annotated[str, Indexed()]
    client_id: Annotated[str, Indexed()]
    server_id: Annotated[str, Indexed()]
    client_action_lock: str = NO_ACTION
    message_list: list[MessageTransaction] = Field(default_factory=list)

    @model_validator(mode="after")
    def _in_order_of_time(self) -> Self:
        for earlier, later in itertools.pairwise(self.message_list):
            if float(earlier.timestamp_str) > float(later.timestamp_str):
                raise ValueError(
                    f"message_list is not in the order of time: {earlier.timestamp_str} "
                    f"stands before {later.timestamp_str}"
                )
        return self


class TurnEnded(BaseModel):
    """Published when a client has ended its turn in a session."""

    model_config = ConfigDict(extra="forbid")

    client_id: str


class Match(BaseModel):
    """Two clients that were paired, and the session that was opened for them.

    The first of `client_ids` had waited: it is the session's client. The second came to it,
    and is the session's server.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    session_id: str
    client_ids: tuple[str, str]


class MatchingInWaitingRoom(ExpiringRecord):
    """Clients that wait to be paired, and the sessions made for them.

    `timestamp` is when the last of them came, in Unix seconds. The three lists go together:
    the session of the client at each place, and whether the client was told of it (``""``: not
    yet).
    """

    timestamp: Number
    client_ids: list[str] = Field(default_factory=list)
    session_ids: list[str] = Field(default_factory=list)
    session_id_retrieved: list[str] = Field(default_factory=list)
