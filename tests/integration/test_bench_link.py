"""The slow link is as slow as it says: a round trip, not a byte, takes the time."""

import statistics
import time

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from simstore.bench.link import SlowLink
from tests.servers.redis_server import RedisServer


def seconds_of_a_ping(client: "Redis[bytes]") -> float:
    start = time.perf_counter()
    client.ping()
    return time.perf_counter() - start


@pytest.mark.parametrize("milliseconds", [1.0, 20.0])
def test_a_round_trip_takes_so_much_longer(valkey_server: RedisServer, milliseconds: float) -> None:
    with (
        SlowLink(valkey_server.port, milliseconds) as link,
        Redis(port=link.port) as slow,
        Redis(port=valkey_server.port) as quick,
    ):
        slow.ping(), quick.ping()
        pings = [(seconds_of_a_ping(slow), seconds_of_a_ping(quick)) for _ in range(20)]
    longer = statistics.median(far - near for far, near in pings) * 1e3
    assert milliseconds <= longer < milliseconds + 3.0


def test_much_at_once_is_late_once(valkey_server: RedisServer) -> None:
    with SlowLink(valkey_server.port, 20.0) as link, Redis(port=link.port) as client:
        client.ping()
        start = time.perf_counter()
        pipeline = client.pipeline(transaction=False)
        for number in range(500):
            pipeline.set(f"link:{number}", b"x" * 10_000)
        pipeline.mget([f"link:{number}" for number in range(500)])
        *stored, found = pipeline.execute()
        elapsed = time.perf_counter() - start
    assert all(stored)
    assert found == [b"x" * 10_000] * 500
    assert elapsed < 1.0  # 500 times 20 ms is 10 s


def test_the_end_of_either_side_is_passed_on(valkey_server: RedisServer) -> None:
    with SlowLink(valkey_server.port, 1.0) as link, Redis(port=link.port) as client:
        # Taken before, since the pool makes a dead one anew when it is asked.
        connection = client.connection_pool.get_connection()
        connection.send_command("CLIENT", "ID")
        own = connection.read_response()
        with Redis(port=valkey_server.port) as direct:
            direct.client_kill_filter(_id=own)
        with pytest.raises(RedisConnectionError):
            connection.read_response()
        client.connection_pool.release(connection)
