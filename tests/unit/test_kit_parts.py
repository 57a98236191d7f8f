"""The parts of the kit: its texts, its notion of sameness, its oracle and its report."""

import asyncio
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore.domain.fields import check_pk
from simstore.testing import (
    BrokerMachine,
    Oracle,
    RepositoryMachine,
    Specimen,
    capability_report,
    identical,
)
from simstore.testing.broker_machine.oracle import OracleChannel
from simstore.testing.capabilities import Answer
from simstore.testing.contract.messages import BrokerBinding
from simstore.testing.contract.messages.stores_of_messages import MessageStoreContract
from simstore.testing.contract.processes import ProcessContract
from simstore.testing.examples import example_records
from simstore.testing.messages import EITHER, NOTES, STRANGERS, Gone, note
from simstore.testing.models import Part
from simstore.testing.oracle import before, equal, words_of
from simstore.testing.records import RECORDS, REPOSITORIES
from simstore.testing.texts import BAD_PKS, HALF_PAIRS, HOSTILE_PKS, HOSTILE_TEXTS

pytest_plugins = ("pytester",)


def test_there_are_many_hostile_texts_and_no_two_are_the_same() -> None:
    assert len(HOSTILE_TEXTS) == len(set(HOSTILE_TEXTS)) >= 65
    assert max(len(text) for text in HOSTILE_TEXTS) == 100_000


def test_hostile_texts_are_valid_unicode_and_half_pairs_are_not() -> None:
    for text in HOSTILE_TEXTS:
        assert text.encode().decode() == text
    for text in HALF_PAIRS:
        with pytest.raises(UnicodeEncodeError):
            text.encode()


def test_hostile_pks_are_allowed_and_bad_ones_are_not() -> None:
    assert len(HOSTILE_PKS) == len(set(HOSTILE_PKS))
    for pk in HOSTILE_PKS:
        assert check_pk(pk) == Specimen(pk=pk).pk == pk
    for pk in BAD_PKS:
        with pytest.raises(simstore.InvalidPkError):
            check_pk(pk)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ([1], (1,)),
        ([1, 2], [1]),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"b": 1}),
        (Part(weight=0.0), Part(weight=-0.0)),
        ("a", "b"),
        (None, False),
    ],
)
def test_what_is_not_identical(left: Any, right: Any) -> None:
    assert not identical(left, right)


def test_what_is_identical() -> None:
    for value in (1, -0.0, "x", None, True, [1, (2.0,)], {"a": [None]}, Part(label="x")):
        assert identical(value, value)
    assert identical(Specimen(pk="a", parts=[Part()]), Specimen(pk="a", parts=[Part()]))


def test_every_model_has_a_strategy_an_example_and_a_repository() -> None:
    assert RECORDS.keys() == set(REPOSITORIES.values()) == {type(r) for r in example_records()}
    assert len(RECORDS) == 13


def test_the_oracle_compares_as_the_contract_says() -> None:
    assert not equal(True, 1)
    assert not equal([True], [1])
    assert equal([1, 2], [1.0, 2])
    assert equal(0.0, -0.0)
    assert before("\uffff", "😀")
    assert not before(None, 1)
    assert not before(True, 2)
    assert not before("1", 2)
    assert words_of("Straße_12-b don't") == {"strasse", "12", "b", "don", "t"}


def test_the_oracle_keeps_copies() -> None:
    oracle: Oracle[Specimen] = Oracle()
    item = Specimen(pk="a", labels=["x"])
    oracle.save(item)
    item.labels.append("y")
    oracle.get("a").labels.append("z")
    assert oracle.get("a").labels == ["x"]


def test_the_bases_must_be_bound() -> None:
    with pytest.raises(NotImplementedError, match="overrides new_database"):
        RepositoryMachine().new_database()
    with pytest.raises(NotImplementedError, match="overrides new_database"):
        BrokerMachine().new_database()


def test_the_kit_s_notes_and_what_is_none_cannot_be_taken_for_each_other() -> None:
    with simstore.connect("memory://") as store:
        broker = store.broker
        broker.publish_many(STRANGERS, [Gone(who="a"), Gone(who="a", text=1)])
        with broker.subscribe(NOTES, timeout=0) as subscription:
            for _ in range(2):
                with pytest.raises(simstore.CorruptMessageError):
                    next(subscription)
        broker.delete(NOTES)
        broker.publish_many(NOTES, [note(""), note("0")])
        with pytest.raises(simstore.CorruptMessageError):
            broker.history(STRANGERS)
        broker.publish(EITHER, note("0"))
        broker.publish(EITHER, Gone(who="a"))
        assert [type(one.message).__name__ for one in broker.history(EITHER)] == ["Note", "Gone"]


