"""Models that save and find themselves, as redis-om's and Sotopia's do."""

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from simstore.bench.workers import documents
from simstore.bench.workers.loop import CALLS, Timed, digest
from simstore.bench.workers.peer import PeerContender

SCANS = 2
"""How often a call is made that goes through everything there is."""


class ActiveRecords(PeerContender):
    """A contender whose models have ``save``, ``get``, ``delete``, ``find`` and ``all_pks``.

    The methods below "How it is used" are what its users write; a subclass has better ones if its
    models do.
    """

    episode: Any
    """The model of an episode, as that of agents and annotators below."""
    agent: Any
    annotator: Any

    finds = CALLS
    """How often a find is measured."""

    def works(self) -> dict[str, Callable[[], Timed]]:
        return {
            "save": self._save,
            "save_many": self._save_many,
            "get": lambda: self.records(
                lambda: [self.episode.get(pk) for pk in self.some], len(self.some)
            ),
            "get_many": lambda: self.records(lambda: self.get_all(self.pks), len(self.pks)),
            "find_10": self._find_10,
            "find_half": lambda: self.records(
                lambda: self.episode.find(self.half).all(), len(self.pks) // 2
            ),
            "all": lambda: self.records(lambda: self.all(self.episode), len(self.pks)),
            "pks": lambda: self.calls(lambda: self.all_pks(self.episode), digest, SCANS),
            "count": lambda: self.calls(
                lambda: self.count(self.episode, self.half), int, self.finds
            ),
            "project": lambda: Timed(
                lambda: self.project(self.episode, "tag", "environment"), len(self.pks), digest
            ),
            "delete_many": lambda: Timed(
                lambda: self.delete_all(self.episode, self.pks), len(self.pks), self._kept
            ),
            "agent_save": self._agent_save,
            "agent_get": self._agent_get,
            "grown_get": lambda: self.calls(
                lambda: self.agent.get(self.one), lambda record: self.answer([record]), CALLS
            ),
            "grown_find": lambda: self.calls(
                lambda: self.agent.find(self.agent.tag == self.tag).all(), len, self.finds
            ),
            "grown_count": lambda: self.calls(
                lambda: self.count(self.agent, self.agent.tag == self.tag), int, self.finds
            ),
            # Nothing gives a page of primary keys in their order.
            "grown_page": lambda: self.calls(
                lambda: sorted(self.all_pks(self.agent))[:10], digest, SCANS
            ),
            "grown_pks": lambda: Timed(lambda: self.all_pks(self.agent), self.grown, len),
            "grown_project": lambda: Timed(
                lambda: self.project(self.agent, "first_name", "age"), self.grown, len
            ),
            "small_pks": lambda: Timed(lambda: self.all_pks(self.annotator), 1, len),
        }

    # How it is used

    @property
    @abstractmethod
    def half(self) -> Any:
        """The condition that every other episode meets."""

    def all(self, model: Any) -> Sequence[Any]:
        records: Sequence[Any] = model.find().all()
        return records

    def all_pks(self, model: Any) -> list[str]:
        return list(model.all_pks())

    def get_all(self, pks: Sequence[str]) -> Sequence[Any]:
        return [self.episode.get(pk) for pk in pks]

    def save_all(self, items: Sequence[Any]) -> None:
        for item in items:
            item.save()

    def delete_all(self, model: Any, pks: Sequence[str]) -> None:
        for pk in pks:
            model.delete(pk)

    def count(self, model: Any, condition: Any) -> int:
        return int(model.find(condition).count())

    def project(self, model: Any, *names: str) -> Sequence[dict[str, Any]]:
        return [{name: getattr(item, name) for name in names} for item in self.all(model)]

    # The works

    def _save(self) -> Timed:
        items = [self.episode(**document) for document in self.few_episodes()]

        def save() -> None:
            for item in items:
                item.save()

        return Timed(save, len(items), self._kept)

    def _save_many(self) -> Timed:
        self.clear()
        items = [self.episode(**document) for document in self.new_episodes()]
        return Timed(lambda: self.save_all(items), len(items), self._kept)

    def _find_10(self) -> Timed:
        return self.records(
            lambda: [
                item
                for tag in self.tags
                for item in self.episode.find(self.episode.tag == tag).all()
            ],
            len(self.tags),
        )

    def _agent_save(self) -> Timed:
        items = [self.agent(**document) for document in documents.passing_agents()]

        def save() -> None:
            for item in items:
                item.save()

        return Timed(save, len(items), self._passed)

    def _agent_get(self) -> Timed:
        self.save_all([self.agent(**document) for document in documents.passing_agents()])
        return Timed(
            lambda: [self.agent.get(pk) for pk in self.passing],
            len(self.passing),
            self._passed,
        )

    # Not measured

    def _kept(self, _: object) -> int:
        return len(self.all_pks(self.episode))

    def _passed(self, _: object) -> str:
        """The agents that were saved; they go again."""
        answer = self.answer(self.agent.get(pk) for pk in self.passing)
        self.delete_all(self.agent, self.passing)
        return answer

    def document(self, record: Any) -> documents.Document:
        plain: documents.Document = record.model_dump(mode="json")
        return plain

    def clear(self) -> None:
        self.delete_all(self.episode, self.all_pks(self.episode))

    def fill(self) -> None:
        if len(self.all_pks(self.episode)) < len(self.pks):
            self.save_all([self.episode(**document) for document in self.new_episodes()])

    def grow(self, start: int, stop: int) -> float:
        items = [self.agent(**documents.agent(n)) for n in range(start, stop)]
        began = time.perf_counter()
        self.save_all(items)
        self.grown = stop
        return time.perf_counter() - began

    def small(self, start: int, stop: int) -> None:
        self.save_all([self.annotator(**documents.annotator(n)) for n in range(start, stop)])

    def delete_kept(self) -> None:
        for model in (self.episode, self.agent, self.annotator):
            self.delete_all(model, self.all_pks(model))
