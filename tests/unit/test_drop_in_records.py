"""The records of `simstore.sotopia`: they save, find, change and forget themselves."""

import copy
import pickle
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from simstore import sotopia
from simstore.domain.errors import (
    InvalidArgumentError,
    InvalidRecordError,
    NotFoundError,
    QueryError,
    WrongModelError,
)
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services import leaderboard
from simstore.sotopia import (
    AgentProfile,
    BaseEpisodeLog,
    EnvironmentList,
    EnvironmentProfile,
    EpisodeLog,
    JsonModel,
    MatchingInWaitingRoom,
    Migrator,
    SessionTransaction,
    bind,
)
from simstore.testing.examples import example_records

MODELS: list[type[JsonModel]] = [getattr(sotopia, model.__name__) for model in RECORD_MODELS]


@pytest.fixture(autouse=True)
def store() -> Iterator[Store]:
    with bind("memory://") as store:
        yield store


def ada(**fields: Any) -> AgentProfile:
    return AgentProfile(**{"pk": "ada", "first_name": "Ada", "last_name": "Osei", **fields})


def episode(**fields: Any) -> EpisodeLog:
    given = {"pk": "e", "environment": "env", "agents": ["a", "b"], "messages": []}
    return EpisodeLog(**{**given, "rewards": [0.0, (1.0, {"goal": 2.0})], **fields})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_each_is_the_domains_record_with_methods(model: type[JsonModel]) -> None:
    (domain,) = (each for each in RECORD_MODELS if each.__name__ == model.__name__)
    assert issubclass(model, domain)
    assert list(model.model_fields) == list(domain.model_fields)
    assert model.__doc__


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_its_records_are_those_of_the_stores_repository(
    model: type[JsonModel], store: Store
) -> None:
    (domain,) = (each for each in RECORD_MODELS if each.__name__ == model.__name__)
    example: Any = next(each for each in example_records() if type(each) is domain)
    store.repository(domain).save(example)
    found = model.get(example.pk)
    assert type(found) is model
    assert found.model_dump() == example.model_dump()
    found.save()
    assert store.repository(domain).find() == [example]
    assert model.all() == [found]


def test_save_returns_the_instance_and_a_pk_is_assigned() -> None:
    for pk in ({}, {"pk": None}, {"pk": ""}, {"pk": " "}):
        agent = AgentProfile(first_name="Ada", last_name="Osei", **pk)
        assert agent.save() is agent
        assert len(agent.pk) == 26
        assert AgentProfile.get(agent.pk) == agent
    assert len(AgentProfile.all_pks()) == 4


def test_a_change_is_stored_when_it_is_saved() -> None:
    agent = ada(age=35).save()
    agent.age += 1
    assert AgentProfile.get("ada").age == 35
    agent.save()
    assert AgentProfile.get("ada").age == 36
    assert AgentProfile.all_pks() == ["ada"]


def test_values_settle_when_they_are_saved() -> None:
    log = episode().save()
    log.rewards = [[3, {"goal": 7}], 1]  # type: ignore[list-item]  # as a judge's JSON has them
    log.tag = None
    assert log.save() is log
    assert log.rewards == [(3.0, {"goal": 7.0}), 1.0]
    assert EpisodeLog.get("e") == log


def test_what_does_not_fit_is_refused_and_nothing_is_stored() -> None:
    log = episode().save()
    log.rewards = [0.0]
    with pytest.raises(InvalidRecordError, match="1 rewards for 2 agents"):
        log.save()
    agent: Any = ada()
    agent.age = "many"
    with pytest.raises(InvalidRecordError, match="age"):
        agent.save()
    assert agent.age == "many"
    assert EpisodeLog.get("e") == episode()
    assert AgentProfile.all() == []
    with pytest.raises(ValidationError, match="last_name"):
        AgentProfile(first_name="Ada")  # type: ignore[call-arg]  # the mistake


