"""Real records, exported by Sotopia's own tools: they load, are stored, and come back equal."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore import services as files
from simstore.domain.evaluation import OVERALL_SCORE, SOTOPIA_DIMENSIONS, overall_score
from simstore.domain.repository import Repository
from simstore.domain.store import Store

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data is not beside this checkout, in ../shared/data"
)


@dataclass(frozen=True)
class Kind:
    """One of the files, and what becomes of it."""

    file: str
    count: int
    key: str
    load: Callable[[Path], Sequence[Any]]
    to_jsonl: Callable[..., None]
    to_csv: Callable[..., None]
    from_csv: Callable[[Path], Sequence[Any]]
    repository: Callable[[Store], Repository[Any]]

    def records(self) -> Sequence[Any]:
        return self.load(DATA / self.file)

    def lines(self) -> list[dict[str, Any]]:
        text = (DATA / self.file).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n") if line]


AGENTS = Kind(
    "agent_profiles.jsonl",
    40,
    "agent_id",
    files.jsonl_to_agentprofiles,
    files.agentprofiles_to_jsonl,
    files.agentprofiles_to_csv,
    files.csv_to_agentprofiles,
    lambda s: s.agents,
)
ENVIRONMENTS = Kind(
    "environment_profiles.jsonl",
    90,
    "env_id",
    files.jsonl_to_environmentprofiles,
    files.environmentprofiles_to_jsonl,
    files.environmentprofiles_to_csv,
    files.csv_to_environmentprofiles,
    lambda s: s.environments,
)
RELATIONSHIPS = Kind(
    "relationship_profiles.jsonl",
    120,
    "relationship_id",
    files.jsonl_to_relationshipprofiles,
    files.relationshipprofiles_to_jsonl,
    files.relationshipprofiles_to_csv,
    files.csv_to_relationshipprofiles,
    lambda s: s.relationships,
)
COMBOS = Kind(
    "env_agent_combo_storages.jsonl",
    450,
    "combo_id",
    files.jsonl_to_envagnetcombostorage,
    files.envagnetcombostorage_to_jsonl,
    files.envagnetcombostorage_to_csv,
    files.csv_to_envagnetcombostorage,
    lambda s: s.env_agent_combos,
)
EPISODES = Kind(
    "episodes.jsonl",
    20,
    "episode_id",
    files.jsonl_to_episodes,
    files.episodes_to_jsonl,
    files.episodes_to_csv,
    files.csv_to_episodes,
    lambda s: s.episodes,
)

KINDS = [AGENTS, ENVIRONMENTS, RELATIONSHIPS, COMBOS, EPISODES]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path / 'real.db'}"}
    with simstore.connect(urls[request.param]) as opened:
        yield opened


@each_kind
def test_every_line_is_a_record(kind: Kind) -> None:
    records = kind.records()
    assert len(records) == kind.count
    assert [record.pk for record in records] == [line[kind.key] for line in kind.lines()]


@each_kind
def test_records_come_back_equal(kind: Kind, store: Store) -> None:
    records = kind.records()
    repository = kind.repository(store)
    repository.save_many(records)
    pks = [record.pk for record in records]
    assert repository.count() == kind.count
    assert repository.get_many(pks) == list(records)
    assert repository.find() == sorted(records, key=lambda record: record.pk)
    assert repository.pks() == sorted(pks)


RENAMED = {
    "agent_id": "pk",
    "env_id": "pk",
    "relationship_id": "pk",
    "agent1_id": "agent_1_id",
    "agent2_id": "agent_2_id",
}


@pytest.mark.parametrize("kind", KINDS[:3], ids=lambda kind: kind.file)
def test_nothing_of_a_profile_is_lost(kind: Kind) -> None:
    for record, line in zip(kind.records(), kind.lines(), strict=True):
        dumped = record.model_dump(mode="json")
        expected = {RENAMED.get(key, key): value for key, value in line.items()}
        if "relationship" in expected:
            expected["relationship"] = int(expected["relationship"])
        if expected.get("agent_constraint") == "none":
            expected["agent_constraint"] = None
        assert {key: dumped[key] for key in expected} == expected


def test_nothing_of_an_episode_is_lost() -> None:
    for record, line in zip(EPISODES.records(), EPISODES.lines(), strict=True):
        dumped = record.model_dump(mode="json")
        assert dumped == {
            "pk": line["episode_id"],
            "environment": line["environment_id"],
            "agents": line["agent_ids"],
            "tag": line["experiment_tag"],
            "models": line["experiment_model_name_pairs"],
            "agent_classes": [],
            "messages": line["raw_messages"],
            "reasoning": line["reasoning"],
            "rewards": line["raw_rewards"],
            "rewards_prompt": line["raw_rewards_prompt"],
        }


def test_the_derived_rewards_give_the_same_episodes(tmp_path: Path) -> None:
    path = tmp_path / "older.jsonl"
    older = [
        {key: value for key, value in line.items() if key != "raw_rewards"}
        for line in EPISODES.lines()
    ]
    path.write_text("\n".join(map(json.dumps, older)), encoding="utf-8")
    assert files.jsonl_to_episodes(path) == EPISODES.records()


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: kind.file)
def test_exports_have_what_sotopias_have_in_its_order(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / kind.file
    kind.to_jsonl(kind.records(), path)
    for ours, theirs in zip(read_lines(path), kind.lines(), strict=True):
        assert [(key, ours[key]) for key in ours if key in theirs] == list(theirs.items())


def test_exports_of_episodes_say_what_sotopias_say_of_their_profiles(
    store: Store, tmp_path: Path
) -> None:
    store.agents.save_many(AGENTS.records())
    store.environments.save_many(ENVIRONMENTS.records())
    path = tmp_path / EPISODES.file
    files.episodes_to_jsonl(EPISODES.records(), path, store=store)
    for ours, theirs in zip(read_lines(path), EPISODES.lines(), strict=True):
        # Exports of that time had the scores alone in the last column.
        ours["rewards"] = [scores for _, scores in ours["rewards"]]
        assert list(theirs.items()) == list(ours.items())[: len(theirs)]


@each_kind
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_of_ours_lose_nothing(kind: Kind, suffix: str, tmp_path: Path) -> None:
    records = kind.records()
    kind.to_jsonl(records, tmp_path / f"file.jsonl{suffix}")
    kind.to_csv(records, tmp_path / f"file.csv{suffix}")
    assert kind.load(tmp_path / f"file.jsonl{suffix}") == records
    assert kind.from_csv(tmp_path / f"file.csv{suffix}") == records


def test_the_scores_are_of_the_seven_dimensions_and_their_mean() -> None:
    names = [dimension.name for dimension in SOTOPIA_DIMENSIONS]
    for episode in files.jsonl_to_episodes(DATA / EPISODES.file):
        for reward in episode.rewards:
            assert isinstance(reward, tuple)
            overall, scores = reward
            assert list(scores) == [*names, OVERALL_SCORE]
            assert overall == pytest.approx(overall_score(scores))
            for dimension in SOTOPIA_DIMENSIONS:
                assert dimension.range_low <= scores[dimension.name] <= dimension.range_high


def test_questions_that_users_ask(store: Store) -> None:
    for kind in KINDS:
        kind.repository(store).save_many(kind.records())
    lines = EPISODES.lines()
    for tag in {line["experiment_tag"] for line in lines}:
        expected = sorted(line["episode_id"] for line in lines if line["experiment_tag"] == tag)
        assert store.episodes.pks(tag=tag) == expected
    for line in lines:
        agents = store.agents.get_many(line["agent_ids"])
        assert [f"{a.first_name} {a.last_name}" for a in agents] == list(line["agents_background"])
        environment = store.environments.get(line["environment_id"])
        assert environment.scenario == line["scenario"]
        assert store.env_agent_combos.exists(env_id=environment.pk, agent_ids=line["agent_ids"])
