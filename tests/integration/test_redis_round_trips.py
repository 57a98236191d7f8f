"""What the Redis backend asks of a server: so many round trips a batch, whatever is in it."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import simstore
from simstore import AgentProfile, EpisodeLog, Store, field
from simstore.adapters import reading
from simstore.adapters.redis_connection import cluster, link
from simstore.adapters.redis_connection.link import Call, Link
from simstore.adapters.redis_pipeline import searching, writing
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer

NUMBER = 230


class Trips:
    """The round trips that were made, each as the commands and scripts that it sent."""

    def __init__(self) -> None:
        self.made: list[list[str]] = []

    def note(self, calls: Sequence[Call]) -> None:
        self.made.append([str(words[0]) for call in calls for words in call.commands()])

    def of(self, work: Any) -> list[list[str]]:
        self.made.clear()
        work()
        return list(self.made)


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> Trips:
    noted = Trips()

    def noting(kind: type[Link]) -> None:
        exchange = kind._exchange

        def _exchange(self: Link, calls: Sequence[Call]) -> list[Any]:
            noted.note(calls)
            return exchange(self, calls)

        monkeypatch.setattr(kind, "_exchange", _exchange)

    noting(link.ServerLink)
    noting(cluster.ClusterLink)
    return noted


def agent(number: int) -> AgentProfile:
    return AgentProfile(
        pk=f"{number:04}",
        first_name="Ada",
        last_name=f"L{number}",
        age=number,
        tag=f"t{number % 2}",
    )


def large_agent(number: int) -> AgentProfile:
    return agent(number).model_copy(update={"secret": "x" * writing.LARGEST_ARGUMENT})


def fill(store: Store) -> Store:
    store.agents.save_many(agent(number) for number in range(NUMBER))
    assert store.agents.count(tag="t0") == NUMBER // 2  # the scripts are known from here on
    store.agents.update("0000", lambda item: item)
    return store


@pytest.fixture
def store(redis_server: RedisServer) -> Iterator[Store]:
    with simstore.connect(own_database(redis_server.url)) as store:
        yield fill(store)


def test_a_record_is_one_round_trip(store: Store, trips: Trips) -> None:
    assert trips.of(lambda: store.agents.get("0001")) == [["GET"]]
    assert trips.of(lambda: store.agents.save(agent(1))) == [["EVALSHA"]]
    assert trips.of(lambda: store.agents.save(agent(1), ttl=60)) == [["EVALSHA"]]
    assert trips.of(lambda: store.agents.delete("0002")) == [["EVALSHA"]]
    assert trips.of(lambda: store.agents.add(agent(2))) == [["EVALSHA"]]
    assert trips.of(lambda: store.agents.update("0003", lambda item: item)) == [
        ["GET"],
        ["EVALSHA"],
    ]


def test_a_large_record_is_one_round_trip(store: Store, trips: Trips) -> None:
    staged = ["MULTI", "SET", "EVALSHA", "EXEC"]
    assert trips.of(lambda: store.agents.save(large_agent(1))) == [staged]
    assert trips.of(lambda: store.agents.save(large_agent(1), ttl=60)) == [staged]
    assert trips.of(lambda: store.agents.update("0001", lambda item: item)) == [["GET"], staged]
    assert store.agents.get("0001") == large_agent(1)


def test_a_transaction_is_one_round_trip(store: Store, trips: Trips) -> None:
    def work() -> None:
        with store.transaction() as transaction:
            transaction.agents.save(large_agent(1))
            transaction.agents.save(agent(500))
            transaction.annotators.save(simstore.Annotator(pk="a", name="A", email="a@b"))

    work()  # the collection of annotators is new, and is made
    [commands] = trips.of(work)
    assert commands == ["MULTI", "SET", "EVALSHA", "EXEC"]
    assert store.agents.get_many(["0001", "0500"]) == [large_agent(1), agent(500)]


@pytest.mark.parametrize("number", [1, 10, 99, NUMBER])
def test_bulk_writes_are_of_as_many_round_trips_as_bytes_want(
    store: Store, trips: Trips, number: int
) -> None:
    items = [agent(position) for position in range(number)]
    [commands] = trips.of(lambda: store.agents.save_many(items))
    scripts = -(-number // writing.RECORDS_AT_A_TIME)
    assert commands == ["EVALSHA"] * scripts
    pks = [item.pk for item in items]
    assert trips.of(lambda: store.agents.delete_many(pks)) == [["EVALSHA"] * scripts]


def test_large_records_go_in_several_round_trips(
    store: Store, trips: Trips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "BYTES_AT_A_TIME", 30_000)
    monkeypatch.setattr(writing, "BYTES_IN_FLIGHT", 60_000)
    items = [
        EpisodeLog(environment="e", agents=[], messages=[], rewards=[], reasoning="x" * 9_000)
        for _ in range(13)
    ]
    store.episodes.save(items[0])
    made = trips.of(lambda: store.episodes.save_many(items))
    assert [commands.count("SET") for commands in made] == [6, 6, 1]
    assert [commands.count("EVALSHA") for commands in made] == [2, 2, 1]
    one = items[0].model_copy(update={"reasoning": "x" * 100_000})
    [commands] = trips.of(lambda: store.episodes.save_many([one]))
    assert commands.count("SET") == 1


def test_finding_is_a_search_and_its_documents(store: Store, trips: Trips) -> None:
    def batches(number: int) -> list[list[str]]:
        return [["EVALSHA"], *[["MGET"]] * -(-number // 100)]

    assert trips.of(lambda: store.agents.find(tag="t1")) == batches(NUMBER // 2)
    assert trips.of(lambda: list(store.agents.iterate())) == batches(NUMBER)
    assert trips.of(lambda: store.agents.find(field("age") < 50, tag="t1")) == batches(25)
    assert trips.of(lambda: store.agents.find(field("age") >= 30)) == batches(NUMBER - 30)
    assert trips.of(lambda: store.agents.find(tag="none")) == [["EVALSHA"]]
    assert trips.of(lambda: store.agents.find(order_by="age", limit=5)) == batches(5)


def test_a_few_small_documents_come_with_the_search(store: Store, trips: Trips) -> None:
    def found(answer: list[AgentProfile], **search: Any) -> list[list[str]]:
        items: list[AgentProfile] = []
        made = trips.of(lambda: items.extend(store.agents.find(**search)))
        assert items == answer
        return made

    once = [["EVALSHA"]]
    assert found([agent(7)], last_name="L7") == once
    assert found([agent(n) for n in (1, 3, 5)], tag="t1", limit=3) == once
    assert found([agent(n) for n in (5, 7)], tag="t1", limit=2, offset=2) == once
    assert trips.of(lambda: store.agents.first(tag="t1")) == once
    assert trips.of(lambda: store.agents.one(age=7)) == once
    sixteen = [agent(number) for number in range(16)]
    assert found(sixteen, limit=16) == once
    assert found([*sixteen, agent(16)], limit=17) == [*once, ["MGET"]]
    large = [agent(n).model_copy(update={"secret": "x" * 12_000}) for n in range(3)]
    store.agents.save_many(large)
    assert found(large[:2], limit=2) == once
    assert found(large, limit=3) == [*once, ["MGET"]]


def test_what_needs_no_documents_is_one_search(store: Store, trips: Trips) -> None:
    agents = store.agents
    assert trips.of(agents.pks) == [["EVALSHA"]]
    assert trips.of(lambda: agents.pks(field("age") > 5)) == [["EVALSHA"]]
    assert trips.of(agents.count) == [["EVALSHA"]]
    assert trips.of(lambda: agents.count(~(field("age") > 5), tag="t1")) == [["EVALSHA"]]
    assert trips.of(lambda: agents.exists(tag="t1")) == [["EVALSHA"]]
    assert trips.of(lambda: agents.project(["age", "tag"])) == [["EVALSHA"]]
    assert trips.of(lambda: agents.project(["pk", "tag"], field("age") > 5)) == [["EVALSHA"]]


def test_get_many_is_of_one_round_trip_a_batch(store: Store, trips: Trips) -> None:
    pks = [agent(number).pk for number in range(NUMBER)]
    assert trips.of(lambda: store.agents.get_many(pks)) == [["MGET"]] * 3


def test_large_records_are_read_a_few_at_a_time(
    store: Store, trips: Trips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BYTES_AT_A_TIME", 50_000)
    large = EpisodeLog(environment="e", agents=[], messages=[], rewards=[], reasoning="x" * 9_000)
    pks = store.episodes.save_many(large.model_copy(update={"pk": f"{n:02}"}) for n in range(22))
    assert trips.of(lambda: store.episodes.get("00")) == [["GET"]]
    store.episodes.get_many(pks)  # from here on it is known how long they are
    assert trips.of(lambda: store.episodes.get_many(pks)) == [["MGET"]] * 5
    assert trips.of(lambda: store.agents.get_many(store.agents.pks()[:99]))[1:] == [["MGET"]]


def test_a_deletion_by_condition_reads_what_it_deletes(store: Store, trips: Trips) -> None:
    made = trips.of(lambda: store.agents.delete_many(tag="t1"))
    assert made == [["EVALSHA"], ["MGET"], ["EVALSHA"], ["MGET"], ["EVALSHA"]]


def test_an_update_by_condition_is_read_and_written_in_batches(store: Store, trips: Trips) -> None:
    def grow(item: AgentProfile) -> None:
        item.age += 1_000

    made = trips.of(lambda: store.agents.update_many(grow, tag="t1"))
    assert made == [["EVALSHA"], ["MGET"], ["EVALSHA"], ["MGET"], ["EVALSHA"]]
    made = trips.of(lambda: store.agents.update_many(grow))
    assert made == [["EVALSHA"], *[["MGET"], ["EVALSHA"]] * 3]
    expected = [1_000 + number + number % 2 * 1_000 for number in range(NUMBER)]
    assert [item.age for item in store.agents.iterate()] == expected


def test_what_was_written_in_between_is_one_more_batch(store: Store, trips: Trips) -> None:
    others = [agent(number).model_copy(update={"age": 500}) for number in (1, 7, 9)]

    def grow(item: AgentProfile) -> None:
        if item.pk == "0009" and item.age == 9:
            store.agents.save_many(others)
        item.age += 1_000

    few = field("age") < 20
    made = trips.of(lambda: store.agents.update_many(grow, few, tag="t1"))
    batch = [["MGET"], ["EVALSHA"]]
    assert made == [["EVALSHA"], ["MGET"], ["EVALSHA"], ["EVALSHA"], ["MGET"]]
    assert store.agents.pks(age=500) == ["0001", "0007", "0009"]
    made = trips.of(lambda: store.agents.update_many(grow, age=500))
    assert made == [["EVALSHA"], *batch]


def test_a_long_search_is_cut_into_short_scripts(
    store: Store, trips: Trips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WORK_AT_A_TIME", 50)
    expected = [agent(number).pk for number in range(NUMBER)]
    old = field("age") >= 30
    for work, answer, scripts in (
        (store.agents.pks, expected, 5),
        (lambda: store.agents.pks(tag="t1"), expected[1::2], 3),
        (lambda: store.agents.pks(~(field("tag") == "t1")), expected[::2], 10),
        (lambda: store.agents.count(~(field("tag") == "t1")), NUMBER // 2, 10),
        (lambda: [row["pk"] for row in store.agents.project(["pk", "tag"])], expected, 5),
        (lambda: store.agents.pks(old), expected[30:], 5),
        (lambda: store.agents.count(old, ~(field("age") == 40)), NUMBER - 31, 9),
        (lambda: store.agents.pks(field("last_name").startswith("L")), expected, 5),
        (lambda: len(store.agents.project(["age"], old)), NUMBER - 30, 5),
    ):
        found: list[Any] = []
        made = trips.of(lambda work=work, found=found: found.append(work()))
        assert found == [answer]
        assert made == [["EVALSHA"]] * scripts


def test_a_few_of_many_are_found_without_looking_at_all(
    store: Store, trips: Trips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WORK_AT_A_TIME", 20)
    old = field("age") >= 30
    assert trips.of(lambda: store.agents.exists(field("age") >= 0)) == [["EVALSHA"]]
    assert trips.of(lambda: store.agents.first(field("age") >= 0)) == [["EVALSHA"]]
    assert len(trips.of(lambda: store.agents.pks(old, limit=3))) < 6
    assert store.agents.pks(old, limit=3) == ["0030", "0031", "0032"]


def test_conditions_of_many_values_cost_no_more_for_each_record(store: Store) -> None:
    """Else the server would do nothing else for seconds."""
    many = [*range(0, NUMBER, 2), *range(10_000, 19_000)]
    start = time.perf_counter()
    assert store.agents.count(~field("age").in_(many)) == NUMBER // 2
    assert store.agents.count(field("tag") == "t1", ~field("age").in_(many)) == NUMBER // 2
    assert store.agents.count(field("age").in_(many), field("age").in_(many[:4])) == 4
    assert time.perf_counter() - start < 2


def test_scripts_that_the_server_has_forgotten_are_sent_again(
    redis_server: RedisServer, store: Store
) -> None:
    client = redis_server.client()
    for work in (
        lambda: store.agents.save(large_agent(1)),
        lambda: store.agents.save_many([agent(2), large_agent(3)]),
        lambda: store.agents.count(tag="t1"),
        lambda: store.agents.delete("0004"),
    ):
        client.script_flush()
        work()
    assert store.agents.count() == NUMBER - 1
    assert list(store.agents.index_faults()) == []
    namespace = store.url.partition("namespace=")[2]
    assert not list(client.scan_iter(f"simstore:{{{namespace}:*:staged:*"))


def test_a_cluster_is_asked_all_at_once(redis_cluster: RedisCluster, trips: Trips) -> None:
    with simstore.connect(own_database(redis_cluster.cluster_url)) as store:
        fill(store)
        assert trips.of(lambda: store.agents.get("0001")) == [["GET"]]
        assert len(trips.of(store.agents.count)) == 1
        assert len(trips.of(store.agents.pks)) == 1
        assert len(trips.of(lambda: store.agents.project(["tag"]))) == 1
        assert len(trips.of(lambda: store.agents.find(tag="t1"))) == 1 + 2
        assert len(trips.of(lambda: store.agents.save_many(map(agent, range(NUMBER))))) == 1
        assert len(trips.of(lambda: store.agents.update_many(lambda item: item))) == 1 + 3 * 2
        assert len(trips.of(lambda: store.agents.delete_many(store.agents.pks()))) == 2
