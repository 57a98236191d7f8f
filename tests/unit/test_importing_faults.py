"""What is wrong with a file is told by line, key and reason, and nothing of it is stored."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

import simstore
from simstore import Annotator, EnvironmentProfile, ImportFaultsError, ImportFileError, Record
from simstore.services.exporting import export_records
from simstore.services.files.csv_files import write_rows
from simstore.services.importing import import_records, importer

GOOD = '{"pk":"a","name":"Ada","email":"a@x"}\n'


class Reading(BaseModel):
    """A model whose values pydantic lets pass and a store does not."""

    pk: str
    number: int = 0
    ratio: float = 0.0
    parts: list[str] = []


class Touchy(Record):
    name: str = ""

    @field_validator("name", mode="before")
    @classmethod
    def _first_letter(cls, name: Any) -> str:
        return str(name["first"])


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[simstore.Store]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    with simstore.connect(url) as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["held", "read twice"])
def _held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that are held in memory between check and store, and files that are too large."""
    if not request.param:
        monkeypatch.setattr(importer, "HELD_BYTES", 3 * importer.RECORD_BYTES)


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def first_fault(error: Exception) -> ImportFileError:
    fault = error.faults[0] if isinstance(error, ImportFaultsError) else error
    assert isinstance(fault, ImportFileError)
    return fault


def lines_of_annotators(count: int) -> str:
    return "".join(f'{{"pk":"p{i:03}","name":"n","email":"e"}}\n' for i in range(count))


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("on_error", ["raise", "collect"])
@pytest.mark.parametrize(
    ("name", "text", "line", "field", "reason"),
    [
        ("a.jsonl", GOOD + "\n" + GOOD.replace('"Ada"', "7"), 3, "name", "valid string, not 7"),
        (
            "a.jsonl",
            GOOD + '{"pk":"b","nam":"x","email":""}',
            2,
            "name",
            "is missing; 'nam' may be meant for it",
        ),
        ("a.jsonl", lines_of_annotators(230) + "{", 231, "", "is not complete"),
        ("a.jsonl", lines_of_annotators(230) + '{"pk":"a/b","name":"","email":""}', 231, "pk", "/"),
        ("a.csv", 'pk,name,email\na,"x\ny",z\nb,c\n', 4, "", "has 2 cells, the header 3"),
        ("a.csv", b"pk,name,email\na,b,c\nd,caf\xe9,f\n", 3, "name", "is not UTF-8"),
        ("a.csv", 'pk,name,email\na,b,c\nd,"e', 3, "", "is not CSV: unexpected end of data"),
        ("a.csv", 'pk,name,email\na,b,c\nd,"e"f,g', 3, "", "is not CSV: ',' expected"),
        ("a.csv", "pk,name,name\n", 1, "name", "the header names column 'name' twice"),
        ("a.csv", "\n\npk,name,name\n", 3, "name", "twice"),
        ("a.csv", "pk,,\n", 1, "", "the header names column '' twice"),
        ("a.csv", "pk;name;email\na;b;c\n", 1, "", "by semicolons; save it with commas"),
        ("a.csv", "pk\tname\temail\na\tb\tc\n", 1, "", "by tabs; save it with commas"),
        ("a.csv", b"\xff\xfep\x00k\x00", 1, "", "is not UTF-8"),
        ("a.csv", "", 1, "", "there is no header"),
        ("a.parquet", "", 0, "", "is not Parquet that can be read"),
        ("a.parquet", GOOD * 10, 0, "", "is not Parquet that can be read"),
        ("a.jsonl", b"PAR1\xff\n", 1, "", "is not UTF-8"),
        ("a.jsonl", "pk,name\na,b\n", 1, "", "is not JSON: Expecting value"),
        ("a.jsonl", "[" + GOOD.strip() + "]", 1, "", "each line must be one object"),
        ("a.jsonl.gz", GOOD, 0, "", "is not gzip data, as its suffix says"),
        ("a.jsonl.gz", b"", 0, "", "the gzip data is cut short"),
        ("a.jsonl.zst", GOOD, 0, "", "is not Zstandard data, as its suffix says"),
        ("a.jsonl.zst", b"", 0, "", "the Zstandard data is cut short"),
    ],
)
def test_every_fault_is_located_and_nothing_is_stored(
    store: simstore.Store,
    tmp_path: Path,
    name: str,
    text: str | bytes,
    line: int,
    field: str,
    reason: str,
    on_error: Any,
) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises((ImportFileError, ImportFaultsError)) as caught:
        import_records(path, store, models=Annotator, on_error=on_error)
    error = caught.value
    fault = first_fault(error)
    assert (fault.path, fault.line, fault.field) == (str(path), line, field)
    assert reason in fault.reason
    assert store.collections() == []


