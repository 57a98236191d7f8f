"""``simstore import`` and ``export``, ``copy``, ``check`` and ``doctor``."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

from pydantic import BaseModel

import simstore
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS
from tests.unit.cli_runs import cli, failure, import_samples, one_agent


@pytest.fixture(autouse=True)
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples in the default store of an empty folder."""
    monkeypatch.delenv("SIMSTORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    import_samples("sqlite:///simstore.db")


GOOD = '{"pk": "ann", "name": "Ann", "email": "a@b.c"}\n'
BAD = '{"pk": "bob", "name": "Bob"}\n'


def annotators(url: str = "sqlite:///simstore.db") -> int:
    count: int = cli("find", "annotators", "--count", "--json", "--store", url).json["count"]
    return count


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
def test_a_whole_store_goes_through_a_file_and_is_found_equal(name: str) -> None:
    assert cli("export", "all", name) == (0, f"27 records in {name}\n", "")
    assert cli("import", name, "--store", "sqlite:///two.db").code == 0
    ran = cli("check", "sqlite:///simstore.db", "sqlite:///two.db")
    assert ran.code == 0
    assert ran.out.endswith("\nequal\n")


def test_what_was_imported_is_told_in_the_order_of_the_models() -> None:
    cli("export", "all", "all.jsonl")
    names = list(cli("import", "all.jsonl", "--json").json[0]["stored"])
    assert names == [name for name in map(collection_of, RECORD_MODELS) if name in names]
    assert len(names) == 5


def collection_of(model: type[BaseModel]) -> str:
    return schema_of(model).collection


def test_an_export_to_standard_output_has_nothing_else_in_it() -> None:
    ran = cli("export", "agents", "-", "age>=50")
    assert [each["first_name"] for each in ran.lines] == ["Ravi", "Gwendolyn"]
    assert cli("export", "agents", "-", "--format", "csv").out.count("\n") == 7
    assert ran.err == ""


def test_an_import_from_standard_input() -> None:
    ran = cli("import", "-", stdin=GOOD)
    assert ran == (0, "-: 1 Annotator\n", "")


@pytest.mark.parametrize("name", ["episodes.csv", "episodes.jsonl"])
def test_files_in_the_layout_of_sotopia(name: str) -> None:
    assert cli("export", "episodes", name, "--layout", "sotopia").code == 0
    text = Path(name).read_text(encoding="utf-8")
    assert "experiment_tag" in text
    cli("import", name, "--store", "sqlite:///two.db")
    with (
        simstore.connect("sqlite:///simstore.db") as one,
        simstore.connect("sqlite:///two.db") as two,
    ):
        assert one.episodes.find() == two.episodes.find()


def test_profiles_that_are_missing_stop_a_sotopia_export_or_are_left_empty() -> None:
    cli("delete", "agents", "age>=0", "--yes")
    line = failure("export", "episodes", "e.jsonl", "--layout", "sotopia", code=1)
    assert line.endswith("; --missing-profiles null leaves empty what needs them\n")
    assert not Path("e.jsonl").exists()
    options = ["--layout", "sotopia", "--missing-profiles", "null"]
    assert cli("export", "episodes", "e.jsonl", *options).code == 0


def test_formulas_are_guarded_on_demand() -> None:
    with simstore.connect("sqlite:///simstore.db") as store:
        store.agents.save(one_agent(first_name="=1+1", age=99))
    cli("export", "agents", "a.csv", "age=99", "--guard-formulas")
    assert ",'=1+1," in Path("a.csv").read_text(encoding="utf-8")
    cli("export", "agents", "b.csv", "age=99", "--guard-formulas", "--layout", "sotopia")
    assert ",'=1+1," in Path("b.csv").read_text(encoding="utf-8")


def test_a_line_that_makes_no_record_stops_its_file_and_is_listed() -> None:
    Path("mixed.jsonl").write_text(GOOD + BAD + BAD)
    ran = cli("import", "mixed.jsonl")
    assert ran.code == 1
    assert ran.err.splitlines() == [
        "simstore: mixed.jsonl: 2 lines cannot be imported; nothing was stored",
        "  mixed.jsonl, line 2, field 'email': is missing",
        "  mixed.jsonl, line 3, field 'email': is missing",
    ]
    assert annotators() == 0
    assert "line 2" in failure("import", "mixed.jsonl", "--on-error", "raise", code=1)
    assert annotators() == 0


def test_bad_lines_that_are_skipped_are_problems_found() -> None:
    Path("mixed.jsonl").write_text(GOOD + BAD)
    ran = cli("import", "mixed.jsonl", "--on-error", "skip")
    assert ran.code == 1
    assert ran.out == "mixed.jsonl: 1 Annotator\n"
    assert ran.err == "skipped mixed.jsonl, line 2, field 'email': is missing\n"
    assert annotators() == 1
    (told,) = cli("import", "mixed.jsonl", "--on-error", "skip", "--json").json
    assert told["stored"] == {"Annotator": 1}
    fault = {"line": 2, "field": "email", "reason": "is missing"}
    assert told["faults"] == {"count": 1, "first": [fault]}


def test_what_was_stored_before_a_file_failed_is_told() -> None:
    Path("good.jsonl").write_text(GOOD)
    Path("bad.jsonl").write_text(BAD)
    ran = cli("import", "good.jsonl", "bad.jsonl", "--collection", "annotators", "--json")
    assert ran.code == 1
    assert [each["file"] for each in ran.json] == ["good.jsonl"]
    assert ran.err.startswith("simstore: bad.jsonl: 1 line cannot be imported")


def test_keys_that_are_taken() -> None:
    Path("good.jsonl").write_text(GOOD)
    assert cli("import", "good.jsonl").code == 0
    Path("good.jsonl").write_text(GOOD.replace("Ann", "Eve"))
    ran = cli("import", "good.jsonl", "--on-conflict", "skip")
    assert ran.out == "good.jsonl: no records; 1 left out, their keys being taken\n"
    (told,) = cli("import", "good.jsonl", "--on-conflict", "skip", "--json").json
    assert (told["stored"], told["skipped"]) == ({}, 1)
    assert cli("import", "good.jsonl", "--on-conflict", "error").code == 1
    assert cli("show", "annotators", "ann", "--json").json["name"] == "Ann"


@pytest.mark.parametrize("file", ["no.jsonl", "folder", "simstore.db", "x.xls", "sub/no.csv"])
def test_files_that_cannot_be_read_are_named_before_anything_is_made(file: str) -> None:
    Path("folder").mkdir()
    Path("good.jsonl").write_text(GOOD)
    line = failure("import", "good.jsonl", file, "--store", "sqlite:///new.db")
    assert file in line
    assert not Path("new.db").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["agents", "x.xls"], "the suffix names no format"),
        (["agents", "no/x.csv"], "there is no such folder"),
        (["nope", "x.csv"], "there is no collection 'nope'"),
        (["all", "x.csv"], "records of one model"),
        (["all", "x.jsonl", "age>=1"], "conditions are on one collection"),
        (["all", "x.jsonl", "--layout", "sotopia"], "holds one collection"),
        (["agents", "x.parquet", "--layout", "sotopia"], "JSON lines or CSV"),
        (["annotators", "x.csv", "--layout", "sotopia"], "has no files of Annotator"),
        (["agents", "x.csv", "--format", "xls"], "'xls' is not one of"),
        (["agents", "x.csv", "age"], "is not a condition"),
        (["agents"], "Missing argument"),
    ],
    ids=lambda value: None if isinstance(value, str) else " ".join(value),
)
def test_wrong_exports_write_nothing(arguments: list[str], part: str) -> None:
    before = sorted(Path().iterdir())
    assert part in failure("export", *arguments)
    assert sorted(Path().iterdir()) == before


