"""Redis URLs, taken apart without a connection."""

from pathlib import Path

import pytest

import simstore
from simstore.adapters.redis_connection.settings import RedisSettings
from simstore.adapters.url import StoreURL


def parse(url: str, *, cluster: bool = False) -> RedisSettings:
    return RedisSettings.parse(StoreURL(url), cluster=cluster)


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("redis://", [("localhost", 6379)]),
        ("redis://example.org", [("example.org", 6379)]),
        ("redis://example.org:7000", [("example.org", 7000)]),
        ("redis://[::1]", [("::1", 6379)]),
        ("redis://[::1]:7000/", [("::1", 7000)]),
    ],
)
def test_an_address(url: str, addresses: list[tuple[str, int]]) -> None:
    assert list(parse(url).addresses) == addresses


def test_a_cluster_has_several_addresses() -> None:
    settings = parse("redis+cluster://one:1,two,[::3]:3", cluster=True)
    assert settings.addresses == (("one", 1), ("two", 6379), ("::3", 3))


def test_all_options() -> None:
    settings = parse("redis://h/3?namespace=a%7D%3Ab&timeout=1.5&connect_timeout=2&pool_size=4")
    assert (settings.db, settings.namespace) == (3, "a}:b")
    assert (settings.timeout, settings.connect_timeout, settings.pool_size) == (1.5, 2.0, 4)
    assert settings.tls is None
    assert parse("redis://h?db=3").db == 3


def test_special_characters_are_escaped_in_names_and_passwords() -> None:
    settings = parse("redis://a%3Ab:p%40%2F%3Aw@h:1")
    assert (settings.username, settings.password) == ("a:b", "p@/:w")
    assert settings.addresses == (("h", 1),)
    assert (parse("redis://:pw@h").username, parse("redis://:pw@h").password) == (None, "pw")


