"""What chat front ends need: sessions, turns, waiting rooms, and leases between processes."""

from simstore.domain.messaging import Match
from simstore.services.sessions.leases import Lease
from simstore.services.sessions.session import (
    ChatSession,
    ajoin_session,
    aopen_session,
    join_session,
    open_session,
)
from simstore.services.sessions.waiting_room import WaitingRoom

__all__ = [
    "ChatSession",
    "Lease",
    "Match",
    "WaitingRoom",
    "ajoin_session",
    "aopen_session",
    "join_session",
    "open_session",
]
