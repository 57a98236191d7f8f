"""A database that Sotopia wrote is read and written in place, and nothing else in it is touched."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import BaseModel

import simstore
from simstore.domain.episodes import EpisodeLog
from simstore.domain.errors import (
    BackendError,
    ConflictError,
    InvalidRecordError,
    StoreURLError,
)
from simstore.domain.messaging import MatchingInWaitingRoom, SessionTransaction
from simstore.domain.profiles import AgentProfile
from simstore.domain.query import Condition, field
from simstore.domain.record import load_record
from simstore.domain.store import RECORD_MODELS, Store
from simstore.testing.texts import HOSTILE_TEXTS
from simstore.testing.values import HOSTILE_INTS
from tests.golden.sotopia_database import FOREIGN, documents, load, run_writer, state
from tests.servers.redis_server import RedisServer

AGENT = ":sotopia.database.persistent_profile.AgentProfile:"
EPISODE = ":sotopia.database.logs.EpisodeLog:"
SESSION = ":sotopia.database.session_transaction.SessionTransaction:"


@pytest.fixture
def store(client: redis.Redis, empty: Store) -> Store:
    """A store on what Sotopia wrote."""
    load(client)
    return empty


def expected_records() -> dict[type[BaseModel], list[Any]]:
    """What Sotopia was given to save, in the order of pks."""
    found = documents()
    return {
        model: [load_record(model, document) for document in found.get(model.__name__, [])]
        for model in RECORD_MODELS
    }


def test_every_record_is_read(store: Store) -> None:
    expected = expected_records()
    assert sum(map(bool, expected.values())) == len(RECORD_MODELS) - 1, "Sotopia cannot build one"
    for model, items in expected.items():
        repository = store.repository(model)
        assert repository.find() == items
        assert repository.count() == len(items)
        pks = [item.pk for item in items]
        assert repository.pks() == pks
        assert repository.get_many(pks) == items
    assert store.collections() == sorted(model.__name__ for model in expected if expected[model])


@pytest.mark.parametrize(
    ("model", "condition"),
    [
        (AgentProfile, field("age") >= 40),
        (AgentProfile, field("age").in_([36, 45])),
        (AgentProfile, (field("age") < 40) & ~(field("gender") == "Man")),
        (AgentProfile, field("occupation").startswith("T")),
        (AgentProfile, field("tag") == ""),
        (AgentProfile, field("tag") != ""),
        (EpisodeLog, field("tag") == "sample_oak_birch"),
        (EpisodeLog, field("models").contains("sample-oak")),
        (EpisodeLog, field("agent_classes") == []),
        (EpisodeLog, field("tag").in_(["sample_oak_birch", "none of them"])),
        (EpisodeLog, (field("tag") == "sample_oak_birch") | (field("environment") == "none")),
        (SessionTransaction, field("message_list.sender").contains("client")),
    ],
    ids=str,
)
def test_conditions_find_the_same_as_in_memory(
    store: Store, model: type[BaseModel], condition: Condition
) -> None:
    memory = simstore.connect("memory://").repository(model)
    memory.save_many(expected_records()[model])
    repository = store.repository(model)
    assert repository.find(condition) == memory.find(condition)
    assert repository.pks(condition) == memory.pks(condition)
    assert repository.count(condition) == memory.count(condition)


def test_reading_leaves_every_key_and_index_of_others_as_it_is(
    client: redis.Redis, store: Store
) -> None:
    before, indexes = state(client), _definitions(client)
    for model in RECORD_MODELS:
        repository = store.repository(model)
        repository.find()
        repository.pks(pk="none")
        assert list(repository.index_faults()) == []
    store.agents.find(age=36)
    store.episodes.find(tag="sample_oak_birch")
    store.collections()
    assert state(client) == before
    after = _definitions(client)
    assert {name: after[name] for name in indexes} == indexes
    assert all(name.startswith("simstore-om.sotopia:") for name in after.keys() - indexes)


def _definitions(client: redis.Redis) -> dict[str, object]:
    """What each index indexes."""
    found: dict[str, object] = {}
    for name in client.execute_command("FT._LIST"):
        info = client.execute_command("FT.INFO", name)
        pairs = info.items() if isinstance(info, dict) else zip(info[::2], info[1::2], strict=True)
        known = dict(pairs)
        found[name.decode()] = (known[b"index_definition"], known[b"attributes"])
    return found


def test_keys_of_others_are_no_records(client: redis.Redis, store: Store) -> None:
    foreign = {key for key, (kind, _, _) in state(client).items() if kind == "string"}
    assert f"{AGENT}index:hash" in foreign
    pks = store.agents.pks()
    assert "index:hash" not in pks
    assert not store.agents.exists(pk="index:hash")
    for call in (store.agents.get, store.agents.delete):
        with pytest.raises(BackendError, match=r"somebody else|overwritten"):
            call("index:hash")
    with pytest.raises(BackendError, match="overwritten"):
        store.agents.save(AgentProfile(pk="index:hash", first_name="a", last_name="b"))
    for model in RECORD_MODELS:
        repository = store.repository(model)
        repository.delete_many(repository.pks())
    assert set(state(client)) == foreign | FOREIGN.keys()


def test_what_is_saved_again_is_what_sotopia_wrote(client: redis.Redis, store: Store) -> None:
    before, start = state(client), _now(client)
    for model in RECORD_MODELS:
        repository = store.repository(model)
        repository.save_many(repository.find())
    after, end = state(client), _now(client)
    assert after.keys() == before.keys()
    assert any(moment is not None for _, _, moment in before.values())
    for key, (kind, text, moment) in after.items():
        assert (kind, moment is None) == (before[key][0], before[key][2] is None), key
        if moment is not None:  # it lives as long again, from when it was saved
            assert start <= moment - json.loads(text)["expire_time"] * 1000 <= end
        if kind == "string":
            assert text == before[key][1]
            continue
        written, found = json.loads(text), json.loads(before[key][1])
        for message in found.get("message_list", ()):
            message.pop("pk")  # redis-om gives one to a model within another, too
        found.setdefault("agent_classes", []) if key.startswith(EPISODE) else None
        assert written == found
        assert text == json.dumps(written, separators=(",", ":"), ensure_ascii=False)


def _now(client: redis.Redis) -> int:
    """The server's clock, in Unix milliseconds."""
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def test_old_documents_are_read_and_found_by_their_defaults(
    client: redis.Redis, store: Store
) -> None:
    _set(
        client, f"{AGENT}old", {"first_name": "Ada", "last_name": "Osei", "age": None, "pk": "old"}
    )
    _set(
        client,
        f"{EPISODE}old",
        {
            "pk": "old",
            "environment": "e",
            "agents": ["a", "b", "c", "d", "e", "f"],
            "models": None,
            "messages": [[["Environment", "a", "hello"]]],
            "reasoning": "",
            "rewards": [1.0, -1.0, 0.0, 0.0, [3.5, {"goal": 7}], 0.0],
            "rewards_prompt": "",
            "unknown": {"to": "us"},
        },
    )
    agent = store.agents.get("old")
    assert agent == AgentProfile(pk="old", first_name="Ada", last_name="Osei")
    assert "old" in store.agents.pks(tag="")
    assert store.agents.pks(age=0) == ["old"]
    assert store.agents.pks(first_name="Ada", model_id="") == ["old"]
    episode = store.episodes.get("old")
    assert episode.rewards[4] == (3.5, {"goal": 7.0})
    assert episode.models is None
    assert store.episodes.pks(models=None) == ["old"]
    assert "old" in store.episodes.pks(tag="")
    assert store.episodes.pks(field("agents").contains("f")) == ["old"]
    assert store.episodes.pks(environment="e", agent_classes=[]) == ["old"]


