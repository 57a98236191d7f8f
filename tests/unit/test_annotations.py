"""Episodes as people judged them: one by one, and the mean of all."""

import math
import pickle
from collections.abc import Iterator
from copy import deepcopy
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import simstore
from simstore import (
    AnnotationForEpisode,
    EpisodeLog,
    InvalidArgumentError,
    NotFoundError,
    RewardsUnavailableError,
    Store,
)
from simstore.domain.episodes import Reward
from simstore.services import lookup
from simstore.services.annotations import map_human_annotations_to_episode_logs

MODEL = (8.0, {"goal": 8.0})
"""The model's own judgement of each agent."""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path / 'annotations.db'}"}
    with simstore.connect(urls[request.param]) as opened:
        yield opened


def episode(pk: str, agents: int = 2) -> EpisodeLog:
    return EpisodeLog(
        pk=pk,
        environment="park",
        agents=[f"agent{number}" for number in range(agents)],
        messages=[[("Ann", "Environment", "did nothing")]],
        rewards=[MODEL] * agents,
        reasoning="the model's",
        tag="pilot",
    )


def annotation(
    pk: str, of: str, *rewards: Reward, reasoning: str | None = None
) -> AnnotationForEpisode:
    return AnnotationForEpisode(
        pk=pk,
        episode=of,
        annotator_id="someone",
        rewards=list(rewards),
        reasoning=pk if reasoning is None else reasoning,
    )


A1 = annotation("a1", "e1", (1.0, {"goal": 1.0, "secret": -1.0}), (2.0, {"goal": 2.0}))
A2 = annotation("a2", "e1", (4.0, {"goal": 4.0, "secret": -2.0}), (5.0, {"goal": 5.0}))
B1 = annotation("b1", "e2", (7.0, {"goal": 7.0}), 0.0)


def test_each_annotation_has_a_copy_of_its_episode_with_its_own_judgement(store: Store) -> None:
    stored = [episode("e1"), episode("e2")]
    store.episodes.save_many(stored)
    given_ = [A1, B1, A2]
    before = deepcopy(given_)
    result = map_human_annotations_to_episode_logs(given_, store=store)
    assert list(result) == ["a1", "b1", "a2"]
    for each in given_:
        assert result[each.pk] == stored[each is B1].model_copy(
            update={"rewards": each.rewards, "reasoning": each.reasoning}
        )
    for human in result.values():
        human.rewards[0][1]["goal"] = 99.0  # type: ignore[index]  # the first is no bare number
        human.messages.clear()
    assert given_ == before
    assert store.episodes.get_many(["e1", "e2"]) == stored


def test_pairs_have_the_stored_episode_second(store: Store) -> None:
    store.episodes.save(episode("e1"))
    single = map_human_annotations_to_episode_logs([A1, A2], True, store=store)
    assert {key: human.reasoning for key, (human, _) in single.items()} == {"a1": "a1", "a2": "a2"}
    assert all(model == episode("e1") for _, model in single.values())
    human, model = map_human_annotations_to_episode_logs([A1, A2], True, True, store=store)["e1"]
    assert human.rewards[1] == (3.5, {"goal": 3.5})
    human.messages.clear()
    assert model == episode("e1")


def test_the_aggregate_is_the_mean_for_each_agent_and_dimension(store: Store) -> None:
    store.episodes.save_many([episode("e1"), episode("e2")])
    b2 = annotation("b2", "e2", MODEL, MODEL)
    result = map_human_annotations_to_episode_logs([A1, b2, A2], aggregate=True, store=store)
    assert result == {
        "e1": episode("e1").model_copy(
            update={
                "rewards": [(2.5, {"goal": 2.5, "secret": -1.5}), (3.5, {"goal": 3.5})],
                "reasoning": "a1\na2",
            }
        ),
        "e2": episode("e2").model_copy(update={"reasoning": "b2"}),
    }


