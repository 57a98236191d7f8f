"""What must hold after any fault: nothing acknowledged is lost, and no index entry dangles."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import simstore
from simstore import Repository, Store, field
from simstore.adapters.redis_pipeline.layout import Layout
from simstore.adapters.redis_pipeline.writing import LARGEST_ARGUMENT
from simstore.testing.models import Specimen
from tests.redis_keys import indexes_at

BATCH = 400
"""Records in one save_many: several batches of the adapter's, so that it has a middle."""

WAIT = 30.0
"""Seconds for what takes a moment on any machine."""

_VALUES: Mapping[str, Callable[[Specimen], Any]] = {
    "tag": lambda item: item.tag,
    "nickname": lambda item: item.nickname,
    "number": lambda item: item.number,
    "score": lambda item: item.score,
    "active": lambda item: item.active,
    "mixed": lambda item: item.mixed,
    "status": lambda item: item.status,
}


def specimen(number: int, /, **others: Any) -> Specimen:
    """A record with a value in every kind of index, which `number` decides; odd ones are small."""
    made: dict[str, Any] = {
        "pk": f"s{number:06}",
        "tag": f"tag {number % 7}",
        "nickname": None if number % 3 else f"nick{number % 5}",
        "number": number % 11,
        "score": number % 4 / 4,
        "active": number % 2 == 0,
        "mixed": (True, 1, "1", None)[number % 4],
        "labels": [f"label {number % 3}", f"label {number % 5}"],
        "bio": f"word{number % 6} and more",
        "plain_text": "" if number % 2 else "x" * LARGEST_ARGUMENT,
    }
    return Specimen(**{**made, **others})


def specimens(first: int, number: int = BATCH) -> list[Specimen]:
    """So many of them."""
    return [specimen(each) for each in range(first, first + number)]


def assert_sound(
    store: Store,
    client: Any,
    acknowledged: Iterable[Specimen],
    *,
    buckets: int = 1,
) -> dict[str, Specimen]:
    """Hold a store of specimens against what was acknowledged, and against itself.

    `client` is a raw one of redis-py, which answers in bytes: the records are found by their
    keys, so that no index helps. Returns them by pk.
    """
    repository = store.repository(Specimen)
    stored = _stored(repository, client, _bases(store, buckets))
    for item in acknowledged:
        assert stored.get(item.pk) == item, f"{item.pk} was acknowledged"
    _assert_lists(repository, stored)
    _assert_indexes(repository, stored)
    _assert_sizes(client, _bases(store, buckets), stored)
    assert list(repository.index_faults()) == []
    return stored


def _bases(store: Store, buckets: int) -> list[str]:
    namespace = store.url.partition("namespace=")[2].partition("&")[0]
    return Layout(namespace, buckets).bases(Specimen.__name__)


def _stored(
    repository: Repository[Specimen], client: Any, bases: Iterable[str]
) -> dict[str, Specimen]:
    starts = [f"{base}:docs:" for base in bases]
    pks = [
        key.decode().removeprefix(start)
        for start in starts
        for key in client.scan_iter(match=f"{start}*", count=10_000)
    ]
    return dict(zip(pks, repository.get_many(pks), strict=True))


def _assert_lists(repository: Repository[Specimen], stored: Mapping[str, Specimen]) -> None:
    pks = sorted(stored)
    assert repository.pks() == pks
    assert repository.count() == len(pks)
    assert [item.pk for item in repository.iterate()] == pks
    rows = repository.project(["pk", *_VALUES])
    assert rows == [
        {"pk": pk, **{name: value(stored[pk]) for name, value in _VALUES.items()}} for pk in pks
    ]


def _assert_indexes(repository: Repository[Specimen], stored: Mapping[str, Specimen]) -> None:
    for condition, holds in _conditions(stored):
        expected = sorted(pk for pk, item in stored.items() if holds(item))
        assert repository.pks(condition) == expected, condition
        assert repository.count(condition) == len(expected), condition
    for tag in {item.tag for item in stored.values()}:
        assert {item.pk for item in repository.find(tag=tag)} == {
            pk for pk, item in stored.items() if item.tag == tag
        }


Holds = Callable[[Specimen], bool]


def _conditions(stored: Mapping[str, Specimen]) -> Iterator[tuple[Any, Holds]]:
    """A condition for every value that is there, each with what it means."""
    for name, value in _VALUES.items():
        for one in {(type(value(item)), value(item)) for item in stored.values()}:
            yield field(name) == one[1], _equals(value, one[1])
    for label in {label for item in stored.values() for label in item.labels}:
        yield field("labels").contains(label), _contains(label)
    for word in {item.bio.split()[0] for item in stored.values() if item.bio}:
        yield field("bio").matches(word), _begins(word)
    yield field("number") >= 5, lambda item: item.number >= 5
    yield field("score") < 0.5, lambda item: item.score < 0.5
    yield field("tag").startswith("tag"), lambda item: item.tag.startswith("tag")


def _equals(value: Callable[[Specimen], Any], wanted: Any) -> Holds:
    # True is not 1 here, as in a query.
    return lambda item: (
        value(item) == wanted and isinstance(value(item), bool) == isinstance(wanted, bool)
    )


def _contains(label: str) -> Holds:
    return lambda item: label in item.labels


def _begins(word: str) -> Holds:
    return lambda item: item.bio.startswith(f"{word} ")


def _assert_sizes(client: Any, bases: Iterable[str], stored: Mapping[str, Specimen]) -> None:
    """No entry is there that no query of the above would come upon."""
    sizes: dict[str, int] = {}
    for base in bases:
        sizes["pks"] = sizes.get("pks", 0) + client.zcard(f"{base}:pks")
        for name in ("index:tag", "index:number", "index:score", "index:labels"):
            sizes[name] = sizes.get(name, 0) + client.zcard(f"{indexes_at(base)}:{name}")
        for name in ("entries", "values"):
            sizes[name] = sizes.get(name, 0) + client.hlen(f"{indexes_at(base)}:{name}")
        assert client.zcard(f"{indexes_at(base)}:todo") == 0
    labels = sum(len(set(item.labels)) for item in stored.values())
    assert sizes == {**dict.fromkeys(sizes, len(stored)), "index:labels": labels}


def stored_of(error: simstore.SaveManyError, items: Iterable[Specimen]) -> list[Specimen]:
    """Those of `items` that `error` says were stored."""
    there = set(error.stored)
    return [item for item in items if item.pk in there]
