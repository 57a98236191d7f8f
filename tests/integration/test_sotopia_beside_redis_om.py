"""A user's model that redis-om itself writes and reads, beside us, in one database."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, create_model

import simstore
from simstore.domain.fields import Indexed
from simstore.domain.query import field
from simstore.domain.record import Record, dump_record, load_record
from simstore.testing.texts import HOSTILE_TEXTS
from tests.golden.sotopia_database import state
from tests.servers.binaries import ROOT, both_modules, redis_binary
from tests.servers.redis_server import RedisServer

WRITER = "tests.integration.redis_om_people"

TEXTS = [text for text in HOSTILE_TEXTS if text.strip()]


class Home(BaseModel):
    """As the writer's."""

    street: Annotated[str, Indexed()] = ""
    number: Annotated[int, Indexed()] = 7


class Fields(Record):
    """Those of the writer's class Person."""

    name: Annotated[str, Indexed()]
    nickname: Annotated[str | None, Indexed()] = None
    age: Annotated[int, Indexed()] = 30
    height: Annotated[float, Indexed()] = 1.5
    active: bool = True
    hobbies: Annotated[list[str], Indexed()] = []  # noqa: RUF012 — pydantic copies it
    home: Home | None = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server of this file's own: redis-om's keys have no namespace."""
    folder = tmp_path_factory.mktemp("redis-om")
    with RedisServer(redis_binary(), both_modules(), folder) as server:
        yield server


def ask(url: str, module: str, **asked: list[Any]) -> dict[str, list[Any]]:
    """What redis-om answers, its class in `module`."""
    how = ["-m", WRITER] if module == "__main__" else ["-c", f"from {module} import main; main()"]
    done = subprocess.run(
        [sys.executable, *how],
        cwd=ROOT,
        env={**os.environ, "REDIS_OM_URL": url, "PYTHONPATH": str(ROOT)},
        input=json.dumps({"write": [], "read": [], "find": [], **asked}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, list[Any]] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("module", ["__main__", WRITER])
def test_each_reads_and_finds_what_the_other_writes(server: RedisServer, module: str) -> None:
    model = create_model("Person", __base__=Fields, __module__=module)
    written = [
        {"pk": f"r{n:03}", "name": text, "nickname": text, "age": n, "home": {"street": text}}
        for n, text in enumerate(TEXTS)
    ]
    ask(server.url, module, write=written)
    url = f"{server.url_for(scheme='redis+om')}?layout=sotopia"
    with server.client() as client, simstore.connect(url) as store:
        notes = {
            key: each for key, each in state(client).items() if f"{module}.Person:index:" in key
        }
        assert len(notes) == 2, "redis-om's own"
        people = store.repository(model)
        assert people.find() == [load_record(model, document) for document in written]
        for number, text in enumerate(TEXTS):
            assert people.pks(name=text, nickname=text) == [f"r{number:03}"]
            assert people.pks(field("home.street") == text) == [f"r{number:03}"]
        people.update("r001", lambda person: setattr(person, "age", 99))
        people.save(model(pk="ours", name="Ours", hobbies=["a", "b"], home=Home(number=1)))
        people.delete("r000")
        answer = ask(server.url, module, read=["r001", "ours"], find=["Ours", TEXTS[0]])
        assert answer["find"] == [["ours"], []]
        assert answer["read"] == [
            dump_record(person) for person in people.get_many(["r001", "ours"])
        ]
        after = state(client)
        assert {key: after[key] for key in notes} == notes
        assert f":{module}.Person:index".encode() in client.execute_command("FT._LIST")
