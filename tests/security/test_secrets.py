"""A password is in nothing that is shown, raised, logged or printed."""

import logging
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

import simstore
from simstore import AgentProfile, SimstoreError, field
from simstore.adapters.redis_pipeline import store_on
from simstore.services.diagnosis import diagnose
from tests.servers.binaries import valkey_binary
from tests.servers.cluster import RedisCluster
from tests.servers.redis_server import RedisServer

PASSWORD = "s3cret:/?#[]@!%&'\"word"  # noqa: S105 — the tests' own
QUOTED = quote(PASSWORD, safe="")
SECRETS = (PASSWORD, QUOTED, repr(PASSWORD)[1:-1], "s3cret")


CLI = "from simstore.cli import main; main()"


def assert_silent(*texts: object) -> None:
    for text in texts:
        for secret in SECRETS:
            assert secret not in str(text), text


def everything_of(error: BaseException) -> Iterator[str]:
    """What an error and its chain say, in every way."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
        yield from getattr(one, "__notes__", [])
        waiting += [one.__cause__, one.__context__]
    yield "".join(traceback.format_exception(error))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(valkey_binary(), {}, tmp_path, password=PASSWORD) as server:
        yield server


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Each test is logged in full, and its warnings are kept; then both are looked at."""
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    assert_silent(caplog.text, *caught)


CALLS = 11
"""As many as `calls_of` has."""


def calls_of(store: simstore.Store) -> list[Callable[[], Any]]:
    agent = AgentProfile(pk="a", first_name="A", last_name="B")
    return [
        store.agents.count,
        store.agents.find,
        lambda: store.agents.get("none"),
        lambda: store.agents.save(agent),
        lambda: store.agents.save_many([agent] * 3),
        lambda: store.agents.delete("none"),
        lambda: store.agents.delete_many(tag="none"),
        lambda: list(store.agents.index_faults()),
        store.collections,
        store.inspect,
        lambda: diagnose(store),
    ]


def assert_errors_are_silent(url: str) -> int:
    """How many calls of a store with `url` raised."""
    raised = 0
    with simstore.connect(url) as store:
        assert_silent(store.url, repr(store), repr(store.agents), store.lacks)
        for call in calls_of(store):
            try:
                call()
            except SimstoreError as error:
                raised += 1
                assert_silent(*everything_of(error))
    assert_silent(repr(store))
    return raised


def test_a_store_that_works_says_nothing(server: RedisServer) -> None:
    with simstore.connect(server.url) as store:
        store.agents.save(AgentProfile(pk="a", first_name="A", last_name="B"))
        diagnosis = diagnose(store)
        assert diagnosis.healthy
        assert_silent(
            store.agents.explain(field("age") > 3),
            repr(store.agents.explain(tag="x")),
            store.inspect(),
            diagnosis,
            store.url,
            repr(store),
            repr(store.repository(AgentProfile)),
        )
    with pytest.raises(simstore.StoreClosedError) as raised:
        store.agents.count()
    assert_silent(*everything_of(raised.value))


def test_errors_of_a_server_that_is_not_there_say_nothing(server: RedisServer) -> None:
    server.kill()
    assert assert_errors_are_silent(server.url) == CALLS


def test_errors_of_a_wrong_password_say_nothing(tmp_path: Path) -> None:
    with RedisServer(valkey_binary(), {}, tmp_path, password="another") as server:
        for user in ("", "default", "nobody"):
            assert assert_errors_are_silent(server.url_for(f"{user}:{QUOTED}")) == CALLS


def test_errors_of_a_server_that_hangs_say_nothing(server: RedisServer) -> None:
    server.pause()
    try:
        assert assert_errors_are_silent(f"{server.url}?timeout=0.05") == CALLS
    finally:
        server.resume()


def test_errors_within_a_cut_of_the_data_say_nothing(server: RedisServer) -> None:
    with server.client() as client:
        client.set("simstore:{:AgentProfile:0}:pks", "what is no sorted set")
    assert assert_errors_are_silent(server.url) > 3


def test_a_cluster_says_nothing(redis_cluster: RedisCluster, server: RedisServer) -> None:
    at = f"user:{QUOTED}@127.0.0.1"
    for port in (redis_cluster.servers[0].port, server.port, 1):
        url = f"redis+cluster://{at}:{port}"
        assert assert_errors_are_silent(url) == CALLS


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:{}@host:port",
        "redis://user:{}@host:99999",
        "redis://user:{}@host/0/1",
        "redis://user:{}@host/x",
        "redis://user:{}@ho st",
        "redis://user:{}@a,b",
        "redis://user:{}@host?nonsense=1",
        "redis://user:{}@host?timeout=never",
        "redis://user:{}@host?db=1&db=2",
        "redis://:{}@host/1?db=2",
        "redis+cluster://:{}@a,b/1",
        "unix://:{}@no/absolute/path",
        "unknown://:{}@host",
        "rediss://:{}@host?ssl_cert_reqs=maybe",
        "redis:/:{}@host",
        ":{}@host",
    ],
)
def test_a_url_that_is_refused_is_shown_without_its_password(url: str) -> None:
    with pytest.raises(SimstoreError) as raised:
        simstore.connect(url.format(QUOTED))
    assert_silent(*everything_of(raised.value))


@pytest.mark.parametrize("password", ["s3cret?word", "s3cret#word", "s3cret/word", "s3cret@word",
                                      "s3cret:word", "s3cret?timeout=1", "a?s3cret", "a?s3cret=1",
                                      "a?timeout=s3cret", "a?timeout=1&s3cret"])  # fmt: skip
def test_a_password_that_is_not_escaped_is_not_shown_either(password: str) -> None:
    try:
        store = simstore.connect(f"redis://user:{password}@127.0.0.1:1")
    except SimstoreError as error:
        assert_silent(*everything_of(error))
    else:
        assert_silent(store.url, repr(store))
        with pytest.raises(SimstoreError) as raised:
            store.agents.count()
        assert_silent(*everything_of(raised.value))


@pytest.mark.parametrize(
    ("command", "works"),
    [
        (["doctor"], True),
        (["doctor", "--json"], True),
        (["doctor", "--json"], False),
        (["list", "agents"], False),
    ],
    ids=["doctor", "doctor json", "doctor json refused", "list refused"],
)
def test_the_command_line_prints_nothing_of_it(
    server: RedisServer, command: list[str], works: bool
) -> None:
    url = server.url if works else server.url_for(f":{QUOTED}x")
    done = subprocess.run(
        [sys.executable, "-c", CLI, *command, "--store", url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode == 0) == works, done.stderr
    assert done.stdout or done.stderr
    assert_silent(done.stdout, done.stderr)


def test_a_client_of_ones_own_is_not_shown(server: RedisServer) -> None:
    once = Retry(NoBackoff(), 0)
    with redis.Redis(port=server.port, password=PASSWORD, retry=once) as client:
        with store_on(client) as store:
            store.agents.count()
            assert_silent(store.url, repr(store))
        server.kill()
        with store_on(client) as store, pytest.raises(SimstoreError) as raised:
            store.agents.count()
        assert_silent(*everything_of(raised.value))
