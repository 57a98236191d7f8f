"""The store that the environment names for the models of `simstore.sotopia`."""

import os
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import simstore
from simstore.domain.errors import StoreURLError
from simstore.sotopia import AgentProfile, current_store
from simstore.sotopia import environment as module
from simstore.sotopia.environment import in_place
from tests.unit.drop_in import ada, no_store_named


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An environment that names no store, and whose stores are this test's own."""
    with no_store_named(monkeypatch):
        yield monkeypatch


def test_the_environments_store_is_one_for_all_threads(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("SIMSTORE_URL", "memory://")
    environment.setenv("REDIS_OM_URL", "redis://localhost:1")
    environment.setenv("SOTOPIA_STORAGE_BACKEND", "redis")
    ada("first").save()
    with ThreadPoolExecutor(8) as pool:
        stores = set(pool.map(lambda _: current_store(), range(50)))
    assert stores == {current_store()}
    assert AgentProfile.get("ada").tag == "first"
    environment.setenv("SIMSTORE_URL", f"sqlite:///{tmp_path}/second.db")
    assert AgentProfile.all() == []
    environment.setenv("SIMSTORE_URL", "memory://")
    assert AgentProfile.get("ada").tag == "first"


@pytest.mark.parametrize(
    ("redis_url", "expected"),
    [
        ("redis://localhost:6379", "redis+om://localhost:6379?layout=sotopia"),
        ("redis://:p%40ss@h:1/2", "redis+om://:p%40ss@h:1/2?layout=sotopia"),
        ("rediss://h", "rediss+om://h?layout=sotopia"),
        ("redis://h?decode_responses=True", "redis+om://h?layout=sotopia"),
        ("redis://h?timeout=5&decode_responses=True", "redis+om://h?timeout=5&layout=sotopia"),
        (
            "redis://h?socket_timeout=5&socket_connect_timeout=2.5&max_connections=8",
            "redis+om://h?timeout=5&connect_timeout=2.5&pool_size=8&layout=sotopia",
        ),
        (
            "redis://h?health_check_interval=30&protocol=3&retry_on_timeout=True&encoding=utf-8",
            "redis+om://h?layout=sotopia",
        ),
        (
            "rediss://h?ssl_cert_reqs=none&client_name=me",
            "rediss+om://h?ssl_cert_reqs=none&layout=sotopia",
        ),
    ],
)
def test_sotopias_redis_is_worked_on_in_place(redis_url: str, expected: str) -> None:
    assert in_place(redis_url) == expected


@pytest.mark.parametrize("redis_url", ["localhost:6379", "unix:///tmp/redis.sock", "http://h"])
def test_a_url_that_sotopia_has_not_for_redis_is_refused(
    environment: pytest.MonkeyPatch, redis_url: str
) -> None:
    environment.setenv("REDIS_OM_URL", redis_url)
    with pytest.raises(StoreURLError, match="REDIS_OM_URL") as caught:
        current_store()
    assert redis_url not in str(caught.value)  # it may hold a password


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"REDIS_OM_URL": "redis://h:1"}, "redis+om://h:1?layout=sotopia"),
        (
            {"REDIS_OM_URL": "redis://h:1", "SOTOPIA_STORAGE_BACKEND": "redis"},
            "redis+om://h:1?layout=sotopia",
        ),
        ({"SOTOPIA_STORAGE_BACKEND": "Redis"}, "redis+om://localhost:6379?layout=sotopia"),
        (
            {"SOTOPIA_STORAGE_BACKEND": "local", "REDIS_OM_URL": "redis://h:1"},
            Path("/home/a/.sotopia/data"),
        ),
        ({"SIMSTORE_URL": "memory://x", "SOTOPIA_STORAGE_BACKEND": "local"}, "memory://x"),
    ],
)
def test_where_the_environments_store_is(
    environment: pytest.MonkeyPatch, variables: dict[str, str], place: str | Path
) -> None:
    environment.setenv("HOME", "/home/a")
    opened: list[str | Path] = []

    def open_store(place: str | Path) -> simstore.Store:
        opened.append(place)
        return simstore.connect("memory://")

    environment.setattr(module, "open_place", open_store)
    for name, value in variables.items():
        environment.setenv(name, value)
    assert current_store() is current_store()
    assert opened == [place]


def test_an_unknown_backend_of_sotopias_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SOTOPIA_STORAGE_BACKEND", "mongo")
    with pytest.raises(StoreURLError, match="redis or local, not 'mongo'"):
        current_store()


@pytest.mark.parametrize(
    "url", ["episodes.db", "localhost:6379", "memory", " ", "~/x.db", "sqlite:x.db", "/x.db"]
)
def test_a_variable_that_is_no_url_is_refused(
    environment: pytest.MonkeyPatch, url: str, tmp_path: Path
) -> None:
    environment.chdir(tmp_path)
    environment.setenv("SIMSTORE_URL", url)
    with pytest.raises(StoreURLError):
        ada().save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("password", ["hunter?2", "hunter/2", "hunter#2", "hunter@2", "hunter:2"])
def test_no_password_is_shown(environment: pytest.MonkeyPatch, password: str) -> None:
    environment.setenv("REDIS_OM_URL", f"redis://:{password}@localhost:1")
    with pytest.raises(simstore.SimstoreError) as caught:
        AgentProfile.all()
    assert "hunter" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_a_fork_waits_for_a_thread_that_opens_the_store(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment.setenv("SIMSTORE_URL", f"sqlite:///{tmp_path}/records.db")
    is_opening, may_go_on = threading.Event(), threading.Event()

    def slowly(place: str | Path) -> simstore.Store:
        is_opening.set()
        may_go_on.wait(10)
        return simstore.connect(str(place))

    environment.setattr(module, "open_place", slowly)
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(current_store)
        assert is_opening.wait(10)
        threading.Timer(0.1, may_go_on.set).start()
        child = os.fork()
        if child == 0:
            os._exit(0 if AgentProfile.all_pks() == [] else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert opening.result(10) is current_store()
