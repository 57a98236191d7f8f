"""simstore, on the store of a URL."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import simstore
from simstore import AgentProfile, Annotator, Channel, EpisodeLog, MessageTransaction, field
from simstore.adapters import sqlite
from simstore.adapters.url import StoreURL
from simstore.bench.workers import documents
from simstore.bench.workers.loop import CALLS, Contender, Setting, Timed, digest, run
from simstore.bench.workers.server import used_memory
from simstore.bench.workers.sotopia_files import digest_of, write_import
from simstore.domain.profiles import EnvironmentProfile
from simstore.domain.record import dump_record, load_record
from simstore.services import episodes_to_csv, episodes_to_jsonl, import_records

THREADS = 4
UPDATES = 25
"""How often each thread changes the record that all of them change."""

MESSAGES = 100
ROOM = Channel("simstore-bench", MessageTransaction)


class StoreContender(Contender):
    """A store, through its repositories."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.store = simstore.connect(setting.url)
        self.episodes = self.store.episodes
        self.agents = self.store.agents
        self.folder = Path(setting.folder)
        self.pks = [documents.pk_of("EP", n) for n in range(setting.episodes)]
        self.calls = min(CALLS, max(1, setting.episodes // documents.GROUP))
        self.grown = documents.AGENTS
        if not setting.owner:
            return
        self.clear()
        self.grow(0, documents.AGENTS)
        self.store.environments.save_many(
            load_record(EnvironmentProfile, documents.environment(n))
            for n in range(documents.ENVIRONMENTS)
        )
        write_import(self.folder / "import.jsonl", setting)

    def versions(self) -> dict[str, str]:
        packages = ["simstore", "pydantic", "orjson", "msgspec"]
        if "redis" in self.setting.url.partition("://")[0]:
            packages.append("redis")
        if "redis+om" in self.setting.url:
            packages.append("redis-om")
        return {package: version(package) for package in packages}

    def works(self) -> dict[str, Callable[[], Timed]]:
        named: dict[str, Callable[[], Timed]] = {
            "save": self._save,
            "save_many": self._save_many,
            "get": self._get,
            "get_many": lambda: self._records(lambda: self.episodes.get_many(self.pks)),
            "find_10": self._find_10,
            "find_half": lambda: self._records(lambda: self.episodes.find(self._half), 2),
            "all": lambda: self._records(self.episodes.find),
            "pks": lambda: self._calls(self.episodes.pks, digest),
            "count": lambda: self._calls(lambda: self.episodes.count(self._half), int),
            "project": self._project,
            "update": self._update,
            "export_jsonl": self._export_jsonl,
            "export_csv": self._export_csv,
            "broker": self._broker,
            "agent_save": self._agent_save,
            "agent_get": self._agent_get,
            "delete_many": self._delete_many,
            "import_jsonl": self._import_jsonl,
            "grown_get": lambda: self._calls(lambda: self.agents.get(self._one), _document),
            "grown_find": lambda: self._calls(lambda: self.agents.find(tag=self._tag), len),
            "grown_count": lambda: self._calls(lambda: self.agents.count(tag=self._tag), int),
            "grown_page": lambda: self._calls(lambda: self.agents.pks(limit=10), digest),
            "grown_pks": lambda: Timed(self.agents.pks, self.grown, len),
            "grown_project": lambda: Timed(
                lambda: self.agents.project(["first_name", "age"]), self.grown, len
            ),
            "small_pks": lambda: Timed(self.store.annotators.pks, 1, len),
        }
        if simstore.Capability.MESSAGES in self.store.lacks:
            del named["broker"]
        return named

    # Kinds of work

    def _records(self, call: Callable[[], Sequence[EpisodeLog]], one_of: int = 1) -> Timed:
        """A call that returns one of so many of the episodes."""
        return Timed(call, len(self.pks) // one_of, _documents)

    def _calls(self, call: Callable[[], Any], answer: Callable[[Any], Any]) -> Timed:
        """A call that takes little time, some times; the last answer counts."""

        def repeat() -> Any:
            result = None
            for _ in range(CALLS):
                result = call()
            return result

        return Timed(repeat, CALLS, answer)

    @property
    def _half(self) -> simstore.Condition:
        return field("models").contains(documents.HALF)

    @property
    def _one(self) -> str:
        return documents.pk_of("AG", self.grown // 2)

    @property
    def _tag(self) -> str:
        return documents.tag_of(self.grown // 2)

    def _new(self, number: int) -> list[EpisodeLog]:
        """Episodes whose texts nobody has seen, as those of a simulation."""
        return [
            load_record(EpisodeLog, documents.episode(n, self.setting.kilobytes))
            for n in range(number)
        ]

    # The works

    def _save(self) -> Timed:
        items = self._new(max(1, len(self.pks) // 10))

        def save() -> None:
            for item in items:
                self.episodes.save(item)

        return Timed(save, len(items), lambda _: self.episodes.count())

    def _save_many(self) -> Timed:
        self.clear()
        items = self._new(len(self.pks))
        return Timed(
            lambda: self.episodes.save_many(items), len(items), lambda _: self.episodes.count()
        )

    def _get(self) -> Timed:
        some = self.pks[::4]
        return Timed(lambda: [self.episodes.get(pk) for pk in some], len(some), _documents)

    def _find_10(self) -> Timed:
        tags = [documents.tag_of(n * documents.GROUP) for n in range(self.calls)]
        return Timed(
            lambda: [item for tag in tags for item in self.episodes.find(tag=tag)],
            len(tags),
            _documents,
        )

    def _project(self) -> Timed:
        return Timed(lambda: self.episodes.project(["tag", "environment"]), len(self.pks), digest)

    def _update(self) -> Timed:
        pk = documents.pk_of("AG", 0)
        before = self.agents.get(pk)
        self.agents.save(before.model_copy(update={"age": 0}))

        def birthday(agent: AgentProfile) -> None:
            agent.age += 1

        def birthdays() -> None:
            for _ in range(UPDATES):
                self.agents.update(pk, birthday)

        def together() -> None:
            threads = [threading.Thread(target=birthdays) for _ in range(THREADS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        def answer(_: object) -> int:
            age = self.agents.get(pk).age
            self.agents.save(before)  # it is in what is exported
            return age

        return Timed(together, THREADS * UPDATES, answer)

    def _export_jsonl(self) -> Timed:
        path = self.folder / "episodes.jsonl"
        return Timed(
            lambda: episodes_to_jsonl(self.episodes.iterate(), path, store=self.store),
            len(self.pks),
            lambda _: digest_of(path),
        )

    def _export_csv(self) -> Timed:
        path = self.folder / "episodes.csv"
        return Timed(
            lambda: episodes_to_csv(self.episodes.iterate(), path, store=self.store),
            len(self.pks),
            lambda _: digest_of(path),
        )

    def _broker(self) -> Timed:
        broker = self.store.broker
        broker.delete(ROOM)
        message = MessageTransaction(timestamp_str="1.0", sender="Ada", message="Hello?")

        def talk() -> int:
            received = 0
            with broker.subscribe(ROOM, timeout=30) as messages:
                for _ in range(MESSAGES):
                    broker.publish(ROOM, message)
                    received += next(messages).message == message
            return received

        return Timed(talk, MESSAGES, int)

    def _agent_save(self) -> Timed:
        items = _passing_agents()

        def save() -> None:
            for item in items:
                self.agents.save(item)

        return Timed(save, len(items), self._passed)

    def _agent_get(self) -> Timed:
        items = _passing_agents()
        self.agents.save_many(items)
        pks = [item.pk for item in items]
        return Timed(lambda: [self.agents.get(pk) for pk in pks], len(pks), self._passed)

    def _passed(self, _: object) -> str:
        """The agents that were saved; they go again."""
        pks = [document["pk"] for document in documents.passing_agents()]
        answer = _documents(self.agents.get_many(pks))
        self.agents.delete_many(pks)
        return answer

    def _delete_many(self) -> Timed:
        return Timed(
            lambda: self.episodes.delete_many(self.pks),
            len(self.pks),
            lambda _: self.episodes.count(),
        )

    def _import_jsonl(self) -> Timed:
        self.clear()
        path = self.folder / "import.jsonl"
        return Timed(lambda: import_records(path, self.store), len(self.pks), self._imported)

    def _imported(self, _: object) -> str:
        """What is kept, without what Sotopia's files leave out."""
        kept = self.episodes.find()
        return digest({**dump_record(item), "agent_classes": []} for item in kept)

    # Not measured

    def clear(self) -> None:
        self.episodes.delete_many(self.episodes.pks())

    def fill(self) -> None:
        if self.episodes.count() < len(self.pks):
            self.episodes.save_many(self._new(len(self.pks)))

    def grow(self, start: int, stop: int) -> float:
        items = [load_record(AgentProfile, documents.agent(n)) for n in range(start, stop)]
        began = time.perf_counter()
        self.agents.save_many(items)
        self.grown = stop
        return time.perf_counter() - began

    def small(self, start: int, stop: int) -> None:
        self.store.annotators.save_many(
            load_record(Annotator, documents.annotator(n)) for n in range(start, stop)
        )

    def held(self) -> int | None:
        url = StoreURL(self.setting.url)
        if url.scheme == "sqlite":
            path = sqlite.path_of(url)
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all into the file itself
            return Path(path).stat().st_size
        if self.setting.port:
            return used_memory(self.setting)
        return None

    def close(self) -> None:
        if self.setting.owner:
            self._delete_all()
        self.store.close()

    def _delete_all(self) -> None:
        for repository in (
            self.episodes,
            self.agents,
            self.store.environments,
            self.store.annotators,
        ):
            repository.delete_many(repository.pks())
        if simstore.Capability.MESSAGES not in self.store.lacks:
            self.store.broker.delete(ROOM)


def _passing_agents() -> list[AgentProfile]:
    return [load_record(AgentProfile, document) for document in documents.passing_agents()]


def _document(item: BaseModel) -> str:
    return digest([dump_record(item)])


def _documents(items: Sequence[BaseModel]) -> str:
    return digest(map(dump_record, items))


if __name__ == "__main__":
    run(StoreContender)