def _set(client: redis.Redis, key: str, document: dict[str, Any]) -> None:
    assert client.execute_command("JSON.SET", key, "$", json.dumps(document))


def test_a_document_that_the_query_engine_refuses_is_found_and_reported(
    client: redis.Redis, store: Store
) -> None:
    # A text where the index wants a number; the model takes it for one all the same.
    _set(client, f"{AGENT}odd", {"first_name": "Odd", "last_name": "Od", "age": "36", "pk": "odd"})
    assert store.agents.pks(first_name="Odd") == ["odd"]
    assert store.agents.pks(age=36, first_name="Odd") == ["odd"]
    assert store.agents.count(field("age") > 35, first_name="Odd") == 1
    faults = list(store.agents.index_faults())
    assert [(fault.kind, fault.pk, fault.index) for fault in faults] == [("missing", "odd", "pk")]
    store.agents.save(store.agents.get("odd"))
    assert list(store.agents.index_faults()) == []
    assert store.agents.pks(age=36, first_name="Odd") == ["odd"]


def test_only_sessions_and_waiting_rooms_expire(client: redis.Redis, store: Store) -> None:
    session = store.sessions.find()[0]
    key = f"{SESSION}{session.pk}"
    assert 0 < client.ttl(key) <= session.expire_time
    client.expire(key, 5)
    store.sessions.update(session.pk, lambda item: setattr(item, "client_action_lock", "lock"))
    assert 5 < client.ttl(key) <= session.expire_time
    store.waiting_rooms.save(MatchingInWaitingRoom(pk="room", timestamp=1.5, expire_time=77))
    assert 0 < client.ttl(":sotopia.database.waiting_room.MatchingInWaitingRoom:room") <= 77
    agent = store.agents.find()[0]
    store.agents.save(agent)
    assert client.ttl(f"{AGENT}{agent.pk}") == -1


