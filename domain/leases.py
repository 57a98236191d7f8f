"""Leases: what is stored of a lock that ends by itself."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from simstore.domain.numbers import Number
from simstore.domain.record import Record


class LeaseRecord(Record):
    """A lease that somebody has; its pk is the lease's name. It expires when the lease does.

    `owner` is a token, another one for each time that the lease is taken. `expires_at` is in
    Unix seconds by the owner's clock: it says how long waiting may be worth while. What ends
    the lease is the backend's clock.
    """

    __collection__: ClassVar[str] = "Lease"

    owner: str
    expires_at: Number


class LeaseReleased(BaseModel):
    """Published when a lease ends before its time."""

    model_config = ConfigDict(extra="forbid")

    name: str
