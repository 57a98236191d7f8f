"""The state that the rules share: two stores of one database, and the oracle."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from pydantic import BaseModel, ConfigDict

from simstore.domain.broker import Consumer, MessageBroker, Position, Subscription
from simstore.domain.channels import Channel, Delivery, Received
from simstore.domain.errors import CorruptMessageError
from simstore.domain.store import Store
from simstore.testing.binding import OpenStore
from simstore.testing.broker_machine.oracle import OracleChannel, Sent
from simstore.testing.identity import identical
from simstore.testing.messages import Gone, Note
from simstore.testing.values import floats, integers, json_values, texts

NAMES = ("a", "a:b")
"""The channels."""

GROUPS = ("slow", "quick")
"""In the quick one, all that was given is due again at each call; in the slow one, nothing."""

NEVER = 3_600.0
QUICK = 0.001
"""Seconds after which a message of the quick group is due again."""

MAX_TRIES = 2

WHICH = st.sampled_from((0, 1))
"""Which of the two stores."""

CHANNEL = st.sampled_from((NAMES[0], NAMES[0], NAMES[1]))
"""Mostly the same, so that much comes together on it."""


class Anything(BaseModel):
    """Whatever is on a channel."""

    model_config = ConfigDict(extra="allow")


def notes() -> st.SearchStrategy[Note]:
    """Notes, each with some of the fields set."""
    return st.fixed_dictionaries(
        {},
        optional={
            "text": texts(),
            "number": integers(),
            "score": floats(),
            "labels": st.lists(texts(), max_size=2),
            "extra": st.dictionaries(texts(), json_values(), max_size=2),
        },
    ).map(Note.model_validate)


@dataclass
class Reader:
    """A subscription, and what is known of it."""

    subscription: Subscription[Note]
    channel: str
    which: int
    position: int
    """The number behind which it reads."""
    ahead: set[int] = field(default_factory=set)
    """What it may have read already, and give though it was trimmed meanwhile."""


@dataclass
class Taker:
    """A consumer, and who it is."""

    consumer: Consumer[Note]
    channel: str
    group: str
    name: str
    which: int


class BrokerMachineBase(RuleBasedStateMachine):
    """Opens the stores, and holds all that is kept against the oracle at each step."""

    OUTLIVING = 0.006
    """Seconds to wait for what has a tiny ttl to be gone."""

    RETRYING = 0.003
    """Seconds to wait for what the quick group was given to be due."""

    def new_database(self) -> AbstractContextManager[OpenStore]:
        """An empty database, for one run."""
        raise NotImplementedError(f"{type(self).__name__} overrides new_database")

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass for the backend."""
        time.sleep(seconds)

    def __init__(self) -> None:
        super().__init__()
        self.cleanup = ExitStack()
        self.stores: list[Store] = []
        self.channels = {name: OracleChannel() for name in NAMES}
        self.readers: list[Reader] = []
        self.takers: list[Taker] = []
        self.deliveries: list[tuple[str, str, int, Delivery[Note]]] = []
        """Channel, group, number of the message, and what was given."""
        self.steps = 0

    def open_stores(self) -> None:
        """Open two stores on a new database."""
        self.open_store = self.cleanup.enter_context(self.new_database())
        for _ in range(2):
            self.stores.append(self.open_store())

    def teardown(self) -> None:
        """Close what was opened."""
        try:
            for reader in self.readers:
                reader.subscription.close()
            for taker in self.takers:
                taker.consumer.close()
            for store in self.stores:
                store.close()
        finally:
            self.cleanup.close()

    def broker(self, which: int) -> MessageBroker:
        return self.stores[which].broker

    def send(self, which: int, name: str, items: list[Note], **options: Any) -> None:
        """Publish notes; then spoil them, with which nothing published may change."""
        copies = [item.model_copy(deep=True) for item in items]
        channel = Channel(name, Note)
        if len(items) == 1:
            ids = [self.broker(which).publish(channel, items[0], **options)]
        else:
            ids = self.broker(which).publish_many(channel, items, **options)
        assert len(ids) == len(items)
        for id_, copy in zip(ids, copies, strict=True):
            self.channels[name].publish(id_, copy)
        for item in items:
            spoil(item)

    def send_strange(self, which: int, name: str) -> None:
        """Publish what a reader of notes cannot read."""
        id_ = self.broker(which).publish(Channel(name, Gone), Gone(who="stranger"))
        self.channels[name].publish(id_, None)

    def start(self, data: st.DataObject, name: str) -> tuple[Position, int]:
        """Somewhere to begin: as an argument, and the number behind which that is."""
        channel = self.channels[name]
        ids = [sent.id for sent in channel.sent]
        position: Position = data.draw(st.sampled_from((None, "new", None, None, *ids[-6:])))
        if position is None:
            return None, -1
        return position, (
            len(channel.sent) - 1 if position == "new" else channel.number_of(position)
        )

    @invariant()
    def all_that_is_kept_is_the_same(self) -> None:
        """Both stores have what the oracle keeps, and no more: messages and dead letters."""
        if not self.stores:
            return
        self.steps += 1
        for name, channel in self.channels.items():
            for which in (0, 1):
                self.same_history(which, name, channel.kept())
            for group in GROUPS:
                letters = Channel(name, Anything).dead_letters(group)
                found = self.broker(self.steps % 2).history(letters)
                assert [(one.id, one.original_id) for one in found] == [
                    (letter.id, channel.sent[letter.number].id)
                    for letter in channel.letters.get(group, [])
                ]

    def same_history(self, which: int, name: str, expected: list[Sent], **options: Any) -> None:
        """History gives these messages, or names the first that it cannot read."""
        broker = self.broker(which)
        strange = [sent.id for sent in expected if sent.note is None]
        if strange:
            assert outcome(lambda: broker.history(Channel(name, Note), **options)) == strange[0]
            ids = [one.id for one in broker.history(Channel(name, Anything), **options)]
            assert ids == [sent.id for sent in expected]
            return
        found = broker.history(Channel(name, Note), **options)
        assert [one.id for one in found] == [sent.id for sent in expected]
        for one, sent in zip(found, expected, strict=True):
            check(one, sent)


def outcome(call: Callable[[], object]) -> object:
    """What `call` returned, or the id of the message that it could not read."""
    try:
        return call()
    except CorruptMessageError as error:
        return error.id


def check(received: Received[Note], sent: Sent) -> None:
    """The same message, to the last bit; and it shares nothing with what is stored."""
    assert received.id == sent.id
    assert received.message == sent.note
    assert identical(received.message, sent.note), f"{received.message!r} and {sent.note!r}"
    assert received.original_id is None
    spoil(received.message)


def spoil(item: Note) -> None:
    """Change `item` deep down; nothing stored may change with it."""
    item.extra["spoilt"] = True
    item.labels.append("spoilt")
    item.text = "spoilt"
