"""What arrives is what was published, to the last bit; what would not be is refused."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from simstore.domain.broker import MessageBroker
from simstore.domain.channels import Channel
from simstore.domain.errors import InvalidRecordError
from simstore.testing.contract.helpers import assert_identical
from simstore.testing.contract.messages.base import BrokerBinding, there
from simstore.testing.messages import NOTES, Interval, Note, note
from simstore.testing.texts import HALF_PAIRS, HOSTILE_TEXTS
from simstore.testing.values import HOSTILE_FLOATS, HOSTILE_INTS

Spoil = Callable[[Note], None]


def _set(**values: Any) -> Spoil:
    def spoil(item: Note) -> None:
        for name, value in values.items():
            setattr(item, name, value)

    return spoil


SPOILT_NOTES: dict[str, Spoil] = {
    "NaN": _set(score=float("nan")),
    "NaN in JSON": lambda item: item.extra.update(deep=[{"k": float("nan")}]),
    "int beyond 64 bits": _set(number=2**63),
    "huge int in JSON": lambda item: item.extra.update(k=10**40),
    "wrong type": _set(number="many"),
    "None where none may be": _set(text=None),
    "wrong element": lambda item: item.labels.append(cast("str", 5)),
    "not JSON": lambda item: item.extra.update(k=cast("Any", object())),
    "comes back as a list": lambda item: item.extra.update(k=cast("Any", (1, 2))),
    "half a pair": _set(text=HALF_PAIRS[0]),
    "half a pair within": _set(text=HALF_PAIRS[2]),
    "half a pair as a key": lambda item: item.extra.update({HALF_PAIRS[1]: 1}),
}
"""Changes after which a message, valid when it was made, cannot be published."""


class ExactMessageContract(BrokerBinding):
    """No text and no number is changed on the way."""

    def _arrive_as_they_were(self, broker: MessageBroker, messages: list[Note]) -> None:
        copies = [message.model_copy(deep=True) for message in messages]
        broker.publish_many(NOTES, messages)
        assert_identical([one.message for one in broker.history(NOTES)], copies)
        with broker.subscribe(NOTES, timeout=0) as subscription:
            assert_identical([one.message for one in subscription], copies)
        with broker.consume(NOTES, "g", "c", timeout=0) as consumer:
            assert_identical([one.message for one in consumer], copies)

    def test_every_text_arrives_as_it_was(self, broker: MessageBroker) -> None:
        self._arrive_as_they_were(
            broker,
            [
                note(text, nickname=text, labels=[text, "", text], extra={text: [text]})
                for text in HOSTILE_TEXTS
            ],
        )

    def test_every_number_arrives_as_it_was(self, broker: MessageBroker) -> None:
        ints = [note("", number=number, extra={"k": [number]}) for number in HOSTILE_INTS]
        floats = [note("", score=number, extra={"k": {"n": number}}) for number in HOSTILE_FLOATS]
        self._arrive_as_they_were(broker, ints + floats)

    def test_every_json_value_arrives_as_it_was(self, broker: MessageBroker) -> None:
        values: list[Any] = [
            None,
            True,
            False,
            1,
            1.0,
            "1",
            "true",
            "null",
            [],
            {},
            [[]],
            {"": {"": None}},
        ]
        self._arrive_as_they_were(broker, [note("", extra={"k": value}) for value in values])

    def test_one_that_is_published_alone_arrives_as_it_was(self, broker: MessageBroker) -> None:
        item = note("nul\x00 \u2028 😀", number=2**53 + 1, score=-0.0, extra={"": float("-inf")})
        broker.publish(NOTES, item.model_copy(deep=True))
        (received,) = broker.history(NOTES)
        assert_identical(received.message, item)

    @pytest.mark.parametrize("name", SPOILT_NOTES)
    def test_a_message_spoilt_after_it_was_made(self, broker: MessageBroker, name: str) -> None:
        item = note("spoilt")
        SPOILT_NOTES[name](item)
        with pytest.raises(InvalidRecordError):
            broker.publish(NOTES, item)
        with pytest.raises(InvalidRecordError):
            broker.publish_many(NOTES, [note("a"), item])
        assert there(broker, NOTES) == []

    def test_the_refusal_of_a_message_names_its_model_and_field(
        self, broker: MessageBroker
    ) -> None:
        item = note("a")
        item.score = float("nan")
        with pytest.raises(InvalidRecordError, match=r"(?s)Note.*score"):
            broker.publish(NOTES, item)

    def test_a_message_with_a_broken_invariant(self, broker: MessageBroker) -> None:
        intervals: Channel[Interval] = Channel("intervals", Interval)
        broken = Interval(start=1, end=2)
        broken.start = 3
        with pytest.raises(InvalidRecordError, match="start 3 is after end 2"):
            broker.publish(intervals, broken)
        assert broker.history(intervals) == []
