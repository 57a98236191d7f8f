"""Values are values: never a script, a command, a pattern or a part of another key."""

import builtins
import contextlib
import json
import pickle
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

import simstore
from simstore import InvalidPkError, Store, field
from simstore.adapters.redis_pipeline.layout import Layout
from simstore.testing.models import Specimen
from tests.redis_keys import indexes_at
from tests.servers.cluster import RedisCluster
from tests.servers.fixtures import own_database, own_namespace
from tests.servers.redis_server import RedisServer

TEXTS = [
    "*",
    "?",
    "[a-z]",
    "{",
    "}",
    "{}",
    "a}:b",
    "%7B",
    ":docs:",
    "\r\n$3\r\nFOO",
    "*1\r\n$8\r\nFLUSHALL\r\n",
    "\r\nFLUSHALL\r\n",
    "return redis.call('FLUSHALL')",
    "]] redis.call('FLUSHALL') --[[",
    "'; redis.call('FLUSHALL') --",
    "%d%s%b()%f[%w]",
    "\x00",
    "a\x00",
    "a\x00\x00b",
    "a\x00\x01b",
    "\x00\x00",
    "tag 3 1",
    " 12 ",
    "-inf",
    "+inf",
    "(a",
    "[a",
    "-",
    "+",
    "nil",
    "null",
    "\x1b[31m",
    "\x7f\x80\xff",
    "\U0001d54f\U0010ffff",
    "__import__('os').system('false')",
    "cos\nsystem\n(S'false'\ntR.",
]
"""Lua, RESP, globs, keys, the adapter's own separators, and pickles."""

PKS = [text for text in TEXTS if not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)]


def specimens_of_texts() -> list[Specimen]:
    return [
        Specimen(
            pk=f"p{number:03}",
            tag=text,
            nickname=text,
            mixed=text,
            labels=[text, f"{text}{text}"],
            bio=f"{text} word",
            motto=text,
            plain_text=text,
            extra={text: text},
        )
        for number, text in enumerate(TEXTS)
    ]


@pytest.fixture(params=["redis_server", "redis62_server", "redis_cluster"])
def url(request: pytest.FixtureRequest) -> str:
    server: RedisServer | RedisCluster = request.getfixturevalue(request.param)
    return own_database(server.cluster_url if isinstance(server, RedisCluster) else server.url)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with simstore.connect(url) as store:
        yield store


def test_texts_are_stored_and_found_as_they_are(store: Store) -> None:
    repository = store.repository(Specimen)
    items = specimens_of_texts()
    repository.save_many(items)
    assert repository.find() == items
    for item in items:
        text = item.tag
        assert repository.get(item.pk) == item
        for name in ("tag", "nickname", "mixed", "motto", "plain_text"):
            assert repository.pks(field(name) == text) == [item.pk], (name, text)
        assert item.pk in repository.pks(field("labels").contains(text))
        assert repository.pks(field("tag").in_([text, "no such text"])) == [item.pk]
        assert repository.pks(field("tag").startswith(text)) == [
            each.pk for each in items if each.tag.startswith(text)
        ]
        assert repository.pks(field("tag") >= text) == [
            each.pk for each in items if each.tag >= text
        ]
        assert repository.project(["tag", "labels"], tag=text) == [
            {"tag": text, "labels": item.labels}
        ]
    assert list(repository.index_faults()) == []
    assert repository.delete_many(field("tag") == "*") == 1
    assert repository.count() == len(items) - 1


def test_pks_are_no_patterns_and_no_parts_of_keys(store: Store) -> None:
    repository = store.repository(Specimen)
    items = [Specimen(pk=pk, tag=pk) for pk in PKS]
    assert len(items) > 20
    repository.save_many(items)
    assert repository.pks() == sorted(PKS)
    for item in items:
        assert repository.get(item.pk) == item
        assert repository.pks(tag=item.tag) == [item.pk]
        assert repository.pks(field("pk").in_([item.pk, "none"])) == [item.pk]
    repository.delete("*")
    repository.delete("{}")
    assert repository.count() == len(items) - 2
    assert list(repository.index_faults()) == []


@pytest.mark.parametrize("pk", ["a\x00b", "a\r\nFLUSHALL\r\n", "\x00", "a\nb"])
def test_pks_that_could_end_something_are_refused(store: Store, pk: str) -> None:
    repository = store.repository(Specimen)
    for call in (
        lambda: repository.save(Specimen.model_construct(pk=pk)),
        lambda: repository.get(pk),
        lambda: repository.delete(pk),
        lambda: repository.get_many([pk]),
    ):
        with pytest.raises((InvalidPkError, simstore.InvalidRecordError)):
            call()


NAMESPACES = ["", "a", "a:", "a}", "a}:b", "{a}", "a:Specimen", "a:Specimen:0", "*", "?", "a%3A",
              "a b", "A", "a\r\n", "é", "%"]  # fmt: skip


