"""Chat sessions: messages that are stored in a record, and announced on a channel."""

from bisect import insort
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from dataclasses import dataclass

from simstore.domain.channels import Channel
from simstore.domain.errors import InvalidPkError, NotFoundError
from simstore.domain.fields import check_pk, new_pk
from simstore.domain.messaging import MessageTransaction, SessionTransaction
from simstore.domain.record import DEFAULT_EXPIRE_SECONDS
from simstore.domain.store import Store
from simstore.services.sessions.messages import (
    Moment,
    Predicate,
    Unseen,
    filter_of,
    seconds,
    text_after,
    timestamp_text,
)
from simstore.services.sessions.turns import Turns
from simstore.services.sessions.waiting import (
    LOOK_AGAIN,
    Deadline,
    check_expire_time,
    check_id,
    check_text,
    in_thread,
)


def open_session(
    store: Store,
    *,
    client_id: str,
    server_id: str,
    session_id: str | None = None,
    expire_time: int = DEFAULT_EXPIRE_SECONDS,
) -> "ChatSession":
    """Begin a chat between a client and a server; one round trip.

    The pk of its record is `session_id`, a new ULID if that is None. The store forgets it
    `expire_time` seconds after the last message or turn.

    Raises:
        DuplicateError: there is a session of that id.
        InvalidArgumentError: an id is blank, or `expire_time` is no positive int.
        InvalidPkError: `session_id` cannot be a primary key.
    """
    pk = new_pk() if session_id is None else check_pk(session_id)
    session = ChatSession(store, pk, pk)
    store.sessions.add(
        SessionTransaction(
            pk=pk,
            session_id=pk,
            client_id=check_id("client_id", client_id),
            server_id=check_id("server_id", server_id),
            expire_time=check_expire_time(expire_time),
        )
    )
    return session


async def aopen_session(
    store: Store,
    *,
    client_id: str,
    server_id: str,
    session_id: str | None = None,
    expire_time: int = DEFAULT_EXPIRE_SECONDS,
) -> "ChatSession":
    """As `open_session`, for asyncio."""
    return await in_thread(
        open_session,
        store,
        client_id=client_id,
        server_id=server_id,
        session_id=session_id,
        expire_time=expire_time,
    )


def join_session(store: Store, session_id: str) -> "ChatSession":
    """The chat of that id, also one whose record has another pk, as Sotopia's have.

    Raises:
        NotFoundError: there is none, or it has expired.
        MultipleFoundError: several records have that id, and none has it as its pk.
    """
    check_id("session_id", session_id)
    with suppress(NotFoundError, InvalidPkError):
        if store.sessions.get(session_id).session_id == session_id:
            return ChatSession(store, session_id, session_id)
    try:
        found = store.sessions.one(session_id=session_id)
    except NotFoundError as error:
        hint = "it was never opened, or has expired"
        raise NotFoundError(store.sessions.collection, [session_id], hint=hint) from error
    return ChatSession(store, found.pk, session_id)


async def ajoin_session(store: Store, session_id: str) -> "ChatSession":
    """As `join_session`, for asyncio."""
    return await in_thread(join_session, store, session_id)


