"""Sotopia's files are written whole or not at all, with Sotopia's names, keys and defaults."""

import inspect
import io
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from simstore import Annotator, connect, services
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import InvalidArgumentError, InvalidRecordError, WrongModelError
from simstore.domain.profiles import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    RelationshipProfile,
    RelationshipType,
)
from simstore.services import (
    agentprofiles_to_csv,
    agentprofiles_to_jsonl,
    csv_to_episodes,
    environmentprofiles_to_jsonl,
    episodes_to_csv,
    episodes_to_jsonl,
    jsonl_to_episodes,
    relationshipprofiles_to_jsonl,
)
from simstore.services.progress import Progress
from simstore.services.sotopia_files import export_sotopia
from simstore.services.sotopia_files.layouts import (
    AGENTS,
    COMBOS,
    ENVIRONMENTS,
    EPISODES,
    RELATIONSHIPS,
    SOTOPIA_LAYOUTS,
)
from simstore.services.sotopia_files.lines import episode_lines, record_lines
from tests.unit import sotopia_examples

AGENT = AgentProfile(pk="a", first_name="A", last_name="B")
ENVIRONMENT = EnvironmentProfile(pk="e", scenario="s", relationship=RelationshipType.friend)
RELATIONSHIP = RelationshipProfile(
    pk="r", agent_1_id="a", agent_2_id="b", relationship=RelationshipType.family_member
)
COMBO = EnvAgentComboStorage(pk="c", env_id="e", agent_ids=["a", "b"])
EPISODE = EpisodeLog(pk="p", environment="e", agents=["a"], messages=[], rewards=[0.5])

KINDS = {
    "agentprofiles": "agent_profiles",
    "environmentprofiles": "environment_profiles",
    "relationshipprofiles": "relationship_profiles",
    "envagnetcombostorage": "env_agent_combo_storages",
    "episodes": "episodes",
}


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("kind", KINDS)
def test_names_arguments_and_defaults_are_sotopias(kind: str, form: str) -> None:
    write = inspect.signature(getattr(services, f"{kind}_to_{form}"))
    records, path, *more = write.parameters.values()
    assert (records.name, records.default) == (KINDS[kind], inspect.Parameter.empty)
    assert (path.name, path.default) == (f"{form}_file_path", f"{KINDS[kind]}.{form}")
    assert {each.kind for each in more} <= {inspect.Parameter.KEYWORD_ONLY}
    read = inspect.signature(getattr(services, f"{form}_to_{kind}"))
    assert list(read.parameters) == [f"{form}_file_path"]


@pytest.mark.parametrize(
    ("line", "theirs", "more"),
    [
        (next(record_lines(AGENTS, [AGENT])), sotopia_examples.AGENT, ["tag"]),
        (
            next(record_lines(ENVIRONMENTS, [ENVIRONMENT])),
            sotopia_examples.ENVIRONMENT,
            ["game_metadata", "tag"],
        ),
        (next(record_lines(RELATIONSHIPS, [RELATIONSHIP])), sotopia_examples.RELATIONSHIP, ["tag"]),
        (next(record_lines(COMBOS, [COMBO])), sotopia_examples.COMBO, []),
        (next(episode_lines([EPISODE])), sotopia_examples.EPISODE, ["agent_classes"]),
    ],
    ids=KINDS,
)
def test_keys_are_sotopias_then_ours(
    line: dict[str, Any], theirs: dict[str, Any], more: list[str]
) -> None:
    assert list(line) == [*theirs, *more]


@pytest.mark.parametrize("layout", SOTOPIA_LAYOUTS, ids=lambda layout: layout.model.__name__)
def test_layouts_cover_their_models(layout: Any) -> None:
    assert sorted(layout.fields.values()) == sorted(layout.model.model_fields)
    key, *_ = layout.fields
    assert layout.required == (key,)
    assert layout.fields[key] == "pk"
    assert set(layout.columns) == layout.fields.keys() | layout.derived


def test_layouts_are_in_the_order_of_the_lines() -> None:
    for layout, line in (
        (AGENTS, next(record_lines(AGENTS, [AGENT]))),
        (ENVIRONMENTS, next(record_lines(ENVIRONMENTS, [ENVIRONMENT]))),
        (RELATIONSHIPS, next(record_lines(RELATIONSHIPS, [RELATIONSHIP]))),
        (COMBOS, next(record_lines(COMBOS, [COMBO]))),
        (EPISODES, next(episode_lines([EPISODE]))),
    ):
        assert list(layout.fields) == [key for key in line if key not in layout.derived]


def test_values_that_sotopia_writes_in_its_own_way() -> None:
    (environment,) = record_lines(ENVIRONMENTS, [ENVIRONMENT])
    assert (environment["relationship"], environment["agent_constraint"]) == ("3", "none")
    assert (environment["age_constraint"], environment["game_metadata"]) == (None, None)
    assert next(record_lines(RELATIONSHIPS, [RELATIONSHIP]))["relationship"] == "5"


@pytest.mark.parametrize("rewards", [[math.inf], [-math.inf], [(1.0, {"a": math.inf})]])
def test_infinities_are_written_as_such(tmp_path: Path, rewards: list[Any]) -> None:
    path = tmp_path / "episodes.jsonl"
    record = EpisodeLog(environment="e", agents=["a"], messages=[], rewards=rewards)
    episodes_to_jsonl([record], path)
    assert b"Infinity" in path.read_bytes()
    assert jsonl_to_episodes(path) == [record]


def test_floats_whose_sum_is_too_large_are_written_as_they_are(tmp_path: Path) -> None:
    record = EpisodeLog(environment="e", agents=["a"] * 2, messages=[], rewards=[1.7e308] * 2)
    episodes_to_jsonl([record], tmp_path / "e.jsonl")
    assert jsonl_to_episodes(tmp_path / "e.jsonl") == [record]


