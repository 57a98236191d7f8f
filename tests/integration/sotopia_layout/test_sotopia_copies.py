"""Copies of a database of Sotopia's, and to one, have the fields that no model declares."""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
import redis
from pydantic import BaseModel, ConfigDict

import simstore
from simstore.domain.errors import InvalidRecordError
from simstore.domain.fields import Indexed
from simstore.domain.record import Record
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services import compare_stores, copy_store
from simstore.services.transfer import Difference
from simstore.testing.texts import HOSTILE_TEXTS
from tests.golden.sotopia_database import load, state


class Person(Record):
    """A user's model; their redis-om class of the same name keeps every field."""

    name: Annotated[str, Indexed()]


class LaterAgent(BaseModel):
    """An agent of a version with more fields."""

    model_config = ConfigDict(extra="allow", ser_json_inf_nan="constants")

    __collection__: ClassVar[str] = "AgentProfile"
    pk: str


AGENT = ":sotopia.database.persistent_profile.AgentProfile:"
PERSON = f":{__name__}.Person:"
MODELS: list[type[BaseModel]] = [*RECORD_MODELS, Person]
LATER: dict[str, Any] = {
    "tags": ["a", {"b": [None, True, 1, 1.5, "ü"]}],
    "find": 1,
    "copy": 2**63 - 1,
    "nothing": None,
}


def write(client: redis.Redis, key: str, document: dict[str, Any]) -> None:
    assert client.execute_command("JSON.SET", key, "$", json.dumps(document))


def documents(client: redis.Redis) -> dict[str, Any]:
    """Every RedisJSON document, by its key."""
    keys = [key for key in client.scan_iter() if client.type(key) == b"ReJSON-RL"]
    return {key.decode(): json.loads(client.execute_command("JSON.GET", key)) for key in keys}


@pytest.mark.parametrize("between", ["memory://", "sqlite:///{}/between.db"])
def test_a_database_is_copied_to_another_backend_and_back(
    client: redis.Redis, store: Store, between: str, tmp_path: Path
) -> None:
    hostile = {text: text for text in HOSTILE_TEXTS}
    agent = {"pk": "a", "first_name": "Ada", "last_name": "Lovelace"}
    write(client, f"{AGENT}a", agent | LATER)
    write(client, f"{AGENT}b", {**hostile, **agent, "pk": "b"})
    write(client, f"{PERSON}p", {"pk": "p", "name": "Bo", **LATER})
    with simstore.connect(between.format(tmp_path)) as other:
        assert copy_store(store, other, models=MODELS).equal
        client.flushall()
        assert copy_store(other, store, models=MODELS).equal
        assert compare_stores(store, other, models=MODELS).equal
        there = documents(client)
        assert there.keys() == {f"{AGENT}a", f"{AGENT}b", f"{PERSON}p"}
        assert there[f"{PERSON}p"] == {"pk": "p", "name": "Bo", **LATER}
        for name, value in LATER.items():
            assert repr(there[f"{AGENT}a"][name]) == repr(value)
        assert there[f"{AGENT}b"].items() >= hostile.items()
        assert store.agents.pks(first_name="Ada") == ["a", "b"], "by the index"
        write(client, f"{AGENT}a", agent | LATER | {"find": 2})
        (found, *_) = compare_stores(store, other, models=MODELS).collections
        assert found.different.first == (Difference("a", "find"),)


def test_what_sotopia_wrote_is_where_and_what_it_was_after_two_copies(
    client: redis.Redis, store: Store
) -> None:
    load(client)
    models = RECORD_MODELS
    with simstore.connect("memory://") as other:
        assert copy_store(store, other).equal
        before = documents(client)
        for model in models:
            repository = store.repository(model)
            repository.delete_many(repository.pks())
        left = state(client)
        assert copy_store(other, store).equal
        assert documents(client).keys() == before.keys()
        assert state(client).items() >= left.items()
        assert compare_stores(store, other).equal


def test_what_the_layout_cannot_hold_is_refused_before_anything_is_written(
    client: redis.Redis, store: Store
) -> None:
    with simstore.connect("memory://undeclared") as source:
        agents = source.repository(LaterAgent)
        name = {"first_name": "A", "last_name": "L"}
        for fields in ({"pk": "a"}, {"pk": "b", "x": float("inf")}):
            agents.save(LaterAgent.model_validate(name | fields))
        with simstore.connect("memory://undeclared") as same:
            with pytest.raises(InvalidRecordError, match="'b' cannot be stored in Sotopia's"):
                copy_store(same, store)
            assert client.keys() == []
