"""Files that are made to break a reader, or that are too much for it."""

import gc
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

import simstore
from simstore import AgentProfile, Annotator, ImportFaultsError, ImportFileError, Record
from simstore.services.exporting import export_records
from simstore.services.files.cells import MAX_LITERAL_CHARACTERS, CellError, CellForm, read_cell
from simstore.services.files.csv_files import column_names
from simstore.services.importing import import_records, importer
from simstore.services.importing.source import MAX_IGNORED_KEYS


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[simstore.Store]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    with simstore.connect(url) as opened:
        yield opened


# What is left behind


@pytest.mark.parametrize("held", [1, 1 << 20])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.zst", "jsonl", "parquet"])
@pytest.mark.parametrize("name", ["x", ""], ids=["refused by the store", "by the model"])
def test_a_refused_import_leaves_nothing_to_complain_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str, held: int
) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)
    monkeypatch.setattr(importer, "HELD_BYTES", held)
    path = tmp_path / f"a.{suffix}"
    export_records(
        [Ratio(pk="a", name=name, ratio=7), *(Ratio(name="x") for _ in range(300))], path
    )
    with simstore.connect("memory://") as store:
        for on_error in "raise", "collect":
            with pytest.raises((ImportFileError, ImportFaultsError)):
                import_records(path, store, models=Strict, on_error=on_error)
    gc.collect()
    assert complaints == []


class Ratio(Record):
    name: str = ""
    ratio: float = 1


class Touchy(Record):
    name: str = ""
    age: int = 1


class Strict(Record):
    name: str
    age: int = 1
    ratio: float = 1

    @field_validator("name")
    @classmethod
    def _is_there(cls, name: str) -> str:
        return str(1 // len(name)) and name

    @field_validator("ratio")
    @classmethod
    def _nowhere(cls, ratio: float) -> float:
        """What is not a number is made here, so that the store alone can refuse it."""
        return ratio if ratio != 7 else float("nan")


# Values


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_arithmetic_that_fails_in_a_validator_is_a_fault_of_the_line(
    store: simstore.Store, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"a.{suffix}"
    export_records([Touchy(name=""), Touchy(name="x")], path)
    report = import_records(path, store, models=Strict, on_error="skip")
    assert (report.stored, report.faults.count) == ({"Strict": 1}, 1)
    assert report.faults.first[0].reason.startswith("ZeroDivisionError: ")


@pytest.mark.parametrize("column", ["age", "moral_values"])
@pytest.mark.parametrize("digits", ["0x" + "F" * 5_000, "1" * 5_000, "-" + "1" * 5_000])
def test_an_integer_of_thousands_of_digits_is_a_fault_of_its_line(
    store: simstore.Store, tmp_path: Path, column: str, digits: str
) -> None:
    for cell in digits, f"[{digits}]", f"['', {digits}]":
        path = tmp_path / "a.csv"
        path.write_text(f'pk,first_name,last_name,{column}\na,A,B,"{cell}"\nb,A,B,\n')
        report = import_records(path, store, models=AgentProfile, on_error="skip")
        assert [fault.field for fault in report.faults.first] == [column]
        assert report.stored == {"AgentProfile": 1}


def test_a_literal_of_pythons_has_a_longest_length_and_json_has_none() -> None:
    inner = "0, " * (MAX_LITERAL_CHARACTERS // 3)
    with pytest.raises(CellError, match=r"too long to be a Python literal.*; write JSON"):
        read_cell(CellForm.JSON, f"({inner})")
    assert len(read_cell(CellForm.JSON, f"[{inner}0]")) == MAX_LITERAL_CHARACTERS // 3 + 1


# Tables


def test_a_header_of_very_many_columns_is_read_in_time() -> None:
    names = [f"c{number}" for number in range(60_000)]
    started = time.process_time()
    assert column_names(io.BytesIO(",".join(names).encode()), "a.csv") == names
    assert time.process_time() - started < 5  # a minute where each is compared with all


def test_of_the_keys_that_no_field_stands_for_the_first_are_told(
    store: simstore.Store, tmp_path: Path
) -> None:
    names = [f"c{number}" for number in range(300)]
    path = tmp_path / "a.csv"
    path.write_text(f"pk,name,email,{','.join(names)}\na,b,c{',x' * 300}\n")
    report = import_records(path, store, models=Annotator)
    assert report.stored == {"Annotator": 1}
    assert report.ignored_keys == tuple(names[:MAX_IGNORED_KEYS])


@pytest.mark.parametrize("on_error", ["raise", "collect", "skip"])
def test_parquet_with_two_columns_of_one_name_is_refused(
    store: simstore.Store, tmp_path: Path, on_error: Any
) -> None:
    import pyarrow as pa  # noqa: PLC0415 — of an extra
    from pyarrow import parquet  # noqa: PLC0415 — the same

    path = tmp_path / "a.parquet"
    columns = [pa.array([text]) for text in ("a", "b", "c", "d")]
    parquet.write_table(pa.table(columns, ["pk", "name", "email", "name"]), path)
    with pytest.raises(ImportFileError, match="the table has two columns 'name'"):
        import_records(path, store, models=Annotator, on_error=on_error)
    assert store.collections() == []


@pytest.mark.parametrize("kind", ["text", "date"])
def test_parquet_with_values_that_are_none_of_pythons_is_refused(
    store: simstore.Store, tmp_path: Path, kind: str
) -> None:
    import pyarrow as pa  # noqa: PLC0415 — of an extra
    from pyarrow import parquet  # noqa: PLC0415 — the same

    wrong = {
        "text": pa.array([b"\xff"]).view(pa.string()),
        "date": pa.array([2**62]).view(pa.timestamp("us")),
    }
    texts = [pa.array([text]) for text in ("a", "b", "c")]
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table([*texts, wrong[kind]], ["pk", "name", "email", "more"]), path)
    with pytest.raises(ImportFileError, match="is not Parquet that can be read"):
        import_records(path, store, models=Annotator)
    assert store.collections() == []
