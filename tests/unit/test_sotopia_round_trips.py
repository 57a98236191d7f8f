"""Sotopia's files lose nothing: what is written comes back equal, whatever the models allow."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from pydantic import BaseModel

from simstore.domain.episodes import EpisodeLog
from simstore.domain.profiles import (
    AgentProfile,
    EnvironmentProfile,
    RelationshipProfile,
    RelationshipType,
)
from simstore.services.sotopia_files import csv_tables, jsonl
from simstore.testing import records
from simstore.testing.texts import HOSTILE_TEXTS


class Files(NamedTuple):
    """The functions of one kind of record and one format."""

    strategy: SearchStrategy[Any]
    write: Callable[[Sequence[Any], Path], None]
    read: Callable[[Path], Sequence[BaseModel]]


FILES = {
    "agents jsonl": Files(
        records.agent_profiles(), jsonl.agentprofiles_to_jsonl, jsonl.jsonl_to_agentprofiles
    ),
    "agents csv": Files(
        records.agent_profiles(), csv_tables.agentprofiles_to_csv, csv_tables.csv_to_agentprofiles
    ),
    "environments jsonl": Files(
        records.environment_profiles(),
        jsonl.environmentprofiles_to_jsonl,
        jsonl.jsonl_to_environmentprofiles,
    ),
    "environments csv": Files(
        records.environment_profiles(),
        csv_tables.environmentprofiles_to_csv,
        csv_tables.csv_to_environmentprofiles,
    ),
    "relationships jsonl": Files(
        records.relationship_profiles(),
        jsonl.relationshipprofiles_to_jsonl,
        jsonl.jsonl_to_relationshipprofiles,
    ),
    "relationships csv": Files(
        records.relationship_profiles(),
        csv_tables.relationshipprofiles_to_csv,
        csv_tables.csv_to_relationshipprofiles,
    ),
    "combos jsonl": Files(
        records.env_agent_combos(),
        jsonl.envagnetcombostorage_to_jsonl,
        jsonl.jsonl_to_envagnetcombostorage,
    ),
    "combos csv": Files(
        records.env_agent_combos(),
        csv_tables.envagnetcombostorage_to_csv,
        csv_tables.csv_to_envagnetcombostorage,
    ),
    "episodes jsonl": Files(
        records.episode_logs(), jsonl.episodes_to_jsonl, jsonl.jsonl_to_episodes
    ),
    "episodes csv": Files(
        records.episode_logs(), csv_tables.episodes_to_csv, csv_tables.csv_to_episodes
    ),
}

each_kind = pytest.mark.parametrize("name", FILES)


@each_kind
@given(data=st.data())
def test_what_is_written_comes_back_equal(name: str, data: st.DataObject) -> None:
    files = FILES[name]
    written = data.draw(st.lists(files.strategy, max_size=3))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "records"
        files.write(written, path)
        read = files.read(path)
    assert read == written
    # Equality does not tell 0.0 from -0.0, nor a list from what prints otherwise.
    assert repr(read) == repr(written)


@each_kind
def test_no_records_are_a_file_too(name: str, tmp_path: Path) -> None:
    files = FILES[name]
    files.write([], tmp_path / "none")
    assert files.read(tmp_path / "none") == []
    lines = (tmp_path / "none").read_bytes().count(b"\n")
    assert lines == (1 if name.endswith("csv") else 0)


HOSTILE = [
    AgentProfile(pk="a", first_name=text, last_name=text, moral_values=[text, text], tag=text)
    for text in HOSTILE_TEXTS
]


@pytest.mark.parametrize("name", ["agents jsonl", "agents csv"])
def test_hostile_texts(name: str, tmp_path: Path) -> None:
    files = FILES[name]
    files.write(HOSTILE, tmp_path / "hostile")
    assert files.read(tmp_path / "hostile") == HOSTILE


@pytest.mark.parametrize("name", ["environments jsonl", "environments csv"])
@pytest.mark.parametrize("constraint", [None, [], [[]], [["a", "b"], ["c"]], [["none"]]], ids=repr)
def test_constraints_of_agents(
    name: str, constraint: list[list[str]] | None, tmp_path: Path
) -> None:
    environment = EnvironmentProfile(scenario="s", agent_constraint=constraint)
    FILES[name].write([environment], tmp_path / "one")
    assert FILES[name].read(tmp_path / "one") == [environment]


NULLABLE = [None, "", "null", '"', '""', '"null"', "none", "None", " ", "nan", "\r", "\x00"]


@pytest.mark.parametrize("text", NULLABLE, ids=repr)
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_texts_that_may_be_none(form: str, text: str | None, tmp_path: Path) -> None:
    environment = EnvironmentProfile(
        scenario="none", codename="null", age_constraint=text, occupation_constraint=text
    )
    relationship = RelationshipProfile(
        agent_1_id="a", agent_2_id="b", relationship=RelationshipType.friend, background_story=text
    )
    episode = EpisodeLog(environment="e", agents=["a"], tag=text, messages=[], rewards=[0.0])
    cases: list[tuple[str, BaseModel]] = [
        ("environments", environment),
        ("relationships", relationship),
        ("episodes", episode),
    ]
    for kind, record in cases:
        files = FILES[f"{kind} {form}"]
        files.write([record], tmp_path / kind)
        assert files.read(tmp_path / kind) == [record]


@pytest.mark.parametrize("name", ["environments jsonl", "environments csv"])
def test_metadata_may_be_deep(name: str, tmp_path: Path) -> None:
    deep: Any = float("inf")
    for _ in range(100):
        deep = {"deeper": [deep]}
    environment = EnvironmentProfile(scenario="s", game_metadata=deep)
    FILES[name].write([environment], tmp_path / "deep")
    assert FILES[name].read(tmp_path / "deep") == [environment]


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("name", ["episodes jsonl", "episodes csv"])
def test_any_iterable_into_compressed_files_too(name: str, suffix: str, tmp_path: Path) -> None:
    episodes = [
        EpisodeLog(environment="e", agents=["a"], tag=str(n), messages=[], rewards=[n])
        for n in range(250)
    ]
    path = tmp_path / f"episodes{suffix}"
    FILES[name].write(iter(episodes), path)  # type: ignore[arg-type]  # an iterator will do
    assert FILES[name].read(path) == episodes
    assert path.read_bytes().startswith(b"\x1f\x8b") == bool(suffix)
