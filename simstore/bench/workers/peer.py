"""What the programs of the peers share: which records there are, and what is to be answered."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from simstore.bench.workers import documents
from simstore.bench.workers.loop import CALLS, Contender, Setting, Timed, digest


class PeerContender(Contender):
    """A contender of which the works are measured as simstore's are."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.folder = Path(setting.folder)
        self.pks = [documents.pk_of("EP", n) for n in range(setting.episodes)]
        self.some = self.pks[::4]
        calls = min(CALLS, max(1, setting.episodes // documents.GROUP))
        self.tags = [documents.tag_of(n * documents.GROUP) for n in range(calls)]
        self.passing = [document["pk"] for document in documents.passing_agents()]
        self.grown = documents.AGENTS

    def prepare(self) -> None:
        """Keep what a round expects to be there."""
        self.clear()
        self.grow(0, documents.AGENTS)

    def delete_kept(self) -> None:
        """Delete all that was kept."""

    def close(self) -> None:
        if self.setting.owner:
            self.delete_kept()

    @abstractmethod
    def document(self, record: Any) -> documents.Document:
        """What the record says, in plain JSON."""

    # Kinds of work

    def records(self, call: Callable[[], Iterable[Any]], units: int) -> Timed:
        """A call that returns records."""
        return Timed(call, units, self.answer)

    def calls(self, call: Callable[[], Any], answer: Callable[[Any], Any], times: int) -> Timed:
        """A call that is made some times; the last answer counts."""

        def repeat() -> Any:
            result = None
            for _ in range(times):
                result = call()
            return result

        return Timed(repeat, times, answer)

    # What is kept, and asked for

    def answer(self, records: Iterable[Any]) -> str:
        return digest(map(self.document, records))

    def new_episodes(self, number: int | None = None) -> list[documents.Document]:
        """So many episodes, all of them if it is not said."""
        wanted = len(self.pks) if number is None else number
        return [documents.episode(n, self.setting.kilobytes) for n in range(wanted)]

    def few_episodes(self) -> list[documents.Document]:
        """Those that are saved one by one."""
        return self.new_episodes(max(1, len(self.pks) // 10))

    @property
    def one(self) -> str:
        """The agent that is read among those that have come."""
        return documents.pk_of("AG", self.grown // 2)

    @property
    def tag(self) -> str:
        """That agent's tag."""
        return documents.tag_of(self.grown // 2)
