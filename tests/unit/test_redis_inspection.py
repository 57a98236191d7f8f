"""What a Redis server's answers to INFO and CONFIG GET mean."""

from collections.abc import Mapping
from typing import Any

import pytest

from simstore.adapters.redis_connection.inspection import NOT_SEEN, inspection_of

INFO: dict[str, Any] = {
    "redis_version": "8.2.3",
    "redis_mode": "standalone",
    "role": "master",
    "modules": [{"name": "search", "ver": 21005}, {"name": "ReJSON", "ver": 20803}],
    "used_memory": 1_530_000,
    "maxmemory": 0,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "rdb_last_bgsave_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "aof_last_write_status": "ok",
}
SETTINGS = {
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "appendonly": "yes",
    "appendfsync": "always",
    "save": "",
}

NONE: Mapping[str, Any] = {}


def warnings(settings: Mapping[str, Any] = NONE, **info: Any) -> tuple[str, ...]:
    """The warnings of a server that is sound but for that."""
    return inspection_of({**INFO, **info}, {**SETTINGS, **settings}).warnings


def fact(name: str, settings: Mapping[str, Any] = NONE, **info: Any) -> str:
    return inspection_of({**INFO, **info}, {**SETTINGS, **settings}).facts[name]


def test_a_sound_server() -> None:
    inspection = inspection_of(INFO, SETTINGS)
    assert inspection.warnings == ()
    assert inspection.facts == {
        "server": "Redis 8.2.3",
        "mode": "standalone",
        "role": "primary",
        "modules": "ReJSON 2.8.3, search 2.10.5",
        "memory": "1.53 MB used, no limit",
        "eviction": "noeviction",
        "persistence": "append-only file, flushed: always",
    }


def test_a_server_that_tells_nothing_has_no_warnings() -> None:
    inspection = inspection_of(None, None)
    assert set(inspection.facts.values()) == {NOT_SEEN}
    assert inspection.warnings == ()


def test_what_info_knows_is_told_without_config() -> None:
    inspection = inspection_of(
        {**INFO, "maxmemory": 10**8, "maxmemory_policy": "allkeys-lru"}, None
    )
    assert inspection.facts["memory"] == "1.53 MB used, of 100 MB"
    assert inspection.facts["eviction"] == "allkeys-lru"
    assert inspection.facts["persistence"] == (
        "append-only file, flushed: not allowed to see; snapshots: not allowed to see"
    )
    (warning,) = inspection.warnings
    assert "allkeys-lru" in warning


def test_snapshots_that_may_not_be_seen_are_not_said_to_be_none() -> None:
    inspection = inspection_of({**INFO, "aof_enabled": 0}, None)
    assert inspection.facts["persistence"] == "snapshots: not allowed to see"
    assert inspection.warnings == ()


def test_what_config_knows_is_told_without_info() -> None:
    inspection = inspection_of(None, {**SETTINGS, "appendonly": "no", "maxmemory": "2000"})
    assert inspection.facts["memory"] == "of 2 kB"
    assert inspection.facts["persistence"] == "none"
    assert "nothing is written to the disk" in inspection.warnings[0]


def test_valkey_is_known_by_its_own_version() -> None:
    valkey: dict[str, Any] = {"redis_version": "5.9", "valkey_version": "9.1.2", "redis_mode": None}
    assert fact("server", **valkey) == "Valkey 9.1.2"
    assert fact("mode", server_mode="cluster", **valkey) == "cluster"
    assert warnings(**valkey) == ()


def test_modules_may_be_none_and_count_by_themselves() -> None:
    assert fact("modules", modules=[]) == "none"
    assert fact("modules", modules=[{"name": "lua", "ver": 1}]) == "lua 1"


@pytest.mark.parametrize(
    ("version", "is_supported"),
    [("6.0.16", False), ("5.9", False), ("6.2.0", True), ("6.10", True), ("10.0", True)],
)
def test_versions_that_are_too_old(version: str, is_supported: bool) -> None:
    told = warnings(redis_version=version)
    assert (told == ()) == is_supported
    assert is_supported or f"Redis {version} is not supported" in told[0]


def test_a_version_that_is_no_number_is_taken_as_it_is() -> None:
    assert warnings(redis_version="unstable") == ()


def test_a_replica() -> None:
    assert fact("role", role="slave") == "replica"
    (warning,) = warnings(role="slave")
    assert "takes no writes" in warning
    assert "Put the primary's address into the URL" in warning


def test_nothing_is_kept() -> None:
    nothing = {"appendonly": "no", "save": ""}
    assert fact("persistence", nothing) == "none"
    (warning,) = warnings(nothing)
    assert "all records are gone when the server stops" in warning
    assert "Set appendonly yes" in warning


@pytest.mark.parametrize(
    ("save", "lost"),
    [
        ("3600 1 300 100 60 10000", "up to 3600 seconds of acknowledged writes are lost. "),
        ("60 1000", "up to 60 seconds of acknowledged writes are lost, and for good below 1000 "),
    ],
)
def test_snapshots_alone(save: str, lost: str) -> None:
    (warning,) = warnings({"appendonly": "no", "save": save})
    assert lost in warning
    assert "appendonly yes" in warning


def test_snapshots_beside_an_append_only_file() -> None:
    assert warnings({"save": "60 1"}) == ()
    assert fact("persistence", {"save": "900 1 60 100"}) == (
        "append-only file, flushed: always; snapshots, 900 s after 1, 60 s after 100"
    )


@pytest.mark.parametrize(("flush", "lost"), [("everysec", "one second"), ("no", "30 seconds")])
def test_a_log_that_is_flushed_late(flush: str, lost: str) -> None:
    (warning,) = warnings({"appendfsync": flush})
    assert f"appendfsync is {flush}" in warning
    assert lost in warning


def test_how_a_log_would_be_flushed_says_nothing_where_there_is_none() -> None:
    told = warnings({"appendonly": "no", "appendfsync": "everysec", "save": "60 1"})
    assert not [warning for warning in told if "appendfsync" in warning]


@pytest.mark.parametrize(
    ("policy", "thrown_away"),
    [
        ("allkeys-lru", "any keys"),
        ("allkeys-lfu", "any keys"),
        ("volatile-ttl", "records that have a time to live"),
    ],
)
def test_what_a_full_server_throws_away(policy: str, thrown_away: str) -> None:
    (warning,) = warnings({"maxmemory-policy": policy, "maxmemory": "100000000"})
    assert f"maxmemory-policy is {policy}: when 100 MB are full" in warning
    assert thrown_away in warning
    assert "maxmemory-policy noeviction" in warning
    assert warnings({"maxmemory-policy": policy}) == (), "without a limit, it is never full"


def test_a_limit_at_which_writes_are_refused_loses_nothing() -> None:
    assert warnings({"maxmemory": "1000"}) == ()


@pytest.mark.parametrize(
    ("status", "what"),
    [
        ("rdb_last_bgsave_status", "the last snapshot failed"),
        ("aof_last_bgrewrite_status", "could not be rewritten"),
        ("aof_last_write_status", "could not be written"),
    ],
)
def test_what_failed(status: str, what: str) -> None:
    failed: dict[str, Any] = {status: "err"}
    (warning,) = warnings(**failed)
    assert what in warning
    assert "disk is full" in warning