def test_fields_that_are_not_declared_are_kept() -> None:
    agent = ada(nickname="A.", age=36)
    agent.height = 1.7  # type: ignore[attr-defined]  # as above
    agent.save()
    found: Any = AgentProfile.get("ada")
    assert (found.nickname, found.height) == ("A.", 1.7)
    found.age = "37"  # it settles, and they stay
    found.save()
    again: Any = AgentProfile.get("ada")
    assert (again.nickname, again.height, again.age) == ("A.", 1.7, 37)
    assert again == found


def test_add_takes_a_generator_of_which_some_settle() -> None:
    def logs(number: int) -> Iterator[EpisodeLog]:
        for each in range(number):
            log = episode(pk=str(each))
            log.rewards = [[1, {}], 0.0] if each == 3 else [0.0, 0.0]  # type: ignore[list-item]  # it settles
            yield log

    assert len(EpisodeLog.add(logs(150))) == len(EpisodeLog.all()) == 150
    wrong: Any = [*logs(4), None]
    with pytest.raises(WrongModelError):
        EpisodeLog.add(wrong)


def test_add_stores_all_or_nothing() -> None:
    agents = [ada(pk=str(number)) for number in range(3)]
    assert AgentProfile.add(iter(agents)) == agents
    assert AgentProfile.all() == agents
    log = episode()
    log.rewards = [[1, {}], 0.0]  # type: ignore[list-item]  # it settles
    EpisodeLog.add([log])
    assert EpisodeLog.get("e").rewards == log.rewards == [(1.0, {}), 0.0]
    agents[0].tag, agents[1].age = "new", "many"  # type: ignore[assignment]  # a mistake
    with pytest.raises(InvalidRecordError, match="age"):
        AgentProfile.add(agents)
    assert AgentProfile.find(tag="new").all() == []


@pytest.mark.parametrize("pk", ["missing", "", " ", "a/b", "\n", "x" * 300, None, 17])
def test_a_pk_that_is_not_there(pk: Any) -> None:
    with pytest.raises(NotFoundError) as caught:
        AgentProfile.get(pk)
    assert caught.value.pks == (str(pk),)
    assert AgentProfile.delete(pk) == 0


def test_a_record_is_no_pk() -> None:
    agent: Any = ada().save()
    for call in (AgentProfile.get, AgentProfile.delete):
        with pytest.raises(InvalidArgumentError, match="for a pk, not for a record"):
            call(agent)
    for wrong in (["ada"], [agent, None], [episode()]):
        with pytest.raises(InvalidArgumentError, match="takes its records"):
            AgentProfile.delete_many(wrong)  # type: ignore[arg-type]  # the mistake
    assert AgentProfile.all() == [agent]


def test_a_pk_need_not_be_a_text() -> None:
    ada(pk="17").save()
    assert AgentProfile.get(17).pk == "17"
    assert AgentProfile.delete(17) == 1


def test_get_takes_its_argument_by_name() -> None:
    assert AgentProfile.get(pk=ada().save().pk) == ada()


def test_delete() -> None:
    for pk in "abc":
        ada(pk=pk).save()
    assert AgentProfile.delete("a") == 1
    assert AgentProfile.delete("a") == 0
    assert AgentProfile.delete_many([ada(pk="b"), ada(pk="z")]) == 1
    assert AgentProfile.all_pks() == ["c"]


def test_update_sets_and_saves() -> None:
    agent = ada(moral_values=["Care"]).save()
    assert agent.update(age="36", moral_values=["Care", "Truth"]) is agent
    assert (agent.age, agent.moral_values) == (36, ["Care", "Truth"])
    assert AgentProfile.get("ada") == agent


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"tag": "new", "age": "many"}, InvalidRecordError),
        ({"tag": "new", "aeg": 5}, QueryError),
        ({"tag": "new", "age__years": 5}, QueryError),
        ({"tag": float("nan")}, InvalidRecordError),
        ({"tag": "new", "pk": "other"}, InvalidArgumentError),
        ({"pk": ""}, InvalidArgumentError),
    ],
)
def test_an_update_that_does_not_fit_changes_neither_record(
    fields: dict[str, Any], error: type[Exception]
) -> None:
    agent = ada().save()
    with pytest.raises(error):
        agent.update(**fields)
    assert agent == AgentProfile.get("ada") == ada()


