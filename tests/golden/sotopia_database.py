"""A database that the sotopia package wrote: how its dump is made, and loaded into a server.

``python -m tests.golden.sotopia_database PYTHON FOLDER`` makes ``sotopia_database.json`` anew:
PYTHON is one with redis-om 0.3.2, redis 5.1.1 and pydantic 2.9.2 and rich, FOLDER the package
``sotopia`` 0.1.5, as ``pip download --no-deps`` brings it, unpacked. The records are simstore's
samples, and one of each other model that Sotopia can build and save; keys of other programs
stand beside them.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

import simstore
from simstore.domain.record import dump_record
from simstore.domain.store import RECORD_MODELS
from simstore.samples import sample_path
from simstore.services import import_records
from simstore.testing.examples import example_records
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.redis_server import RedisServer

DUMP = Path(__file__).with_suffix(".json")
WRITER = Path(__file__).with_name("sotopia_database_writer.py")

FOREIGN: dict[str, Any] = {
    "lock:experiment": "held",
    ":sotopia.database.notes": "a text of somebody's",
    ":other.package.Model:01HZ": {"$": {"pk": "01HZ", "tag": "x"}},
}
"""Keys of other programs: texts, and RedisJSON documents under ``$``."""

NOT_SAVED = {"MatchingInWaitingRoom"}
"""Sotopia cannot build it."""


def documents() -> dict[str, list[dict[str, Any]]]:
    """The records, by class, as simstore has them."""
    store = simstore.connect("memory://")
    for path in sorted(sample_path().glob("*.jsonl")):
        import_records(path, store)
    found = {
        model.__name__: [dump_record(item) for item in store.repository(model).find()]
        for model in RECORD_MODELS
    }
    for item in example_records():
        name = type(item).__name__
        if not found[name] and name not in NOT_SAVED:
            found[name].append({**dump_record(item), "pk": f"example-{name}"})
    return {name: some for name, some in found.items() if some}


def run_writer(python: str, folder: str, url: str, asked: dict[str, Any]) -> Any:
    """What the script answers that runs Sotopia."""
    done = subprocess.run(
        [python, str(WRITER), folder, url],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def load(client: redis.Redis) -> None:
    """Bring the dump into an empty database, its indexes included."""
    dump = json.loads(DUMP.read_text(encoding="utf-8"))
    for name, definition in dump["indexes"].items():
        client.execute_command("FT.CREATE", name, *definition.split())
    for key, (kind, value, seconds) in dump["keys"].items():
        if kind == "string":
            client.set(key, value)
        else:
            client.execute_command("JSON.SET", key, "$", value)
        if seconds is not None:
            client.expire(key, seconds)


def state(client: redis.Redis) -> dict[str, tuple[str, str, int | None]]:
    """Every key of a database: its type, its text, and when it expires, in Unix milliseconds.

    The moment, not the time that is left: that is another one in every millisecond.
    """
    found: dict[str, tuple[str, str, int | None]] = {}
    for key in sorted(client.scan_iter()):
        kind = client.type(key).decode()
        text = client.get(key) if kind == "string" else client.execute_command("JSON.GET", key)
        moment = client.pexpiretime(key)
        found[key.decode()] = (kind, text.decode(), None if moment < 0 else moment)
    return found


def make(python: str, folder: str) -> None:
    """Write the dump."""
    with (
        TemporaryDirectory() as place,
        RedisServer(redis_binary(), both_modules(), Path(place)) as server,
        server.client() as client,
    ):
        made = run_writer(python, folder, server.url, {"write": documents()})
        for key, value in FOREIGN.items():
            if isinstance(value, str):
                client.set(key, value)
            else:
                client.execute_command("JSON.SET", key, "$", json.dumps(value["$"]))
        known = {index.decode() for index in client.execute_command("FT._LIST")}
        indexes = {name: text for name, text in made["indexes"].items() if name in known}
        keys = {
            key: (kind, text, None if moment is None else client.ttl(key))
            for key, (kind, text, moment) in state(client).items()
        }
        dump = {"indexes": dict(sorted(indexes.items())), "keys": keys}
    DUMP.write_text(json.dumps(dump, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(*sys.argv[1:3])