def spoil(path: Path, how: str) -> None:
    if how == "folder":
        path.mkdir()
    elif how == "no database":
        path.write_text("this is a file of something else altogether")
    else:
        path.write_bytes(Path("simstore.db").read_bytes()[:5000])


@pytest.mark.parametrize("how", ["folder", "no database", "cut short"])
def test_files_that_are_no_stores(how: str) -> None:
    spoil(Path("x.db"), how)
    url = "sqlite:///x.db"
    for arguments in (
        ["list", "--store", url],
        ["doctor", "--store", url],
        ["copy", "sqlite:///simstore.db", url],
        ["copy", url, "sqlite:///never.db"],
        ["check", url, "sqlite:///simstore.db"],
    ):
        assert "x.db cannot be used as a database" in failure(*arguments)
    assert not Path("never.db").exists()


def test_the_environment_names_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMSTORE_URL", "sqlite:///elsewhere.db")
    assert failure("list") == (
        "simstore: sqlite:///elsewhere.db: there is no such file. Import something first, or name "
        "another store with --store or SIMSTORE_URL\n"
    )
    assert cli("list", "--store", "sqlite:///simstore.db").code == 0


@pytest.mark.parametrize("command", ["copy", "check"])
def test_a_store_that_is_not_there_is_named_with_no_option_that_is_not_there(command: str) -> None:
    missing, there = "sqlite:///elsewhere.db", "sqlite:///simstore.db"
    for urls in [(missing, there), (there, missing)][: 2 if command == "check" else 1]:
        assert failure(command, *urls) == f"simstore: {missing}: there is no such file\n"
    assert not Path("elsewhere.db").exists()


