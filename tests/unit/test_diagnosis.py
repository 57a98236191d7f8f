"""What `diagnose` says of a store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import simstore
from simstore import AgentProfile, EpisodeLog, Record
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS
from simstore.services.diagnosis import REFERENCES, Dangling, diagnose
from simstore.services.transfer.reports import KEPT, Unreadable


def agent(pk: str) -> AgentProfile:
    return AgentProfile(pk=pk, first_name="A", last_name="B")


def episode(pk: str, *agents: str) -> EpisodeLog:
    rewards: list[tuple[float, dict[str, float]] | float] = [0.0 for _ in agents]
    return EpisodeLog(pk=pk, environment="env", agents=list(agents), messages=[], rewards=rewards)


def test_an_empty_store_is_healthy() -> None:
    with simstore.connect("memory://") as store:
        diagnosis = diagnose(store)
    assert diagnosis.healthy
    assert (diagnosis.collections, diagnosis.unknown) == ((), ())
    assert diagnosis.url == "memory://"


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_records_are_counted_and_references_to_nothing_found(backend: str, tmp_path: Path) -> None:
    url = "memory://" if backend == "memory" else f"sqlite:///{tmp_path}/d.db"
    with simstore.connect(url) as store:
        store.agents.save_many([agent("a"), agent("b")])
        store.episodes.save_many([episode("e1", "a", "gone"), episode("e2", "b", "a")])
        diagnosis = diagnose(store)
    assert diagnosis.healthy  # the profiles may be elsewhere
    agents, episodes = diagnosis.collections
    assert (agents.collection, agents.count, agents.dangling.count) == ("AgentProfile", 2, 0)
    assert (episodes.collection, episodes.count, episodes.dangling.count) == ("EpisodeLog", 2, 3)
    assert set(episodes.dangling.first) == {
        Dangling("e1", "environment", "env", "EnvironmentProfile"),
        Dangling("e2", "environment", "env", "EnvironmentProfile"),
        Dangling("e1", "agents", "gone", "AgentProfile"),
    }


def test_only_the_first_findings_are_kept_and_all_are_counted() -> None:
    with simstore.connect("memory://") as store:
        store.episodes.save_many([episode(f"e{n:03}", "gone") for n in range(KEPT + 5)])
        (found,) = diagnose(store).collections
    assert found.dangling.count == 2 * (KEPT + 5)
    assert len(found.dangling.first) == KEPT


def test_records_that_cannot_be_read_are_named_and_the_others_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/d.db"
    with simstore.connect(url) as store:
        store.agents.save_many([agent("a"), agent("b"), agent("c")])
        with closing(sqlite3.connect(tmp_path / "d.db")) as file, file:
            file.execute("UPDATE simstore_records SET document = '{}' WHERE pk = 'b'")
        diagnosis = diagnose(store)
    assert not diagnosis.healthy
    (agents,) = diagnosis.collections
    assert (agents.count, agents.unreadable.count) == (3, 1)
    (fault,) = agents.unreadable.first
    assert isinstance(fault, Unreadable)
    assert (fault.pk, bool(fault.field), bool(fault.reason)) == ("b", True, True)


class DiagnosedReview(Record):
    stars: int = 0


def test_collections_of_unknown_models_are_named_until_they_are_known() -> None:
    with simstore.connect("memory://") as store:
        store.repository(DiagnosedReview).save(DiagnosedReview())
        assert diagnose(store).unknown == ("DiagnosedReview",)
        known = diagnose(store, models=[*RECORD_MODELS, DiagnosedReview])
        assert (known.unknown, known.collections[0].count) == ((), 1)
        with pytest.raises(InvalidArgumentError, match="list of models"):
            diagnose(store, models=DiagnosedReview)  # type: ignore[arg-type]  # on purpose


def test_progress_adds_up_to_the_records() -> None:
    told: list[tuple[str, int, int]] = []
    with simstore.connect("memory://") as store:
        store.agents.save_many([agent(f"a{n}") for n in range(1234)])
        diagnose(store, progress=lambda *step: told.append(step))
    assert {collection for collection, _, _ in told} == {"AgentProfile"}
    assert sum(done for _, done, _ in told) == 1234
    assert {total for _, _, total in told} == {1234}


def test_the_references_are_fields_that_hold_keys() -> None:
    for model, fields in REFERENCES.items():
        assert model in RECORD_MODELS
        for name, target in fields.items():
            assert schema_of(model).resolve(name).shape.kinds == {"str"}
            assert target in RECORD_MODELS