def test_writes_are_compared_and_set(client: redis.Redis, store: Store) -> None:
    agent, version = store.agents.get_versioned(store.agents.pks()[0])
    document = json.loads(client.execute_command("JSON.GET", AGENT + agent.pk))
    _set(client, AGENT + agent.pk, {**document, "age": 99})  # as Sotopia would
    with pytest.raises(ConflictError):
        store.agents.save(agent, if_version=version)
    assert store.agents.get(agent.pk).age == 99

    def race() -> None:
        with store.transaction() as transaction:
            read = transaction.agents.get(agent.pk)
            transaction.agents.save(read.model_copy(update={"tag": "mine"}))
            transaction.episodes.delete(store.episodes.pks()[0])
            _set(client, AGENT + agent.pk, {**document, "age": 100})

    with pytest.raises(ConflictError):
        race()
    assert store.agents.get(agent.pk).age == 100
    assert store.episodes.count() == 4


def test_fields_that_only_others_know_outlive_an_update(client: redis.Redis, store: Store) -> None:
    agent = store.agents.find()[0]
    document = json.loads(client.execute_command("JSON.GET", AGENT + agent.pk))
    _set(client, AGENT + agent.pk, {**document, "newer": {"field": [1.5, None]}})
    store.agents.update(agent.pk, lambda item: setattr(item, "age", 77))
    changed = {**document, "age": 77, "newer": {"field": [1.5, None]}}
    assert json.loads(client.execute_command("JSON.GET", AGENT + agent.pk)) == changed
    with store.transaction() as transaction:
        transaction.agents.get(agent.pk)
        transaction.agents.save(agent.model_copy(update={"tag": "read before"}))
    changed = {**document, "tag": "read before", "newer": {"field": [1.5, None]}}
    assert json.loads(client.execute_command("JSON.GET", AGENT + agent.pk)) == changed
    store.agents.save(agent)  # in its place, whatever was there
    assert json.loads(client.execute_command("JSON.GET", AGENT + agent.pk)) == document


def test_fields_that_only_others_know_outlive_an_update_of_many(
    client: redis.Redis, store: Store
) -> None:
    first, second, *others = store.agents.find()
    documents = {
        agent.pk: json.loads(client.execute_command("JSON.GET", AGENT + agent.pk))
        for agent in (first, second, *others)
    }
    for agent in (first, second):
        documents[agent.pk]["newer"] = {"field": [1.5, agent.pk]}
        _set(client, AGENT + agent.pk, documents[agent.pk])
    seen: list[str] = []

    def change(item: AgentProfile) -> None:
        if item.pk == second.pk and item.pk not in seen:
            documents[second.pk]["newer"] = "still"
            _set(client, AGENT + second.pk, documents[second.pk])
        seen.append(item.pk)
        item.age = 77

    assert store.agents.update_many(change) == len(documents)
    assert seen == [*sorted(documents), second.pk]
    for pk, document in documents.items():
        stored = json.loads(client.execute_command("JSON.GET", AGENT + pk))
        assert stored == {**document, "age": 77}


def test_what_the_layout_cannot_hold_is_refused_before_anything_is_written(
    client: redis.Redis, empty: Store
) -> None:
    good = EpisodeLog(pk="good", environment="e", agents=["a"], messages=[], rewards=[10 / 17])
    bad = good.model_copy(update={"pk": "bad", "rewards": [float("inf")]})
    for call in (
        lambda: empty.episodes.save(bad),
        lambda: empty.episodes.save_many([good, bad]),
        lambda: empty.episodes.add(bad),
    ):
        with pytest.raises(InvalidRecordError, match=r"'bad' cannot be stored in Sotopia's layout"):
            call()
    assert state(client) == {}
    empty.episodes.save(good)
    assert empty.episodes.get("good") == good