@pytest.mark.parametrize("agents", [0, 1, 3])
def test_any_number_of_agents_is_averaged(store: Store, agents: int) -> None:
    store.episodes.save(episode("e1", agents))
    given_ = [
        annotation(pk, "e1", *[(score, {"goal": score})] * agents)
        for pk, score in (("x", 1.0), ("y", 2.0))
    ]
    result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    assert result["e1"].rewards == [(1.5, {"goal": 1.5})] * agents


def test_a_dimension_is_averaged_over_those_who_gave_it(store: Store) -> None:
    store.episodes.save(episode("e1", 1))
    given_ = [
        annotation("x", "e1", (1.0, {"goal": 1.0})),
        annotation("y", "e1", (3.0, {"wit": 4.0, "goal": 2.0})),
        annotation("z", "e1", (8.0, {})),
    ]
    result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    assert result["e1"].rewards == [(4.0, {"goal": 1.5, "wit": 4.0})]
    assert list(result["e1"].rewards[0][1]) == ["goal", "wit"]  # type: ignore[index]  # no bare number


def test_bare_numbers_are_left_out_of_the_mean_and_reasoning(store: Store) -> None:
    store.episodes.save_many([episode("e1"), episode("e2")])
    failed = annotation("failed", "e1", (9.0, {"goal": 9.0}), 0.0)
    given_ = [A1, failed, B1]
    result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    # Nobody judged e2 with scores: the model's do not stand in for people's.
    assert list(result) == ["e1"]
    assert {each.episode for each in given_} - result.keys() == {"e2"}
    assert result["e1"].rewards == A1.rewards
    assert result["e1"].reasoning == "a1"
    assert map_human_annotations_to_episode_logs(given_, store=store)["b1"].rewards == B1.rewards


def test_people_who_gave_no_reason_do_not_get_the_model_s(store: Store) -> None:
    store.episodes.save(episode("e1"))
    silent = annotation("silent", "e1", MODEL, MODEL, reasoning="")
    for aggregate, key in ((False, "silent"), (True, "e1")):
        result = map_human_annotations_to_episode_logs([silent], False, aggregate, store=store)
        assert result[key].reasoning == ""


def test_of_annotations_that_share_a_pk_the_last_counts(store: Store) -> None:
    store.episodes.save(episode("e1"))
    again = A1.model_copy(update={"rewards": A2.rewards})
    for aggregate in (False, True):
        result = map_human_annotations_to_episode_logs(
            [A1, again], aggregate=aggregate, store=store
        )
        (human,) = result.values()
        assert human.rewards == A2.rewards


def test_nothing_comes_of_nothing(store: Store) -> None:
    assert map_human_annotations_to_episode_logs([], store=store) == {}
    assert map_human_annotations_to_episode_logs([], True, True, store=store) == {}


# -------------------------------------------------------------------------------- mistakes


def test_missing_episodes_are_all_named_or_left_out(store: Store) -> None:
    store.episodes.save(episode("e1"))
    given_ = [B1, A1, annotation("c1", "no/key", 0.0), annotation("d1", "", 0.0)]
    for aggregate in (False, True):
        with pytest.raises(NotFoundError) as caught:
            map_human_annotations_to_episode_logs(given_, aggregate=aggregate, store=store)
        assert caught.value.pks == ("e2", "no/key", "")
        (key,) = map_human_annotations_to_episode_logs(
            given_, aggregate=aggregate, store=store, missing="skip"
        )
        assert key == ("e1" if aggregate else "a1")


def test_rewards_that_do_not_fit_the_agents_are_all_named(store: Store) -> None:
    store.episodes.save_many([episode("e1"), episode("e2", 3)])
    few = annotation("few", "e1", MODEL)
    for aggregate in (False, True):
        with pytest.raises(InvalidArgumentError) as caught:
            map_human_annotations_to_episode_logs([A1, few, B1], False, aggregate, store=store)
        assert str(caught.value) == (
            "annotation 'few' has 1 rewards for the 2 agents of episode 'e1'; "
            "annotation 'b1' has 2 rewards for the 3 agents of episode 'e2'"
        )