def test_a_copy_is_told_verified_and_goes_on() -> None:
    url = "sqlite:///two.db"
    ran = cli("copy", "sqlite:///simstore.db", url)
    assert ran.out.endswith(f"27 records written to {url}; 27 verified\n")
    assert cli("copy", "sqlite:///simstore.db", url).out.endswith(
        f"0 records written to {url}; 27 verified\n"
    )
    report = cli("copy", "sqlite:///simstore.db", url, "--json").json
    assert report["collections"][0]["unchanged"] == 6


def test_records_in_conflict_stop_a_copy() -> None:
    cli("copy", "sqlite:///simstore.db", "sqlite:///two.db")
    with simstore.connect("sqlite:///two.db") as two:
        first = two.agents.first()
        assert first is not None
        two.agents.save(first.model_copy(update={"age": 99}))
    urls = ["sqlite:///simstore.db", "sqlite:///two.db"]
    line = failure("copy", *urls, code=1)
    assert first.pk in line
    assert line.endswith("; say --on-conflict replace or skip\n")
    ran = cli("check", *urls)
    assert (ran.code, f"different: {first.pk}, field age" in ran.out) == (1, True)
    assert ran.out.endswith("\nnot equal\n")
    assert cli("check", *urls, "--json").json["equal"] is False
    assert cli("copy", *urls, "--on-conflict", "replace").code == 0
    assert cli("check", *urls, "--json").json["equal"] is True


def test_a_store_is_not_copied_onto_itself() -> None:
    line = failure("copy", "sqlite:///simstore.db", "sqlite:///simstore.db")
    assert "the same store" in line


def add_reviews(*stores: str) -> None:
    """Records of a model that the command line does not know."""
    for url in stores:
        with simstore.connect(url) as store:
            store.repository(FilesReview).save(FilesReview(pk="r"))


class FilesReview(simstore.Record):
    stars: int = 0


def test_collections_of_unknown_models_stop_a_copy_unless_they_are_ignored() -> None:
    add_reviews("sqlite:///simstore.db")
    urls = ["sqlite:///simstore.db", "sqlite:///two.db"]
    line = failure("copy", *urls)
    assert "say --type MODULE:FilesReview, or --ignore-unknown to leave them out" in line
    assert not Path("two.db").exists()
    assert cli("copy", *urls, "--ignore-unknown").code == 0
    assert "say --type MODULE:FilesReview" in failure("export", "all", "all.jsonl")


