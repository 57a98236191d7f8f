"""Users of an ACL: the least that simstore needs, and what happens without it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from pydantic import ConfigDict

import simstore
from simstore import AgentProfile, BackendError, BackendUnavailableError, field
from simstore.adapters.redis_pipeline.layout import Layout
from simstore.testing.models import Specimen
from tests.faults.aftermath import specimens
from tests.redis_keys import indexes_at
from tests.servers.binaries import redis62_binary, redis_binary, valkey_binary
from tests.servers.redis_server import RedisServer

DIRECTLY = (
    "client|setname evalsha exec get hscan mget multi sadd scan script|load set smembers zmscore "
    "zrange"
)
WITHIN_SCRIPTS = (
    "del exists hdel hexists hget hgetall hkeys hmget hset persist pexpireat pttl rename strlen "
    "time unlink "
    "zadd zcard zcount zlexcount zrangebylex zrangebyscore zrem zscore zunionstore"
)
COMMANDS = [*DIRECTLY.split(), *WITHIN_SCRIPTS.split()]
"""All that a store needs."""

INSPECTING = ["info", "config|get"]
"""What `inspect` would like to ask; it says so where it may not."""

PASSWORD = 'ünd :/?#[]@!$&\'()*+,;=% "more" \\ %41'  # noqa: S105 — the tests' own
BINARIES = {"redis": redis_binary, "valkey": valkey_binary, "redis62": redis62_binary}


@pytest.fixture(params=BINARIES)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(BINARIES[request.param](), {}, tmp_path) as server:
        yield server


@pytest.fixture
def admin(server: RedisServer) -> Iterator[Any]:
    with server.client() as client:
        yield client


def add_user(admin: Any, *rules: str, name: str = "sim") -> None:
    admin.execute_command("ACL", "SETUSER", name, "reset", "on", f">{PASSWORD}", *rules)


def url_of(server: RedisServer, name: str = "sim", namespace: str = "") -> str:
    credentials = f"{quote(name, safe='')}:{quote(PASSWORD, safe='')}"
    return f"{server.url_for(credentials)}?namespace={namespace}"


def allowed(admin: Any, commands: list[str]) -> list[str]:
    """Rules for `commands`; Redis 6 has no rule for one subcommand of a command that is refused."""
    if not admin.info("server")["redis_version"].startswith("6."):
        return [f"+{each}" for each in commands]
    return [f"+{each.partition('|')[0]}" for each in commands]


def use_everything(url: str) -> None:
    """Every call of a store, and every way through the scripts."""
    with simstore.connect(url) as store:
        repository = store.repository(Specimen)
        repository.save_many(specimens(0, 120))
        repository.save(specimens(0)[0], ttl=60)
        repository.add(specimens(9_000, 1)[0])
        repository.update(specimens(0)[0].pk, lambda item: item.model_copy(update={"tag": "x"}))
        assert repository.count() == 121
        assert repository.get_many([item.pk for item in specimens(0, 3)])
        assert repository.find(field("number") >= 5, field("labels").contains("label 1"), limit=9)
        assert repository.find((field("tag") == "tag 1") | (field("tag") == "tag 2"))
        assert repository.find(~(field("bio").matches("word1")), order_by="-score", limit=3)
        assert repository.pks(field("tag").startswith("tag"), limit=5)
        assert repository.count(field("score") < 0.5)
        assert repository.project(["tag", "number"], tag="tag 1")
        assert repository.delete_many(tag="tag 1") > 0
        repository.delete(specimens(0)[0].pk)
        assert list(repository.index_faults()) == []
        leave_orphans(store, url)
        assert len(list(repository.index_faults(repair=True))) == 2
        with store.transaction() as transaction:
            transaction.repository(Specimen).save(specimens(9_100, 1)[0])
            transaction.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))
        assert store.collections() == ["AgentProfile", "Specimen"]
        large = "x" * (3 << 20)
        repository.save(specimens(9_200, 1)[0].model_copy(update={"plain_text": large}))
        store.inspect()
    change_the_indexes(url)


def leave_orphans(store: simstore.Store, url: str) -> None:
    """Entries of two records that are not there."""
    layout = Layout(store.url.partition("namespace=")[2])
    with redis.Redis.from_url(url.partition("?")[0]) as client:
        indexes = indexes_at(layout.base("Specimen", 0))
        client.zadd(f"{indexes}:index:tag", {b"3gone\0\0gone": 0})
        client.hset(f"{indexes}:entries", "lost", "")


def change_the_indexes(url: str) -> None:
    """Another program has other indexes for the same records."""

    class Other(simstore.Record):
        __collection__ = "Specimen"
        model_config = ConfigDict(extra="allow")
        number: int = 0

    with simstore.connect(url) as store:
        assert store.repository(Other).count() > 0
    with simstore.connect(url) as store:
        assert store.repository(Specimen).count(tag="tag 2") > 0


def test_the_documented_user_can_do_everything_and_nothing_else(
    server: RedisServer, admin: Any
) -> None:
    add_user(admin, "~simstore:*", "-@all", *allowed(admin, COMMANDS))
    admin.config_resetstat()
    use_everything(url_of(server))
    statistics = admin.info("commandstats").items()
    called = {name.removeprefix("cmdstat_") for name, each in statistics if each["calls"]}
    # Redis 6 counts commands whole. What is taken away, the test does itself.
    whole = "client|setname" not in called
    documented = {each.partition("|")[0] if whole else each for each in COMMANDS}
    assert called - {"info", "config", "config|resetstat", "auth", "hello"} == documented
    refused = {entry["object"] for entry in admin.acl_log()}
    assert refused <= {"client|setinfo", "client", *INSPECTING, "config"}


def test_a_user_of_one_namespace_sees_no_other(server: RedisServer, admin: Any) -> None:
    keys = ["~simstore:{team:*", "~simstore:{team}:*"]
    add_user(admin, *keys, "-@all", *allowed(admin, COMMANDS))
    with simstore.connect(f"{server.url}?namespace=other") as other:
        other.agents.save(AgentProfile(pk="secret", first_name="A", last_name="B"))
    use_everything(url_of(server, namespace="team"))
    for namespace in ("other", "", "team2"):
        with simstore.connect(url_of(server, namespace=namespace)) as store:
            for call in (
                lambda: store.agents.get("secret"),
                store.agents.find,
                lambda: store.agents.save(AgentProfile(first_name="A", last_name="B")),
            ):
                with pytest.raises(BackendError, match="may not do that; see the server's ACL"):
                    call()


def test_a_user_who_may_only_read(server: RedisServer, admin: Any) -> None:
    with simstore.connect(server.url) as store:
        store.repository(Specimen).save_many(specimens(0, 50))
    reading = ["client|setname", "evalsha", "script|load", "@read", "time"]
    add_user(admin, "~simstore:*", "-@all", *allowed(admin, reading))
    with simstore.connect(url_of(server)) as store:
        repository = store.repository(Specimen)
        assert repository.find(tag="tag 1") == [
            item for item in specimens(0, 50) if item.tag == "tag 1"
        ]
        assert repository.count() == 50
        for call in (
            lambda: repository.save(specimens(60, 1)[0]),
            lambda: repository.delete(specimens(0, 1)[0].pk),
        ):
            with pytest.raises(BackendError, match="may not do that; see the server's ACL"):
                call()
    with simstore.connect(server.url) as store:
        assert store.repository(Specimen).pks() == [item.pk for item in specimens(0, 50)]
        assert list(store.repository(Specimen).index_faults()) == []


def test_a_name_and_a_password_of_any_characters(server: RedisServer, admin: Any) -> None:
    name = "ann:o@b/é%?#"
    add_user(admin, "~*", "+@all", name=name)
    with simstore.connect(url_of(server, name)) as store:
        store.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))
        assert store.agents.count() == 1
        assert PASSWORD not in store.url
        assert quote(PASSWORD, safe="") not in store.url


def test_a_user_who_is_switched_off(server: RedisServer, admin: Any) -> None:
    add_user(admin, "~*", "+@all", "off")
    with (
        simstore.connect(url_of(server)) as store,
        pytest.raises(BackendUnavailableError, match="refused the user name or the password"),
    ):
        store.agents.count()


def test_a_user_who_is_thrown_out_in_between(server: RedisServer, admin: Any) -> None:
    add_user(admin, "~*", "+@all")
    with simstore.connect(url_of(server)) as store:
        store.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))
        admin.execute_command("ACL", "DELUSER", "sim")
        for call in (
            store.agents.count,
            lambda: store.agents.save(AgentProfile(pk="b", first_name="A", last_name="B")),
        ):
            with pytest.raises(BackendUnavailableError, match="refused the user name"):
                call()
