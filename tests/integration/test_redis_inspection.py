"""What real servers say of themselves."""

from pathlib import Path

import pytest
import redis

from simstore.adapters.redis_connection.inspection import NOT_SEEN, inspect_server
from tests.servers.binaries import valkey_binary
from tests.servers.redis_server import RedisServer


def test_redis_with_modules(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        inspection = inspect_server(client)
    assert inspection.facts["server"].startswith("Redis 8.")
    assert (inspection.facts["mode"], inspection.facts["role"]) == ("standalone", "primary")
    assert "ReJSON 2." in inspection.facts["modules"]
    assert "search 2." in inspection.facts["modules"]
    assert inspection.facts["memory"].endswith(" used, no limit")
    assert inspection.facts["persistence"] == "none"
    (warning,) = inspection.warnings
    assert "nothing is written to the disk" in warning


def test_valkey(valkey_server: RedisServer) -> None:
    with valkey_server.client() as client:
        inspection = inspect_server(client)
    assert inspection.facts["server"].startswith("Valkey ")
    assert inspection.facts["mode"] == "standalone"
    assert "search" not in inspection.facts["modules"]
    assert NOT_SEEN not in inspection.facts.values()


def test_the_oldest_redis_is_supported(redis62_server: RedisServer) -> None:
    with redis62_server.client() as client:
        inspection = inspect_server(client)
    assert inspection.facts["server"].startswith("Redis 6.2.")
    assert not [warning for warning in inspection.warnings if "not supported" in warning]


@pytest.mark.parametrize("forbidden", ["config", "info"])
def test_who_may_not_ask_is_told_so(tmp_path: Path, forbidden: str) -> None:
    users = [f"ada on >pw ~* +@all -{forbidden}"]
    config = {"user": users, "maxmemory": "50mb", "maxmemory-policy": "allkeys-lru"}
    with (
        RedisServer(valkey_binary(), config, tmp_path) as server,
        redis.Redis.from_url(server.url_for("ada:pw")) as client,
    ):
        inspection = inspect_server(client)
    seen = NOT_SEEN not in inspection.facts["server"]
    assert seen == (forbidden == "config")
    assert inspection.facts["eviction"] == "allkeys-lru"
    assert [warning for warning in inspection.warnings if "throws away any keys" in warning]
    assert "pw" not in repr(inspection)


def test_a_replica_that_keeps_a_log(valkey_server: RedisServer, tmp_path: Path) -> None:
    config = {
        "replicaof": f"{valkey_server.host} {valkey_server.port}",
        "appendonly": "yes",
        "appendfsync": "everysec",
    }
    with RedisServer(valkey_binary(), config, tmp_path) as server, server.client() as client:
        inspection = inspect_server(client)
    assert inspection.facts["role"] == "replica"
    assert inspection.facts["persistence"].startswith("append-only file, flushed: everysec")
    replica, flushed = inspection.warnings
    assert "takes no writes" in replica
    assert "one second" in flushed