def spoil_ines(path: str = "simstore.db") -> None:
    with closing(sqlite3.connect(path)) as file, file:
        spoilt = file.execute(
            """UPDATE simstore_records SET document = '{"pk": "01HZS4HB00HKGPXQ9T4J81GXTT"}'
            WHERE pk = '01HZS4HB00HKGPXQ9T4J81GXTT'"""
        )
        assert spoilt.rowcount == 1


def test_records_that_cannot_be_read_stop_a_copy_unless_they_are_skipped() -> None:
    spoil_ines()
    urls = ["sqlite:///simstore.db", "sqlite:///two.db"]
    line = failure("copy", *urls, code=1)
    assert line.endswith("; --on-unreadable skip leaves out what cannot be read\n")
    assert cli("copy", *urls, "--on-unreadable", "skip").code == 0
    assert cli("find", "agents", "--count", "--store", urls[1]).out == "5\n"


def test_a_file_of_no_known_model_says_how_to_name_it() -> None:
    Path("x.jsonl").write_text('{"pk": "r", "stars": 5}\n')
    line = failure("import", "x.jsonl", code=1)
    assert line.endswith("; say --collection NAME or --type MODULE:CLASS\n")
    Path("bad.jsonl").write_text(GOOD + BAD)
    assert "--collection NAME" not in failure("import", "bad.jsonl", "--on-error", "raise", code=1)


def test_what_is_not_listed_is_counted() -> None:
    agents = [one_agent(pk=f"a{number:03}") for number in range(450)]
    with simstore.connect("sqlite:///two.db") as two:
        two.agents.save_many(agents)
    out = cli("check", "sqlite:///simstore.db", "sqlite:///two.db").out
    assert out.count("AgentProfile, only right: a") == 20 + 1
    assert "AgentProfile, only right: and 430 more\n" in out
    assert "EnvironmentProfile, only left: and" not in out


def test_doctor_of_a_store_with_unknown_models_alone() -> None:
    add_reviews("sqlite:///two.db")
    ran = cli("doctor", "--store", "sqlite:///two.db")
    assert ran.code == 1
    assert "it holds no records" not in ran.out
    assert "of unknown models, not read: FilesReview; say --type MODULE:FilesReview" in ran.out
    assert ran.out.endswith("\nproblems were found\n")
    empty = cli("doctor", "--store", "memory://").out
    assert "\nit holds no records\n" in empty
    assert empty.endswith("\nhealthy\n")


def test_doctor_says_what_it_runs_on() -> None:
    assert "extras installed: " in cli("doctor").out
    report = cli("doctor", "--json").json
    assert "cli" in report["extras"]
    assert report["python"].startswith("3.")


def test_doctor_counts_what_is_there_and_what_is_not() -> None:
    ran = cli("doctor")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "healthy")
    cli("delete", "environments", "codename!=", "--yes")
    report = cli("doctor", "--json").json
    assert report["healthy"] is True
    dangling = {each["collection"]: each["dangling"]["count"] for each in report["collections"]}
    assert dangling["EpisodeLog"] == 4
    assert "which is not in EnvironmentProfile" in cli("doctor").out
    total = sum(dangling.values())
    assert cli("doctor").out.endswith(f"\nhealthy; {total} dangling references\n")


def test_doctor_finds_records_that_cannot_be_read() -> None:
    spoil_ines()
    ran = cli("doctor")
    assert ran.code == 1
    assert ran.out.endswith("\nproblems were found\n")
    assert "AgentProfile 01HZS4HB00HKGPXQ9T4J81GXTT: field first_name: " in ran.out
    assert cli("doctor", "--json").code == 1


def test_gzip_that_is_none_is_named() -> None:
    Path("x.jsonl.gz").write_text(GOOD)
    assert "is not gzip data" in failure("import", "x.jsonl.gz", code=1)
    Path("y.jsonl.gz").write_bytes(gzip.compress(GOOD.encode()))
    assert json.loads(cli("import", "y.jsonl.gz", "--json").out)[0]["stored"] == {"Annotator": 1}
