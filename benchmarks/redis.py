"""The Redis backend against redis-om used directly, on one server; and whether a find grows.

redis-om's model has the fields of `EpisodeLog`, indexed where ours are. Both keep the same
records, index upkeep included.
"""

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.records import agent, episode
from benchmarks.timing import Work, interleaved, print_table
from simstore import EpisodeLog, Repository, connect
from simstore.domain.record import dump_record
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.redis_server import RedisServer

ROUNDS = 5
BATCH = 50


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    with tempfile.TemporaryDirectory() as folder:
        with RedisServer(redis_binary(), both_modules(), Path(folder)) as server:
            _against_redis_om(server, max(100, int(2_000 * scale)))
        with RedisServer(redis_binary(), {}, Path(folder)) as server:
            _find(server, max(1_000, int(10_000 * scale)), max(2_000, int(1_000_000 * scale)))


def _against_redis_om(server: RedisServer, number: int) -> None:
    model = _redis_om_model(server.client(decode_responses=True))
    episodes = [episode(position) for position in range(number)]
    theirs = [model(**dump_record(item)) for item in episodes]
    raw = server.client()
    ready = [item.model_dump_json().encode() for item in episodes]
    with connect(server.url) as store:
        seconds = _write(store.episodes, episodes, theirs, raw, ready)
        theirs_again = [item.pk for item in theirs]
        seconds |= _read(store.episodes, model, theirs_again)
    rows: list[tuple[str, str, str]] = []

    def row(name: str, peer: str, goal: str, per: int = 1, unit: float = 1e6) -> None:
        ours, other = seconds[name] / per * unit, seconds[peer] / per * unit
        rows.append((f"{name}; {peer}", f"{ours:.1f}; {other:.1f} ({other / ours:.1f}x)", goal))

    row("save_many", "redis-om .save()", "at least 10x", number)
    row("save_many", "ready-made bytes in a pipeline", "at most 2.5 times", number)
    row("all", "redis-om .all()", "at least 5x", number)
    row("find 10", "redis-om .find 10", "at least 4x")
    row("get", "redis-om .get()", "at least 2.5x", number)
    row("pks", "redis-om .all_pks()", "at least 15x")
    row("count", "redis-om .count()", "at least 15x")
    row("project 2 indexed fields", "redis-om .all()", "at least 50x", number)
    print_table(f"redis:// and redis-om 1.2, {number:,} episodes of 21 KB, µs", rows)


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
            "redis-om .save()": save,
            "ready-made bytes in a pipeline": pipeline,
        },
        rounds=ROUNDS,
    )


def _read(
    repository: Repository[EpisodeLog], model: Any, theirs: Sequence[str]
) -> dict[str, float]:
    number = len(theirs)
    pks = repository.pks()

    def check(call: Callable[[], Any], expected: int) -> Work:
        def work() -> None:
            found = call()
            assert (found if isinstance(found, int) else len(found)) == expected

        return work

    tag = "tag3"
    return interleaved(
        {
            "all": check(repository.find, number),
            "redis-om .all()": check(lambda: model.find().all(), number),
            "find 10": check(partial(repository.find, tag=tag), 10),
            "redis-om .find 10": check(lambda: model.find(model.tag == tag).all(), 10),
            "get": check(lambda: [repository.get(pk) for pk in pks], number),
            "redis-om .get()": check(lambda: [model.get(pk) for pk in theirs], number),
            "pks": check(repository.pks, number),
            "redis-om .all_pks()": check(lambda: list(model.all_pks()), number),
            "count": check(partial(repository.count, tag=tag), 10),
            "redis-om .count()": check(lambda: model.find(model.tag == tag).count(), 10),
            "project 2 indexed fields": check(
                lambda: repository.project(["tag", "environment"]), number
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