CRAFTED_PK = "q:Specimen:0}:docs:same"
CRAFTED_NAMESPACE = "a:Specimen:0}:docs:q"
"""Written as they are, the key of this pk in ``a`` would be that of ``same`` in this namespace."""


def test_namespaces_never_see_each_others_records(valkey_server: RedisServer) -> None:
    alone = own_namespace()
    stores = {
        name: simstore.connect(f"{valkey_server.url}?namespace={quote(alone + name, safe='')}")
        for name in (*NAMESPACES, CRAFTED_NAMESPACE)
    }
    try:
        for name, store in stores.items():
            pks = ("same", f"own{len(name)}", CRAFTED_PK)
            items = [Specimen(pk=pk, tag=name) for pk in pks]
            store.repository(Specimen).save_many(items)
        for name, store in stores.items():
            repository = store.repository(Specimen)
            assert repository.get("same").tag == name
            assert repository.get(CRAFTED_PK).tag == name
            assert repository.pks() == sorted({"same", f"own{len(name)}", CRAFTED_PK})
            assert repository.project(["tag"]) == [{"tag": name}] * 3
            assert store.collections() == ["Specimen"]
            assert list(repository.index_faults()) == []
        stores["*"].repository(Specimen).delete_many(field("tag").startswith(""))
        for name, store in stores.items():
            assert store.repository(Specimen).count() == (0 if name == "*" else 3)
    finally:
        for store in stores.values():
            store.close()


def test_every_command_has_the_values_as_arguments_of_their_own(
    redis_server: RedisServer, namespace: str
) -> None:
    """Scripts are the files of the package, whatever is stored: the server knows no others."""
    with redis_server.client() as client:
        client.script_flush()
        scripts = client.info("memory")["number_of_cached_scripts"]
        assert scripts == 0
        with simstore.connect(f"{redis_server.url}?namespace={namespace}") as store:
            repository = store.repository(Specimen)
            repository.save_many(specimens_of_texts())
            for text in TEXTS:
                repository.find(tag=text, limit=1)
                repository.count(field("mixed") >= text)
                list(repository.iterate(field("labels").contains(text)))
            assert repository.find() == specimens_of_texts()
        assert 0 < client.info("memory")["number_of_cached_scripts"] <= 8


EVIL = [
    b"cos\nsystem\n(S'touch evil'\ntR.",
    b"\x80\x04\x95 \x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    b"__import__('os').system('touch evil')",
    b"!!python/object/apply:os.system ['touch evil']",
    json.dumps({"pk": "a", "__reduce__": ["os.system", "touch evil"]}).encode(),
    json.dumps({"pk": "a", "py/object": "subprocess.Popen"}).encode(),
    b"\xff\xfe\x00",
    b"[" * 100_000,
]


@pytest.mark.parametrize("number", range(len(EVIL)))
def test_what_somebody_else_stored_is_read_as_json_or_refused(
    redis_server: RedisServer, namespace: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("something stored was evaluated")

    with (
        simstore.connect(f"{redis_server.url}?namespace={namespace}") as store,
        redis_server.client() as client,
    ):
        repository = store.repository(Specimen)
        repository.save(Specimen(pk="a"))
        [key] = client.scan_iter(match=f"*{namespace}*:docs:a", count=10_000)
        client.set(key, EVIL[number])
        for module, name in ((pickle, "loads"), (pickle, "load"), (builtins, "eval")):
            monkeypatch.setattr(module, name, never)
        for read in (
            lambda: repository.get("a"),
            repository.find,
            lambda: repository.update("a", lambda item: item),
        ):
            # Some are JSON, of which the model takes what it knows.
            with contextlib.suppress(simstore.CorruptRecordError):
                read()
        assert list(repository.index_faults(repair=True)) == list(repository.index_faults())


@pytest.mark.parametrize("part", ["entries", "values"])
@pytest.mark.parametrize(
    "evil", [EVIL[0], b"", b"tag 99999999999999 3", b"{}"], ids=["pickle", "empty", "long", "json"]
)
def test_entries_that_somebody_spoilt_are_an_error_of_ours_and_are_mended(
    redis_server: RedisServer, namespace: str, evil: bytes, part: str
) -> None:
    with (
        simstore.connect(f"{redis_server.url}?namespace={namespace}") as store,
        redis_server.client() as client,
    ):
        repository = store.repository(Specimen)
        repository.save(Specimen(pk="a", tag="old"))
        base = Layout(namespace).base_of("Specimen", "a")
        client.hset(f"{indexes_at(base)}:{part}", "a", evil)
        for use in (
            lambda: repository.project(["tag"]),
            lambda: repository.pks(field("tag") >= "a"),
            lambda: repository.save(Specimen(pk="a", tag="new")),
        ):
            with contextlib.suppress(simstore.SimstoreError):
                use()
        list(repository.index_faults(repair=True))
        assert list(repository.index_faults()) == []
        repository.save(Specimen(pk="a", tag="new"))
        assert repository.project(["tag"]) == [{"tag": "new"}]
        assert repository.pks(tag="old") == []
