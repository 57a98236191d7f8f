"""What is particular to a Redis Cluster: records in many slots."""

from collections.abc import Iterator

import pytest

import simstore
from simstore import AgentProfile, Store, TransactionError
from simstore.adapters.redis_pipeline.layout import BUCKETS_OF_A_CLUSTER, Layout
from tests.servers.cluster import RedisCluster

LAYOUT = Layout("", BUCKETS_OF_A_CLUSTER)


@pytest.fixture
def store(redis_cluster: RedisCluster, namespace: str) -> Iterator[Store]:
    with simstore.connect(f"{redis_cluster.cluster_url}?namespace={namespace}") as store:
        yield store


def agent(pk: str) -> AgentProfile:
    return AgentProfile(pk=pk, first_name="Ada", last_name=pk, tag="x")


def together(number: int) -> list[str]:
    """So many pks of one bucket."""
    pks = [f"{position:04}" for position in range(number * 100)]
    return [pk for pk in pks if LAYOUT.bucket(pk) == LAYOUT.bucket(pks[0])][:number]


def test_a_transaction_over_several_slots_is_refused_and_writes_nothing(store: Store) -> None:
    def over_slots() -> None:
        with store.transaction() as transaction:
            for number in range(8):
                transaction.agents.save(agent(str(number)))

    def over_collections() -> None:
        with store.transaction() as transaction:
            transaction.agents.save(agent("0"))
            transaction.annotators.save(simstore.Annotator(pk="0", name="A", email="a@b"))

    for work in (over_slots, over_collections):
        with pytest.raises(TransactionError, match="in several hash slots of the cluster"):
            work()
    assert store.agents.count() == store.annotators.count() == 0
    assert store.collections() == []


def test_a_transaction_within_one_bucket_is_all_or_nothing(store: Store) -> None:
    one, other, third = together(3)
    store.agents.save(agent(one))
    with store.transaction() as transaction:
        transaction.agents.delete(one)
        transaction.agents.add(agent(other))
        transaction.agents.save(agent(third))
    assert store.agents.pks(tag="x") == [other, third]

    def overtaken() -> None:
        with store.transaction() as transaction:
            transaction.agents.delete(other)
            transaction.agents.get(third)
            store.agents.save(agent(third).model_copy(update={"tag": "y"}))

    with pytest.raises(simstore.ConflictError):
        overtaken()
    assert store.agents.pks() == [other, third]


def test_pages_are_in_the_order_of_pks_over_all_buckets(store: Store) -> None:
    pks = [f"{position:04}" for position in range(500)]
    store.agents.save_many(map(agent, reversed(pks)))
    assert store.agents.pks() == store.agents.pks(tag="x") == pks
    found: list[str] = []
    while page := store.agents.pks(tag="x", limit=7, after=found[-1] if found else None):
        assert len(page) <= 7
        found += page
    assert found == pks
    assert [item.pk for item in store.agents.find(limit=5, offset=300)] == pks[300:305]


def test_records_are_on_all_nodes(redis_cluster: RedisCluster, store: Store) -> None:
    store.agents.save_many(agent(f"{position:04}") for position in range(200))
    namespace = store.url.partition("namespace=")[2]
    numbers = [
        sum(1 for _ in server.client().scan_iter(f"simstore:{{{namespace}:*:docs:*", count=1_000))
        for server in redis_cluster.primaries
    ]
    assert sum(numbers) == 200
    assert min(numbers) > 10
