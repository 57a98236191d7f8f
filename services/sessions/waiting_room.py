"""Waiting rooms: clients that come one by one are paired, each with one other."""

import time
from contextlib import suppress
from dataclasses import dataclass

from simstore.domain.channels import Channel
from simstore.domain.errors import (
    BackendError,
    ConflictError,
    DuplicateError,
    InvalidPkError,
    NotFoundError,
    SimstoreError,
)
from simstore.domain.fields import check_pk, new_pk
from simstore.domain.messaging import Match, MatchingInWaitingRoom, SessionTransaction
from simstore.domain.record import DEFAULT_EXPIRE_SECONDS
from simstore.domain.store import Store
from simstore.services.sessions.turns import check_client
from simstore.services.sessions.waiting import Deadline, check_expire_time, in_thread

PRESENCE = 15.0
"""Seconds for which a place is kept for a client that gives no sign of life."""

SIGN_OF_LIFE = PRESENCE / 3
"""Seconds after which a client that waits says that it is still there."""

MATCH_KEPT = 60.0
"""Seconds for which a match is shown to a client that was not told of it."""

TOLD = "true"
"""What `session_id_retrieved` has for a client that knows its session, as Sotopia writes it."""

NOBODY = ""
"""The server of a session whose client still waits for one."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a room: the session that is opened for its client, and has no server yet."""

    client_id: str
    session_id: str
    is_own: bool = True
    """False if another call of the same client has it, and keeps it."""

    @property
    def channel(self) -> Channel[Match]:
        """Where its match is announced: a channel of its own, so what it holds counts, too."""
        return Channel(f"match:{self.session_id}", Match)


