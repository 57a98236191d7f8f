"""The keys of the Redis backend: one hash slot a bucket, and no name within another."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from simstore.adapters.redis_pipeline.layout import BUCKETS_OF_A_CLUSTER, Layout, document_key

NAMES = st.text("a:{}%*é\0", max_size=4)


@given(NAMES, NAMES, NAMES, NAMES)
def test_different_names_have_different_keys(
    one: str, collection: str, other: str, other_collection: str
) -> None:
    keys = Layout(one).base(collection, 0), Layout(other).base(other_collection, 0)
    assert (keys[0] == keys[1]) == ((one, collection) == (other, other_collection))
    assert not keys[0].startswith(f"{keys[1]}:")


@given(NAMES, st.text("a{}:", min_size=1, max_size=5))
def test_all_keys_of_a_bucket_are_in_one_slot(namespace: str, pk: str) -> None:
    layout = Layout(namespace, BUCKETS_OF_A_CLUSTER)
    base = layout.base_of("AgentProfile", pk)
    keys = [document_key(base, pk), f"{base}:pks", f"{base}:index:tag", f"{base}:staged:1"]
    assert len({key_slot(key.encode()) for key in keys}) == 1


def test_records_are_spread_over_the_buckets() -> None:
    layout = Layout("", BUCKETS_OF_A_CLUSTER)
    numbers = Counter(layout.bucket(f"{number:026}") for number in range(32_000))
    assert set(numbers) == set(range(BUCKETS_OF_A_CLUSTER))
    assert max(numbers.values()) < 1.3 * min(numbers.values())


def test_buckets_are_spread_over_the_slots() -> None:
    bases = Layout("", BUCKETS_OF_A_CLUSTER).bases("EpisodeLog")
    thirds = Counter(key_slot(base.encode()) * 3 // 16_384 for base in bases)
    assert min(thirds.values()) >= 5


def test_where_records_are_is_for_ever() -> None:
    """A change here would lose every record of every cluster."""
    layout = Layout("lab", BUCKETS_OF_A_CLUSTER)
    key = document_key(layout.base_of("AgentProfile", "01J03E4700"), "01J03E4700")
    assert key == "simstore:{lab:AgentProfile:14}:docs:01J03E4700"
    assert Layout("").base_of("AgentProfile", "x") == "simstore:{:AgentProfile:0}"
    assert Layout("a:b").collections == "simstore:{a%3Ab}:collections"