@pytest.mark.parametrize("suffix", ["jsonl.gz", "jsonl.zst", "csv.gz", "csv.zst"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.98])
def test_compressed_files_that_are_cut_short(
    store: simstore.Store, tmp_path: Path, suffix: str, part: float
) -> None:
    path = tmp_path / f"a.{suffix}"
    export_records([Annotator(name=str(number) * 90, email="e") for number in range(300)], path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(ImportFileError, match="data is cut short"):
        import_records(path, store)
    assert store.collections() == []


def test_what_follows_gzip_data_is_refused(store: simstore.Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", gzip.compress(GOOD.encode()) + b"rubbish")
    with pytest.raises(ImportFileError, match="is not gzip data"):
        import_records(path, store)
    assert store.collections() == []


def parquet_of_readings(path: Path, bad: dict[str, Any]) -> None:
    import pyarrow as pa  # noqa: PLC0415 — of an extra
    from pyarrow import parquet  # noqa: PLC0415 — the same

    good = {"pk": "good", "number": 1, "ratio": 1.0, "parts": ["x"]}
    parquet.write_table(pa.Table.from_pylist([good, {**good, "pk": "bad", **bad}]), path)


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("on_error", ["raise", "collect", "skip"])
@pytest.mark.parametrize(
    ("suffix", "bad", "field", "reason"),
    [
        ("jsonl", {"number": 2**63}, "number", "beyond 64 bits"),
        ("csv", {"number": str(-(2**63) - 1)}, "number", "beyond 64 bits"),
        ("csv", {"parts": '["\\ud800"]'}, "parts", "half of a surrogate pair"),
        ("csv", {"ratio": "NaN"}, "ratio", "NaN is not JSON"),
        ("csv", {"parts": '[{"a": 1, "a": 2}]'}, "parts", "the key 'a' is given twice"),
        ("parquet", {"ratio": float("nan")}, "ratio", "NaN"),
        ("parquet", {"pk": "a/b"}, "pk", "slashes"),
        ("jsonl", {"pk": "a/b"}, "pk", "slashes"),
        ("csv", {"pk": ""}, "pk", "must not be blank"),
    ],
)
def test_records_that_no_store_takes_are_faults_of_their_lines(
    store: simstore.Store,
    tmp_path: Path,
    suffix: str,
    bad: dict[str, Any],
    field: str,
    reason: str,
    on_error: Any,
) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        parquet_of_readings(path, bad)
        line = 2
    elif suffix == "csv":
        row = {"pk": "bad", "number": "1", "ratio": "1", "parts": "[]"} | bad
        with path.open("wb") as stream:
            good, wrong = ["good", "1", "1", "[]"], row.values()
            write_rows(stream, row, [map(str.encode, good), map(str.encode, wrong)])
        line = 3
    else:
        key, value = next(iter(bad.items()))
        shown = f'"{value}"' if isinstance(value, str) else value
        pk = "" if key == "pk" else '"pk":"bad",'
        write(path, f'{{"pk":"good"}}\n{{{pk}"{key}":{shown}}}\n')
        line = 2
    if on_error == "skip":
        report = import_records(path, store, models=Reading, on_error="skip")
        (fault,) = report.faults.first
        assert (report.faults.count, report.stored) == (1, {"Reading": 1})
        assert store.repository(Reading).pks() == ["good"]
    else:
        with pytest.raises((ImportFileError, ImportFaultsError)) as caught:
            import_records(path, store, models=Reading, on_error=on_error)
        error = caught.value
        fault = first_fault(error)
        assert store.collections() == []
    assert (fault.line, fault.field) == (line, field)
    assert reason in fault.reason


def test_the_key_of_a_record_that_cannot_be_stored_is_the_files_own(
    store: simstore.Store, tmp_path: Path
) -> None:
    text = '{"agent_id":"a","first_name":"A","last_name":"B","age":%d}'
    path = write(tmp_path / "a.jsonl", text % 2**64)
    with pytest.raises(ImportFileError) as caught:
        import_records(path, store)
    assert (caught.value.line, caught.value.field) == (1, "age")
    path = write(path, text.replace('"a"', '"a/b"') % 1)
    with pytest.raises(ImportFileError) as caught:
        import_records(path, store)
    assert (caught.value.line, caught.value.field) == (1, "agent_id")


@pytest.mark.parametrize("on_error", ["raise", "collect"])
@pytest.mark.usefixtures("_held")
def test_an_archive_with_a_fault_in_its_last_line_stores_nothing(
    store: simstore.Store, tmp_path: Path, on_error: Any
) -> None:
    lines = [
        '{"__collection__":"Annotator","pk":"a","name":"n","email":"e"}',
        '{"__collection__":"Reading","pk":"r"}',
        f'{{"__collection__":"Reading","pk":"s","number":{2**70}}}',
    ]
    path = write(tmp_path / "all.jsonl", "\n".join(lines))
    with pytest.raises((ImportFileError, ImportFaultsError), match="line 3, field 'number'"):
        import_records(path, store, models=[Annotator, Reading], on_error=on_error)
    assert store.collections() == []
    report = import_records(path, store, models=[Annotator, Reading], on_error="skip")
    assert report.stored == {"Annotator": 1, "Reading": 1}
    assert report.faults.count == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"pk":"b","name":"n","email":"e"}', "is missing, and the file's first line has it"),
        ('{"__collection__":7,"pk":"b"}', "is missing"),
        ('{"__collection__":"Anotator","pk":"b"}', "did you mean 'Annotator'?"),
    ],
)
def test_lines_of_an_archive_say_whose_they_are(
    store: simstore.Store, tmp_path: Path, line: str, reason: str
) -> None:
    first = '{"__collection__":"Annotator","pk":"a","name":"n","email":"e"}\n'
    path = write(tmp_path / "all.jsonl", first + line)
    with pytest.raises(ImportFileError, match=r"line 2, field '__collection__'") as caught:
        import_records(path, store)
    assert reason in caught.value.reason


