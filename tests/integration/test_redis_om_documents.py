"""What RedisJSON does to documents, on a real server: what is saved comes back as it was."""

import math
import random
import struct
from collections.abc import Iterator
from typing import Annotated, Any

import orjson
import pytest
import redis
from pydantic import AfterValidator, JsonValue

import simstore
from simstore.adapters.redis_om.json_text import LEVELS, kept_json, read_by_redisjson
from simstore.domain.fields import Indexed
from simstore.domain.numbers import check_numbers
from simstore.domain.query import field
from simstore.domain.record import Record
from simstore.testing.texts import HOSTILE_TEXTS
from simstore.testing.values import HOSTILE_FLOATS, HOSTILE_INTS
from tests.contract.redis_om_databases import forget
from tests.servers.redis_server import RedisServer


class Anything(Record):
    """A record of any JSON."""

    tag: Annotated[str, Indexed()] = ""
    value: Annotated[JsonValue, AfterValidator(check_numbers)] = None


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    with redis_server.client() as client:
        yield client


@pytest.fixture
def store(
    redis_server: RedisServer, client: redis.Redis, namespace: str
) -> Iterator[simstore.Store]:
    url = f"{redis_server.url_for(scheme='redis+om')}?namespace={namespace}"
    with simstore.connect(url) as store:
        yield store
    forget(client, namespace)


def some_floats() -> list[float]:
    """Floats of every size, means, and moments."""
    generator = random.Random(5)  # noqa: S311 — no secrets
    bits = [struct.unpack("d", generator.randbytes(8))[0] for _ in range(3_000)]
    sizes = [generator.random() * 10 ** generator.randint(-300, 300) for _ in range(3_000)]
    means = [generator.randint(1, 500) / generator.randint(3, 30) for _ in range(3_000)]
    moments = [1.7e9 + generator.random() * 1e8 for _ in range(1_000)]
    found = [*bits, *sizes, *means, *moments, *HOSTILE_FLOATS]
    return [value for value in found if math.isfinite(value)]


def test_redisjson_reads_numbers_as_we_think(client: redis.Redis, namespace: str) -> None:
    texts = [orjson.dumps(value).decode() for value in some_floats()]
    client.execute_command("JSON.SET", namespace, "$", f"[{','.join(texts)}]")
    back = orjson.loads(client.execute_command("JSON.GET", namespace))
    client.delete(namespace)
    misread = 0
    for text, value in zip(texts, back, strict=True):
        known = read_by_redisjson(text)
        assert known in {None, value}, text
        misread += value != float(text)
    assert misread > 1_000, "this RedisJSON reads floats right: what we do for others is not needed"


def test_what_can_be_kept_is_kept(client: redis.Redis, namespace: str) -> None:
    kept = [(value, kept_json(orjson.dumps(value))) for value in some_floats()]
    spelled = [(value, text) for value, text in kept if text is not None]
    assert len(spelled) > 0.95 * len(kept)
    texts = b",".join(text for _, text in spelled)
    client.execute_command("JSON.SET", namespace, "$", b"[%b]" % texts)
    back = orjson.loads(client.execute_command("JSON.GET", namespace))
    client.delete(namespace)
    assert list(map(repr, back)) == [repr(value) for value, _ in spelled]


class Measured(Record):
    """A record that is found by a float."""

    value: Annotated[float, Indexed()]


def test_floats_that_redisjson_misreads_are_found_by_ranges(store: simstore.Store) -> None:
    misread = [x for x in some_floats() if read_by_redisjson(orjson.dumps(x).decode()) != x][::20]
    records = store.repository(Measured)
    records.save_many(Measured(pk=f"{n:04}", value=value) for n, value in enumerate(misread))
    for number, value in enumerate(misread):
        pks = [f"{n:04}" for n, other in enumerate(misread) if other == value]
        assert f"{number:04}" in pks
        assert records.pks(value=value) == pks
        assert records.pks((field("value") >= value) & (field("value") <= value)) == pks
        assert not records.exists((field("value") > value) & (field("value") <= value))


def nested(levels: int) -> JsonValue:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value  # type: ignore[no-any-return]  # a list in a list


VALUES: dict[str, JsonValue] = {
    "floats": [x for x in HOSTILE_FLOATS],  # noqa: C416 — a list of JSON values, for mypy
    "ints": [x for x in HOSTILE_INTS],  # noqa: C416 — as above
    "many floats": [x for x in some_floats()],  # noqa: C416 — as above
    "texts": {text: text for text in HOSTILE_TEXTS},
    "deep": nested(LEVELS - 2),
    "deeper": nested(LEVELS - 1),
    "far too deep": nested(200),
    "infinity": float("inf"),
    "infinity among texts": {"x": float("-inf"), **{text: text for text in HOSTILE_TEXTS}},
    "looks like ours": {"record": "x", "values": "y", "entries": {"signature": "z"}},
}


@pytest.mark.parametrize("name", VALUES)
def test_every_document_comes_back_and_is_found(store: simstore.Store, name: str) -> None:
    records = store.repository(Anything)
    item = Anything(pk="a", tag=name, value=VALUES[name])
    records.save(item)
    records.save_many([Anything(pk="b", tag=name, value="other"), Anything(pk="c")])
    back, version = records.get_versioned("a")
    assert repr(back) == repr(item)
    assert records.find(tag=name) == [item, Anything(pk="b", tag=name, value="other")]
    assert records.count(field("tag") != name) == 1
    assert list(records.index_faults()) == []
    records.save(item.model_copy(update={"tag": "new"}), if_version=version)
    assert records.pks(tag="new") == ["a"]
    assert records.update("a", lambda found: setattr(found, "tag", "newer")).value == item.value
    assert records.delete_many(tag="newer") == 1
    assert records.pks() == ["b", "c"]


def test_what_redisjson_keeps_is_a_document_to_others(
    client: redis.Redis, store: simstore.Store, namespace: str
) -> None:
    store.repository(Anything).save(Anything(pk="a", value={"score": 173 / 17, "text": "é"}))
    key = f"simstore-om:{namespace}:Anything:a"
    score = client.execute_command("JSON.GET", key, ".record.value.score")
    assert orjson.loads(score) == 173 / 17
    assert "object" in str(client.execute_command("JSON.TYPE", key, ".record"))
    store.repository(Anything).save(Anything(pk="a", value=float("inf")))
    assert "string" in str(client.execute_command("JSON.TYPE", key, ".record"))
