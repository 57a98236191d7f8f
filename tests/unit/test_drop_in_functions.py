"""Sotopia's functions and builders in `simstore.sotopia`, and the store that they use."""

import csv
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simstore import services, sotopia
from simstore.domain.errors import EvaluationError, NotBoundError, NotFoundError
from simstore.domain.store import Store
from simstore.samples import sample_path
from simstore.services import import_records
from simstore.sotopia import (
    AgentProfile,
    AnnotationForEpisode,
    CustomEvaluationDimension,
    CustomEvaluationDimensionList,
    EnvironmentProfile,
    EpisodeLog,
    EvaluationDimensionBuilder,
    bind,
    map_human_annotations_to_episode_logs,
)
from tests.unit.drop_in import no_store_named

KINDS = {
    "agentprofiles": ("AgentProfile", "agent_profiles"),
    "environmentprofiles": ("EnvironmentProfile", "environment_profiles"),
    "relationshipprofiles": ("RelationshipProfile", "relationship_profiles"),
    "envagnetcombostorage": ("EnvAgentComboStorage", "env_agent_combo_storages"),
    "episodes": ("EpisodeLog", "episodes"),
}
"""What Sotopia calls the records in its functions: their class, and their argument."""

FORMATS = ("csv", "jsonl")

EXPORTED_BY_SOTOPIA = """
    AgentProfile BaseAgentProfile EnvironmentProfile BaseEnvironmentProfile EpisodeLog
    BaseEpisodeLog NonStreamingSimulationStatus EnvAgentComboStorage AnnotationForEpisode Annotator
    BaseRelationshipProfile RelationshipProfile RelationshipType SessionTransaction
    MessageTransaction MatchingInWaitingRoom map_human_annotations_to_episode_logs
    get_rewards_from_episode EvaluationDimensionBuilder CustomEvaluationDimension
    BaseCustomEvaluationDimension CustomEvaluationDimensionList BaseCustomEvaluationDimensionList
    GoalDimension SotopiaDimensions SotopiaDimensionsPlus
""".split()  # noqa: SIM905 — a list of names reads best so


@pytest.fixture
def store() -> Iterator[Store]:
    with bind("memory://") as store:
        for path in sample_path().glob("*.jsonl"):
            import_records(path, store)
        yield store


def test_every_name_that_sotopia_exports_is_there() -> None:
    functions = [f"{kind}_to_{form}" for kind in KINDS for form in FORMATS]
    functions += [f"jsonl_to_{kind}" for kind in KINDS]
    for name in (*EXPORTED_BY_SOTOPIA, *functions):
        assert name in sotopia.__all__
        assert getattr(sotopia, name).__doc__


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMATS)
def test_what_writes_has_sotopias_signature(kind: str, form: str) -> None:
    model, argument = KINDS[kind]
    signature = str(inspect.signature(getattr(sotopia, f"{kind}_to_{form}")))
    assert signature.replace("simstore.sotopia.records.", "") == (
        f"({argument}: list[{model}], {form}_file_path: str = '{argument}.{form}') -> None"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_reads_has_sotopias_signature(kind: str) -> None:
    signature = str(inspect.signature(getattr(sotopia, f"jsonl_to_{kind}")))
    expected = f"(jsonl_file_path: str) -> list[{KINDS[kind][0]}]"
    assert signature.replace("simstore.sotopia.records.", "") == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMATS)
