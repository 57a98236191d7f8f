"""What an import stores: taken pks, recognized models, tags, round trips to the store."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import simstore
from simstore import AgentProfile, Annotator, ImportFileError, InvalidArgumentError
from simstore.services.exporting import export_records
from simstore.services.files.formats import FileFormat
from simstore.services.files.jsonl import dump_json
from simstore.services.importing import import_records, importer
from simstore.services.importing.source import Item, Source
from simstore.services.progress import Progress
from simstore.testing.examples import example_records


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[simstore.Store]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/store.db"
    with simstore.connect(url) as opened:
        yield opened


@pytest.fixture(params=[True, False], ids=["held", "read twice"])
def _held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.param:
        monkeypatch.setattr(importer, "HELD_BYTES", 3 * importer.RECORD_BYTES)


def annotator(pk: str, name: str = "new") -> Annotator:
    return Annotator(pk=pk, name=name, email="e")


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


# Taken pks


@pytest.fixture
def taken(tmp_path: Path, store: simstore.Store) -> Path:
    """A file of 210 records, in which p1, p150 and p209 come twice; p2 and p205 are stored."""
    store.annotators.save_many([annotator("p2", "old"), annotator("p205", "old")])
    records = [annotator(f"p{number}") for number in range(210)]
    again = [annotator(pk, "again") for pk in ("p1", "p150", "p209")]
    export_records([*records[:151], *again[:2], *records[151:], again[2]], tmp_path / "a.jsonl")
    return tmp_path / "a.jsonl"


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("on_error", ["raise", "collect", "skip"])
class TestTakenPks:
    def test_they_are_replaced_by_the_last_line(
        self, store: simstore.Store, taken: Path, on_error: Any
    ) -> None:
        report = import_records(taken, store, on_error=on_error)
        assert (report.stored, report.skipped) == ({"Annotator": 213}, 0)
        assert store.annotators.count() == 210
        assert store.annotators.count(name="old") == 0
        assert sorted(store.annotators.pks(name="again")) == ["p1", "p150", "p209"]

    def test_they_are_kept_and_counted(
        self, store: simstore.Store, taken: Path, on_error: Any
    ) -> None:
        report = import_records(taken, store, on_conflict="skip", on_error=on_error)
        assert (report.stored, report.skipped) == ({"Annotator": 208}, 5)
        assert store.annotators.pks(name="old") == ["p2", "p205"]
        assert store.annotators.count(name="again") == 0
        assert store.annotators.count() == 210
        assert import_records(taken, store, on_conflict="skip", on_error=on_error).skipped == 213

    def test_they_are_faults(self, store: simstore.Store, taken: Path, on_error: Any) -> None:
        expected = [
            (3, "'p2' is taken by a record in the store"),
            (152, "'p1' is taken by an earlier line of the file"),
            (153, "'p150' is taken by an earlier line of the file"),
            (208, "'p205' is taken by a record in the store"),
            (213, "'p209' is taken by an earlier line of the file"),
        ]
        if on_error == "skip":
            report = import_records(taken, store, on_conflict="error", on_error="skip")
            faults = report.faults.first
            assert (report.stored, report.faults.count) == ({"Annotator": 208}, 5)
        elif on_error == "collect":
            with pytest.raises(simstore.ImportFaultsError) as all_faults:
                import_records(taken, store, on_conflict="error", on_error="collect")
            faults = all_faults.value.faults
        else:
            with pytest.raises(ImportFileError) as one:
                import_records(taken, store, on_conflict="error")
            faults = (one.value,)
        shown = [(fault.line, fault.reason) for fault in faults]
        assert shown == (expected[:1] if on_error == "raise" else expected)
        assert {fault.field for fault in faults} == {"pk"}
        assert store.annotators.count() == (210 if on_error == "skip" else 2)


@pytest.mark.usefixtures("_held")
def test_records_without_a_pk_are_given_one(store: simstore.Store, tmp_path: Path) -> None:
    kinds = ("", '"pk":"",', '"pk":null,')
    lines = [f'{{{pk}"name":"n","email":"e"}}' for pk in kinds] * 3
    path = write(tmp_path / "a.jsonl", *lines)
    report = import_records(path, store)
    assert report.stored == {"Annotator": 9}
    assert {len(pk) for pk in store.annotators.pks()} == {26}
    assert store.annotators.count() == 9


GENERAL: list[Any] = list(example_records())


# Archives


def test_a_whole_store_comes_back_from_one_file(store: simstore.Store, tmp_path: Path) -> None:
    for record in GENERAL:
        store.repository(type(record)).save(record)
    path = tmp_path / "all.jsonl.gz"
    models = {type(record) for record in GENERAL}
    assert export_records(store, path, models=models) == len(GENERAL)
    with simstore.connect("memory://") as other:
        report = import_records(path, other, models=models)
        assert report.stored == Counter(type(record).__name__ for record in GENERAL)
        assert other.collections() == store.collections()
        for model in models:
            there: simstore.Repository[Any] = other.repository(model)
            here: simstore.Repository[Any] = store.repository(model)
            assert there.find() == here.find()


# Options and reports


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_error": "skipp"}, "on_error='skipp' is not a choice; did you mean 'skip'?"),
        ({"on_conflict": "x"}, "on_conflict='x' is not a choice; choose replace, skip, error"),
        ({"format": "jsnl"}, "there is no file format 'jsnl'; did you mean 'jsonl'?"),
    ],
)
def test_options_are_checked_before_the_file_is_opened(
    store: simstore.Store, options: Any, message: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        import_records("absent.jsonl", store, **options)
    assert str(caught.value) == message


def test_a_file_that_is_not_there(store: simstore.Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        import_records(tmp_path / "absent.jsonl", store)
    with pytest.raises(IsADirectoryError):
        import_records(tmp_path, store, format="jsonl")


@pytest.mark.usefixtures("_held")
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_progress_counts_every_record_once(
    store: simstore.Store, tmp_path: Path, on_error: Any
) -> None:
    export_records((annotator(f"p{n}") for n in range(350)), tmp_path / "a.csv")
    seen: dict[str, list[int]] = {"check": [], "store": []}

    def progress(far: Progress) -> None:
        assert (far.collection, far.total) == ("Annotator", None)
        seen[far.step].append(far.done)

    import_records(tmp_path / "a.csv", store, on_error=on_error, progress=progress)
    assert seen["check"] == [100, 200, 300, 350]
    assert seen["store"] == sorted(set(seen["store"]))
    assert seen["store"][-1] == 350


def test_one_collection_of_a_batch_that_fails_does_not_count_the_others_twice(
    store: simstore.Store, tmp_path: Path
) -> None:
    tag = '{"__collection__":"%s",%s}'
    good = [tag % ("Annotator", f'"pk":"a{n}","name":"n","email":"e"') for n in range(5)]
    bad = tag % ("AgentProfile", f'"first_name":"a","last_name":"b","age":{2**80}')
    fine = tag % ("AgentProfile", '"first_name":"a","last_name":"b","age":1')
    path = write(tmp_path / "a.jsonl", *good, bad, fine)
    report = import_records(path, store, on_error="skip")
    assert report.stored == {"Annotator": 5, "AgentProfile": 1}
    assert [fault.line for fault in report.faults.first] == [6]


# Round trips


class Counting:
    """A store that counts the calls to its repositories."""

    def __init__(self, store: simstore.Store) -> None:
        self._store = store
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def repository(self, model: type[BaseModel]) -> Any:
        return CountingRepository(self._store.repository(model), self.calls)


class CountingRepository:
    def __init__(self, repository: Any, calls: Counter[str]) -> None:
        self._repository = repository
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._repository, name)
        if callable(value) and name not in {"check", "model"}:
            self._calls[name] += 1
        return value


@pytest.mark.parametrize("held", [True, False])
def test_an_import_makes_few_calls(
    store: simstore.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    monkeypatch.setattr(importer, "BATCH_BYTES", 400 * importer.STORED_BYTES)
    if not held:
        monkeypatch.setattr(importer, "HELD_BYTES", 250 * importer.RECORD_BYTES)
    path = tmp_path / "a.jsonl"
    export_records((annotator(f"p{n}") for n in range(1_000)), path)
    counting: Any = Counting(store)
    import_records(path, counting)
    assert counting.calls == {"save_many": 3 if held else 4}

    counting = Counting(store)
    import_records(path, counting, on_conflict="skip", on_error="skip")
    assert counting.calls == {"pks": 3}

    store.annotators.delete_many(store.annotators.pks())
    counting = Counting(store)
    import_records(path, counting, on_conflict="skip")
    assert counting.calls == {"pks": 3, "save_many": 3 if held else 4}


@pytest.mark.parametrize("held", [True, False])
def test_the_largest_first_call_alone_goes_unchecked(
    store: simstore.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    monkeypatch.setattr(importer, "BATCH_BYTES", 10 * importer.STORED_BYTES)
    if not held:
        monkeypatch.setattr(importer, "HELD_BYTES", 0)
    agents = [AgentProfile(pk=f"g{n}", first_name="a", last_name="b") for n in range(2)]
    annotators = [annotator(f"p{n}") for n in range(20)]
    path = tmp_path / "all.jsonl"
    for record in agents:
        store.agents.save(record)
    store.annotators.save_many(annotators)
    export_records(store, path)
    checked: Counter[str] = Counter()
    with simstore.connect("memory://") as other:
        for repository in (other.agents, other.annotators):
            check = repository.check
            monkeypatch.setattr(
                repository,
                "check",
                lambda item, check=check: (checked.update([type(item).__name__]), check(item)),
            )
        assert import_records(path, other).stored == {"AgentProfile": 2, "Annotator": 20}
        assert other.annotators.find() == store.annotators.find()
    whole = {"AgentProfile": 2, "Annotator": 20}
    assert checked == ({"AgentProfile": 2, "Annotator": 12} if held else whole)


def test_an_export_reads_by_iterating_alone(store: simstore.Store, tmp_path: Path) -> None:
    store.annotators.save_many(annotator(f"p{n}") for n in range(250))
    counting: Any = Counting(store)
    assert export_records(counting, tmp_path / "a.jsonl") == 250
    assert counting.calls == {"iterate": 13}
    counting = Counting(store)
    assert export_records(counting, tmp_path / "a.csv", models=Annotator) == 250
    assert counting.calls == {"iterate": 1}


def test_what_export_writes_of_agents_import_reads_as_agents(
    store: simstore.Store, tmp_path: Path
) -> None:
    ada = store.agents.save(AgentProfile(first_name="Ada", last_name="Lovelace"))
    export_records(store.agents, tmp_path / "a.csv")
    store.agents.delete(ada.pk)
    import_records(tmp_path / "a.csv", store)
    assert store.agents.get(ada.pk) == ada


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("kind", ["small", "texts", "emoji", "wide", "numbers"])
def test_what_is_held_takes_about_what_is_reckoned(tmp_path: Path, kind: str, suffix: str) -> None:
    record: Any = {
        "small": annotator("p"),
        "texts": simstore.EnvironmentProfile(pk="p", scenario="long " * 4_000),
        "emoji": simstore.EnvironmentProfile(pk="p", scenario="é 😀 " * 4_000),
        "wide": simstore.EnvironmentProfile(pk="p", scenario="你好世界" * 1_500),
        "numbers": simstore.AnnotationForEpisode(
            pk="p", episode="e", annotator_id="a", reasoning="", rewards=[0.25] * 3_000
        ),
    }[kind]
    path = tmp_path / f"a.{suffix}"
    count = 100
    export_records([record.model_copy(update={"pk": f"p{n}"}) for n in range(count)], path)
    with path.open("rb") as stream:
        source = Source(stream, path.name, FileFormat(suffix), (type(record),))
        list(source.items())  # what is made once is no matter
        tracemalloc.start()
        held = [item for item in source.items() if isinstance(item, Item)]
        for item in held:
            dump_json(item.record.model_dump())  # as to be stored, when texts keep their UTF-8
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    reckoned = sum(item.size + importer.RECORD_BYTES for item in held)
    assert taken < 1.1 * reckoned
    assert reckoned < 9 * taken
