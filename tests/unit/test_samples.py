"""The samples that ship with simstore: they load, and fit each other."""

import pytest

from simstore import services as files
from simstore.domain.episodes import EpisodeLog
from simstore.domain.evaluation import OVERALL_SCORE, SOTOPIA_DIMENSIONS, overall_score
from simstore.domain.profiles import RelationshipType
from simstore.samples import sample_path

FOLDER = sample_path()
AGENTS = files.jsonl_to_agentprofiles(FOLDER / "agent_profiles.jsonl")
ENVIRONMENTS = files.jsonl_to_environmentprofiles(FOLDER / "environment_profiles.jsonl")
RELATIONSHIPS = files.jsonl_to_relationshipprofiles(FOLDER / "relationship_profiles.jsonl")
COMBOS = files.jsonl_to_envagnetcombostorage(FOLDER / "env_agent_combo_storages.jsonl")
EPISODES = files.jsonl_to_episodes(FOLDER / "episodes.jsonl")

AGENT_PKS = {agent.pk for agent in AGENTS}
ENVIRONMENT_PKS = {environment.pk for environment in ENVIRONMENTS}


def test_how_many() -> None:
    counts = [len(each) for each in (AGENTS, ENVIRONMENTS, RELATIONSHIPS, COMBOS, EPISODES)]
    assert counts == [6, 4, 5, 8, 4]


def test_every_record_has_a_key_of_its_own() -> None:
    records = [*AGENTS, *ENVIRONMENTS, *RELATIONSHIPS, *COMBOS, *EPISODES]
    pks = {record.pk for record in records}
    assert len(pks) == len(records)
    assert {len(pk) for pk in pks} == {26}


def test_records_refer_to_each_other() -> None:
    for relationship in RELATIONSHIPS:
        assert {relationship.agent_1_id, relationship.agent_2_id} <= AGENT_PKS
    for combo in COMBOS:
        assert combo.env_id in ENVIRONMENT_PKS
        assert set(combo.agent_ids) <= AGENT_PKS
    for environment in ENVIRONMENTS:
        for pair in environment.agent_constraint or []:
            assert set(pair) <= AGENT_PKS


@pytest.mark.parametrize("episode", EPISODES, ids=lambda episode: episode.tag)
def test_an_episode_is_played_by_a_known_combination(episode: EpisodeLog) -> None:
    assert (episode.environment, episode.agents) in [(c.env_id, c.agent_ids) for c in COMBOS]
    (environment,) = [e for e in ENVIRONMENTS if e.pk == episode.environment]
    assert len(environment.agent_goals) == len(episode.agents)
    assert len(episode.models or []) == 1 + len(episode.agents)
    names = {f"{a.first_name} {a.last_name}" for a in AGENTS if a.pk in episode.agents}
    speakers = {sender for turn in episode.messages for sender, _, _ in turn}
    assert speakers == names | {"Environment"}


@pytest.mark.parametrize("episode", EPISODES[:3], ids=lambda episode: episode.tag)
def test_the_overall_score_is_the_mean_of_the_seven(episode: EpisodeLog) -> None:
    assert len(episode.rewards) == 2
    for reward in episode.rewards:
        assert isinstance(reward, tuple)
        overall, scores = reward
        assert overall == scores[OVERALL_SCORE] == overall_score(scores)
        assert list(scores) == [*(d.name for d in SOTOPIA_DIMENSIONS), OVERALL_SCORE]
        for dimension in SOTOPIA_DIMENSIONS:
            assert dimension.range_low <= scores[dimension.name] <= dimension.range_high


def test_the_game_of_three_has_bare_rewards() -> None:
    assert EPISODES[3].rewards == [1.0, 1.0, -2.0]


def test_the_samples_show_every_kind_of_turn_and_relationship() -> None:
    texts = [text for e in EPISODES for turn in e.messages for _, _, text in turn]
    assert "did nothing" in texts
    assert "left the conversation" in texts
    assert any(text.startswith("said: ") for text in texts)
    assert any(text.startswith("[action] ") for text in texts)
    assert len({relationship.relationship for relationship in RELATIONSHIPS}) == 5
    assert any(r.relationship is RelationshipType.family_member for r in RELATIONSHIPS)
    assert any(r.background_story is None for r in RELATIONSHIPS)
