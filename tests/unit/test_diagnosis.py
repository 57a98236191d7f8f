"""What `diagnose` says of a store."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore import AgentProfile, EpisodeLog, Record
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.maintenance import IndexFault
from simstore.domain.references import REFERENCES
from simstore.domain.schema import schema_of
from simstore.domain.store import RECORD_MODELS
from simstore.services.diagnosis import Dangling, diagnose
from simstore.services.findings import KEPT_FINDINGS, Collector, Findings
from simstore.services.progress import Progress
from simstore.services.transfer import Unreadable
from tests.contract.broken import Sound, WrappedStore


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


def test_a_reference_that_no_key_can_be_names_nothing() -> None:
    with simstore.connect("memory://") as store:
        store.agents.save(agent("a"))
        store.episodes.save(episode("e", "", "a", "x" * 5_000))
        _, found = diagnose(store).collections
    assert [each.names for each in found.dangling.first] == ["env", "", "x" * 5_000]


def test_only_the_first_findings_are_kept_and_all_are_counted() -> None:
    with simstore.connect("memory://") as store:
        store.episodes.save_many([episode(f"e{n:03}", "gone") for n in range(KEPT_FINDINGS + 5)])
        (found,) = diagnose(store).collections
    assert found.dangling.count == 2 * (KEPT_FINDINGS + 5)
    assert len(found.dangling.first) == KEPT_FINDINGS


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


def test_a_collector_keeps_the_first_and_counts_all() -> None:
    few = Collector[int](3)
    for number in range(5):
        assert few.has_room == (number < 3)
        few.add(number)
    assert few.findings() == Findings(count=5, first=(0, 1, 2))


def without_entries(path: Path, *pks: str) -> None:
    with closing(sqlite3.connect(path)) as file, file:
        for pk in pks:
            file.execute("DELETE FROM simstore_entries WHERE pk = ? AND value = 'A'", (pk,))


def test_index_faults_are_an_illness_until_they_are_mended(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/d.db") as store:
        store.agents.save_many(agent(f"{n:02}") for n in range(KEPT_FINDINGS + 5))
        without_entries(tmp_path / "d.db", *(f"{n:02}" for n in range(1, KEPT_FINDINGS + 5)))
        sick, mended, well = diagnose(store), diagnose(store, repair=True), diagnose(store)
    assert [each.healthy for each in (sick, mended, well)] == [False, True, True]
    found = [each.collections[0] for each in (sick, mended, well)]
    assert [each.index_faults.count for each in found] == [KEPT_FINDINGS + 4, 0, 0]
    assert [each.mended.count for each in found] == [0, KEPT_FINDINGS + 4, 0]
    assert found[0].index_faults == found[1].mended
    assert len(found[0].index_faults.first) == KEPT_FINDINGS
    first = IndexFault("missing", "AgentProfile", "01", "first_name")
    assert found[0].index_faults.first[0] == first


def test_a_collection_of_which_only_entries_are_left_is_diagnosed(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/d.db") as store:
        store.agents.save(agent("a"))
        with closing(sqlite3.connect(tmp_path / "d.db")) as file, file:
            file.execute("DELETE FROM simstore_records")
        sick, mended, well = diagnose(store), diagnose(store, repair=True), diagnose(store)
    assert [each.healthy for each in (sick, mended, well)] == [False, True, True]
    assert {fault.kind for fault in sick.collections[0].index_faults.first} == {"orphaned"}
    assert (sick.collections[0].count, well.collections) == (0, ())


def test_what_a_repair_leaves_is_an_illness() -> None:
    class Incurable(Sound):
        def index_faults(self, *, repair: bool = False) -> Any:
            return iter([IndexFault("stale", self.inner.collection, "a", "tag")])

    with simstore.connect("memory://") as store:
        store.agents.save(agent("a"))
        diagnosis = diagnose(WrappedStore(store, Incurable, {}), models=AgentProfile, repair=True)
    assert not diagnosis.healthy
    (agents,) = diagnosis.collections
    assert (agents.index_faults.count, agents.mended.count) == (1, 1)


def test_what_the_backend_says_of_itself_is_part_of_it(tmp_path: Path) -> None:
    with simstore.connect(f"sqlite:///{tmp_path}/d.db?synchronous=normal") as store:
        diagnosis = diagnose(store)
        assert diagnosis.inspection.facts["synchronous"] == "normal"
        assert diagnosis.inspection.warnings == store.inspect().warnings != ()
    assert diagnosis.healthy, "what a setting may lose is still there"


class DiagnosedReview(Record):
    stars: int = 0


def test_collections_of_unknown_models_are_named_until_they_are_known() -> None:
    with simstore.connect("memory://") as store:
        store.repository(DiagnosedReview).save(DiagnosedReview())
        assert diagnose(store).unknown == ("DiagnosedReview",)
        known = diagnose(store, models=[*RECORD_MODELS, DiagnosedReview])
        assert (known.unknown, known.collections[0].count) == ((), 1)
        assert diagnose(store, models=DiagnosedReview) == known
        with pytest.raises(InvalidArgumentError, match="series of models"):
            diagnose(store, models="DiagnosedReview")  # type: ignore[arg-type]  # on purpose


def test_a_store_is_not_healthy_of_which_a_collection_was_not_read() -> None:
    with simstore.connect("memory://") as store:
        store.agents.save(agent("a"))
        store.repository(DiagnosedReview).save(DiagnosedReview())
        assert not diagnose(store).healthy
        assert diagnose(store, models=[*RECORD_MODELS, DiagnosedReview]).healthy


def test_records_and_references_are_read_in_requests_of_bounded_size() -> None:
    sizes: list[int] = []

    class Counting(Sound):
        def get_many(self, pks: Sequence[str], **others: Any) -> Any:
            sizes.append(len(pks))
            return self.inner.get_many(pks, **others)

        def pks(self, *where: Any, **others: Any) -> Any:
            found = self.inner.pks(*where, **others)
            sizes.append(len(found))
            return found

    with simstore.connect("memory://") as store:
        store.agents.save_many([agent(f"a{n:04}") for n in range(1_200)])
        store.episodes.save_many(
            [
                episode(f"e{n:03}", *(f"a{(8 * n + m) % 1_200:04}" for m in range(8)))
                for n in range(1_000)
            ]
        )
        *_, episodes = diagnose(WrappedStore(store, Counting, {})).collections
    assert (episodes.count, episodes.dangling.count) == (1_000, 1_000)  # the environment's
    assert max(sizes) <= 500
    assert len(sizes) < 100


def test_progress_goes_up_to_the_number_of_records() -> None:
    told: list[Progress] = []
    with simstore.connect("memory://") as store:
        store.agents.save_many([agent(f"a{n}") for n in range(1234)])
        diagnose(store, progress=told.append)
    assert {(each.step, each.collection, each.total) for each in told} == {
        ("read", "AgentProfile", 1234)
    }
    done = [each.done for each in told]
    assert done == sorted(done)
    assert done[-1] == 1234
    assert len(done) > 2


def test_the_references_are_fields_that_hold_keys() -> None:
    for model, fields in REFERENCES.items():
        assert model in RECORD_MODELS
        for name, target in fields.items():
            assert schema_of(model).resolve(name).shape.kinds == {"str"}
            assert target in RECORD_MODELS
