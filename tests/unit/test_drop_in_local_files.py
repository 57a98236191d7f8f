"""Sotopia's local files: `simstore.sotopia` begins with a copy of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from simstore.domain.errors import ImportFileError
from simstore.sotopia import local_files
from simstore.sotopia.local_files import open_local

AGENT = {"pk": "ada", "first_name": "Ada", "last_name": "Osei", "age": 36}
OLD_EPISODE = {
    "environment": "env",
    "agents": ["ada", "bo"],
    "tag": None,
    "messages": [[["Environment", "Ada", "hello"]]],
    "rewards": [0.0, [1.5, {"goal": 3}]],
}


def write(folder: Path, model: str, pk: str, document: Any) -> None:
    path = folder / model / f"{pk}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=2))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / ".sotopia" / "data"
    write(folder, "AgentProfile", "ada", AGENT)
    write(folder, "EpisodeLog", "e1", OLD_EPISODE)  # without its pk, and of an older version
    write(folder, "Foreign", "x", {"any": "thing"})
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text() for path in folder.rglob("*.json")}


def test_the_records_are_there(folder: Path) -> None:
    before = contents(folder)
    with open_local(folder) as store:
        assert store.agents.get("ada").age == 36
        assert store.episodes.get("e1").rewards == [0.0, (1.5, {"goal": 3.0})]
        assert store.collections() == ["AgentProfile", "EpisodeLog"]
        store.agents.delete("ada")
    assert contents(folder) == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["data", "simstore.db"]


def test_they_are_copied_once(folder: Path) -> None:
    with open_local(folder) as store:
        store.agents.delete("ada")
    write(folder, "AgentProfile", "bo", {**AGENT, "pk": "bo"})
    with open_local(folder) as store:
        assert store.agents.pks() == []


def test_where_there_are_none_the_store_is_empty(tmp_path: Path) -> None:
    with open_local(tmp_path / "a folder #1" / "data") as store:
        assert store.collections() == []
    assert (tmp_path / "a folder #1" / "simstore.db").is_file()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is not a JSON object"),
        ({"pk": "bad", "first_name": "Ada"}, "field 'last_name': Field required"),
        ({**AGENT, "age": "many"}, "field 'age'"),
    ],
)
def test_a_file_that_makes_no_record_is_named_and_nothing_is_copied(
    folder: Path, document: Any, said: str
) -> None:
    write(folder, "AgentProfile", "bad", document)
    with pytest.raises(ImportFileError, match=said) as caught:
        open_local(folder)
    assert caught.value.path == str(folder / "AgentProfile" / "bad.json")
    assert [path.name for path in folder.parent.iterdir()] == ["data"]


def test_another_process_may_be_faster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = local_files._copy

    def slowly(folder: Path, database: Path) -> None:
        monkeypatch.undo()
        with open_local(folder) as store:
            store.agents.delete("ada")
        copy(folder, database)

    monkeypatch.setattr(local_files, "_copy", slowly)
    with open_local(folder) as store:
        assert store.agents.pks() == []
    assert sorted(path.name for path in folder.parent.iterdir()) == ["data", "simstore.db"]
