"""Whose records a file holds, its keys tell; or what they do not tell is said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore import ImportFileError, Record
from simstore.domain.store import RECORD_MODELS
from simstore.samples import sample_path
from simstore.services.exporting import export_records
from simstore.services.importing import import_records
from simstore.testing.examples import example_records


@pytest.fixture
def store() -> Iterator[simstore.Store]:
    with simstore.connect("memory://") as opened:
        yield opened


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


GENERAL: list[Any] = list(example_records())


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("record", GENERAL, ids=lambda record: type(record).__name__)
def test_the_keys_tell_the_model(tmp_path: Path, record: Any, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    export_records([record], path)
    with simstore.connect("memory://") as store:
        assert import_records(path, store).stored == {type(record).__name__: 1}
        assert store.repository(type(record)).find() == [record]


def test_the_thirteen_models_are_among_the_examples() -> None:
    assert {type(record).__name__ for record in GENERAL} >= {
        model.__name__ for model in RECORD_MODELS
    }


@pytest.mark.parametrize(
    ("name", "collection"),
    [
        ("agent_profiles", "AgentProfile"),
        ("environment_profiles", "EnvironmentProfile"),
        ("relationship_profiles", "RelationshipProfile"),
        ("env_agent_combo_storages", "EnvAgentComboStorage"),
        ("episodes", "EpisodeLog"),
    ],
)
def test_sotopias_keys_tell_the_model(store: simstore.Store, name: str, collection: str) -> None:
    report = import_records(sample_path() / f"{name}.jsonl", store)
    assert list(report.stored) == [collection]
    assert report.ignored_keys == ()


OLDEST = (
    '{"episode_id":"e","environment_id":"v","agent_ids":["a"],"experiment_tag":"t",'
    '"experiment_model_name_pairs":["m"],"raw_messages":[],"reasoning":"",'
    '"rewards":[{"goal":1.0,"overall_score":1.0}]}'
)


def test_sotopias_oldest_episodes_are_recognized(store: simstore.Store, tmp_path: Path) -> None:
    import_records(write(tmp_path / "a.jsonl", OLDEST), store)
    assert store.episodes.get("e").rewards == [(1.0, {"goal": 1.0, "overall_score": 1.0})]


class Review(Record):
    stars: int
    text: str = ""


class Remark(Record):
    stars: int
    text: str = ""


class Score(Record):
    stars: int


@pytest.mark.parametrize(
    ("line", "models", "reason"),
    [
        ('{"name":"x"}', None, "may be those of EnvironmentList or CustomEvaluationDimensionList"),
        ('{"stars":1}', (Review, Remark), "may be those of Review or Remark: name the model"),
        ('{"pk":"a"}', None, "its keys are those of no known model: pk. If"),
        ("{}", None, "its keys are those of no known model: none. If"),
        ('{"stars":1}', None, "its keys are those of no known model: stars. If"),
        ('{"name":"x","email":"","why":""}', None, "(for Annotator it has no why)"),
        ('{"pk":"x","first_name":"y","age":3}', None, "(for AgentProfile they lack last_name)"),
    ],
)
def test_keys_that_do_not_tell_the_model(
    store: simstore.Store, tmp_path: Path, line: str, models: Any, reason: str
) -> None:
    path = write(tmp_path / "a.jsonl", line)
    with pytest.raises(ImportFileError) as caught:
        import_records(path, store, **({} if models is None else {"models": models}))
    assert reason in caught.value.reason
    assert caught.value.line == 0


@pytest.mark.parametrize("name", ["episodes", "agent_profiles"])
def test_a_file_of_another_model_is_one_fault(store: simstore.Store, name: str) -> None:
    theirs, ours = (
        ("EpisodeLog", simstore.AgentProfile)
        if name == "episodes"
        else ("AgentProfile", simstore.EpisodeLog)
    )
    with pytest.raises(ImportFileError) as caught:
        import_records(sample_path() / f"{name}.jsonl", store, models=ours, on_error="collect")
    assert caught.value.reason == f"its keys are those of {theirs}, not of {ours.__name__}"


def test_a_line_that_is_most_like_the_given_model_is_one_of_it(
    store: simstore.Store, tmp_path: Path
) -> None:
    class Note(Record):
        name: str
        email: str
        stars: int

    path = write(
        tmp_path / "a.jsonl", '{"name":"n","email":"e"}', '{"name":"n","email":"e","stars":1}'
    )
    report = import_records(path, store, models=Note, on_error="skip")
    assert (report.stored, report.faults.count) == ({"Note": 1}, 1)


def test_of_many_keys_a_message_shows_some(store: simstore.Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ",".join(f"k{n}" for n in range(30)))
    with pytest.raises(ImportFileError, match=r"k6, k7 and 22 more\. If"):
        import_records(path, store)


def test_of_several_models_the_one_with_just_these_keys_is_taken(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", '{"pk":"a","stars":1}')
    assert import_records(path, store, models=(Review, Score)).stored == {"Score": 1}


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_one_model_settles_it_and_keys_beyond_it_are_reported(
    store: simstore.Store, tmp_path: Path, suffix: str
) -> None:
    text = (
        ('{"stars":1,"mood":2}', '{"stars":2,"why":3}')
        if suffix == "jsonl"
        else ("stars,mood,why", "1,2,3", "2,,")
    )
    report = import_records(write(tmp_path / f"a.{suffix}", *text), store, models=Review)
    assert report.ignored_keys == ("mood", "why")
    assert report.stored == {"Review": 2}


def test_keys_beyond_sotopias_tables_are_reported(store: simstore.Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "combo_id,env_id,agent_ids,note", "c,e,\"['a', 'b']\",x")
    report = import_records(path, store, models=simstore.EnvAgentComboStorage)
    assert report.ignored_keys == ("note",)
    assert store.env_agent_combos.get("c").agent_ids == ["a", "b"]


def test_the_position_of_a_pk_alone_does_not_hide_the_fields(
    store: simstore.Store, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.csv", "email,name", "e,n")
    assert import_records(path, store).stored == {"Annotator": 1}
