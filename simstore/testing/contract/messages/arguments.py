"""Wrong arguments: an error that says what is right, and nothing done."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, cast

import pytest

from simstore.domain.broker import MessageBroker
from simstore.domain.channels import Channel
from simstore.domain.errors import InvalidArgumentError
from simstore.testing.contract.messages.base import BrokerBinding, there
from simstore.testing.messages import NOTES, Note, note
from simstore.testing.texts import BAD_PKS

Call = Callable[[Any], object]

NAN = float("nan")
BAD_IDS: tuple[Any, ...] = (
    "", "x", "1", "1-", "-1", "1-x", "1-2-3", "+", "-", "$", ">", "0-0 ", " 0-0", "-1-0", "1--1",
    "01-0", "١-٠", "1-99999999999999999999", "NEW", "new ", 1, 1.5, True, b"1-0", ("1", "0"),
)  # fmt: skip
"""What is no id of a message."""

BAD_SECONDS: tuple[Any, ...] = (-1, -0.001, NAN, float("inf"), True, "1", [1], timedelta(seconds=1))
BAD_COUNTS: tuple[Any, ...] = (-1, 1.0, True, "1", NAN, 2**64)
BAD_TTLS: tuple[Any, ...] = (0, -1, NAN, float("inf"), True, "1", timedelta(0), timedelta(days=-1))
BAD_CHANNELS: tuple[Any, ...] = ("notes", None, Note, ("notes", Note), b"notes")

CALLS_WITH_A_CHANNEL: dict[str, Callable[[Any, Any], object]] = {
    "publish": lambda broker, channel: broker.publish(channel, note("a")),
    "publish_many": lambda broker, channel: broker.publish_many(channel, [note("a")]),
    "subscribe": lambda broker, channel: broker.subscribe(channel),
    "asubscribe": lambda broker, channel: broker.asubscribe(channel),
    "history": lambda broker, channel: broker.history(channel),
    "consume": lambda broker, channel: broker.consume(channel, "g", "c"),
    "aconsume": lambda broker, channel: broker.aconsume(channel, "g", "c"),
    "trim": lambda broker, channel: broker.trim(channel, keep=1),
    "delete": lambda broker, channel: broker.delete(channel),
}


def _call_with(call: Callable[[Any, Any], object], value: Any, broker: Any) -> object:
    return call(broker, value)


def _wrong_calls() -> dict[str, tuple[str, Call]]:
    """By what is wrong: what the message must name, and the call."""
    calls: dict[str, tuple[str, Call]] = {}

    def add(name: str, call: Callable[[Any, Any], object], values: tuple[Any, ...]) -> None:
        argument = name.rpartition(" ")[2]
        for value in values:
            calls[f"{name}={value!r}"] = (argument, partial(_call_with, call, value))

    for name, call in CALLS_WITH_A_CHANNEL.items():
        add(f"{name} channel", call, BAD_CHANNELS)
    for name in ("subscribe", "asubscribe"):
        for argument, values in (("after", BAD_IDS), ("timeout", BAD_SECONDS)):
            add(
                f"{name} {argument}",
                lambda broker, value, n=name, a=argument: getattr(broker, n)(NOTES, **{a: value}),  # type: ignore[misc]  # defaults that mypy does not infer
                values,
            )
    for name in ("consume", "aconsume"):
        for argument, values in (
            ("after", BAD_IDS),
            ("timeout", BAD_SECONDS),
            ("retry_after", (*BAD_SECONDS, 0, None)),
            ("max_tries", (*BAD_COUNTS, 0, None)),
        ):
            add(
                f"{name} {argument}",
                lambda broker, value, n=name, a=argument: getattr(broker, n)(  # type: ignore[misc]  # as above
                    NOTES, "g", "c", **{a: value}
                ),
                values,
            )
        add(
            f"{name} group",
            lambda broker, value, n=name: getattr(broker, n)(NOTES, value, "c"),  # type: ignore[misc]  # as above
            (*BAD_PKS, None, 1),
        )
        add(
            f"{name} consumer",
            lambda broker, value, n=name: getattr(broker, n)(NOTES, "g", value),  # type: ignore[misc]  # as above
            (*BAD_PKS, None, 1),
        )
    add("history after", lambda b, value: b.history(NOTES, after=value), (*BAD_IDS, "new"))
    add("history limit", lambda b, value: b.history(NOTES, limit=value), BAD_COUNTS)
    add("trim keep", lambda b, value: b.trim(NOTES, keep=value), BAD_COUNTS)
    add("trim before", lambda b, value: b.trim(NOTES, before=value), (*BAD_IDS, "new"))
    add("publish ttl", lambda b, value: b.publish(NOTES, note("a"), ttl=value), BAD_TTLS)
    add(
        "publish_many ttl",
        lambda b, value: b.publish_many(NOTES, [note("a")], ttl=value),
        BAD_TTLS,
    )
    add("publish_many messages", lambda b, value: b.publish_many(NOTES, value), ("ab", None, 1))
    return calls


WRONG_CALLS = _wrong_calls()
SUBJECTS = sorted({name.partition("=")[0] for name in WRONG_CALLS})


class MessageArgumentContract(BrokerBinding):
    """What is no argument is refused before anything is done."""

    @pytest.mark.parametrize("subject", SUBJECTS)
    def test_a_wrong_argument_is_refused(self, broker: MessageBroker, subject: str) -> None:
        broker.publish(NOTES, note("kept"))
        for name, (argument, call) in WRONG_CALLS.items():
            if not name.startswith(f"{subject}="):
                continue
            with pytest.raises(InvalidArgumentError) as caught:
                print(f"{name} gave", call(broker))  # noqa: T201 — pytest shows it if it fails
            assert argument.removesuffix("s") in str(caught.value), name
            assert len(str(caught.value)) < 500
        assert there(broker, NOTES) == ["kept"]

    def test_one_message_is_not_several(self, broker: MessageBroker) -> None:
        with pytest.raises(InvalidArgumentError, match=r"publish\(\)"):
            broker.publish_many(NOTES, cast("Any", note("a")))
        assert there(broker, NOTES) == []

    @pytest.mark.parametrize("kind", ["subscription", "consumer"])
    def test_a_wrong_timeout_of_receive_is_refused(self, broker: MessageBroker, kind: str) -> None:
        broker.publish(NOTES, note("a"))

        async def main() -> None:
            source = (
                broker.asubscribe(NOTES)
                if kind == "subscription"
                else broker.aconsume(NOTES, "g", "c")
            )
            async with source:
                for bad in BAD_SECONDS:
                    with pytest.raises(InvalidArgumentError, match="timeout"):
                        await source.receive(timeout=bad)
                assert await source.receive(timeout=0) is not None

        self.run(main)
        with (
            broker.subscribe(NOTES)
            if kind == "subscription"
            else broker.consume(NOTES, "h", "c") as source
        ):
            for bad in BAD_SECONDS:
                with pytest.raises(InvalidArgumentError, match="timeout"):
                    source.receive(timeout=bad)
            assert source.receive(timeout=0) is not None

    def test_what_is_acknowledged_is_what_was_given(self, broker: MessageBroker) -> None:
        broker.publish(NOTES, note("a"))
        with broker.consume(NOTES, "g", "c") as consumer:
            delivery = next(consumer)
            for bad in (None, delivery.id, delivery.message, broker.history(NOTES)[0]):
                with pytest.raises(InvalidArgumentError):
                    consumer.acknowledge(cast("Any", bad))
            assert consumer.acknowledge(delivery)

    def test_either_keep_or_before(self, broker: MessageBroker) -> None:
        one = broker.publish(NOTES, note("a"))
        with pytest.raises(InvalidArgumentError, match=r"(?s)keep.*before"):
            broker.trim(NOTES)
        with pytest.raises(InvalidArgumentError, match=r"(?s)keep.*before"):
            broker.trim(NOTES, keep=0, before=one)
        assert there(broker, NOTES) == ["a"]

    def test_dead_letters_are_neither_published_nor_consumed(self, broker: MessageBroker) -> None:
        letters = NOTES.dead_letters("g")
        for call in (
            lambda: broker.publish(letters, note("a")),
            lambda: broker.publish_many(letters, [note("a")]),
            lambda: broker.publish_many(letters, []),
            lambda: broker.consume(letters, "h", "c"),
            lambda: broker.aconsume(letters, "h", "c"),
        ):
            with pytest.raises(InvalidArgumentError, match="dead letters"):
                call()

        async def main() -> None:
            with pytest.raises(InvalidArgumentError, match="dead letters"):
                await broker.apublish(letters, note("a"))

        self.run(main)
        assert there(broker, letters) == []

    def test_what_is_no_name_of_a_channel(self) -> None:
        for bad in (*BAD_PKS, None, 1):
            with pytest.raises(InvalidArgumentError, match="channel"):
                Channel(cast("Any", bad), Note)
            with pytest.raises(InvalidArgumentError, match="group"):
                NOTES.dead_letters(cast("Any", bad)) if bad is not None else Channel(
                    "a", Note, cast("Any", 1)
                )
        with pytest.raises(InvalidArgumentError, match="dead letters"):
            NOTES.dead_letters("g").dead_letters("g")
