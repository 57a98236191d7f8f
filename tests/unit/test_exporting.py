"""What can be exported, in which formats, and what is refused before a file is made."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import simstore
from simstore import (
    AgentProfile,
    Annotator,
    EpisodeLog,
    InvalidArgumentError,
    InvalidRecordError,
    Record,
    WrongModelError,
)
from simstore.domain.errors import ModelError
from simstore.services.exporting import export_records
from simstore.services.importing import import_records
from simstore.services.progress import Progress
from simstore.testing.texts import HALF_PAIRS


class Reading(BaseModel):
    pk: str
    ratio: float = 0.0
    ratios: list[float] = []
    text: str = ""
    maybe: str | None = None
    parts: dict[str, float] = {}


@pytest.fixture
def store() -> Iterator[simstore.Store]:
    with simstore.connect("memory://") as opened:
        opened.annotators.save_many(Annotator(pk=f"a{n}", name="n", email="e") for n in range(3))
        yield opened


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_store_is_written_with_the_collection_of_each_line(
    store: simstore.Store, tmp_path: Path
) -> None:
    store.agents.save(AgentProfile(pk="p", first_name="Ada", last_name="L"))
    assert export_records(store, tmp_path / "all.jsonl") == 4
    assert [(line["__collection__"], line["pk"]) for line in lines(tmp_path / "all.jsonl")] == [
        ("AgentProfile", "p"),
        ("Annotator", "a0"),
        ("Annotator", "a1"),
        ("Annotator", "a2"),
    ]


def test_records_of_a_query_are_written_under_their_fields(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.ndjson"
    assert export_records(store.annotators.iterate(pk="a1"), path) == 1
    assert path.read_bytes() == b'{"pk":"a1","name":"n","email":"e"}\n'


def test_one_model_of_a_store(store: simstore.Store, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert export_records(store, path, models=Annotator) == 3
    assert path.read_text().splitlines()[:2] == ["pk,name,email", "a0,n,e"]


def test_collections_that_no_model_was_given_for_are_not_left_out_silently(
    store: simstore.Store, tmp_path: Path
) -> None:
    store.repository(Reading).save(Reading(pk="r"))
    with pytest.raises(InvalidArgumentError, match="also has records of Reading; give models="):
        export_records(store, tmp_path / "all.jsonl")
    assert not list(tmp_path.iterdir())
    assert export_records(store, tmp_path / "all.jsonl", models=[Annotator, Reading]) == 4
    assert export_records(store, tmp_path / "some.jsonl", models=[Annotator, EpisodeLog]) == 3


@pytest.mark.parametrize(
    ("source", "name", "options", "error", "message"),
    [
        (Annotator(name="", email=""), "a.jsonl", {}, InvalidArgumentError, r"give \[record\]"),
        (None, "a.jsonl", {}, InvalidArgumentError, "not None"),
        (["text"], "a.jsonl", {}, ModelError, "str"),
        ([], "a.csv", {}, InvalidArgumentError, r"no records .* as in models=AgentProfile"),
        ([], "a.txt", {}, InvalidArgumentError, "the suffix names no format"),
        ([], "a", {}, InvalidArgumentError, "the suffix names no format"),
        ([], "a.gz", {}, InvalidArgumentError, "the suffix names no format"),
        ([], "a.parquet.gz", {}, InvalidArgumentError, "compressed within"),
        ([], "a.jsonl", {"format": "xml"}, InvalidArgumentError, "jsonl, csv, parquet"),
        ([], "a.jsonl", {"models": [Annotator, Reading]}, InvalidArgumentError, "several models"),
    ],
)
def test_what_cannot_be_exported_makes_no_file(
    tmp_path: Path, source: Any, name: str, options: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        export_records(source, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_a_table_holds_one_model(store: simstore.Store, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="a csv file holds records of one model"):
        export_records(store, tmp_path / "a.csv")
    with pytest.raises(InvalidArgumentError, match="models= is not Annotator, the repository's"):
        export_records(store.annotators, tmp_path / "a.csv", models=Reading)
    mixed = [Annotator(name="", email=""), Reading(pk="r")]
    with pytest.raises(WrongModelError, match="of Annotator and Reading"):
        export_records(mixed, tmp_path / "a.csv")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"ratio": float("nan")}, "ratio"),
        ({"ratios": [1.0, float("nan")]}, "ratios"),
        ({"parts": {"a": float("nan")}}, "parts"),
        ({"text": HALF_PAIRS[0]}, "text"),
        ({"text": f"é{HALF_PAIRS[2]}"}, "text"),
        ({"maybe": HALF_PAIRS[1]}, "maybe"),
        ({"maybe": f'"{HALF_PAIRS[1]}'}, "maybe"),
        ({"text": object()}, "text"),
    ],
    ids=[
        "NaN",
        "NaN in a list",
        "NaN in a dict",
        "half a pair",
        "half a pair and more",
        "half a pair where None may be",
        "half a pair behind a quote",
        "no JSON",
    ],
)
def test_a_record_that_no_store_would_take_is_named(
    tmp_path: Path, suffix: str, values: dict[str, Any], field: str
) -> None:
    good = [Reading(pk=f"good{number}", text="NaN") for number in range(50)]
    bad = Reading.model_construct(**{**good[0].model_dump(), "pk": "bad", **values})
    with pytest.raises(InvalidRecordError, match="'bad' cannot be written") as caught:
        export_records([*good, bad, *good], tmp_path / f"a.{suffix}")
    if suffix == "csv" and "object" not in str(values):
        assert f": {field}: " in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("value", [None, 7])
def test_a_value_that_its_column_cannot_hold(tmp_path: Path, suffix: str, value: Any) -> None:
    bad = Reading.model_construct(**{**Reading(pk="bad").model_dump(), "text": value})
    with pytest.raises(InvalidRecordError, match="'bad' cannot be written"):
        export_records([Reading(pk="good"), bad], tmp_path / f"a.{suffix}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "parquet"])
def test_a_source_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, suffix: str) -> None:
    def failing() -> Iterator[Annotator]:
        for number in range(5_000):
            yield Annotator(name="n" * 500, email=str(number))
        raise ValueError("the source's own")

    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match=r"^the source's own$"):
        export_records(failing(), path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_texts_that_are_formulas_are_guarded_if_that_is_asked_for(tmp_path: Path) -> None:
    class Cells(Record):
        text: str
        maybe: str | None = None
        number: int = -1

    starts = ["=1", "+1", "-1", "@x", "\tx", "\rx", "\0=1"]
    starts += [f"{mark}1" for mark in "\uff1d\uff0b\uff0d\uff20"]  # the wide ones
    records = [Cells(pk=f"{n}", text=text, maybe=text) for n, text in enumerate(starts)]
    path = tmp_path / "a.csv"
    for guard in (False, True):
        export_records(records, path, guard_formulas=guard)
        with path.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        mark = "'" if guard else ""
        assert [row["text"] for row in rows] == [mark + text for text in starts]
        assert [row["maybe"] for row in rows] == [mark + text for text in starts]
        assert {row["number"] for row in rows} == {"-1"}


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_progress_counts_every_record_once(tmp_path: Path, suffix: str) -> None:
    reported: list[Progress] = []
    records = [Annotator(name="n", email="e") for _ in range(250)]
    export_records(iter(records), tmp_path / f"a.{suffix}", progress=reported.append)
    steps = [Progress("export", "Annotator", done, None) for done in (100, 200, 250)]
    assert reported == steps


def test_progress_knows_how_many_records_a_store_has(store: simstore.Store, tmp_path: Path) -> None:
    store.agents.save(AgentProfile(first_name="Ada", last_name="L"))
    agents, annotators = (
        Progress("export", "AgentProfile", 1, 1),
        Progress("export", "Annotator", 3, 3),
    )
    for source, name, expected in (
        (store, "all.jsonl", [agents, annotators]),
        (store.annotators, "a.csv", [annotators]),
    ):
        reported: list[Progress] = []
        export_records(source, tmp_path / name, progress=reported.append)
        assert reported == expected


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_half_of_a_surrogate_pair_in_a_key_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    sound = Reading(pk="good", parts={"\N{REPLACEMENT CHARACTER}": 1.0})
    export_records([sound], path)
    path.unlink()
    bad = Reading(pk="bad", parts={HALF_PAIRS[0]: 1.0})
    with pytest.raises(InvalidRecordError, match=r"'bad' cannot be written: parts.*half of a"):
        export_records([sound, bad], path)
    assert not list(tmp_path.iterdir())


def test_the_same_records_make_the_same_compressed_file(
    store: simstore.Store, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        export_records(store.annotators, tmp_path / f"{name}.jsonl.gz")
        export_records(store.annotators, tmp_path / f"{name}.jsonl.zst")
    for suffix in ("gz", "zst"):
        pair = [(tmp_path / f"{name}.jsonl.{suffix}").read_bytes() for name in ("a", "b")]
        assert pair[0] == pair[1]
    assert len(gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).splitlines()) == 3


def test_a_parquet_file_has_columns_of_their_own_types(tmp_path: Path) -> None:
    from pyarrow import parquet  # noqa: PLC0415 — of an extra

    path = tmp_path / "a.parquet"
    export_records([Reading(pk="a", ratios=[1.5], parts={"b": 1.0})], path)
    types = {field.name: str(field.type) for field in parquet.read_schema(path)}
    element = "list<element: double not null>"
    assert types == {
        "pk": "string",
        "ratio": "double",
        "ratios": element,
        "text": "string",
        "maybe": "string",
        "parts": "string",
    }
    assert parquet.read_table(path).to_pylist() == [
        {"pk": "a", "ratio": 0.0, "ratios": [1.5], "text": "", "maybe": None, "parts": '{"b":1.0}'}
    ]


def test_large_tables_are_written_in_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet  # noqa: PLC0415 — of an extra

    class Chatty(Record):
        texts: list[str]

    monkeypatch.setattr("simstore.services.files.parquet.GROUP_BYTES", 10_000)
    path = tmp_path / "a.parquet"
    export_records([Chatty(pk=f"{n}", texts=["x" * 900]) for n in range(100)], path)
    with parquet.ParquetFile(path) as file:
        assert 9 <= file.metadata.num_row_groups <= 12
    with simstore.connect("memory://") as other:
        assert import_records(path, other, models=Chatty).stored == Counter(Chatty=100)
