"""Files of more records than are held: what is read again, and what becomes of their changes."""

import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore import Annotator, ImportFileError, Record
from simstore.services.exporting import export_records
from simstore.services.importing import ImportReport, import_records, importer
from simstore.services.progress import Progress

FORMATS = ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "parquet"]

COUNT = 1_730
HELD = 650
"""Neither falls on the end of a batch."""

LONG_AGO = (10**18, 10**18)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[simstore.Store]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    with simstore.connect(url) as opened:
        yield opened


Holding = Callable[[int], None]


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> Holding:
    """Lets imports hold exactly so many records, and store a hundred in a call."""

    def hold(count: int) -> None:
        monkeypatch.setattr(importer, "RECORD_BYTES", 1 << 40)
        monkeypatch.setattr(importer, "HELD_BYTES", (count << 40) - (1 << 39))
        monkeypatch.setattr(importer, "STORED_BYTES", 1 << 40)
        monkeypatch.setattr(importer, "BATCH_BYTES", 100 << 40)

    return hold


@pytest.fixture
def _held(holding: Holding) -> None:
    holding(HELD)


def annotators(count: int, name: str = "n") -> list[Annotator]:
    return [Annotator(pk=f"p{n:05}", name=f"{name}{n * 7919}", email="e") for n in range(count)]


class Number(Record):
    number: int


# What is read again


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("on_conflict", ["replace", "skip", "error"])
@pytest.mark.parametrize(
    ("suffix", "parser", "calls"),
    [
        ("jsonl", "jsonl._proved", 1),
        ("csv", "layout.read_cell", 3),
        ("parquet", "parquet._line", 1),
    ],
)
def test_what_is_held_is_not_parsed_again(
    store: simstore.Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    parser: str,
    calls: int,
    on_conflict: Any,
) -> None:
    path = tmp_path / f"a.{suffix}"
    export_records(annotators(COUNT), path)
    parsed: Counter[str] = Counter()
    made: Counter[str] = Counter()
    _count(monkeypatch, f"simstore.services.files.{parser}", parsed)
    _count(monkeypatch, "simstore.services.importing.source.Item", made)
    assert import_records(path, store, on_conflict=on_conflict).stored == {"Annotator": COUNT}
    held = HELD if on_conflict == "replace" else HELD - 100  # a batch is held to look for its pks
    assert made.total() == COUNT + COUNT - held
    first_line = suffix == "jsonl"  # which says whose records they are
    assert parsed.total() == calls * (COUNT + COUNT - held) + first_line


def _count(monkeypatch: pytest.MonkeyPatch, name: str, counter: Counter[str]) -> None:
    """Let each call of the function `name` be counted."""
    module, _, function = name.rpartition(".")
    called = getattr(sys.modules[module], function)

    def counting(*arguments: Any) -> Any:
        counter[name] += 1
        return called(*arguments)

    monkeypatch.setattr(name, counting)


