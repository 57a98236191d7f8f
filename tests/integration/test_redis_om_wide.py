"""Conditions of many parts, on a real server: the answers are those of memory://.

The query engine joins up to 20 parts in one way, and more in another.
"""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from typing import Annotated

import pytest
from pydantic import Field

import simstore
from simstore.domain.fields import FullText, Indexed
from simstore.domain.profiles import AgentProfile
from simstore.domain.query import Condition, field
from simstore.domain.record import Record
from tests.contract.redis_om_databases import forget
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.fixtures import own_namespace
from tests.servers.redis_server import RedisServer

SIZE = 300
WIDTHS = (19, 20, 21, 41, 150)


class Item(Record):
    """A record with an index of each kind."""

    n: Annotated[int, Indexed()] = 0
    text: Annotated[str, Indexed()] = ""
    labels: Annotated[list[str], Indexed()] = Field(default_factory=list)
    bio: Annotated[str, FullText()] = ""


def items() -> list[Item]:
    return [
        Item(
            pk=f"k{n:03}",
            n=n,
            text=f"t{n % 150}",
            labels=[f"l{n % 120}", f"m{n % 7}"],
            bio=f"word{n % 130} common",
        )
        for n in range(SIZE)
    ]


@pytest.fixture(scope="module")
def memory() -> Iterator[simstore.Repository[Item]]:
    with simstore.connect("memory://") as store:
        store.repository(Item).save_many(items())
        yield store.repository(Item)


@pytest.fixture(scope="module")
def wide(redis_server: RedisServer) -> Iterator[simstore.Repository[Item]]:
    namespace = own_namespace()
    url = f"{redis_server.url_for(scheme='redis+om')}?namespace={namespace}"
    with simstore.connect(url) as store:
        records = store.repository(Item)
        records.save_many(items())
        # Written again, so that what the query engine numbers is not in the order of anything.
        records.save_many(items()[::3])
        yield records
    with redis_server.client() as client:
        forget(client, namespace)


PARTS: dict[str, Callable[[int], Condition]] = {
    "numbers": lambda i: field("n") == i * 2,
    "lists of numbers": lambda i: field("n").in_([i * 3, i + 7]),
    "texts": lambda i: field("text") == f"t{i * 2}",
    "ranges": lambda i: (field("n") >= i * 2) & (field("n") < i * 2 + 1),
    "elements": lambda i: field("labels").contains(f"l{i}"),
    "words": lambda i: field("bio").matches(f"word{i}"),
    "two fields": lambda i: (field("n") >= i * 2) & (field("text") == f"t{i}"),
    "many fields": lambda i: [
        field("n") == i,
        field("text") == f"t{i}",
        field("n") <= i // 3,
        field("labels").contains(f"l{i}"),
        field("bio").matches(f"word{i} common"),
    ][i % 5],
    "records": lambda i: [field("pk") == f"k{i:03}", (field("n") > i) & (field("n") < i + 3)][
        i % 2
    ],
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", PARTS)
def test_any_of_many_parts(
    memory: simstore.Repository[Item], wide: simstore.Repository[Item], kind: str, width: int
) -> None:
    parts = [PARTS[kind](i) for i in range(width)]
    union = reduce(or_, parts)
    for condition in (
        union,
        union & ~(field("labels").contains("m3")),
        ~union,
        union | ~(field("n") < SIZE - 5),
        reduce(or_, [part & field("labels").contains("m2") for part in parts[:60]]),
    ):
        assert wide.pks(condition) == memory.pks(condition)


def test_records_of_another_definition_are_among_the_many(
    redis_server: RedisServer, wide: simstore.Repository[Item]
) -> None:
    """They have other entries, so only a query of its own finds them."""

    class Older(Record):
        __collection__ = "Item"
        n: int = 0
        text: Annotated[str, Indexed()] = ""

    union = reduce(or_, [field("n") == i for i in range(40)])
    assert wide.count(union) == 40
    namespace = own_namespace()
    url = f"{redis_server.url_for(scheme='redis+om')}?namespace={namespace}"
    with simstore.connect(url) as store:
        now = store.repository(Item)
        now.save_many(Item(pk=f"k{n:03}", n=n) for n in range(30))
        assert now.count(union) == 30
        with simstore.connect(url) as other:
            records = (Older(pk=f"k{n:03}", n=n) for n in range(20, 45))
            other.repository(Older).save_many(records)
        assert now.pks(union) == [f"k{n:03}" for n in range(40)]
    with redis_server.client() as client:
        forget(client, namespace)


@pytest.mark.parametrize("width", WIDTHS)
def test_any_of_many_parts_on_sotopias_database(
    sotopia: simstore.Store, agents: list[AgentProfile], width: int
) -> None:
    conditions: dict[str, tuple[Condition, set[str]]] = {
        "ages": (
            reduce(or_, [field("age") == i * 2 for i in range(width)]),
            {agent.pk for agent in agents if agent.age in range(0, 2 * width, 2)},
        ),
        "names": (
            reduce(or_, [field("first_name") == f"A {i}" for i in range(width)]),
            {agent.pk for agent in agents if int(agent.first_name[2:]) < width},
        ),
        "ranges": (
            reduce(
                or_, [(field("age") >= i * 3) & (field("age") < i * 3 + 1) for i in range(width)]
            ),
            {agent.pk for agent in agents if agent.age in range(0, 3 * width, 3)},
        ),
    }
    for condition, pks in conditions.values():
        assert sotopia.agents.pks(condition) == sorted(pks)
        others = {agent.pk for agent in agents} - pks
        assert sotopia.agents.pks(~condition) == sorted(others)


@pytest.fixture(scope="module")
def agents() -> list[AgentProfile]:
    return [
        AgentProfile(pk=f"a{n:03}", first_name=f"A {n}", last_name="x", age=n) for n in range(300)
    ]


@pytest.fixture(scope="module")
def sotopia(
    tmp_path_factory: pytest.TempPathFactory, agents: list[AgentProfile]
) -> Iterator[simstore.Store]:
    with (
        RedisServer(redis_binary(), both_modules(), tmp_path_factory.mktemp("wide")) as server,
        simstore.connect(f"{server.url_for(scheme='redis+om')}?layout=sotopia") as store,
    ):
        store.agents.save_many(agents)
        yield store
