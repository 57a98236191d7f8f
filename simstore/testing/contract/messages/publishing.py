"""Publishing: order, ids, and several at once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from simstore.domain.broker import MessageBroker
from simstore.domain.channels import Channel
from simstore.domain.errors import InvalidRecordError, WrongModelError
from simstore.testing.binding import OpenStore
from simstore.testing.contract.helpers import assert_identical
from simstore.testing.contract.messages.base import BrokerBinding, texts, there
from simstore.testing.messages import NOTES, OTHERS, Gone, Note, note
from simstore.testing.texts import HOSTILE_PKS

MANY = 1_000
"""More than a backend reads at once."""


def _spoilt() -> Note:
    item = note("spoilt")
    item.score = float("nan")
    return item


class CallerError(Exception):
    """An exception of the caller's."""


class PublishingContract(BrokerBinding):
    """A channel has what was published on it, in that order."""

    def test_messages_are_in_the_order_of_their_publication(self, broker: MessageBroker) -> None:
        expected = [f"{n}" for n in range(20)]
        for text in expected:
            broker.publish(NOTES, note(text))
        assert there(broker, NOTES) == expected

    def test_a_message_arrives_under_the_id_that_publish_returned(
        self, broker: MessageBroker
    ) -> None:
        first = broker.publish(NOTES, note("first"))
        rest = broker.publish_many(NOTES, [note("second"), note("third")])
        received = broker.history(NOTES)
        assert [one.id for one in received] == [first, *rest]
        assert texts(received) == ["first", "second", "third"]
        assert all(type(one.id) is str for one in received)
        assert all(one.original_id is None for one in received)

    def test_ids_lead_to_what_is_behind_them(self, broker: MessageBroker) -> None:
        ids = broker.publish_many(NOTES, (note(f"{n}") for n in range(5)))
        ids += [broker.publish(NOTES, note(f"{n}")) for n in range(5, 10)]
        assert len(set(ids)) == 10
        for n, one in enumerate(ids):
            assert there(broker, NOTES, after=one) == [f"{m}" for m in range(n + 1, 10)]

    def test_very_many_at_once_stay_in_order(self, broker: MessageBroker) -> None:
        ids = broker.publish_many(NOTES, (note(f"{n}") for n in range(MANY)))
        assert len(set(ids)) == MANY
        with broker.subscribe(NOTES, timeout=0) as subscription:
            received = list(subscription)
        assert [one.id for one in received] == ids
        assert texts(received) == [f"{n}" for n in range(MANY)]

    def test_of_none_nothing_is_published(self, broker: MessageBroker) -> None:
        assert broker.publish_many(NOTES, []) == []
        assert there(broker, NOTES) == []
        assert not broker.delete(NOTES)

    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_with_one_that_is_refused_none_is_published(
        self, broker: MessageBroker, place: int
    ) -> None:
        broker.publish(NOTES, note("before"))
        for bad, error in ((_spoilt(), InvalidRecordError), (Gone(who="a"), WrongModelError)):
            messages = [note("x"), note("y")]
            messages.insert(place, bad)  # type: ignore[arg-type]  # that is what is refused
            with pytest.raises(error):
                broker.publish_many(NOTES, messages)
        assert there(broker, NOTES) == ["before"]

    def test_messages_that_end_in_an_error_of_the_caller_are_not_published(
        self, broker: MessageBroker
    ) -> None:
        def messages() -> Iterator[Note]:
            yield note("x")
            raise CallerError

        with pytest.raises(CallerError):
            broker.publish_many(NOTES, messages())
        assert there(broker, NOTES) == []

    def test_a_refused_message_is_seen_by_nobody(self, broker: MessageBroker) -> None:
        with broker.subscribe(NOTES, after="new", timeout=0) as subscription:
            with pytest.raises(InvalidRecordError):
                broker.publish(NOTES, _spoilt())
            assert list(subscription) == []
        assert not broker.delete(NOTES)

    def test_channels_are_apart_whatever_their_names(self, broker: MessageBroker) -> None:
        channels = [Channel(name, Note) for name in HOSTILE_PKS]
        for channel in channels:
            broker.publish(channel, note(channel.name))
        for channel in channels:
            assert texts(broker.history(channel)) == [channel.name]

    def test_a_channel_is_the_same_for_every_store(
        self, open_store: OpenStore, broker: MessageBroker
    ) -> None:
        with open_store() as other:
            broker.publish(NOTES, note("mine"))
            other.broker.publish(NOTES, note("theirs"))
            assert there(broker, NOTES) == there(other.broker, NOTES) == ["mine", "theirs"]

    def test_the_moment_of_publication_is_in_utc(self, broker: MessageBroker) -> None:
        for n in range(3):
            broker.publish(NOTES, note(f"{n}"))
        moments = [one.published_at for one in broker.history(NOTES)]
        assert moments == sorted(moments)
        assert all(moment.tzinfo is UTC for moment in moments)
        # The backend's clock need not be right; but it is in no other time zone's hours.
        assert abs(datetime.now(UTC) - moments[0]) < timedelta(minutes=20)

    def test_a_message_shares_nothing_with_what_is_stored(self, broker: MessageBroker) -> None:
        def fresh() -> Note:
            return note("a", labels=["x"], extra={"list": [1, [2]]})

        def spoil(item: Note) -> None:
            item.extra["list"][1].append(3)  # type: ignore[index,union-attr]  # it is a list in a list
            item.labels.append("y")
            item.text = "spoilt"

        one, other = fresh(), fresh()
        broker.publish(NOTES, one)
        broker.publish_many(NOTES, [other])
        spoil(one)
        spoil(other)
        with (
            broker.subscribe(NOTES, timeout=0) as subscription,
            broker.subscribe(NOTES, timeout=0) as second,
            broker.consume(NOTES, "g", "c", timeout=0) as consumer,
        ):
            for reading in (
                lambda: broker.history(NOTES),
                lambda: list(subscription),
                lambda: list(second),
                lambda: list(consumer),
                lambda: broker.history(NOTES),
            ):
                received = reading()
                assert len(received) == 2
                for found in received:
                    assert_identical(found.message, fresh())
                    spoil(found.message)

    def test_a_published_message_stays_as_it_was(self, broker: MessageBroker) -> None:
        item = note("a", labels=["x"])
        broker.publish(OTHERS, item)
        assert_identical(item, note("a", labels=["x"]))
