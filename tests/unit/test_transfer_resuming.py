"""Copies that break off, are disturbed or meet a faulty target; and how they read and write."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import simstore
from simstore import AgentProfile, BackendError, TransferError
from simstore.services.progress import Progress
from simstore.services.transfer import copy_store
from tests.contract.broken import Sound, WrappedStore
from tests.unit.transfers import DIRECTIONS, Note, Pair, agents, urls_of


@pytest.fixture(params=DIRECTIONS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    urls = urls_of(request.param, tmp_path)
    with simstore.connect(urls[0]) as source, simstore.connect(urls[1]) as target:
        yield Pair(source, target)


class Failing(Sound):
    """Reads no record of `first` and those behind it; see `Records`."""

    def get_many(self, pks: Sequence[str], **others: Any) -> Any:
        if any(pk >= self.memory.get("first", "~") for pk in pks):
            raise BackendError("the line went dead")
        return self.inner.get_many(pks, **others)


def test_a_copy_that_broke_off_goes_on(stores: Pair) -> None:
    stores.source.agents.save_many(agents(500))
    memory: dict[Any, dict[Any, Any]] = {"AgentProfile": {"first": "00200"}}
    with pytest.raises(BackendError, match="dead"):
        copy_store(WrappedStore(stores.source, Failing, memory), stores.target)
    there = stores.target.agents.count()
    assert 0 < there <= 200
    report = copy_store(*stores)
    assert (report.collections[0].unchanged, report.collections[0].copied) == (there, 500 - there)
    assert report.equal


def changing(step: str, change: Callable[[], object]) -> Callable[[Progress], None]:
    """Calls `change` once, at the first progress of that step in the agents."""
    waiting = [change]

    def on_progress(progress: Progress) -> None:
        if (progress.collection, progress.step) == ("AgentProfile", step) and waiting:
            waiting.pop()()

    return on_progress


def test_what_is_written_behind_the_copy_is_noticed_and_copied_by_the_next(stores: Pair) -> None:
    source = stores.source.agents
    source.save_many(agents(100))

    def change() -> None:
        source.save(AgentProfile(pk="!", first_name="new", last_name="behind"))
        source.update("00000", lambda agent: agent.model_copy(update={"tag": "changed"}))
        source.save(AgentProfile(pk="~", first_name="new", last_name="ahead"))
        source.delete("00099")

    with pytest.raises(TransferError, match="copy again") as caught:
        copy_store(*stores, progress=changing("copy", change))
    assert (caught.value.pks, caught.value.count) == (("!", "00000"), 2)
    assert stores.target.agents.exists(pk="~")
    assert not stores.target.agents.exists(pk="00099")
    with pytest.raises(TransferError):
        copy_store(*stores)
    report = copy_store(*stores, on_conflict="replace")
    assert report.written == 2
    assert report.equal


class LosesSome(Sound):
    """Says that it saved all, and saved those before ``00300``."""

    def save_many(self, items: Any, **others: Any) -> Any:
        items = list(items)
        self.inner.save_many([item for item in items if item.pk < "00300"], **others)
        return [item.pk for item in items]


class Garbles(Sound):
    """Saves other ages."""

    def save_many(self, items: Any, **others: Any) -> Any:
        return self.inner.save_many([i.model_copy(update={"age": 99}) for i in items], **others)


@pytest.mark.parametrize(
    ("fault", "first", "count"), [(LosesSome, "00300", 100), (Garbles, "00000", 400)]
)
def test_a_target_that_does_not_keep_the_records_is_found_out(
    stores: Pair, fault: type[Sound], first: str, count: int
) -> None:
    stores.source.agents.save_many(agents(400))
    with pytest.raises(TransferError) as caught:
        copy_store(stores.source, WrappedStore(stores.target, fault, {}))
    assert (caught.value.pks[0], caught.value.count) == (first, count)
    assert len(caught.value.pks) == 20


def test_progress_is_told_of_every_collection(stores: Pair) -> None:
    stores.source.agents.save_many(agents(1_500))
    told: list[Progress] = []
    copy_store(*stores, models=[AgentProfile, Note], progress=told.append)
    assert {(each.collection, each.step) for each in told} == {
        (name, step) for name in ("AgentProfile", "Note") for step in ("copy", "verify")
    }
    for step in ("copy", "verify"):
        done = [e.done for e in told if (e.collection, e.step) == ("AgentProfile", step)]
        assert done == sorted(done)
        assert done[-1] == 1_500
        assert len(done) >= 2
    assert all(each.total == 1_500 for each in told if each.collection == "AgentProfile")


class Counting(Sound):
    """Counts the calls, and the records of each."""

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if not callable(call) or isinstance(call, type):
            return call

        def counted(*arguments: Any, **others: Any) -> Any:
            arguments = tuple(list(a) if isinstance(a, Iterator) else a for a in arguments)
            sizes = [len(a) for a in arguments if isinstance(a, list)]
            self.memory.setdefault(name, []).append(sum(sizes))
            return call(*arguments, **others)

        return counted


def test_records_are_read_and_written_in_bulk() -> None:
    with simstore.connect("memory://") as source, simstore.connect("memory://") as target:
        source.agents.save_many(agents(5_000))
        calls: list[dict[str, dict[str, list[int]]]] = [{}, {}]
        copy_store(
            *(
                WrappedStore(store, Counting, memory)
                for store, memory in zip((source, target), calls, strict=True)
            ),
            models=[AgentProfile],
        )
        read, written = (each["AgentProfile"] for each in calls)
        pages = [16, 64, 256, 1_000, 1_000, 1_000, 1_000, 664]
        # Of a target that was empty nothing is read before the verification.
        assert written.keys() == {"exists", "save_many", "pks", "get_many"}
        assert written["save_many"] == written["get_many"] == pages
        assert read.keys() == {"pks", "get_many"}
        assert read["get_many"] == pages * 2
        assert sum(len(each) for counts in (read, written) for each in counts.values()) < 60


def test_pages_hold_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simstore.services.transfer.reading.BYTES_AT_A_TIME", 100_000)
    with simstore.connect("memory://") as source, simstore.connect("memory://") as target:
        source.agents.save_many(agents(200, secret="x" * 10_000))
        calls: dict[str, dict[str, list[int]]] = {}
        copy_store(source, WrappedStore(target, Counting, calls), models=[AgentProfile])
        assert set(calls["AgentProfile"]["save_many"][1:-1]) == {9}
        assert calls["AgentProfile"]["save_many"][0] == 16