def changed(record: BaseModel, **changes: object) -> Any:
    """`record` after somebody assigned to its fields, which pydantic does not check."""
    copy = record.model_copy(deep=True)
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


class Moody(AgentProfile):
    mood: str = "good"


Write = Callable[[Any, Path], None]


@pytest.mark.parametrize(
    ("write", "bad", "reason"),
    [
        (agentprofiles_to_jsonl, changed(AGENT, first_name="\ud800"), "AgentProfile 'a'"),
        (agentprofiles_to_csv, changed(AGENT, first_name="\ud800"), "AgentProfile 'a'"),
        (agentprofiles_to_csv, changed(AGENT, age="old"), "'a' cannot be written: age: Input"),
        (agentprofiles_to_jsonl, Moody(first_name="A", last_name="B"), "mood: Extra inputs"),
        (
            environmentprofiles_to_jsonl,
            changed(ENVIRONMENT, game_metadata={"x": math.nan}),
            "game_metadata: ",
        ),
        (relationshipprofiles_to_jsonl, changed(RELATIONSHIP, relationship=6), "relationship: "),
        (episodes_to_jsonl, changed(EPISODE, rewards=[math.nan]), "rewards: "),
        (episodes_to_csv, changed(EPISODE, rewards=[math.nan]), "rewards: "),
        (episodes_to_jsonl, changed(EPISODE, rewards=[]), "written: 0 rewards for 1 agents"),
        (episodes_to_jsonl, changed(EPISODE, reasoning="\udfff"), "EpisodeLog 'p'"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(
    tmp_path: Path, write: Write, bad: Any, reason: str
) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    good = {"AgentProfile": AGENT, "Moody": AGENT}.get(type(bad).__name__, bad)
    with pytest.raises(InvalidRecordError, match="cannot be written") as raised:
        write([good, bad], path)
    assert reason in str(raised.value)
    assert raised.value.__cause__ is not None
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


class Loud(float):
    """As other packages' numbers: a float that prints as their own."""

    def __repr__(self) -> str:
        return f"Loud({float(self)})"


def test_numbers_of_other_packages_are_written_as_pythons(tmp_path: Path) -> None:
    record = changed(EPISODE, agents=["a", "b"], rewards=[Loud(1.5), (Loud(2), {"g": Loud(3)})])
    episodes_to_csv([record], tmp_path / "file")
    (read,) = csv_to_episodes(tmp_path / "file")
    assert repr(read.rewards) == "[1.5, (2.0, {'g': 3.0})]"


def test_a_failing_source_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    def failing() -> Iterator[EpisodeLog]:
        yield EPISODE
        raise RuntimeError("the source broke")

    for write in (episodes_to_jsonl, episodes_to_csv):
        with pytest.raises(RuntimeError, match="the source broke"):
            write(failing(), tmp_path / "file")
        assert list(tmp_path.iterdir()) == []


def test_records_of_another_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongModelError, match="of EpisodeLog, not of AgentProfile"):
        episodes_to_jsonl([AGENT], tmp_path / "file")  # type: ignore[list-item]  # that is the point


def test_one_record_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"give \[record\]"):
        episodes_to_jsonl(EPISODE, tmp_path / "file")  # type: ignore[arg-type]  # that is the point


def test_standard_output_is_a_path_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdout", out)
    episodes_to_jsonl([EPISODE], "-")
    out.seek(0)
    assert json.loads(out.read())["episode_id"] == "p"


# In one call


RECORDS: list[Any] = [AGENT, ENVIRONMENT, RELATIONSHIP, COMBO, EPISODE]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize(("kind", "record"), list(zip(KINDS, RECORDS, strict=True)), ids=KINDS)
def test_one_call_writes_what_the_named_exporter_does(
    tmp_path: Path, kind: str, record: Any, form: str
) -> None:
    ours, theirs = tmp_path / f"ours.{form}", tmp_path / "theirs"
    getattr(services, f"{kind}_to_{form}")([record], theirs)
    assert export_sotopia([record], ours, model=type(record)) == 1
    assert ours.read_bytes() == theirs.read_bytes()


def test_its_progress_knows_how_many_a_repository_has(tmp_path: Path) -> None:
    reported: list[Progress] = []
    with connect("memory://") as store:
        store.agents.save(AGENT)
        export_sotopia(
            store.agents, tmp_path / "a.csv", model=AgentProfile, progress=reported.append
        )
    assert reported == [Progress("export", "AgentProfile", 1, 1)]


def test_its_texts_are_guarded_if_that_is_asked_for(tmp_path: Path) -> None:
    agent = AgentProfile(pk="a", first_name="=1", last_name="B", age=-1)
    for guard, name in ((False, "=1"), (True, "'=1")):
        path = tmp_path / "a.csv"
        export_sotopia([agent], path, model=AgentProfile, guard_formulas=guard)
        assert path.read_text().splitlines()[1].startswith(f"a,{name},B,-1,")


@pytest.mark.parametrize(
    ("model", "name", "message"),
    [
        (Annotator, "a.csv", "Sotopia has no files of Annotator; it has those of AgentProfile, "),
        (AgentProfile, "a.parquet", "JSON lines or CSV, not Parquet"),
        (AgentProfile, "a.txt", "the suffix names no format"),
    ],
)
def test_what_sotopia_does_not_write(
    tmp_path: Path, model: type[BaseModel], name: str, message: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        export_sotopia([], tmp_path / name, model=model)
    assert not list(tmp_path.iterdir())
