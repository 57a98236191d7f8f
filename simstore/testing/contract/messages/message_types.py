"""The types of channels: models and unions, and messages that a type cannot read."""

from typing import Any, cast

import pytest

from simstore.domain.broker import MessageBroker
from simstore.domain.channels import Channel
from simstore.domain.errors import CorruptMessageError, InvalidRecordError, WrongModelError
from simstore.domain.messaging import MessageTransaction
from simstore.testing.contract.helpers import assert_identical
from simstore.testing.contract.messages.base import BrokerBinding, texts
from simstore.testing.messages import (
    EITHER,
    MOVES,
    NOTES,
    STRANGERS,
    Gone,
    LongerNote,
    LooseNote,
    Note,
    OpenNote,
    Spoke,
    Twin,
    Walked,
    Whispered,
    note,
)


class MessageTypeContract(BrokerBinding):
    """A message comes back as what it was published as, or not at all."""

    def _there_and_back(
        self, broker: MessageBroker, channel: Channel[Any], *messages: object
    ) -> None:
        broker.publish(channel, messages[0])
        broker.publish_many(channel, messages[1:])
        assert_identical([one.message for one in broker.history(channel)], list(messages))

    def test_the_messages_of_a_session(self, broker: MessageBroker) -> None:
        turns: Channel[MessageTransaction] = Channel("turns", MessageTransaction)
        self._there_and_back(
            broker,
            turns,
            MessageTransaction(timestamp_str="1732367000.25", sender="a", message='said: "Hm"'),
            MessageTransaction(timestamp_str="1732367001", sender="b", message=""),
        )

    def test_a_union_of_models(self, broker: MessageBroker) -> None:
        self._there_and_back(broker, EITHER, note("a"), Gone(who="a"), note("b"))

    def test_a_union_with_a_discriminator(self, broker: MessageBroker) -> None:
        self._there_and_back(broker, MOVES, Spoke(what="a"), Walked(what="a"), Spoke(what="b"))

    def test_a_model_that_keeps_other_fields(self, broker: MessageBroker) -> None:
        channel: Channel[OpenNote] = Channel("open", OpenNote)
        item = OpenNote.model_validate({"text": "a", "more": [1, {"k": None}]})
        broker.publish(channel, item)
        (received,) = broker.history(channel)
        assert received.message == item
        assert received.message.model_extra == {"more": [1, {"k": None}]}

    @pytest.mark.parametrize(
        "message",
        [Gone(who="a"), LongerNote(text="a"), {"text": "a"}, "a", None, Note],
        ids=("another model", "a subclass", "a dict", "a text", "None", "the class"),
    )
    def test_what_is_not_of_the_channel_s_type(
        self, broker: MessageBroker, message: object
    ) -> None:
        with pytest.raises(WrongModelError, match="notes"):
            broker.publish(NOTES, cast("Note", message))
        with pytest.raises(WrongModelError, match="notes"):
            broker.publish_many(NOTES, [note("a"), cast("Note", message)])
        assert broker.history(NOTES) == []

    @pytest.mark.parametrize("channel", [EITHER, MOVES], ids=("plain", "with a discriminator"))
    def test_what_is_of_no_member_of_a_union(
        self, broker: MessageBroker, channel: Channel[Any]
    ) -> None:
        for message in (Twin(text="a"), {"who": "a"}, None):
            with pytest.raises(WrongModelError):
                broker.publish(channel, message)
        assert broker.history(channel) == []

    def test_what_pydantic_leaves_out_is_left_out(self, broker: MessageBroker) -> None:
        channel: Channel[Whispered] = Channel("whispered", Whispered)
        item = Whispered(text="a", aside="excluded")
        item._heard = True  # noqa: SLF001 — the test's own model
        broker.publish(channel, item)
        (received,) = broker.history(channel)
        assert_identical(received.message, Whispered(text="a"))
        assert not received.message._heard  # noqa: SLF001 — as above

    def test_what_a_union_would_take_for_another_member_is_refused(
        self, broker: MessageBroker
    ) -> None:
        channel: Channel[LooseNote | Twin] = Channel("twins", LooseNote | Twin)
        with pytest.raises(InvalidRecordError):
            broker.publish(channel, Twin(text="a"))
        broker.publish(channel, LooseNote(text="b"))
        assert_identical([one.message for one in broker.history(channel)], [LooseNote(text="b")])

    def test_fields_that_a_type_does_not_know(self, broker: MessageBroker) -> None:
        longer: Channel[LongerNote] = Channel(NOTES.name, LongerNote)
        loose: Channel[LooseNote] = Channel(NOTES.name, LooseNote)
        broker.publish(longer, LongerNote(text="a", signature="me"))
        assert [one.message for one in broker.history(loose)] == [LooseNote(text="a")]
        (received,) = broker.history(longer)
        assert_identical(received.message, LongerNote(text="a", signature="me"))
        # Also by a model that forbids them, as records are read: programs are not all of one age.
        assert_identical([one.message for one in broker.history(NOTES)], [note("a")])

    def test_fields_that_a_message_lacks_have_their_defaults(self, broker: MessageBroker) -> None:
        longer: Channel[LongerNote] = Channel(NOTES.name, LongerNote)
        loose: Channel[LooseNote] = Channel(NOTES.name, LooseNote)
        broker.publish(NOTES, note("a"))
        broker.publish(loose, LooseNote(text="b"))
        found = [one.message for one in broker.history(longer)]
        assert_identical(found, [LongerNote(text="a"), LongerNote(text="b")])


