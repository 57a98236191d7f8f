"""``rediss://``: the server's certificate is checked, and the client shows its own."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

import simstore
from simstore import AgentProfile, BackendTimeoutError, BackendUnavailableError, StoreURLError
from tests.servers.binaries import valkey_binary
from tests.servers.fixtures import own_namespace
from tests.servers.redis_server import RedisServer
from tests.servers.tls import TlsFront

PASSWORD = "pässword with @:/?#%&"  # noqa: S105 — the tests' own
QUOTED = quote(PASSWORD, safe="")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    with RedisServer(valkey_binary(), {}, folder, password=PASSWORD) as server:
        yield server


@pytest.fixture
def front(server: RedisServer, tmp_path: Path) -> Iterator[TlsFront]:
    with TlsFront(server, tmp_path) as front:
        yield front


def url_of(front: TlsFront, *options: str, host: str = "127.0.0.1") -> str:
    every = "&".join([f"namespace={own_namespace()}", "timeout=5", *options])
    return f"rediss://:{QUOTED}@{host}:{front.port}?{every}"


def assert_works(url: str) -> None:
    agents = [AgentProfile(first_name="A", last_name="B", tag=f"t{n % 3}") for n in range(300)]
    with simstore.connect(url) as store:
        assert store.agents.count() == 0
        store.agents.save_many(agents)
        assert store.agents.count(tag="t1") == 100
        assert store.agents.get(agents[0].pk) == agents[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_is_trusted_by_its_authority(front: TlsFront, host: str) -> None:
    assert_works(url_of(front, f"ssl_ca_certs={front.ca_file}", host=host))


@pytest.mark.parametrize(
    "options", [(), ("ssl_cert_reqs=required",), ("ssl_check_hostname=false",)]
)
def test_a_server_that_nobody_vouches_for_is_refused(
    front: TlsFront, options: tuple[str, ...]
) -> None:
    with (
        simstore.connect(url_of(front, *options)) as store,
        pytest.raises(BackendUnavailableError, match="CERTIFICATE_VERIFY_FAILED") as raised,
    ):
        store.agents.count()
    assert PASSWORD not in str(raised.value)
    assert QUOTED not in str(raised.value)


def test_a_name_that_the_certificate_lacks_is_refused(
    front: TlsFront, monkeypatch: pytest.MonkeyPatch
) -> None:
    _resolve_to_loopback(monkeypatch)
    ca = f"ssl_ca_certs={front.ca_file}"
    with pytest.raises(BackendUnavailableError, match="not valid for"):
        assert_works(url_of(front, ca, host="redis.example.org"))
    assert_works(url_of(front, ca, "ssl_check_hostname=false", host="redis.example.org"))


def _resolve_to_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    original = socket.getaddrinfo

    def lookup(host: str, *arguments: object, **options: object) -> object:
        there = "127.0.0.1" if host == "redis.example.org" else host
        return original(there, *arguments, **options)  # type: ignore[arg-type]  # passed on as is

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def test_any_certificate_will_do_where_that_is_asked_for(front: TlsFront) -> None:
    assert_works(url_of(front, "ssl_cert_reqs=none"))


def test_a_server_that_asks_for_the_clients_certificate(
    server: RedisServer, tmp_path: Path
) -> None:
    with TlsFront(server, tmp_path, client_certificates=True) as front:
        ca = f"ssl_ca_certs={front.ca_file}"
        own = f"ssl_certfile={front.client_file}&ssl_keyfile={front.client_file}"
        assert_works(url_of(front, ca, own))
        with pytest.raises(BackendUnavailableError):
            assert_works(url_of(front, ca))


@pytest.mark.parametrize(("scheme", "plain"), [("rediss", "redis"), ("rediss+om", r"redis\+om")])
def test_a_plain_server_is_asked_for_a_handshake_as_long_as_for_a_connection(
    server: RedisServer, scheme: str, plain: str
) -> None:
    if "om" in scheme:
        pytest.importorskip("redis_om", reason="redis+om:// needs redis-om")
    url = f"{scheme}://:{QUOTED}@127.0.0.1:{server.port}?timeout=20&connect_timeout=0.5"
    start = time.monotonic()
    asked = f"does the server speak TLS there\\? Else write {plain}://$"
    with simstore.connect(url) as store, pytest.raises(BackendTimeoutError, match=asked):
        store.agents.count()
    assert time.monotonic() - start < 10


def test_after_the_handshake_the_timeout_is_that_of_answers(
    front: TlsFront, server: RedisServer
) -> None:
    ca = f"ssl_ca_certs={front.ca_file}"
    with simstore.connect(url_of(front, ca, "connect_timeout=0.5")) as store:
        store.agents.count()
        server.pause()
        resuming = threading.Timer(1.5, server.resume)
        resuming.start()
        try:
            assert store.agents.count() == 0  # later than connecting may take
        finally:
            resuming.join()


def test_speaking_plainly_with_a_tls_server_is_an_error_of_ours(front: TlsFront) -> None:
    with pytest.raises(simstore.BackendError):
        assert_works(f"redis://:{QUOTED}@127.0.0.1:{front.port}?timeout=2")


@pytest.mark.parametrize(
    "url",
    [
        "redis://host?ssl_ca_certs=/file",
        "rediss://host?ssl_cert_reqs=optional",
        "rediss://host?ssl_check_hostname=maybe",
    ],
)
def test_options_that_would_be_misunderstood_are_refused(url: str) -> None:
    with pytest.raises(StoreURLError):
        simstore.connect(url)