@pytest.mark.usefixtures("_held")
def test_a_fault_of_what_is_held_is_told_before_the_rest_is_read(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    numbers = [1, 1, 10**18, *[1] * (COUNT - 3)]
    export_records([Number(pk=f"p{n:05}", number=number) for n, number in enumerate(numbers)], path)
    path.write_text(path.read_text().replace("10000", "99999") + "{")
    far: list[int] = []
    with pytest.raises(ImportFileError) as caught:
        import_records(
            path, store, models=Number, progress=lambda progress: far.append(progress.done)
        )
    assert (caught.value.line, caught.value.field) == (3, "number")
    assert far[-1] == HELD // 100 * 100
    assert store.collections() == []


def _lines(pks: list[str]) -> str:
    return "\ufeff\n" + "\n\n".join(
        f'{{"pk":"{pk}","name":"{n}","email":"e"}}' for n, pk in enumerate(pks)
    )


def _rows(pks: list[str]) -> str:
    rows = "\r\n\r\n".join(f'{pk},"{n}\n\n",e' for n, pk in enumerate(pks))
    return f"\ufeff\n\npk,name,email\n{rows}"


@pytest.mark.parametrize("on_error", ["raise", "collect"])
@pytest.mark.parametrize("on_conflict", ["replace", "skip"])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_where_the_held_records_end_makes_no_difference(
    tmp_path: Path, holding: Holding, suffix: str, on_conflict: Any, on_error: Any
) -> None:
    pks = [f"p{n * 7 % 220}" for n in range(230)]
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        export_records([Annotator(pk=pk, name=f"{n}", email="e") for n, pk in enumerate(pks)], path)
    else:
        text = _lines(pks) if suffix == "jsonl" else _rows(pks)
        path.write_bytes(text.encode())
    came = []
    for held in (1, 2, 99, 100, 101, 199, 200, 218, 219, 229, 230, 231):
        holding(held)
        with simstore.connect("memory://") as store:
            store.annotators.save(Annotator(pk="p7", name="old", email="e"))
            report = import_records(path, store, on_conflict=on_conflict, on_error=on_error)
            came.append((report, store.annotators.find()))
    report, records = came[-1]
    assert came == [(report, records)] * len(came)
    assert (len(records), report.skipped) == (220, 11 if on_conflict == "skip" else 0)


@pytest.mark.parametrize("held", [1, 3, 100])
@pytest.mark.parametrize("seen", [False, True], ids=["all", "behind what was read before"])
@pytest.mark.parametrize("kind", ["bytes", "file", "pipe"])
def test_standard_input_is_read_on_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    holding: Holding,
    held: int,
    seen: bool,
    kind: str,
) -> None:
    holding(held)
    path = tmp_path / "a.jsonl"
    export_records(annotators(10), path)
    with _opened(path, kind) as stream:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
        if seen:
            stream.readline()
        with simstore.connect("memory://") as store:
            import_records("-", store, format="jsonl")
            assert store.annotators.find() == annotators(10)[seen:]


def _opened(path: Path, kind: str) -> io.BufferedReader | io.BytesIO:
    if kind == "file":
        return path.open("rb")
    if kind == "bytes":
        return io.BytesIO(path.read_bytes())
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(path.read_bytes())
    return os.fdopen(read, "rb")


# Files that change


def changed(
    when: tuple[str, int],
    change: Callable[[], object],
    path: Path,
    store: simstore.Store,
    model: type[Record] = Annotator,
) -> ImportReport:
    """The report of an import whose file is changed when so many are done with a step."""

    def change_it(progress: Progress) -> None:
        if (progress.step, progress.done) == when:
            change()

    os.utime(path, ns=LONG_AGO)
    return import_records(path, store, models=model, progress=change_it)


def refused(
    when: tuple[str, int],
    change: Callable[[], object],
    path: Path,
    store: simstore.Store,
    model: type[Record] = Annotator,
) -> tuple[ImportFileError, int]:
    """The error of such an import, and how many records are stored."""
    with pytest.raises(ImportFileError, match="changed while it was read") as caught:
        changed(when, change, path, store, model)
    stored = store.repository(model).count()
    reason = f"the file changed while it was read; {stored} of its records are stored"
    assert caught.value.reason == reason
    return caught.value, stored