def test_what_a_models_own_validator_raises_is_a_fault_of_the_line(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", '{"name":"x"}\n{"name":7}\n')
    report = import_records(path, store, models=Touchy, on_error="skip")
    assert [fault.line for fault in report.faults.first] == [1, 2]
    assert report.faults.first[0].reason.startswith("TypeError: string indices")


def test_collected_faults_are_all_of_them(store: simstore.Store, tmp_path: Path) -> None:
    good = lines_of_annotators(150).splitlines()
    good[3] = good[99] = '{"pk":"x","name":1,"email":"e"}'
    path = write(tmp_path / "a.jsonl", "\n".join([*good, "{"]))
    with pytest.raises(ImportFaultsError) as caught:
        import_records(path, store, on_error="collect")
    assert [fault.line for fault in caught.value.faults] == [4, 100, 151]
    assert caught.value.count == 3
    assert store.collections() == []


def test_more_faults_than_a_thousand_are_counted(store: simstore.Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD + "[]\n" * 1_500)
    report = import_records(path, store, on_error="skip")
    assert (len(report.faults.first), report.faults.count) == (1_000, 1_500)
    assert report.stored == {"Annotator": 1}
    with pytest.raises(
        ImportFaultsError, match="1500 lines cannot be imported; nothing was stored"
    ) as caught:
        import_records(path, store, on_error="collect")
    assert len(caught.value.faults) == 1_000


def test_a_spreadsheets_booleans_are_read(store: simstore.Store, tmp_path: Path) -> None:
    class Flags(Record):
        on: bool = False
        off: bool = True

    path = write(tmp_path / "a.csv", "pk,on,off\na,TRUE,FALSE\n")
    import_records(path, store, models=Flags)
    assert store.repository(Flags).get("a") == Flags(pk="a", on=True, off=False)


def test_what_a_spreadsheet_leaves_empty_is_the_default(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", "\ufeffscenario,relationship,agent_goals\nA talk,,\n\n")
    import_records(path, store)
    assert store.environments.find() == [
        EnvironmentProfile(pk=store.environments.pks()[0], scenario="A talk")
    ]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.jsonl", lambda path: path.write_bytes(b"")),
        ("a.jsonl", lambda path: path.write_bytes(b"\n \n\r\n")),
        ("a.jsonl.gz", lambda path: path.write_bytes(gzip.compress(b""))),
        ("a.csv", lambda path: path.write_bytes(b"pk,name,email\n\n\n")),
        ("a.parquet", lambda path: export_records([], path, models=Annotator)),
    ],
    ids=["nothing", "blank", "gz", "header", "parquet"],
)
def test_files_of_no_records(
    store: simstore.Store, tmp_path: Path, name: str, make: Callable[[Path], object]
) -> None:
    make(tmp_path / name)
    report = import_records(tmp_path / name, store)
    assert (report.stored, report.skipped, report.faults.count) == ({}, 0, 0)
    assert store.collections() == []