def test_the_message_says_what_to_do_about_missing_episodes(store: Store) -> None:
    with pytest.raises(NotFoundError) as caught:
        map_human_annotations_to_episode_logs([A1], store=store)
    assert str(caught.value) == (
        "EpisodeLog has no record 'e1'; annotations name them: store the episodes first, "
        "or skip what is missing"
    )
    assert pickle.loads(pickle.dumps(caught.value)).pks == ("e1",)  # noqa: S301 — one's own


def test_infinities_of_both_signs_have_no_mean(store: Store) -> None:
    store.episodes.save(episode("e1", 1))
    given_ = [
        annotation("x", "e1", (1.0, {"goal": math.inf})),
        annotation("y", "e1", (1.0, {"goal": -math.inf})),
    ]
    with pytest.raises(RewardsUnavailableError, match="'e1' has no mean of 'goal'"):
        map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)


@pytest.mark.parametrize("scores", list(permutations([1e16, 1.0, -1e16])), ids=repr)
def test_the_mean_does_not_depend_on_the_order(store: Store, scores: tuple[float, ...]) -> None:
    store.episodes.save(episode("e1", 1))
    given_ = [
        annotation(str(number), "e1", (score, {"goal": score}))
        for number, score in enumerate(scores)
    ]
    result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    assert result["e1"].rewards == [(1 / 3, {"goal": 1 / 3})]


def test_the_mean_with_an_infinity_is_infinite(store: Store) -> None:
    store.episodes.save(episode("e1", 1))
    given_ = [annotation(pk, "e1", (score, {})) for pk, score in (("x", -math.inf), ("y", 1e308))]
    result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    assert result["e1"].rewards == [(-math.inf, {})]


def test_the_mean_of_large_scores_is_finite(store: Store) -> None:
    store.episodes.save(episode("e1", 1))
    given_ = [annotation(pk, "e1", (1.5e308, {})) for pk in ("x", "y")]
    result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    assert result["e1"].rewards == [(1.5e308, {})]


# ----------------------------------------------------------------------------------- reads


def test_episodes_are_read_in_bulk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "CHUNK", 2)
    episodes = [episode(f"e{number}") for number in range(5)]
    store.episodes.save_many(episodes)
    calls: list[int] = []
    repository: Any = store.episodes
    get_many = repository.get_many

    def counted(pks: list[str], **options: Any) -> list[EpisodeLog]:
        calls.append(len(pks))
        read: list[EpisodeLog] = get_many(pks, **options)
        return read

    monkeypatch.setattr(repository, "get_many", counted)
    assert store.episodes is repository
    given_ = [
        annotation(f"{pk}{each.pk}", each.pk, MODEL, MODEL) for pk in "xyz" for each in episodes
    ]
    result = map_human_annotations_to_episode_logs(given_, store=store)
    assert len(result) == 15
    assert calls == [2, 2, 1]


SCORES = st.dictionaries(
    st.sampled_from(["goal", "secret", "wit"]), st.integers(-10, 10).map(float)
)


@given(st.lists(st.tuples(SCORES, SCORES), max_size=6))
def test_the_mean_is_the_naive_one(judged: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    given_ = [
        annotation(str(number), "e1", *((sum(s.values()), s) for s in both))
        for number, both in enumerate(judged)
    ]
    with simstore.connect("memory://") as store:
        store.episodes.save(episode("e1"))
        result = map_human_annotations_to_episode_logs(given_, aggregate=True, store=store)
    assert list(result) == (["e1"] if judged else [])
    for position in range(2) if judged else ():
        overall, scores = result["e1"].rewards[position]  # type: ignore[misc]  # no bare number
        mine = [both[position] for both in judged]
        assert overall == pytest.approx(sum(sum(each.values()) for each in mine) / len(mine))
        assert scores.keys() == {name for each in mine for name in each}
        for name, mean in scores.items():
            of_those = [each[name] for each in mine if name in each]
            assert mean == pytest.approx(sum(of_those) / len(of_those))
