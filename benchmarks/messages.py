"""Messages: from the call that publishes to the one that receives, in another process.

Against what it replaces: a session that is read again and again until it has changed, as
Sotopia's front ends do, every 0.1 to 1 s.
"""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from redis import Redis

from benchmarks.timing import interleaved, print_table
from simstore import Channel, MessageTransaction, Store, connect
from tests.servers.binaries import redis_binary
from tests.servers.redis_server import RedisServer

CHANNEL = Channel("benchmark", MessageTransaction)
SESSION = "benchmark:session"
ROUNDS = 3
PIPELINE = 100

Latencies = list[float]
"""Seconds from the call that publishes to the one that has received."""


def main(scale: float) -> None:
    """Print the tables; `scale` makes the work smaller."""
    number = max(50, int(1_000 * scale))
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(redis_binary(), {}, Path(folder)) as server,
    ):
        _latency(server, f"sqlite:///{folder}/messages.db", number)
        _throughput(server, max(2_000, int(20_000 * scale)))


def _latency(server: RedisServer, file: str, number: int) -> None:
    measured: dict[str, Latencies] = {}
    few = max(5, number // 50)
    for _ in range(ROUNDS):
        for name, run in {
            "redis://, `subscribe`": lambda: _of_subscription(server.url, number, _received),
            "redis://, `asubscribe`": lambda: _of_subscription(server.url, number, _areceived),
            "sqlite://, `subscribe`": lambda: _of_subscription(file, number, _received),
            "polling a session every 0.1 s": lambda: _of_polling(server, few, 0.1),
            "polling a session every 1 s": lambda: _of_polling(server, few // 4 + 1, 1.0),
        }.items():
            measured.setdefault(name, []).extend(run())
    goals = {"redis://, `subscribe`": "1, 10", "redis://, `asubscribe`": "1, 10"}
    rows = [(name, _percentiles(taken), goals.get(name, "")) for name, taken in measured.items()]
    print_table("from one process to another, ms at the median and the 99th percentile", rows)


def _percentiles(taken: Latencies) -> str:
    cuts = statistics.quantiles(taken, n=100)
    return f"{cuts[49] * 1e3:.2f}, {cuts[98] * 1e3:.2f}"


def _of_subscription(
    url: str, number: int, receive: Callable[[Store, int], Latencies]
) -> Latencies:
    with connect(url) as store:
        store.broker.delete(CHANNEL)
        with _publisher("publish", url, number, 0.002):
            return receive(store, number)


def _received(store: Store, number: int) -> Latencies:
    with store.broker.subscribe(CHANNEL, timeout=30) as messages:
        return [_age(next(messages).message) for _ in range(number)]


def _areceived(store: Store, number: int) -> Latencies:
    async def receive() -> Latencies:
        taken: Latencies = []
        async for received in store.broker.asubscribe(CHANNEL, timeout=30):
            taken.append(_age(received.message))
            if len(taken) == number:
                break
        return taken

    return asyncio.run(receive())


def _of_polling(server: RedisServer, number: int, pause: float) -> Latencies:
    """As Sotopia's front ends: the whole session is read, and looked at for what is new."""
    client = server.client()
    client.delete(SESSION)
    taken: Latencies = []
    with _publisher("append", server.url, number, pause):
        while len(taken) < number:
            time.sleep(pause)
            messages = json.loads(client.get(SESSION) or b"[]")
            taken += [_age(MessageTransaction(**each)) for each in messages[len(taken) :]]
    return taken


def _age(message: MessageTransaction) -> float:
    return time.monotonic() - float(message.timestamp_str)


def _publisher(how: str, url: str, number: int, pause: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 — this file
        [sys.executable, "-m", "benchmarks.messages", how, url, str(number), str(pause)]
    )


def _publish(how: str, url: str, number: int, pause: float) -> None:
    """What the other process does: messages that say when they were published."""
    chance = random.Random(number)  # noqa: S311 — no secret
    sent: list[dict[str, str]] = []
    client = Redis.from_url(url) if how == "append" else None
    with connect(url) as store:
        time.sleep(0.3)  # the other side waits by then
        for _ in range(number):
            time.sleep(pause * chance.uniform(0.5, 1.5))
            message = MessageTransaction(
                timestamp_str=f"{time.monotonic():.9f}", sender="agent", message="hello " * 20
            )
            if client is None:
                store.broker.publish(CHANNEL, message)
            else:
                sent.append(message.model_dump())
                client.set(SESSION, json.dumps(sent))


def _throughput(server: RedisServer, number: int) -> None:
    messages = [
        MessageTransaction(timestamp_str=str(n), sender="agent", message="hello " * 20)
        for n in range(number)
    ]
    with connect(server.url) as store:

        def publish() -> None:
            for start in range(0, number, PIPELINE):
                store.broker.publish_many(CHANNEL, messages[start : start + PIPELINE])

        def publish_anew() -> None:
            store.broker.delete(CHANNEL)
            publish()

        def receive() -> None:
            assert sum(1 for _ in store.broker.subscribe(CHANNEL, timeout=0)) == number

        seconds = interleaved({"publish": publish_anew, "receive": receive}, rounds=5)
    rows = [
        _rate("`publish_many` of 100", seconds["publish"], number, "20,000"),
        _rate("`subscribe`", seconds["receive"], number, ""),
    ]
    print_table(f"redis://, {number:,} messages of 200 bytes, messages a second", rows)


def _rate(work: str, seconds: float, number: int, goal: str) -> tuple[str, str, str]:
    return work, f"{number / seconds:,.0f}", goal


def _in_process(arguments: Sequence[str]) -> None:
    how, url, number, pause = arguments
    _publish(how, url, int(number), float(pause))


if __name__ == "__main__":
    _in_process(sys.argv[1:])