def test_the_broker_s_oracle_gives_what_is_due_before_what_is_new() -> None:
    channel = OracleChannel()
    for number in range(4):
        channel.publish(f"{number}", note(f"{number}"))
    group = channel.group("g", always_due=False, max_tries=2, start=1)
    assert channel.next_of(group, "c") == {1}
    assert [group.give(1, "c"), group.give(2, "d")] == [1, 1]
    assert channel.next_of(group, "c") == {3}
    group.return_of("c")
    assert channel.next_of(group, "c") == {1}
    assert channel.next_of(group, "d") == {1, 3}, "whether it is due to another is left open"
    assert group.give(1, "c") == 2
    group.return_of("c")
    assert channel.next_of(group, "c") == {3}
    assert channel.given_up(group, "c", 3, perhaps=False) == [1]
    assert channel.given_up(group, "d", 3, perhaps=False) == []
    assert channel.given_up(group, "d", 3, perhaps=True) == [1]
    assert channel.trim(2) == 2
    assert group.pending.keys() == {2}
    channel.forget()
    assert (channel.kept(), channel.first_kept(0), channel.groups) == ([], None, {})
    with pytest.raises(AssertionError, match="was used before"):
        channel.publish("3", note("again"))


async def _warns() -> None:
    warnings.warn("left open", ResourceWarning, stacklevel=1)


async def _leaves_a_failed_task() -> None:
    async def fail() -> None:
        raise OSError("nobody saw it")

    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task


class _Leaky:
    def __del__(self) -> None:
        warnings.warn("left open", ResourceWarning, stacklevel=1)


async def _leaves_something_open() -> None:
    leaky = _Leaky()
    leaky.itself = leaky  # type: ignore[attr-defined]  # so that only the collector finds it
    del leaky


async def _waits_for_ever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    "main", [_warns, _leaves_a_failed_task, _leaves_something_open, _waits_for_ever]
)
def test_a_loop_that_is_not_left_tidy_fails(main: Callable[[], Awaitable[None]]) -> None:
    binding = BrokerBinding()
    binding.soon = 0.01
    with pytest.raises((AssertionError, ResourceWarning, TimeoutError)):
        binding.run(main)


def test_a_loop_that_is_left_tidy_passes() -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert BrokerBinding().run(main) == 7


def test_a_test_of_a_broker_that_hangs_is_ended(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import time
        from simstore.testing.contract.messages import BrokerBinding

        class TestHanging(BrokerBinding):
            soon = 0.02

            def test_for_ever(self):
                while True:
                    time.sleep(1)

            def test_briefly(self):
                time.sleep(0.01)
        """
    )
    begun = time.monotonic()
    pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider").assert_outcomes(failed=1, passed=1)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("memory://a", "memory://a?namespace=elsewhere"),
        ("sqlite:////tmp/a.db?timeout=3", "sqlite:////tmp/a.db?timeout=3&namespace=elsewhere"),
        ("redis://h?namespace=x&db=1", "redis://h?db=1&namespace=elsewhere"),
    ],
)
def test_the_url_of_another_namespace(url: str, expected: str) -> None:
    class Known(BrokerBinding):
        def full_url(self, store: Any) -> str:
            return url

    assert Known().other_namespace(None) == expected  # type: ignore[arg-type]  # not looked at


class Elsewhere(ProcessContract):
    __test__ = False

    def full_url(self, store: simstore.Store) -> str:
        return "known-in-this-process-alone://"


def test_a_backend_that_other_processes_do_not_know_is_not_raced(
    tmp_path: Path,
) -> None:
    with pytest.raises(pytest.skip.Exception, match="known-in-this-process-alone"):
        Elsewhere().test_no_process_loses_what_another_writes(
            lambda: simstore.connect(f"sqlite:///{tmp_path}/database.db")
        )


class ElsewhereWithMessages(MessageStoreContract):
    __test__ = False
    full_url = Elsewhere.full_url


def test_a_broker_that_other_processes_do_not_know_is_not_shared(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match="known-in-this-process-alone"):
        ElsewhereWithMessages().test_processes_share_channels_and_groups(
            lambda: simstore.connect(f"sqlite:///{tmp_path}/database.db")
        )


def test_the_report_says_what_a_store_lacks_and_what_its_index_answers() -> None:
    with simstore.connect("memory://") as store:
        report = capability_report(store)
    assert not report.has(simstore.Capability.PERSISTENCE)
    assert report.has(simstore.Capability.WIDE_TRANSACTIONS)
    assert report.answers["equality"] is Answer.INDEX
    assert report.answers["not indexed"] is Answer.SCAN
    assert report.answers["and, half of it indexed"] is Answer.NARROWED
    text = str(report)
    assert "memory://" in text
    assert report.lacks[simstore.Capability.PERSISTENCE] in text
    for kind, answer in report.answers.items():
        assert any(kind in line and answer in line for line in text.splitlines())


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_without_its_extra_the_kit_says_what_to_install(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
from simstore.domain.errors import MissingDependencyError
try:
    import simstore.testing
except MissingDependencyError as error:
    assert isinstance(error, ImportError)
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "pip install 'simstore[testing]'" in done.stdout