class CorruptMessageContract(BrokerBinding):
    """A message that cannot be read is named, and what is behind it is read all the same."""

    def _publish(self, broker: MessageBroker) -> list[str]:
        return [
            broker.publish(NOTES, note("first")),
            *broker.publish_many(STRANGERS, [Gone(who="a"), Gone(who="b")]),
            broker.publish(NOTES, note("last")),
        ]

    def _names(self, error: CorruptMessageError, expected: str) -> None:
        assert error.id == expected
        assert NOTES.name in error.channel
        assert NOTES.name in str(error)
        assert expected in str(error)
        assert error.reason

    def test_a_subscription_goes_on_behind_what_it_cannot_read(self, broker: MessageBroker) -> None:
        ids = self._publish(broker)
        with broker.subscribe(NOTES, timeout=0) as subscription:
            assert texts([next(subscription)]) == ["first"]
            for expected in ids[1:3]:
                with pytest.raises(CorruptMessageError) as caught:
                    next(subscription)
                self._names(caught.value, expected)
                assert subscription.position == expected
            assert texts(subscription) == ["last"]

    def test_receive_goes_on_behind_what_it_cannot_read(self, broker: MessageBroker) -> None:
        ids = self._publish(broker)
        with broker.subscribe(NOTES, after=ids[0]) as subscription:
            for expected in ids[1:3]:
                with pytest.raises(CorruptMessageError) as caught:
                    subscription.receive(timeout=0)
                self._names(caught.value, expected)
            received = subscription.receive(timeout=0)
            assert received is not None
            assert received.message == note("last")

    def test_the_position_is_behind_what_could_not_be_read(self, broker: MessageBroker) -> None:
        ids = self._publish(broker)
        with broker.subscribe(NOTES, after=ids[1], timeout=0) as subscription:
            with pytest.raises(CorruptMessageError):
                next(subscription)
            position = subscription.position
            assert position == ids[2]
        with broker.subscribe(NOTES, after=position, timeout=0) as subscription:
            assert texts(subscription) == ["last"]

    def test_history_names_what_it_cannot_read(self, broker: MessageBroker) -> None:
        ids = self._publish(broker)
        with pytest.raises(CorruptMessageError) as caught:
            broker.history(NOTES)
        self._names(caught.value, ids[1])
        assert texts(broker.history(NOTES, after=ids[2])) == ["last"]
        assert texts(broker.history(NOTES, limit=1)) == ["first"]
        assert texts(broker.history(NOTES, limit=1, newest=True)) == ["last"]

    def test_what_could_not_be_read_stays_for_others(self, broker: MessageBroker) -> None:
        ids = self._publish(broker)
        with pytest.raises(CorruptMessageError):
            broker.history(NOTES)
        found = broker.history(STRANGERS, after=ids[0], limit=2)
        assert [one.message for one in found] == [Gone(who="a"), Gone(who="b")]

    def test_an_asynchronous_subscription_goes_on_too(self, broker: MessageBroker) -> None:
        ids = self._publish(broker)

        async def main() -> None:
            async with broker.asubscribe(NOTES, timeout=0) as subscription:
                assert texts([await anext(subscription)]) == ["first"]
                for expected in ids[1:3]:
                    with pytest.raises(CorruptMessageError) as caught:
                        await anext(subscription)
                    self._names(caught.value, expected)
                    assert subscription.position == expected
                assert texts([one async for one in subscription]) == ["last"]

        self.run(main)