def test_expire() -> None:
    agent = ada().save()
    agent.tag = "not saved"
    agent.expire(0.05)
    assert AgentProfile.get("ada").tag == ""
    kept = ada(pk="kept").save()
    kept.expire(0.05)
    kept.save()
    session = SessionTransaction(pk="s", session_id="s", client_id="c", server_id="x").save()
    assert session.expire_time == 604_800
    session.expire(0.05)
    time.sleep(0.08)
    assert AgentProfile.all_pks() == ["kept"]
    assert SessionTransaction.all_pks() == []
    with pytest.raises(NotFoundError):
        agent.expire(5)
    for seconds in (0, -1):
        with pytest.raises(InvalidArgumentError, match="ttl"):
            kept.expire(seconds)


def test_sessions_and_waiting_rooms_forget_themselves() -> None:
    MatchingInWaitingRoom(pk="m", timestamp=1.5, expire_time=1).save()
    SessionTransaction(pk="s", session_id="s", client_id="c", server_id="x").save()
    assert MatchingInWaitingRoom.all_pks() == ["m"]
    time.sleep(1.05)
    assert MatchingInWaitingRoom.all_pks() == []
    assert SessionTransaction.all_pks() == ["s"]


def test_an_episode_is_rendered_with_the_profiles_that_are_stored() -> None:
    log = episode(
        agents=["ada"],
        messages=[
            [("Environment", "Ada", "You meet Bo."), ("Environment", "Bo", "You meet Ada.")],
            [("Ada", "Environment", 'said: "Hi"'), ("Bo", "Environment", "did nothing")],
        ],
        rewards=[(1.0, {"goal": 2.0})],
        reasoning="Because.",
    )
    with pytest.raises(NotFoundError):
        log.render_for_humans()
    ada().save()
    profiles, texts = log.render_for_humans()
    assert profiles == [ada()]
    assert type(profiles[0]) is AgentProfile
    openings = [
        "Ada's perspective (i.e., what Ada knows before the episode starts): You meet Bo.",
        "Bo's perspective (i.e., what Bo knows before the episode starts): You meet Ada.",
    ]
    assert texts == [
        "\n".join(openings),
        'Ada said: "Hi"',
        "The reasoning is:\nBecause.",
        "The rewards are:\nAgent 1: (1.0, {'goal': 2.0})",
    ]


def test_the_domains_rules_hold() -> None:
    with pytest.raises(ValidationError, match="one each"):
        EnvironmentList(name="x", environments=["e"], agent_index=[])


def test_services_take_them(store: Store) -> None:
    scores = (4.0, {"goal": 4.0})
    log = episode(rewards=[scores, scores], models=["judge", "m1", "m2"]).save()
    assert [row.model for row in leaderboard(EpisodeLog.all()).rows] == [
        row.model for row in leaderboard(store.episodes.find()).rows
    ]
    assert sotopia.get_rewards_from_episode(log) == [scores, scores]


def test_they_are_copied_and_pickled() -> None:
    log = episode()
    assert copy.deepcopy(log) == log
    assert pickle.loads(pickle.dumps(log)) == log  # noqa: S301 — our own bytes
    assert EpisodeLog.model_validate_json(log.model_dump_json()) == log


def test_the_migrator_does_nothing() -> None:
    Migrator().run()
    assert EnvironmentProfile.all() == []


def test_both_views_of_a_record_share_nothing(store: Store) -> None:
    log = episode().save()
    views: list[Any] = [log, EpisodeLog.get("e"), store.episodes.get("e"), EpisodeLog.all()[0]]
    for view in views:
        view.agents.append("c")
        view.rewards[1][1]["goal"] = 9.0
        assert type(store.episodes.get("e")) is BaseEpisodeLog
        assert store.episodes.get("e").model_dump() == EpisodeLog.get("e").model_dump()
        assert EpisodeLog.get("e") == episode()