@dataclass(frozen=True, slots=True)
class ChatSession(Turns):
    """A chat: who knows its id reads it, posts to it, and waits for the others' messages.

    It is a handle that holds nothing but the store; get it from `open_session` or
    `join_session`. The record is what counts: whoever waits is woken by the channel and reads
    the record. Names that begin with ``a`` are for asyncio, where waiting takes no thread. Every
    call raises NotFoundError once the session is gone, and UnsupportedError if it needs a
    broker and the store has none.
    """

    store: Store
    pk: str
    """The primary key of its record in ``store.sessions``."""
    session_id: str

    def __post_init__(self) -> None:
        _ = self.channel, self.turn_channel  # a key that is too long for them says so now

    @property
    def channel(self) -> Channel[MessageTransaction]:
        """Where messages are announced once they are stored."""
        return Channel(f"session:{self.pk}", MessageTransaction)

    def record(self) -> SessionTransaction:
        """What is stored of it."""
        return self.store.sessions.get(self.pk)

    async def arecord(self) -> SessionTransaction:
        """As `record`."""
        return await in_thread(self.record)

    def post(
        self, sender: str, message: str, *, timestamp: float | str | None = None
    ) -> MessageTransaction:
        """Store a message and wake who waits for it; return it as stored.

        It takes its place by `timestamp`, in Unix seconds, behind others of the same time. None
        is now, and always after all that is stored. However many post at once, none is lost.

        An update of the record, which is a read and a write, more if others write meanwhile;
        then one call of the broker.

        Raises:
            NotFoundError: the session is gone; nothing was announced.
            BackendError: if it came from the broker, the message is stored and nobody was
                woken: `messages` says.
        """
        check_id("sender", sender)
        check_text("message", message)
        given = None if timestamp is None else timestamp_text(timestamp)
        broker = self.store.broker  # first: nothing is stored that could not be announced
        posted = MessageTransaction(timestamp_str=given or "0", sender=sender, message=message)

        def append(record: SessionTransaction) -> None:
            nonlocal posted
            if given is None:
                text = text_after(record.message_list)
                posted = posted.model_copy(update={"timestamp_str": text})
            insort(record.message_list, posted, key=seconds)

        record = self.store.sessions.update(self.pk, append)
        broker.publish(self.channel, posted, ttl=record.expire_time)
        return posted

    async def apost(
        self, sender: str, message: str, *, timestamp: float | str | None = None
    ) -> MessageTransaction:
        """As `post`. A task that is cancelled meanwhile has posted, unless the post failed."""
        return await in_thread(self.post, sender, message, timestamp=timestamp)

    def messages(self, since: Moment | None = None) -> list[MessageTransaction]:
        """The messages that were sent after `since`, in the order of time; None: all."""
        return self._matching(filter_of(None, None, since))

    async def amessages(self, since: Moment | None = None) -> list[MessageTransaction]:
        """As `messages`."""
        return await in_thread(self.messages, since)

    def wait_for(
        self,
        predicate: Predicate | None = None,
        *,
        sender: str | None = None,
        since: Moment | None = None,
        timeout: float | None = None,
    ) -> MessageTransaction | None:
        """The first message for which all of these hold, as soon as it is there.

        It is of `sender`, was sent after `since`, and `predicate` is true of it. It may have
        been stored before: pass the last message that you know as `since`. None if there is
        none within `timeout` seconds; a `timeout` of None waits for ever, one of 0 only looks.
        """
        fits = filter_of(predicate, sender, since)
        deadline = Deadline(timeout)
        if deadline.has_passed:
            return self._first(fits)
        with self.store.broker.subscribe(self.channel, after="new") as coming:
            while (found := self._first(fits)) is None and not deadline.has_passed:
                # Then it looks again, when the time is over as well: whoever stored a message
                # may have died before it was announced.
                while received := coming.receive(deadline.cap(LOOK_AGAIN)):
                    if fits(received.message):
                        break
        return found

    async def await_for(
        self,
        predicate: Predicate | None = None,
        *,
        sender: str | None = None,
        since: Moment | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 — as `wait_for`
    ) -> MessageTransaction | None:
        """As `wait_for`: ``reply = await session.await_for(sender="server", since=mine)``.

        A task that is cancelled has taken nothing away from others.
        """
        fits = filter_of(predicate, sender, since)
        deadline = Deadline(timeout)
        if deadline.has_passed:
            return await in_thread(self._first, fits)
        async with self.store.broker.asubscribe(self.channel, after="new") as coming:
            while (found := await in_thread(self._first, fits)) is None and not deadline.has_passed:
                while received := await coming.receive(deadline.cap(LOOK_AGAIN)):
                    if fits(received.message):
                        break
        return found

    def follow(
        self, since: Moment | None = None, *, timeout: float | None = None
    ) -> Generator[MessageTransaction, None, None]:
        """The messages that were sent after `since`, then those to come, each once.

        Of those that are there it gives the earlier ones first; one that was posted late comes
        when it is posted. It ends when none came for `timeout` seconds; None: never.
        """
        Deadline(timeout)  # wrong arguments are refused now, not at the first message
        return self._follow(Unseen(filter_of(None, None, since)), timeout)

    def _follow(
        self, unseen: Unseen, timeout: float | None
    ) -> Generator[MessageTransaction, None, None]:
        deadline = Deadline(timeout)
        with self.store.broker.subscribe(self.channel, after="new") as coming:
            while True:
                for message in unseen.of(self.record()):
                    yield message
                    deadline = Deadline(timeout)
                if deadline.has_passed:
                    return
                coming.receive(deadline.cap(LOOK_AGAIN))
                while coming.receive(0):  # one look at the record is enough for all of them
                    pass

    def afollow(
        self,
        since: Moment | None = None,
        *,
        timeout: float | None = None,
    ) -> AsyncGenerator[MessageTransaction, None]:
        """As `follow`: ``async for message in session.afollow(): ...``."""
        Deadline(timeout)
        return self._afollow(Unseen(filter_of(None, None, since)), timeout)

    async def _afollow(
        self,
        unseen: Unseen,
        timeout: float | None,  # noqa: ASYNC109 — as `follow`
    ) -> AsyncGenerator[MessageTransaction, None]:
        deadline = Deadline(timeout)
        async with self.store.broker.asubscribe(self.channel, after="new") as coming:
            while True:
                for message in unseen.of(await self.arecord()):
                    yield message
                    deadline = Deadline(timeout)
                if deadline.has_passed:
                    return
                await coming.receive(deadline.cap(LOOK_AGAIN))
                while await coming.receive(0):
                    pass

    def _matching(self, fits: Predicate) -> list[MessageTransaction]:
        return [message for message in self.record().message_list if fits(message)]

    def _first(self, fits: Predicate) -> MessageTransaction | None:
        return next(iter(self._matching(fits)), None)
