"""``simstore doctor``: what it tells of a backend and of indexes, and what it mends."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

import simstore
from simstore.cli.console import say
from tests.unit.cli_runs import cli, failure, import_samples, one_agent

INES = "01HZS4HB00HKGPXQ9T4J81GXTT"


@pytest.fixture(autouse=True)
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples in the default store of an empty folder."""
    monkeypatch.delenv("SIMSTORE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    import_samples("sqlite:///simstore.db")


def spoil(statement: str) -> None:
    with closing(sqlite3.connect("simstore.db")) as file, file:
        assert file.execute(statement).rowcount == 1


def spoil_each_way() -> None:
    (tag,) = _tag_index()
    spoil(f"DELETE FROM simstore_entries WHERE pk = '{INES}' AND index_id = {tag}")
    spoil(f"INSERT INTO simstore_entries VALUES ({tag}, 'old', '{INES}')")
    spoil(f"INSERT INTO simstore_entries VALUES ({tag}, 'old', 'nobody')")


def _tag_index() -> tuple[int]:
    with closing(sqlite3.connect("simstore.db")) as file:
        (row,) = file.execute(
            "SELECT i.id FROM simstore_indexes AS i JOIN simstore_collections AS c "
            "ON c.id = i.collection WHERE i.name = 'tag' AND c.name = ':AgentProfile'"
        )
    return (int(row[0]),)


def test_it_names_each_fault_of_an_index_and_how_to_mend_it() -> None:
    spoil_each_way()
    ran = cli("doctor")
    assert ran.code == 1
    assert ran.out.endswith(
        f"AgentProfile {INES}: missing from the index tag\n"
        f"AgentProfile {INES}: in the index tag under a value that it does not have\n"
        "AgentProfile nobody: in the index tag, but there is no such record\n"
        "problems were found; 3 index faults, which --repair mends\n"
    )
    assert "mended" not in ran.out
    assert cli("doctor").out == ran.out, "to ask mends nothing"


def test_it_mends_them_when_it_is_told_to() -> None:
    spoil_each_way()
    ran = cli("doctor", "--repair")
    assert ran.code == 0
    assert f"mended: AgentProfile {INES}: missing from the index tag\n" in ran.out
    assert ran.out.endswith("\nhealthy; 3 index faults mended\n")
    heading = next(line for line in ran.out.splitlines() if line.startswith("collection"))
    assert heading.split("  ")[-1] == "mended"
    again = cli("doctor", "--repair")
    assert (again.code, again.out.splitlines()[-1]) == (0, "healthy")
    assert cli("find", "agents", "tag=old", "--count", "--json").json == {"count": 0}


def test_its_json_has_the_faults_and_what_was_mended() -> None:
    spoil_each_way()
    sick, mended = cli("doctor", "--json"), cli("doctor", "--repair", "--json")
    assert (sick.code, mended.code) == (1, 0)
    assert (sick.json["healthy"], mended.json["healthy"]) == (False, True)
    agents, healed = sick.json["collections"][0], mended.json["collections"][0]
    assert agents["index_faults"] == healed["mended"]
    assert agents["index_faults"]["count"] == 3
    assert agents["index_faults"]["first"][0] == {
        "kind": "missing", "collection": "AgentProfile", "pk": INES, "index": "tag",
    }  # fmt: skip
    assert healed["index_faults"] == agents["mended"] == {"count": 0, "first": []}


def test_it_says_what_the_backend_is_and_what_could_be_lost() -> None:
    ran = cli("doctor", "--store", "sqlite:///simstore.db?synchronous=normal")
    assert ran.code == 0
    assert f"\ndatabase     SQLite {sqlite3.sqlite_version}\n" in ran.out
    assert "\nsynchronous  normal\n" in ran.out
    *_, warning, outcome = ran.out.splitlines()  # below the tables, since it is long
    assert warning.startswith("warning: synchronous is normal: a power cut may lose")
    assert outcome == "healthy"
    report = cli("doctor", "--json").json
    assert report["inspection"]["facts"]["journal"] == "wal"
    assert report["inspection"]["warnings"] == []


def test_what_the_backend_lacks_is_said_below_the_tables() -> None:
    with simstore.connect("memory://doctored") as store:
        store.agents.save(one_agent())
        lines = cli("doctor", "--store", "memory://doctored").out.splitlines()
        reasons = list(store.lacks.values())
    *_, record, persistence, processes, outcome = lines
    assert record.startswith("AgentProfile ")
    assert persistence == f"lacks: persistence, because {reasons[0]}"
    assert processes == f"lacks: multi_process, because {reasons[1]}"
    assert outcome == "healthy"


def test_on_a_terminal_long_lines_are_broken_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "warning: " + " ".join(["some words"] * 20)
    say(text, wrapped=True)
    assert capsys.readouterr().out == f"{text}\n", "in a pipe it is one line"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    say(text, wrapped=True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 4
    assert max(map(len, lines)) <= 40
    assert " ".join(map(str.rstrip, lines)) == text


def test_a_backend_that_has_nothing_to_say_has_no_table() -> None:
    assert "backend" not in cli("doctor", "--store", "memory://").out


def test_a_store_that_cannot_be_opened_is_one_line() -> None:
    Path("notes.db").write_text("no database at all, but a text that is long enough for one")
    assert "cannot be used as a database" in failure(
        "doctor", "--repair", "--store", "sqlite:///notes.db"
    )