def agents_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa  # noqa: PLC0415 — of an extra
    from pyarrow import parquet  # noqa: PLC0415 — the same

    parquet.write_table(pa.Table.from_pylist(rows), path)


@pytest.mark.parametrize("on_error", ["raise", "collect", "skip"])
@pytest.mark.parametrize("kind", ["cells", "bytes", "parquet"])
def test_a_table_of_which_every_row_is_bad_is_not_a_table_of_no_rows(
    store: simstore.Store, tmp_path: Path, kind: str, on_error: Any
) -> None:
    path = tmp_path / ("a.parquet" if kind == "parquet" else "a.csv")
    if kind == "cells":
        write(path, "pk,first_name,last_name\nq1,A,B,\nq2,C,D,\n")
    elif kind == "bytes":
        write(path, b"pk,first_name,last_name\nq1,\xff,B\nq2,\xff,D\n")
    else:
        row = {"pk": "q", "first_name": "A", "last_name": "B", "moral_values": "[1,"}
        agents_parquet(path, [row, row])
    if on_error == "skip":
        report = import_records(path, store, on_error=on_error)
        assert (report.stored, report.faults.count) == ({}, 2)
        return
    with pytest.raises((ImportFileError, ImportFaultsError)) as caught:
        import_records(path, store, on_error=on_error)
    assert first_fault(caught.value).line == (1 if kind == "parquet" else 2)
    assert getattr(caught.value, "count", 2) == 2
    assert store.collections() == []


@pytest.mark.parametrize("on_error", ["raise", "collect", "skip"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_hold_records_of_one_model(
    store: simstore.Store, tmp_path: Path, suffix: str, on_error: Any
) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "csv":
        write(path, "__collection__,pk,name,email\nAnnotator,a,n,e\n")
    else:
        agents_parquet(
            path, [{"__collection__": "Annotator", "pk": "a", "name": "n", "email": "e"}]
        )
    with pytest.raises(ImportFileError, match="only JSON lines hold records of several models"):
        import_records(path, store, on_error=on_error)


@pytest.mark.parametrize("text", ["pk,name\n" + "x" * 200, "x" * 200])
def test_a_line_of_csv_without_an_end_is_refused(
    store: simstore.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("simstore.services.files.csv_files.MAX_LINE_BYTES", 100)
    with pytest.raises(ImportFileError, match="is longer than 100 characters"):
        import_records(write(tmp_path / "a.csv", text), store, models=Annotator)


def test_faults_of_taken_pks_are_not_said_to_be_no_records(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", GOOD * 3)
    with pytest.raises(ImportFaultsError) as caught:
        import_records(path, store, on_error="collect", on_conflict="error")
    first, *_ = str(caught.value).splitlines()
    assert first == f"{path}: 2 lines cannot be imported; nothing was stored"


def test_a_key_that_the_model_has_is_not_meant_for_another(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", '{"pk":"a","last_name":"B"}')
    with pytest.raises(ImportFileError) as caught:
        import_records(path, store, models=simstore.AgentProfile)
    assert caught.value.reason == "is missing"