AFTER_THE_CHECK = ("check", COUNT)
BEFORE_THE_REST = ("store", 100)
WITHIN_THE_REST = ("store", HELD + 200)


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "change", ["cut short", "shorter", "longer", "empty", "other", "rewritten"]
)
def test_a_file_that_changes_is_an_error_that_counts_what_is_stored(
    store: simstore.Store, tmp_path: Path, suffix: str, change: str
) -> None:
    path, other = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    export_records(annotators(COUNT), path)
    whole = path.read_bytes()
    if change in {"cut short", "empty"}:
        changed_to = whole[: len(whole) // 2 - 7] if change == "cut short" else b""
    elif change == "other":
        changed_to = b"\xff\n" * len(whole)
    elif change == "rewritten":
        changed_to = whole
    else:
        export_records(annotators(COUNT + (150 if change == "longer" else -150)), other)
        changed_to = other.read_bytes()

    _, stored = refused(AFTER_THE_CHECK, lambda: path.write_bytes(changed_to), path, store)
    assert stored == 0
    for when in BEFORE_THE_REST, WITHIN_THE_REST:
        path.write_bytes(whole)
        _, stored = refused(when, lambda: path.write_bytes(changed_to), path, store)
        assert HELD <= stored <= COUNT
        store.annotators.delete_many(store.annotators.pks())


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("bad", ['{"pk":"a/b"', '{"pk":7', '{"pk":"\\ud800"'])
def test_the_line_that_changed_is_named(store: simstore.Store, tmp_path: Path, bad: str) -> None:
    path = tmp_path / "a.jsonl"
    export_records(annotators(COUNT), path)
    lines = path.read_text().splitlines()
    lines[-1] = lines[-1].replace(f'{{"pk":"p{COUNT - 1:05}"', bad)
    error, stored = refused(BEFORE_THE_REST, lambda: path.write_text("\n".join(lines)), path, store)
    assert error.line == COUNT
    assert HELD < stored < COUNT
    assert error.__cause__ is not None


def unseen(path: Path, line: int, make: Callable[[str], str]) -> Callable[[], None]:
    """What changes a `line` of the file, and neither its size nor the time of its last change."""

    def change() -> None:
        lines = path.read_text().splitlines(keepends=True)
        old = lines[line - 1]
        lines[line - 1] = make(old.rstrip()).ljust(len(old) - 1) + "\n"
        assert len(lines[line - 1]) == len(old)
        path.write_text("".join(lines))
        os.utime(path, ns=LONG_AGO)

    return change


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("when", [AFTER_THE_CHECK, BEFORE_THE_REST])
@pytest.mark.parametrize(
    ("make", "stored_of_the_rest", "named"),
    [
        (lambda _: "{", 100, True),
        (lambda old: old.replace('"pk":"p', '"pk":"/'), 100, True),
        (lambda _: "", 1_000, False),
        (lambda _: '{"name":"","email":""}\n{"name":"","email":""}', 1_000, False),
    ],
    ids=["no object", "no record", "none", "two"],
)
def test_a_change_that_only_the_lines_show(
    store: simstore.Store,
    tmp_path: Path,
    when: tuple[str, int],
    make: Callable[[str], str],
    stored_of_the_rest: int,
    named: bool,
) -> None:
    path = tmp_path / "a.jsonl"
    export_records(annotators(COUNT, "a long enough name"), path)
    line = HELD + 105
    error, stored = refused(when, unseen(path, line, make), path, store)
    assert stored == HELD + stored_of_the_rest
    assert error.line == (line if named else 0)


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("when", [AFTER_THE_CHECK, BEFORE_THE_REST])
def test_a_line_that_changed_to_what_no_store_takes(
    store: simstore.Store, tmp_path: Path, when: tuple[str, int]
) -> None:
    path = tmp_path / "a.jsonl"
    export_records([Number(pk=f"p{n:05}", number=10**18) for n in range(COUNT)], path)
    line = HELD + 105
    change = unseen(path, line, lambda old: old.replace("10", "99"))
    error, stored = refused(when, change, path, store, Number)
    assert "beyond 64 bits" in str(error.__cause__)
    assert (error.line, stored) == (line, HELD + 100)


@pytest.mark.usefixtures("_held")
def test_what_is_held_is_stored_as_it_was_checked(store: simstore.Store, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    export_records(annotators(COUNT), path)
    report = changed(AFTER_THE_CHECK, unseen(path, HELD, lambda _: "{"), path, store)
    assert report.stored == {"Annotator": COUNT}
    assert store.annotators.find() == annotators(COUNT)


@pytest.mark.usefixtures("_held")
def test_a_file_that_stays_is_stored_with_what_is_skipped_counted(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    export_records(annotators(COUNT), path)
    old = annotators(COUNT, "old")
    store.annotators.save_many([*old[:20], *old[-20:]])
    report = import_records(path, store, on_conflict="skip")
    assert (report.stored, report.skipped) == ({"Annotator": COUNT - 40}, 40)
    assert store.annotators.find() == [*old[:20], *annotators(COUNT)[20:-20], *old[-20:]]