def test_files_are_those_of_the_services(
    kind: str, form: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model, argument = KINDS[kind]
    write, read = f"{kind}_to_{form}", f"jsonl_to_{kind}"
    records = getattr(sotopia, model).all()
    getattr(sotopia, write)(records)
    options = {"store": store} if kind == "episodes" else {}
    getattr(services, write)(records, "expected", **options)
    path = Path(f"{argument}.{form}")
    assert path.read_bytes() == Path("expected").read_bytes()
    if form == "jsonl":
        loaded = getattr(sotopia, read)(str(path))
        assert loaded == records
        assert {type(item) for item in loaded} == {getattr(sotopia, model)}
        store.repository(type(loaded[0])).delete_many([item.pk for item in loaded])
        assert [item.save() for item in loaded] == getattr(sotopia, model).all()


def test_episodes_say_what_the_profiles_of_the_bound_store_say(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "episodes.jsonl"
    sotopia.episodes_to_jsonl(EpisodeLog.all(), str(path))
    line = json.loads(path.read_text().split("\n")[0])
    environment = EnvironmentProfile.get(line["environment_id"])
    assert line["scenario"] == environment.scenario
    assert list(line["social_goals"].values()) == environment.agent_goals
    sotopia.episodes_to_csv(EpisodeLog.all(), str(path))
    with path.open(newline="", encoding="utf-8") as table:
        assert next(csv.DictReader(table))["scenario"] == environment.scenario
    AgentProfile.delete(line["agent_ids"][0])
    with pytest.raises(NotFoundError, match=line["agent_ids"][0]):
        sotopia.episodes_to_jsonl(EpisodeLog.all(), str(path))
    assert path.read_text().startswith("episode_id,")  # what was there stays
    assert store.episodes.count() == 4


def test_files_of_episodes_need_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agents = sotopia.jsonl_to_agentprofiles(str(sample_path() / "agent_profiles.jsonl"))
    sotopia.agentprofiles_to_csv(agents, str(tmp_path / "agents.csv"))
    with no_store_named(monkeypatch), pytest.raises(NotBoundError):
        sotopia.episodes_to_jsonl([], str(tmp_path / "episodes.jsonl"))


def test_annotations_become_episodes(store: Store) -> None:
    log = EpisodeLog.all()[0]
    for pk, score in (("a1", 2.0), ("a2", 5.0)):
        AnnotationForEpisode(
            pk=pk,
            episode=log.pk,
            annotator_id=pk,
            rewards=[(score, {"goal": score})] * 2,
            reasoning=f"{pk} says so.",
        ).save()
    annotations = AnnotationForEpisode.all()
    single = map_human_annotations_to_episode_logs(annotations)
    assert list(single) == ["a1", "a2"]
    human = single["a2"]
    assert isinstance(human, EpisodeLog)
    assert (human.pk, human.reasoning) == (log.pk, "a2 says so.")
    assert human.rewards == [(5.0, {"goal": 5.0})] * 2
    assert human.render_for_humans()[1][-1].startswith("The rewards are:\nAgent 1: (5.0")
    together = map_human_annotations_to_episode_logs(annotations, True, True)
    pair = together[log.pk]
    assert isinstance(pair, tuple)
    assert pair[0].rewards == [(3.5, {"goal": 3.5})] * 2
    assert pair[1] == log
    assert [type(each) for each in pair] == [EpisodeLog, EpisodeLog]
    assert EpisodeLog.get(log.pk) == log
    assert store.annotations.count() == 2


class TestDimensions:
    @pytest.fixture(autouse=True)
    def dimensions(self, store: Store) -> None:
        del store
        for name, low, high in (("humour", 0, 5), ("tact", -5, 0)):
            CustomEvaluationDimension(
                pk=name[0], name=name, description="How much?", range_low=low, range_high=high
            ).save()
        CustomEvaluationDimensionList(name="mine", dimension_pks=["t", "h"]).save()

    def test_models_of_pks_names_lists_and_dicts(self) -> None:
        build = EvaluationDimensionBuilder
        given: list[dict[str, Any]] = [
            {"name": "tact", "description": "d", "range_low": -5, "range_high": 0}
        ]
        for model, names in (
            (build.build_dimension_model(["h", "t"]), ["humour", "tact"]),
            (build.build_dimension_model_from_dict(given), ["tact"]),
            (build.select_existing_dimension_model_by_name(["tact"]), ["tact"]),
            (build.select_existing_dimension_model_by_list_name("mine"), ["tact", "humour"]),
        ):
            assert list(model.model_fields) == names
            assert model.__name__ == "CustomEvaluationDimensionModel"
            scores = {name: ("because", -1 if name == "tact" else 1) for name in names}
            assert model(**scores).model_dump()["tact"] == ("because", -1)
            with pytest.raises(ValidationError, match="not within -5 to 0"):
                model(**{**scores, "tact": ("because", 1)})

    def test_sotopias_own_list_is_always_there(self) -> None:
        model = EvaluationDimensionBuilder.select_existing_dimension_model_by_list_name("sotopia")
        assert model is sotopia.SotopiaDimensions
        assert len(model.model_fields) == 7
        assert list(sotopia.SotopiaDimensionsPlus.model_fields) == list(model.model_fields)
        assert list(sotopia.GoalDimension.model_fields) == ["goal"]

    def test_what_is_not_there_is_named(self) -> None:
        with pytest.raises(EvaluationError, match="did you mean 'humour'"):
            EvaluationDimensionBuilder.select_existing_dimension_model_by_name(["humor"])