@pytest.mark.parametrize("option", ["layout=sotopa", "layout=sotopia&namespace=x", "layout="])
def test_a_wrong_layout_is_refused(option: str) -> None:
    with pytest.raises(StoreURLError, match="sotopia"):
        simstore.connect(f"redis+om://localhost?{option}")


BACKSLASHED = ["\\", "\\\\", '\\"', r"\(x\)", r"100\%", r"a\*b", r"C:\\new\-", r"\x", "a\\"]
"""The query engine takes a backslash for an escape, even in a parameter."""

TEXTS = [*HOSTILE_TEXTS, *BACKSLASHED]


def test_hostile_values_are_found_as_in_memory(empty: Store) -> None:
    memory = simstore.connect("memory://")
    ages = [*HOSTILE_INTS, *range(len(TEXTS))]
    agents = [
        AgentProfile(pk=f"{n:04}", first_name=text, last_name="x", age=ages[n], tag=text[:50])
        for n, text in enumerate(TEXTS)
    ]
    episodes = [
        EpisodeLog(
            pk=f"{n:04}",
            environment="e",
            agents=[text, f"{text} "],
            models=None if n % 2 else [text],
            tag=None if n % 3 else text,
            messages=[],
            rewards=[0.0, -0.0],
        )
        for n, text in enumerate(TEXTS)
    ]
    for store in (memory, empty):
        store.agents.save_many(agents)
        store.episodes.save_many(episodes)
    assert empty.agents.find() == agents
    assert empty.episodes.find() == episodes
    for number, text in enumerate(TEXTS):
        some = [text, TEXTS[number - 1], "none of them"]
        for condition in (field("first_name") == text, field("tag").in_(some)):
            assert empty.agents.pks(condition) == memory.agents.pks(condition), condition
        for condition in (field("agents").contains(text), field("models") == [text]):
            assert empty.episodes.pks(condition) == memory.episodes.pks(condition), condition
    for age in HOSTILE_INTS:
        for condition in (field("age") == age, field("age") > age, field("age") <= age):
            assert empty.agents.pks(condition) == memory.agents.pks(condition), condition
    few = ("", " ", "pilot", "a|b", "\x00", "\uffff", "Straße")
    for text in few:
        conditions: tuple[Condition, ...] = (
            field("first_name") != text,
            field("first_name") > text,
            field("first_name").startswith(text),
            ~((field("tag") == text) | (field("age") == 1)),
        )
        for each in conditions:
            assert empty.agents.pks(each) == memory.agents.pks(each), each
        assert empty.episodes.pks(tag=text) == memory.episodes.pks(tag=text)
    assert empty.episodes.pks(tag=None) == memory.episodes.pks(tag=None)


def test_sotopia_itself_reads_and_finds_what_is_written(server: RedisServer, empty: Store) -> None:
    python, folder = (os.environ.get(f"SOTOPIA_{name}") for name in ("PYTHON", "PACKAGE"))
    if python is None or folder is None or not Path(folder).is_dir():
        pytest.skip(
            "SOTOPIA_PYTHON and SOTOPIA_PACKAGE name no Python with redis-om 0.3.2 and no package "
            "sotopia 0.1.5: see tests/golden/sotopia_database.py"
        )
    records = expected_records()
    for model, items in records.items():
        empty.repository(model).save_many(items)
    known = {model.__name__: [item.pk for item in items] for model, items in records.items()}
    first = records[AgentProfile][0]
    find = [
        ["AgentProfile", "first_name", first.first_name],
        ["EpisodeLog", "tag", "sample_oak_birch"],
    ]
    asked = {"read": known, "find": find}
    run_writer(python, folder, server.url, {})  # it makes its indexes when it is imported
    answer = run_writer(python, folder, server.url, asked)
    for model, items in records.items():
        read = [load_record(model, document) for document in answer["read"][model.__name__]]
        if model is EpisodeLog:  # the package has no field agent_classes
            items = [item.model_copy(update={"agent_classes": []}) for item in items]  # noqa: PLW2901 — a copy of it
        assert read == items
    assert answer["find"] == [
        empty.agents.pks(first_name=first.first_name),
        empty.episodes.pks(tag="sample_oak_birch"),
    ]
    run_writer(python, folder, server.url, {"write": documents()})
    for model, items in records.items():
        assert empty.repository(model).find() == items
