"""redis-py, with what a skilled user writes by hand: the limit of what Redis gives from Python.

A record's JSON is ready before it is written, and read as a dict: no model is made, and nothing
is checked. An index is a set of primary keys for each value. A program: see `loop`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any

import orjson

from simstore.bench.workers import documents
from simstore.bench.workers.loop import CALLS, Setting, Timed, digest, run
from simstore.bench.workers.peer import PeerContender
from simstore.bench.workers.server import used_memory

BATCH = 50
"""So many records a pipeline or MGET: more make the client's buffers large, and none faster."""

INDEXED = {"episode": ("tag", "models"), "agent": ("tag",), "annotator": ()}
"""What is searched for, and nothing else."""


class Ready:
    """A record as it is written: its JSON, and the sets that it is in."""

    def __init__(self, kind: str, document: documents.Document) -> None:
        self.pk: str = document["pk"]
        self.key = f"{kind}:{self.pk}"
        self.data = orjson.dumps(document)
        self.sets = sets_of(kind, document)


def sets_of(kind: str, document: documents.Document) -> list[str]:
    """The keys of the sets that a record is in: that of all, and one for each indexed value."""
    values = {
        (name, each)
        for name in INDEXED[kind]
        for each in (document[name] if isinstance(document[name], list) else [document[name]])
    }
    return [f"{kind}s", *(f"{kind}s:{name}:{value}" for name, value in values)]


class RedisPy(PeerContender):
    """Pipelines and sets on a server without modules."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        import redis  # noqa: PLC0415 — simstore's modules are imported without it, too

        self.redis: Any = redis.Redis(host=setting.host, port=setting.port)
        if setting.owner:
            self.prepare()

    def versions(self) -> dict[str, str]:
        return {package: version(package) for package in ("redis", "hiredis", "orjson")}

    def works(self) -> dict[str, Callable[[], Timed]]:
        half = f"episodes:models:{documents.HALF}"
        return {
            "save": lambda: self._one_by_one("episode", self.few_episodes(), self._kept),
            "save_many": self._save_many,
            "get": lambda: self.records(lambda: self._get("episode", self.some), len(self.some)),
            "get_many": lambda: self.records(
                lambda: self._mget("episode", self.pks), len(self.pks)
            ),
            "find_10": lambda: self.records(
                lambda: [
                    item
                    for tag in self.tags
                    for item in self._find("episode", f"episodes:tag:{tag}")
                ],
                len(self.tags),
            ),
            "find_half": lambda: self.records(
                lambda: self._find("episode", half), len(self.pks) // 2
            ),
            "all": lambda: self.records(lambda: self._find("episode", "episodes"), len(self.pks)),
            "pks": lambda: self.calls(lambda: self._pks("episodes"), digest, CALLS),
            "count": lambda: self.calls(lambda: self.redis.scard(half), int, CALLS),
            "agent_save": lambda: self._one_by_one(
                "agent", documents.passing_agents(), self._passed
            ),
            "agent_get": self._agent_get,
            "delete_many": lambda: Timed(
                lambda: self._delete("episode", self.pks), len(self.pks), self._kept
            ),
            "grown_get": lambda: self.calls(
                lambda: self._get("agent", [self.one]), self.answer, CALLS
            ),
            "grown_find": lambda: self.calls(
                lambda: self._find("agent", f"agents:tag:{self.tag}"), len, CALLS
            ),
            "grown_count": lambda: self.calls(
                lambda: self.redis.scard(f"agents:tag:{self.tag}"), int, CALLS
            ),
            "grown_pks": lambda: Timed(lambda: self._pks("agents"), self.grown, len),
            "small_pks": lambda: Timed(lambda: self._pks("annotators"), 1, len),
        }

    # What a skilled user writes

    def _write(self, records: Sequence[Ready]) -> None:
        with self.redis.pipeline(transaction=False) as pipeline:
            for record in records:
                pipeline.set(record.key, record.data)
                for key in record.sets:
                    pipeline.sadd(key, record.pk)
            pipeline.execute()

    def _write_all(self, records: Sequence[Ready]) -> None:
        for batch in _batches(records):
            self._write(batch)

    def _pks(self, key: str) -> list[str]:
        return [pk.decode() for pk in self.redis.smembers(key)]

    def _get(self, kind: str, pks: Sequence[str]) -> list[Any]:
        return [orjson.loads(self.redis.get(f"{kind}:{pk}")) for pk in pks]

    def _mget(self, kind: str, pks: Sequence[str]) -> list[Any]:
        return [
            orjson.loads(data)
            for batch in _batches(pks)
            for data in self.redis.mget([f"{kind}:{pk}" for pk in batch])
        ]

    def _find(self, kind: str, key: str) -> list[Any]:
        return self._mget(kind, self._pks(key))

    def _delete(self, kind: str, pks: Sequence[str]) -> None:
        """Read which sets they are in, and take them out."""
        for batch in _batches(pks):
            found = self._mget(kind, batch)
            with self.redis.pipeline(transaction=False) as pipeline:
                for document in found:
                    pipeline.delete(f"{kind}:{document['pk']}")
                    for key in sets_of(kind, document):
                        pipeline.srem(key, document["pk"])
                pipeline.execute()

    # The works

    def _one_by_one(
        self,
        kind: str,
        given: Sequence[documents.Document],
        answer: Callable[[Any], Any],
    ) -> Timed:
        records = [Ready(kind, document) for document in given]

        def save() -> None:
            for record in records:
                self._write([record])

        return Timed(save, len(records), answer)

    def _save_many(self) -> Timed:
        self.clear()
        records = [Ready("episode", document) for document in self.new_episodes()]
        return Timed(lambda: self._write_all(records), len(records), self._kept)

    def _agent_get(self) -> Timed:
        self._write_all([Ready("agent", each) for each in documents.passing_agents()])
        return Timed(lambda: self._get("agent", self.passing), len(self.passing), self._passed)

    # Not measured

    def _kept(self, _: object) -> int:
        return int(self.redis.scard("episodes"))

    def _passed(self, _: object) -> str:
        """The agents that were saved; they go again."""
        answer = self.answer(self._mget("agent", self.passing))
        self._delete("agent", self.passing)
        return answer

    def document(self, record: Any) -> documents.Document:
        plain: documents.Document = record
        return plain

    def clear(self) -> None:
        self._delete("episode", self._pks("episodes"))

    def fill(self) -> None:
        if self._kept(None) < len(self.pks):
            self._write_all([Ready("episode", each) for each in self.new_episodes()])

    def grow(self, start: int, stop: int) -> float:
        records = [Ready("agent", documents.agent(n)) for n in range(start, stop)]
        began = time.perf_counter()
        self._write_all(records)
        self.grown = stop
        return time.perf_counter() - began

    def small(self, start: int, stop: int) -> None:
        numbers = range(start, stop)
        self._write_all([Ready("annotator", documents.annotator(n)) for n in numbers])

    def held(self) -> int:
        return used_memory(self.setting)

    def delete_kept(self) -> None:
        for kind in INDEXED:
            self._delete(kind, self._pks(f"{kind}s"))

    def close(self) -> None:
        super().close()
        self.redis.close()


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


if __name__ == "__main__":
    run(RedisPy)
