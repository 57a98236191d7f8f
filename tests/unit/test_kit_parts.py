"""The parts of the kit: its texts, its notion of sameness, its oracle and its report."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore.domain.fields import check_pk
from simstore.testing import (
    Oracle,
    RepositoryMachine,
    Specimen,
    capability_report,
    identical,
)
from simstore.testing.capabilities import Answer
from simstore.testing.contract.processes import ProcessContract
from simstore.testing.examples import example_records
from simstore.testing.models import Part
from simstore.testing.oracle import before, equal, words_of
from simstore.testing.records import RECORDS, REPOSITORIES
from simstore.testing.texts import BAD_PKS, HALF_PAIRS, HOSTILE_PKS, HOSTILE_TEXTS


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