def test_the_password_is_not_shown() -> None:
    settings = parse("redis://ada:s3cret@h:1")
    assert "s3cret" not in repr(settings)
    assert settings.shown == "redis://ada:***@h:1"
    alone = parse("redis://s3cret@h:1")  # as a user name, which it is taken for
    assert "s3cret" not in repr(alone)
    assert (alone.username, alone.shown) == ("s3cret", "redis://***@h:1")


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ca.pem; one.pem and two.pem, each a key and its certificate; and others."""
    trustme = pytest.importorskip("trustme", reason="the certificates need trustme")
    folder = tmp_path_factory.mktemp("pem")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name in ("one", "two"):
        issued = authority.issue_cert(f"{name}@example.org")
        issued.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}-alone.pem")
    (folder / "notes.pem").write_text("no certificate\n")
    (folder / "empty.pem").touch()
    return folder


def test_tls(pem: Path) -> None:
    assert parse("rediss://h").tls == {}
    ca = str(pem / "ca.pem")
    assert parse(f"rediss://h?ssl_ca_certs={ca}&ssl_check_hostname=false").tls == {
        "ssl_ca_certs": ca,
        "ssl_check_hostname": False,
    }
    own, key = str(pem / "one-alone.pem"), str(pem / "one.pem")
    assert parse(f"rediss://h?ssl_certfile={own}&ssl_keyfile={key}").tls == {
        "ssl_certfile": own,
        "ssl_keyfile": key,
    }


@pytest.mark.parametrize("option", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
@pytest.mark.parametrize("scheme", ["rediss", "rediss+cluster", "rediss+om"])
def test_a_file_that_is_not_there_is_named(scheme: str, option: str, tmp_path: Path) -> None:
    for place in (tmp_path / "nope.pem", tmp_path):
        with pytest.raises(simstore.StoreURLError) as caught:
            simstore.connect(f"{scheme}://h?{option}={place}")
        assert f"option {option}='{place}': there is no such file" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "at_fault", "why"),
    [
        ("ssl_ca_certs=notes", "ssl_ca_certs", "it has no certificate in PEM"),
        ("ssl_ca_certs=empty", "ssl_ca_certs", "it has no certificate in PEM"),
        ("ssl_certfile=notes", "ssl_certfile", "it has no certificate in PEM"),
        ("ssl_certfile=one-alone", "ssl_certfile", "it has no key of the certificate"),
        ("ssl_certfile=one&ssl_keyfile=two", "ssl_keyfile", "it has no key of the certificate"),
        ("ssl_certfile=one&ssl_keyfile=notes", "ssl_keyfile", "it has no key of the certificate"),
        ("ssl_keyfile=one", None, "ssl_keyfile is for a certificate; add ssl_certfile"),
    ],
)
def test_a_file_that_will_not_do_is_named(
    options: str, at_fault: str | None, why: str, pem: Path
) -> None:
    pairs = dict(pair.split("=") for pair in options.split("&"))
    files = {name: str(pem / f"{stem}.pem") for name, stem in pairs.items()}
    with pytest.raises(simstore.StoreURLError) as caught:
        parse("rediss://h?" + "&".join(f"{name}={path}" for name, path in files.items()))
    where = f"option {at_fault}={files[at_fault]!r}: " if at_fault else ""
    assert f"{where}{why}" in str(caught.value)


def test_a_key_with_a_pass_phrase_is_refused_and_nobody_is_asked(pem: Path, tmp_path: Path) -> None:
    serialization = pytest.importorskip(
        "cryptography.hazmat.primitives.serialization", reason="it locks the key"
    )
    key = serialization.load_pem_private_key((pem / "one.pem").read_bytes(), None)
    (tmp_path / "locked.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"phrase"),
        )
    )
    own = pem / "one-alone.pem"
    with pytest.raises(simstore.StoreURLError, match="without a pass phrase"):
        parse(f"rediss://h?ssl_certfile={own}&ssl_keyfile={tmp_path / 'locked.pem'}")


def test_a_socket() -> None:
    settings = parse("unix://ada:pw@/run/my%20redis.sock?db=2")
    assert (settings.path, settings.db) == ("/run/my redis.sock", 2)
    assert (settings.username, settings.password) == ("ada", "pw")
    assert settings.addresses == ()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("redis://h:0", "there is no port 0"),
        ("redis://h:70000", "there is no port 70000"),
        ("redis://h:port", "'h:port' is not host or host:port"),
        ("redis://::1", "'::1' is not host or host:port"),
        ("redis://h/zero", "database 'zero': it is the number of a database"),
        ("redis://h/-1", "database '-1'"),
        ("redis://h/1?db=1", "gives the database twice"),
        ("redis://h?db=x", "option db='x': it is the number of a database"),
        ("redis://h:\u0667\u0668", "'h:\u0667\u0668' is not host or host:port"),
        ("redis://h?timeout=0", "it is a number of seconds, 0.001 to 1000000"),
        ("redis://h?timeout=nan", "it is a number of seconds, 0.001 to 1000000"),
        ("redis://h?timeout=1e10", "it is a number of seconds, 0.001 to 1000000"),
        ("redis://h?timeout=1e-300", "it is a number of seconds, 0.001 to 1000000"),
        ("redis://h?connect_timeout=0.0009", "it is a number of seconds, 0.001 to 1000000"),
        ("redis://h?pool_size=0", "it is a number of connections"),
        ("redis://h?pool_size=many", "it is a number of connections"),
        ("redis://h?ssl_ca_certs=x", "has no option 'ssl_ca_certs'"),
        ("rediss://h?ssl_cert_reqs=maybe", "it is required, or none"),
        ("rediss://h?ssl_check_hostname=1", "it is true or false"),
        ("redis://one,two", "names several servers; that is for redis+cluster://"),
        ("redis+cluster://h/1", "a cluster has no numbered databases"),
        ("redis+cluster://h?db=1", "has no option 'db'"),
        ("unix://path.sock", "names no socket; write unix:///path/to.sock"),
        ("redis://h?layout=sotopia", "has no option 'layout'"),
    ],
)
def test_what_is_wrong_is_said(url: str, why: str) -> None:
    with pytest.raises(simstore.StoreURLError) as caught:
        simstore.connect(url)
    assert why in str(caught.value)


def test_the_shortest_and_the_longest_timeout() -> None:
    settings = parse("redis://h?timeout=1e6&connect_timeout=0.001")
    assert (settings.timeout, settings.connect_timeout) == (1_000_000.0, 0.001)


def test_to_connect_connects_to_nothing() -> None:
    for url in ("redis://localhost:1", "redis+cluster://localhost:1", "rediss://localhost:1"):
        with simstore.connect(url) as store:
            assert store.url == url


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "rediss"])
def test_a_server_that_is_not_there_is_unavailable(scheme: str) -> None:
    with simstore.connect(f"{scheme}://127.0.0.1:1") as store:
        with pytest.raises(simstore.BackendUnavailableError, match="cannot be"):
            store.agents.get("a")
        with pytest.raises(simstore.BackendUnavailableError, match="cannot be"):
            store.agents.save(simstore.AgentProfile(first_name="A", last_name="B"))
        with pytest.raises(simstore.SaveManyError) as caught:
            store.agents.save_many([simstore.AgentProfile(first_name="A", last_name="B")])
        assert isinstance(caught.value.__cause__, simstore.BackendUnavailableError)
        assert str(caught.value).endswith(f"; {caught.value.__cause__}")
