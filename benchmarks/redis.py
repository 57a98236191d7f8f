"""The Redis backend against redis-om used directly, on one server; and whether a find grows.

redis-om's model has the fields of `EpisodeLog`, indexed where ours are. Both keep the same
records, index upkeep included.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.records import agent, episode
from benchmarks.timing import Work, interleaved, print_table
from simstore import EpisodeLog, Repository, connect, field
from simstore.domain.record import dump_record
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.redis_server import RedisServer

ROUNDS = 5
BATCH = 50

CALLS = 50
"""How often a call is made that takes well under a millisecond."""


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    with tempfile.TemporaryDirectory() as folder:
        with RedisServer(redis_binary(), both_modules(), Path(folder)) as server:
            _against_redis_om(server, max(100, int(2_000 * scale)))
        with RedisServer(redis_binary(), {}, Path(folder)) as server:
            _find(server, max(1_000, int(10_000 * scale)), max(2_000, int(1_000_000 * scale)))


def _against_redis_om(server: RedisServer, number: int) -> None:
    model = _redis_om_model(server.client(decode_responses=True))
    episodes = [_episode(position) for position in range(number)]
    theirs = [model(**dump_record(item)) for item in episodes]
    ready = [item.model_dump_json().encode() for item in episodes]
    with connect(server.url) as store:
        seconds = _write(store.episodes, episodes, theirs, server.client(), ready)
        seconds |= _read(store.episodes, model, [item.pk for item in theirs])
    rows = [
        _row(seconds, "save_many", ".save()", "at least 10x", number),
        _row(seconds, "save_many", "ready-made bytes", "at most 2.5 times", number),
        _row(seconds, "all", ".all()", "at least 5x", number),
        _row(seconds, "find 10", ".find() of 10", "at least 4x", CALLS),
        _row(seconds, f"find {number // 2:,}", f".find() of {number // 2:,}", "", number // 2),
        _row(seconds, "get", ".get()", "at least 2.5x", number),
        _row(seconds, "pks, a call", ".all_pks()", "at least 15x", CALLS),
        _row(seconds, "count of 10, a call", ".count() of 10", "", CALLS),
        _row(
            seconds, f"count of {number // 2:,}, a call", ".count() of half", "at least 15x", CALLS
        ),
        _row(seconds, "project 2 indexed fields", ".all()", "at least 50x", number),
    ]
    print_table(f"redis:// and redis-om 1.2, {number:,} episodes of 21 KB, µs a record", rows)


def _episode(position: int) -> EpisodeLog:
    """As the others, but half of them have an agent of the class Human."""
    classes = ["LLMAgent", "Human" if position % 2 else "LLMAgent"]
    return episode(position).model_copy(update={"agent_classes": classes})


def _row(
    seconds: Mapping[str, float], ours: str, peer: str, goal: str, per: int
) -> tuple[str, str, str]:
    one, other = seconds[ours] / per * 1e6, seconds[peer] / per * 1e6
    ratio = f"{other / one:.1f}x" if goal != "at most 2.5 times" else f"{one / other:.1f} times"
    name = f"redis-om's `{peer}`" if peer.startswith(".") else peer
    return f"{ours}; {name}", f"{one:.1f}; {other:.1f} ({ratio})", goal


def _write(
    repository: Repository[EpisodeLog],
    episodes: Sequence[EpisodeLog],
    theirs: Sequence[Any],
    raw: Any,
    ready: Sequence[bytes],
) -> dict[str, float]:
    def save() -> None:
        for item in theirs:
            item.save()

    def pipeline() -> None:
        for start in range(0, len(ready), BATCH):
            batch = raw.pipeline(transaction=False)
            for position, data in enumerate(ready[start : start + BATCH], start):
                batch.set(f"ready:{position}", data)
            batch.execute()

    return interleaved(
        {
            "save_many": lambda: repository.save_many(episodes),
            ".save()": save,
            "ready-made bytes": pipeline,
        },
        rounds=ROUNDS,
    )


def _read(
    repository: Repository[EpisodeLog], model: Any, theirs: Sequence[str]
) -> dict[str, float]:
    number = len(theirs)
    pks = repository.pks()
    tags = [f"tag{position % (number // 10)}" for position in range(CALLS)]

    def check(expected: int, call: Callable[..., Any], *arguments: Any) -> Work:
        """The call with each of the arguments; without any, so many times."""

        def work() -> None:
            for each in arguments or (None,):
                found = call() if each is None else call(each)
                assert (found if isinstance(found, int) else len(found)) == expected

        return work

    human = field("agent_classes").contains("Human")
    theirs_human = model.agent_classes << ["Human"]
    again = [None] * CALLS
    return interleaved(
        {
            "all": check(number, repository.find),
            ".all()": check(number, lambda: model.find().all()),
            "find 10": check(10, lambda tag: repository.find(tag=tag), *tags),
            ".find() of 10": check(10, lambda tag: model.find(model.tag == tag).all(), *tags),
            f"find {number // 2:,}": check(number // 2, lambda: repository.find(human)),
            f".find() of {number // 2:,}": check(
                number // 2, lambda: model.find(theirs_human).all()
            ),
            "get": check(number, lambda: [repository.get(pk) for pk in pks]),
            ".get()": check(number, lambda: [model.get(pk) for pk in theirs]),
            "pks, a call": check(number, repository.pks, *again),
            ".all_pks()": check(number, lambda: list(model.all_pks()), *again),
            "count of 10, a call": check(10, lambda tag: repository.count(tag=tag), *tags),
            ".count() of 10": check(10, lambda tag: model.find(model.tag == tag).count(), *tags),
            f"count of {number // 2:,}, a call": check(
                number // 2, lambda: repository.count(human), *again
            ),
            ".count() of half": check(
                number // 2, lambda: model.find(theirs_human).count(), *again
            ),
            "project 2 indexed fields": check(
                number, lambda: repository.project(["tag", "environment"])
            ),
        },
        rounds=ROUNDS,
    )


def _redis_om_model(connection: Redis) -> Any:
    from redis_om import Field, JsonModel, Migrator  # noqa: PLC0415 — importing it looks for a server

    class Episode(JsonModel, index=True):
        environment: str = Field(index=True)
        agents: list[str] = Field(index=True)
        tag: str = Field(index=True)
        models: list[str] = Field(index=True)
        agent_classes: list[str] = Field(index=True)
        messages: list[list[tuple[str, str, str]]]
        reasoning: str
        rewards: list[tuple[float, dict[str, float]] | float]
        rewards_prompt: str

        class Meta:
            database = connection

    Migrator(conn=connection).run()
    return Episode


def _find(server: RedisServer, few: int, many: int) -> None:
    stores = {}
    for number in (few, many):
        stores[number] = connect(f"{server.url}?namespace={number}")
        for start in range(0, number, 50_000):
            stop = min(start + 50_000, number)
            stores[number].agents.save_many(agent(position) for position in range(start, stop))

    def find(number: int) -> None:
        for position in range(100):
            tag = f"tag{position * (number // 1_000)}"
            assert len(stores[number].agents.find(tag=tag)) == 10

    taken = interleaved({str(n): partial(find, n) for n in (few, many)}, rounds=ROUNDS)
    small, large = (taken[str(number)] * 1e4 for number in (few, many))
    for store in stores.values():
        store.close()
    print_table(
        "redis://, µs a call",
        [
            (f"find 10 by an indexed field, among {few:,}", f"{small:.0f}", ""),
            (
                f"find 10 by an indexed field, among {many:,}",
                f"{large:.0f} ({large / small:.2f}x)",
                "within 1.5x",
            ),
        ],
    )