class WaitingRoom:
    """A room of `store` in which clients are paired: all that enter one of this `name`.

    A pair has a session, which is kept for `expire_time` seconds after its last message: the
    one that waited is its client, the one that came to it is its server. Whoever waits is woken
    at once.

    How it works: a client that finds nobody opens a session whose ``server_id`` is ``""``, and
    puts it into the room's record, a `MatchingInWaitingRoom` whose pk is the name. The next
    client makes itself the server of that session if it still has none. This one
    compare-and-set makes the pair, so nobody is in two of them, or in half of one. A session
    without a server expires once its client has given no sign of life for 15 seconds, or its
    time is over. The record then shows both clients until the one that waited was told.

    Raises:
        InvalidPkError: `name` cannot be a primary key.
        InvalidArgumentError: `expire_time` is no positive int.
    """

    def __init__(
        self, store: Store, name: str, *, expire_time: int = DEFAULT_EXPIRE_SECONDS
    ) -> None:
        self.name = check_pk(name)
        self._store = store
        self._expire_time = check_expire_time(expire_time)

    def __repr__(self) -> str:
        return f"<waiting room {self.name!r}>"

    def enter(self, client_id: str, *, timeout: float | None = None) -> Match | None:
        """Wait until `client_id` is paired; None if nobody came for `timeout` seconds.

        A `timeout` of None waits for ever, one of 0 pairs it if somebody waits already. Whoever
        gives up has left the room. A client that enters again while it waits is not paired with
        itself: both calls return the same match. One whose program died when it was paired
        gets that match if it enters again before others do, within a minute.

        To be paired with somebody who waits takes five round trips.

        Raises:
            InvalidArgumentError: `client_id` is blank, or `timeout` out of its range.
            BackendTimeoutError: whether it was paired is not known.
        """
        check_client(client_id)
        deadline, broker = Deadline(timeout), self._store.broker
        while isinstance(place := self._sit_down(client_id, deadline), _Place):
            try:
                with broker.subscribe(place.channel) as called:
                    while called.receive(deadline.cap(SIGN_OF_LIFE)) is None:
                        if not self._stays(place, deadline):
                            break
                match = self._leave(place)
            except BaseException:
                self._vacate(place)
                raise
            if match is not None or deadline.has_passed:
                return match
        return place

    async def aenter(self, client_id: str, *, timeout: float | None = None) -> Match | None:  # noqa: ASYNC109 — as `enter`
        """As `enter`. A task that is cancelled has left the room, unless it was paired by then."""
        check_client(client_id)
        deadline, broker = Deadline(timeout), self._store.broker
        while True:
            places: list[_Place | Match | None] = []
            try:
                # Its answer is needed even if this task is cancelled meanwhile.
                await in_thread(self._sit_down_into, places, client_id, deadline)
                place = places[0]
                if not isinstance(place, _Place):
                    return place
                async with broker.asubscribe(place.channel) as called:
                    while await called.receive(deadline.cap(SIGN_OF_LIFE)) is None:
                        if not await in_thread(self._stays, place, deadline):
                            break
                match = await in_thread(self._leave, place)
            except BaseException:
                for left in places:
                    if isinstance(left, _Place):
                        await in_thread(self._vacate, left)
                raise
            if match is not None or deadline.has_passed:
                return match

    def _sit_down_into(
        self, places: list[_Place | Match | None], client_id: str, deadline: Deadline
    ) -> None:
        places.append(self._sit_down(client_id, deadline))

    def _sit_down(self, client_id: str, deadline: Deadline) -> Match | _Place | None:
        """Pair the client with who waits, or give it a place; None if it would not wait."""
        rooms = self._store.waiting_rooms
        place: _Place | None = None
        while True:
            room, version = None, None
            with suppress(NotFoundError):
                room, version = rooms.get_versioned(self.name)
            found = None if room is None else self._meet(client_id, room, version)
            if found is not None:
                if place is not None:
                    self._store.sessions.delete_many([place.session_id])  # nobody knows of it
                return found
            if place is None:
                place = self._open_place(client_id, deadline)
            if place is None:
                return None
            waiting = self._shown([client_id], place.session_id, [""])
            with suppress(ConflictError, DuplicateError):  # another was faster: look again
                if version is None:
                    rooms.add(waiting)
                else:
                    rooms.save(waiting, if_version=version)
                return place

    def _meet(
        self, client_id: str, room: MatchingInWaitingRoom, version: str | None
    ) -> Match | _Place | None:
        """What a client finds in the room: its partner, itself, or nobody who waits."""
        if not room.session_ids:
            return None
        session_id, is_there = room.session_ids[0], client_id in room.client_ids
        if room.client_ids[1:] and not is_there:
            return None
        try:
            session, session_version = self._store.sessions.get_versioned(session_id)
        except (NotFoundError, InvalidPkError):
            return None  # it waits no longer, or others have put it there
        if session.server_id == NOBODY:
            if is_there:
                return _Place(client_id, session_id, is_own=False)
            return self._pair(client_id, session, session_version, version)
        if client_id == session.client_id:  # whoever was told of a match is shown no more
            self._clear(session_id)
            return _match_of(session)
        return None

    def _pair(
        self, client_id: str, session: SessionTransaction, version: str, room: str | None
    ) -> Match | None:
        """Make a client the server of the session, if it still has none."""
        session.server_id = client_id
        try:
            self._store.sessions.save(session, if_version=version)
        except ConflictError:
            return None  # another was faster, or its time was over
        match = _match_of(session)
        # They are a pair. If this fails, the other one learns it with its next sign of life.
        with suppress(BackendError, ConflictError):
            place = _Place(session.client_id, session.pk)
            self._store.broker.publish(place.channel, match, ttl=MATCH_KEPT)
            self._store.waiting_rooms.save(self._paired(match), ttl=MATCH_KEPT, if_version=room)
        return match

    def _open_place(self, client_id: str, deadline: Deadline) -> _Place | None:
        presence = deadline.cap(PRESENCE)
        if presence == 0.0:
            return None
        place = _Place(client_id, new_pk())
        session = SessionTransaction(
            pk=place.session_id,
            session_id=place.session_id,
            client_id=client_id,
            server_id=NOBODY,
            expire_time=self._expire_time,
        )
        self._store.sessions.add(session, ttl=presence)
        return place

    def _stays(self, place: _Place, deadline: Deadline) -> bool:
        """Give a sign of life; False if there is nothing more to wait for."""
        presence = deadline.cap(PRESENCE)
        if presence == 0.0:
            return False
        sessions = self._store.sessions
        try:
            session, version = sessions.get_versioned(place.session_id)
            if session.server_id != NOBODY:
                return False
            if place.is_own:
                sessions.save(session, ttl=presence, if_version=version)
        except (NotFoundError, ConflictError):
            return False
        return True

    def _leave(self, place: _Place) -> Match | None:
        """The match if there is one by now; else the place is given up."""
        match = self._give_up(place)
        if place.is_own or match is not None:
            self._clear(place.session_id)
        return match

    def _vacate(self, place: _Place) -> None:
        """Give up the place, if that can be done; a match is shown to the client if it comes."""
        with suppress(SimstoreError):
            match = self._give_up(place)
            if match is None and place.is_own:
                self._clear(place.session_id)
            elif match is not None:
                self._store.waiting_rooms.add(self._paired(match), ttl=MATCH_KEPT)

    def _give_up(self, place: _Place) -> Match | None:
        while True:
            try:
                with self._store.transaction() as tx:
                    session = tx.sessions.get(place.session_id)
                    if session.server_id == NOBODY and place.is_own:
                        tx.sessions.delete(session.pk)
            except ConflictError:
                continue
            except NotFoundError:
                return None
            return None if session.server_id == NOBODY else _match_of(session)

    def _clear(self, session_id: str) -> None:
        """Take a session out of the room's record, if that is about it."""
        while True:
            try:
                with self._store.transaction() as tx:
                    if session_id in tx.waiting_rooms.get(self.name).session_ids:
                        tx.waiting_rooms.delete(self.name)
            except ConflictError:
                continue
            except NotFoundError:
                pass
            return

    def _paired(self, match: Match) -> MatchingInWaitingRoom:
        """The room as the one that came leaves it: it knows, the other one has to be told."""
        return self._shown(list(match.client_ids), match.session_id, ["", TOLD])

    def _shown(self, clients: list[str], session_id: str, told: list[str]) -> MatchingInWaitingRoom:
        return MatchingInWaitingRoom(
            pk=self.name,
            timestamp=time.time(),
            client_ids=clients,
            session_ids=[session_id] * len(clients),
            session_id_retrieved=told,
        )


def _match_of(session: SessionTransaction) -> Match:
    return Match(session_id=session.pk, client_ids=(session.client_id, session.server_id))
