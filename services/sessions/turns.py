"""Turns: which client of a session acts, one at a time."""

from dataclasses import dataclass

from simstore.domain.channels import Channel
from simstore.domain.errors import InvalidArgumentError, NotHeldError
from simstore.domain.messaging import NO_ACTION, SessionTransaction, TurnEnded
from simstore.domain.store import Store
from simstore.services.sessions.waiting import LOOK_AGAIN, Deadline, check_id, in_thread


class _TakenError(Exception):
    """Ends an update that must not be made; never leaves this file."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of a session, which the `client_action_lock` of its record keeps.

    It is ``"no action"`` while nobody acts, else the id of the client that does. A post is
    nobody's turn: it is made whoever has it, and leaves it as it is.
    """

    store: Store
    pk: str
    """The primary key of the session's record in ``store.sessions``."""
    session_id: str

    @property
    def turn_channel(self) -> Channel[TurnEnded]:
        """Where the end of each turn is announced."""
        return Channel(f"turn:{self.pk}", TurnEnded)

    def take_turn(self, client_id: str, *, timeout: float | None = 0.0) -> bool:
        """Take the turn for `client_id`; whether it has it now, also if it had it before.

        If another has it, wait until that one ends it, for `timeout` seconds at most; None
        waits for ever. Of several that wait, one gets it. A turn has no end of its own: that
        of a client that died is ended by whoever calls `end_turn` in its name.
        """
        check_client(client_id)
        deadline = Deadline(timeout)
        broker = self.store.broker  # first: whoever has the turn must be able to end it
        if self._take(client_id):
            return True
        if deadline.has_passed:
            return False
        with broker.subscribe(self.turn_channel, after="new") as ended:
            while not (taken := self._take(client_id)) and not deadline.has_passed:
                ended.receive(deadline.cap(LOOK_AGAIN))
        return taken

    async def atake_turn(self, client_id: str, *, timeout: float | None = 0.0) -> bool:  # noqa: ASYNC109 — as `take_turn`
        """As `take_turn`. A task that is cancelled may have taken it: `end_turn` says."""
        check_client(client_id)
        deadline = Deadline(timeout)
        broker = self.store.broker
        if await in_thread(self._take, client_id):
            return True
        if deadline.has_passed:
            return False
        async with broker.asubscribe(self.turn_channel, after="new") as ended:
            while not (taken := await in_thread(self._take, client_id)):
                if deadline.has_passed:
                    break
                await ended.receive(deadline.cap(LOOK_AGAIN))
        return taken

    def end_turn(self, client_id: str) -> None:
        """End the turn of `client_id`, and wake who waits for it.

        Raises:
            NotHeldError: it does not have it; `holder` is who has, None if nobody has.
        """
        check_client(client_id)
        broker = self.store.broker

        def end(record: SessionTransaction) -> None:
            holder = record.client_action_lock
            if holder != client_id:
                raise NotHeldError(
                    f"the turn of session {self.session_id!r}",
                    None if holder == NO_ACTION else holder,
                    f"{client_id!r} cannot end it",
                )
            record.client_action_lock = NO_ACTION

        record = self.store.sessions.update(self.pk, end)
        broker.publish(self.turn_channel, TurnEnded(client_id=client_id), ttl=record.expire_time)

    async def aend_turn(self, client_id: str) -> None:
        """As `end_turn`."""
        await in_thread(self.end_turn, client_id)

    def _take(self, client_id: str) -> bool:
        def take(record: SessionTransaction) -> None:
            if record.client_action_lock not in {NO_ACTION, client_id}:
                raise _TakenError
            record.client_action_lock = client_id

        try:
            self.store.sessions.update(self.pk, take)
        except _TakenError:
            return False
        return True


def check_client(client_id: object) -> str:
    """The id of a client that acts.

    Raises:
        InvalidArgumentError: it is no str, blank, or what the lock holds when nobody acts.
    """
    if check_id("client_id", client_id) == NO_ACTION:
        raise InvalidArgumentError(f"{NO_ACTION!r} is what a session has when nobody acts, no id")
    return str(client_id)
