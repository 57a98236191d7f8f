"""Ways to a Redis server on which messages go, and the users that may."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import simstore
from simstore import BackendError, Channel, Store, UnsupportedError
from simstore.adapters.redis_pipeline import store_on
from simstore.testing import fake_redis
from tests.servers.binaries import redis62_binary, valkey_binary
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer
from tests.servers.tls import TlsFront

SOON = 20.0


class Move(BaseModel):
    number: int
    text: str = ""


MOVES: Channel[Move] = Channel("moves", Move)


def moves(number: int) -> list[Move]:
    return [Move(number=each) for each in range(number)]


@pytest.fixture
def store(valkey_server: RedisServer) -> Iterator[Store]:
    with simstore.connect(own_database(valkey_server.url)) as store:
        yield store


async def hear(store: Store) -> None:
    """Publish and receive, as threads do and as tasks do."""
    broker = store.broker
    await broker.apublish(MOVES, Move(number=1))
    with broker.subscribe(MOVES, timeout=0) as subscription:
        assert next(subscription).message.number == 1
    async with broker.asubscribe(MOVES, after="new") as new:
        waiting = asyncio.create_task(new.receive())
        await broker.apublish(MOVES, Move(number=2))
        received = await asyncio.wait_for(waiting, SOON)
        assert received is not None
        assert received.message.number == 2
    async with broker.aconsume(MOVES, "g", "c") as consumer:
        delivery = await consumer.receive()
        assert delivery is not None
        assert await consumer.acknowledge(delivery)


def test_through_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with (
        RedisServer(valkey_binary(), {"unixsocket": str(path)}, tmp_path),
        simstore.connect(f"unix://{path}") as store,
    ):
        asyncio.run(hear(store))


def test_by_tls_with_a_password_of_a_numbered_database(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with (
        RedisServer(valkey_binary(), {}, folder, password="secret") as server,
        TlsFront(server, tmp_path, client_certificates=True) as front,
    ):
        place = f"rediss://:secret@127.0.0.1:{front.port}/3"
        files = f"ssl_ca_certs={front.ca_file}&ssl_certfile={front.client_file}"
        with simstore.connect(f"{place}?{files}") as store:
            asyncio.run(hear(store))
        with server.client(db=3) as client:
            assert client.dbsize() == 1
        with simstore.connect(f"{place}?timeout=60") as store:
            started = time.monotonic()
            with pytest.raises(simstore.BackendUnavailableError, match="certificate"):
                next(store.broker.subscribe(MOVES))  # time heals it not
            with pytest.raises(simstore.BackendUnavailableError, match="certificate"):
                asyncio.run(first_of(store))
            assert time.monotonic() - started < SOON


async def first_of(store: Store) -> None:
    async with store.broker.asubscribe(MOVES) as subscription:
        await subscription.receive()


def test_on_a_store_of_redis_om(redis_server: RedisServer) -> None:
    url = own_database(redis_server.url)
    with (
        simstore.connect(f"redis+om{url.removeprefix('redis')}") as store,
        simstore.connect(url) as other,
    ):
        asyncio.run(hear(store))
        assert len(other.broker.history(MOVES)) == 2  # the layout of records does not matter


@pytest.mark.parametrize("protocol", [2, 3])
def test_on_a_client_of_ones_own(valkey_server: RedisServer, namespace: str, protocol: int) -> None:
    with (
        valkey_server.client(protocol=protocol) as client,
        store_on(client, namespace=namespace) as store,
    ):
        asyncio.run(hear(store))


def test_on_fakeredis_asyncio_asks_for_a_client_of_its_own() -> None:
    fakeredis = pytest.importorskip("fakeredis")
    client = fake_redis()
    with (
        store_on(client) as store,
        pytest.raises(UnsupportedError, match=r"store_on\(\).*async_client="),
    ):
        asyncio.run(hear(store))
    server = client.connection_pool.connection_kwargs["server"]
    with store_on(fake_redis(), async_client=fakeredis.FakeAsyncRedis(server=server)) as store:
        assert store.broker.history(MOVES) == []  # the first is only asked how it connects


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_a_fork_goes_on_with_a_connection_of_its_own(store: Store) -> None:
    broker = store.broker
    subscription = broker.subscribe(MOVES)
    broker.publish(MOVES, Move(number=1))
    assert next(subscription).message.number == 1
    child = os.fork()
    if child == 0:  # pragma: no cover — coverage is measured in the parent
        code = 1
        with contextlib.suppress(BaseException):
            code = 0 if next(subscription).message.number == 2 else 2
            store.close()
        os._exit(code)
    broker.publish(MOVES, Move(number=2))
    assert next(subscription).message.number == 2
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    broker.publish(MOVES, Move(number=3))
    assert next(subscription).message.number == 3


DIRECTLY = "client|setname evalsha script|load xrange xread xreadgroup xrevrange xtrim"
WITHIN_SCRIPTS = (
    "del exists get pexpire pttl set time unlink "
    "xack xadd xclaim xgroup|create xinfo|groups xinfo|stream xpending"
)
CHANNEL_COMMANDS = [*DIRECTLY.split(), *WITHIN_SCRIPTS.split()]
"""What the broker needs, as docs/redis.md has it."""


@pytest.mark.parametrize("binary", [valkey_binary, redis62_binary])
def test_the_documented_user_can_use_its_channels_and_nothing_else(
    binary: Any, tmp_path: Path
) -> None:
    with RedisServer(binary(), {}, tmp_path) as server, server.client() as admin:
        old = admin.info("server")["redis_version"].startswith("6.")
        allowed = [each.partition("|")[0] if old else each for each in CHANNEL_COMMANDS]
        rules = ["reset", "on", ">pw", "~simstore:broker:{team:*", "-@all"]
        rules += [f"+{each}" for each in allowed]
        admin.execute_command("ACL", "SETUSER", "sim", *rules)
        admin.config_resetstat()
        with simstore.connect(f"{server.url_for('sim:pw')}?namespace=team") as store:
            use_everything(store)
        called = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
        own = {"info", "config", "config|resetstat", "auth", "hello", "client|setinfo"}
        assert called - own == {*allowed} - ({"client"} - called)
        with simstore.connect(f"{server.url_for('sim:pw')}?namespace=other") as store:
            for call in (
                lambda: store.broker.publish(MOVES, Move(number=1)),
                lambda: next(store.broker.subscribe(MOVES)),
                lambda: store.broker.consume(MOVES, "g", "c"),
                lambda: store.broker.delete(MOVES),
            ):
                with pytest.raises(BackendError, match="may not do that; see the server's ACL"):
                    call()


def use_everything(store: Store) -> None:
    """Every call of a broker, and every way through the scripts."""
    broker = store.broker
    asyncio.run(hear(store))
    broker.publish_many(MOVES, moves(3))
    with broker.consume(MOVES, "h", "c", retry_after=0.01, max_tries=1, timeout=0) as consumer:
        assert next(consumer).tries == 1
        broker.publish(MOVES, Move(number=4), ttl=60)
        while not broker.history(MOVES.dead_letters("h")):
            consumer.receive(timeout=0.02)
    with broker.consume(MOVES, "g", "c", timeout=0) as consumer:
        assert next(consumer).tries == 1
    with broker.consume(MOVES, "g", "c", timeout=0, max_tries=9) as consumer:
        delivery = next(consumer)  # at once, since it came back
        assert delivery.tries == 2
    assert broker.history(MOVES, limit=2, newest=True)
    assert broker.trim(MOVES, keep=1) > 0
    assert broker.delete(MOVES)
    broker.publish(MOVES, Move(number=5))
