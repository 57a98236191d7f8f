"""Messages in memory: what the contract does not say."""

import os

import pytest

import simstore
from simstore.adapters.messages.log import Address
from simstore.domain.channels import Channel
from simstore.testing.messages import Note, note


def test_no_two_namespaces_meet_whatever_the_names_of_their_channels() -> None:
    with (
        simstore.connect("memory://names?namespace=a") as short,
        simstore.connect("memory://names?namespace=a:b") as long,
    ):
        short.broker.publish(Channel("b:c", Note), note("mine"))
        assert long.broker.history(Channel("c", Note)) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_child_does_not_call_those_who_wait_in_its_parent() -> None:
    with simstore.connect("memory://") as store:
        bell = store._open_messages().bell  # type: ignore[attr-defined]  # within
        place = store._open_messages().place(Address("room"))  # type: ignore[attr-defined]  # within
        with bell.calling(place, lambda: os._exit(1)):
            child = os.fork()
            if child == 0:  # pragma: no cover — another process
                bell.ring(place)
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_expiries_that_are_overtaken_are_dropped() -> None:
    with simstore.connect("memory://") as store:
        for number in range(3_000):
            channel = Channel(f"c{number % 3}", Note)
            store.broker.publish(channel, note("a"), ttl=3_600)
        database = store._open_messages()._database  # type: ignore[attr-defined]  # within
        assert len(database.expiries) < 1_500
