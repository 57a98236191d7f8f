"""URLs: which store they open, and what is said of a wrong one."""

from pathlib import Path

import pytest

import simstore
from simstore import AgentProfile
from simstore.adapters.url import StoreURL


def agent(pk: str) -> AgentProfile:
    return AgentProfile(pk=pk, first_name="Ada", last_name="L")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("sqlite:///a%00b", "characters that cannot be in it"),
        ("sqlite:///\ud800", "is not UTF-8"),
        ("sqlite:///a%ff.db", "is not UTF-8"),
        ("memory://?namespace=%ff", "is not UTF-8"),
        ("memory://?namespace=%c3%c3%a9", "is not UTF-8"),
        ("memory://?namespace=\udcff", "is not UTF-8"),
        ("redis://%ff:pw@host", "is not UTF-8"),
        ("redis://:%fe@host", "is not UTF-8"),
        ("redis://host?%ff=1", "is not UTF-8"),
        ("", "not a store URL"),
        ("simstore.db", "not a store URL"),
        (None, "not a store URL"),
        ("memry://", "did you mean 'memory'"),
        ("ftp://host", "no backend has that scheme"),
        ("memory://?namespce=x", "did you mean 'namespace'"),
        ("memory://?namespace=a&namespace=b", "twice"),
        ("memory://?timeout=3", "no option 'timeout'"),
    ],
)
def test_a_wrong_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(simstore.StoreURLError, match=reason):
        simstore.connect(url)


@pytest.mark.parametrize(
    "url",
    [
        "rdis://ada:secret@host/0",
        "ftp://:secret@host",
        "x://ada:a/b@secret@host?a=b",
        "redis:/ada:secret@host",
        "redis//ada:secret@host",
        "ada:secret@host",
        "secret@host",
        "rdis://us/er:secret@host",
        "redis://ada:sec\nret:secret@host",
        "redis://host?password=secret&db=1",
        "reds://host?auth_token=secret",
        "redis://ada:secret%ff@host",
        "redis://secret%ff@host",
        "redis://secret@host:port",
        "redis:/secret@host",
        "redis//sec/ret:secret@host",
    ],
)
def test_passwords_are_not_shown(url: str) -> None:
    with pytest.raises(simstore.StoreURLError) as caught:
        simstore.connect(url)
    assert "secret" not in str(caught.value)
    assert "ret:" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("redis//host", "redis://host"),
        ("redis:/host", "redis://host"),
        ("redis:host:7000", "redis://host:7000"),
        ("redis:/ada:pw@host/2", "redis://***@host/2"),
        ("redis+cluster//a,b", "redis+cluster://a,b"),
        ("sqlite:/pilot.db", "sqlite:///pilot.db"),
        ("sqlite//pilot.db", "sqlite:///pilot.db"),
        ("unix:/run/redis.sock", "unix:///run/redis.sock"),
        ("memory:", "memory://"),
        ("data//pilot.db", "sqlite:///data//pilot.db"),
        ("redis/pilot.db", "sqlite:///redis/pilot.db"),
        ("memory", "memory://"),
        ("localhost:6379", "redis://localhost:6379"),
        ("10.0.0.7:6379/2", "redis://10.0.0.7:6379/2"),
    ],
)
def test_what_is_meant_is_offered(url: str, meant: str) -> None:
    with pytest.raises(simstore.StoreURLError) as caught:
        simstore.connect(url)
    assert str(caught.value).endswith(f" is not a store URL; did you mean {meant}?")


def test_escapes_are_utf_8() -> None:
    url = StoreURL("memory://%C3%BCr?namespace=%E2%82%AC")
    assert url.location == "ür"
    assert url.options(namespace=str) == {"namespace": "€"}


def test_a_path_with_an_at_sign_is_shown_whole() -> None:
    for url in ("sqlite:////home/a@b/c.db", "unix:///run/a@b.sock"):
        assert StoreURL(url).shown == url


def test_a_user_name_alone_is_not_shown_since_it_may_be_the_password() -> None:
    assert StoreURL("redis://secret@host/2?timeout=1").shown == "redis://***@host/2?timeout=1"
    assert StoreURL("unix://secret@/run/redis.sock").shown == "unix://***@/run/redis.sock"
    assert StoreURL("redis://ada:secret@host").shown == "redis://ada:***@host"


def test_unnamed_memory_is_private_and_named_memory_is_shared() -> None:
    with simstore.connect("memory://") as one, simstore.connect("memory://") as other:
        one.agents.save(agent("a"))
        assert other.agents.count() == 0
    with simstore.connect("memory://lab") as one, simstore.connect("memory://lab") as other:
        one.agents.save(agent("a"))
        assert other.agents.pks() == ["a"]
    with simstore.connect("memory://lab") as later:
        assert later.agents.count() == 0


def test_namespaces_of_shared_memory_are_apart() -> None:
    with (
        simstore.connect("memory://lab?namespace=x") as one,
        simstore.connect("memory://lab?namespace=y") as other,
    ):
        one.agents.save(agent("a"))
        assert other.agents.count() == 0


def test_a_closed_store_says_so() -> None:
    store = simstore.connect("memory://")
    agents = store.agents
    assert repr(store) == "<simstore memory://>"
    store.close()
    store.close()
    assert repr(store) == "<simstore memory:// (closed)>"
    for call in (agents.count, store.__enter__, lambda: list(agents.iterate())):
        with pytest.raises(simstore.StoreClosedError, match="connect"):
            call()


def test_another_package_registers_its_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lab_backend.py").write_text(
        "import simstore\n"
        "def open_store(url):\n"
        "    return simstore.connect('memory://' + url.location)\n"
    )
    info = tmp_path / "lab_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[simstore.backends]\nlab = lab_backend:open_store\n")
    monkeypatch.syspath_prepend(tmp_path)
    with simstore.connect("lab://bench?x=1") as store:
        assert store.url == "memory://bench"
    with pytest.raises(simstore.StoreURLError, match="did you mean 'lab'"):
        simstore.connect("labb://bench")
