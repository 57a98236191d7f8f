"""A dict of deep copies: what stands in for a store in many tests. A program: see `loop`."""

import copy
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from simstore import AgentProfile, EpisodeLog
from simstore.bench.workers import documents
from simstore.bench.workers.loop import Setting, Timed, run
from simstore.bench.workers.peer import PeerContender
from simstore.domain.record import dump_record, load_record


class DeepCopy(PeerContender):
    """simstore's models, copied in and out."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.episodes: dict[str, EpisodeLog] = {}
        self.agents: dict[str, AgentProfile] = {}

    def versions(self) -> dict[str, str]:
        return {"pydantic": version("pydantic")}

    def works(self) -> dict[str, Callable[[], Timed]]:
        return {
            "save": lambda: self._save(self.few_episodes()),
            "save_many": lambda: self._save(self.new_episodes()),
            "get": lambda: self.records(lambda: self._get(self.some), len(self.some)),
            "get_many": lambda: self.records(lambda: self._get(self.pks), len(self.pks)),
            "all": lambda: self.records(
                lambda: [copy.deepcopy(item) for item in self.episodes.values()], len(self.pks)
            ),
            "agent_save": self._agent_save,
            "agent_get": self._agent_get,
        }

    def _save(self, given: Sequence[documents.Document]) -> Timed:
        self.clear()
        items = [load_record(EpisodeLog, document) for document in given]

        def save() -> None:
            for item in items:
                self.episodes[item.pk] = copy.deepcopy(item)

        return Timed(save, len(items), lambda _: len(self.episodes))

    def _get(self, pks: Sequence[str]) -> list[EpisodeLog]:
        return [copy.deepcopy(self.episodes[pk]) for pk in pks]

    def _agent_save(self) -> Timed:
        items = [load_record(AgentProfile, each) for each in documents.passing_agents()]

        def save() -> None:
            for item in items:
                self.agents[item.pk] = copy.deepcopy(item)

        return Timed(save, len(items), self._passed)

    def _agent_get(self) -> Timed:
        self._agent_save().call()
        return Timed(
            lambda: [copy.deepcopy(self.agents[pk]) for pk in self.passing],
            len(self.passing),
            self._passed,
        )

    def _passed(self, _: object) -> str:
        """The agents that were saved; they go again."""
        return self.answer(self.agents.pop(pk) for pk in self.passing)

    # Not measured

    def document(self, record: Any) -> documents.Document:
        return dump_record(record)

    def clear(self) -> None:
        self.episodes.clear()

    def fill(self) -> None:
        if len(self.episodes) < len(self.pks):
            self._save(self.new_episodes()).call()

    def grow(self, start: int, stop: int) -> float:
        items = [load_record(AgentProfile, documents.agent(n)) for n in range(start, stop)]
        began = time.perf_counter()
        for item in items:
            self.agents[item.pk] = copy.deepcopy(item)
        return time.perf_counter() - began

    def small(self, start: int, stop: int) -> None:
        """It has no work that would count them."""


if __name__ == "__main__":
    run(DeepCopy)
