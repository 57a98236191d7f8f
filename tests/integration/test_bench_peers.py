"""Every peer does its works as simstore does: the same answers, so that speeds can be compared."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from simstore.bench.entrants import usual_stores
from simstore.bench.peers import PEERS, Peer, peer_entrant
from simstore.bench.process import Process
from simstore.bench.starting import started
from simstore.bench.works import ALL_IDS, GROWTH_WORKS, WORKS
from simstore.domain.errors import BenchmarkError, MissingDependencyError
from tests.servers.binaries import both_modules, redis_binary, unavailable

EPISODES, KILOBYTES = 20, 3.0

EVERYWHERE = {"save", "save_many", "get", "get_many", "all", "agent_save", "agent_get"}
SEARCHED = EVERYWHERE | {"find_10", "find_half", "pks", "count", "delete_many", "small_pks"}
GROWN = {work.name for work in GROWTH_WORKS}
FILES = {"export_jsonl", "export_csv", "import_jsonl"}
DOES = {
    "redis_om": SEARCHED | GROWN | {"project"},
    "sotopia": SEARCHED | GROWN | FILES | {"project"},
    "redis_py": SEARCHED | GROWN - {"grown_page", "grown_project"},
    "deep_copy": EVERYWHERE,
}


def answers(process: Process) -> dict[str, Any]:
    """What a process answers to every work that it does."""
    found: dict[str, dict[str, Any]] = {}
    for work in WORKS:
        if work.name in process.works:
            if not work.changes:
                assert "error" not in process.ask("fill")
            found[work.name] = process.ask("work", work=work.name)
    assert process.ask("grow", start=100, stop=300)["answer"] > 0
    assert "error" not in process.ask("small", start=0, stop=50)
    for work in (*GROWTH_WORKS, ALL_IDS):
        if work.name in process.works:
            found[work.name] = process.ask("work", work=work.name)
    return {name: told.get("error") or told["answer"] for name, told in found.items()}


@pytest.fixture(params=PEERS, ids=lambda peer: peer.name)
def peer(request: pytest.FixtureRequest) -> Peer:
    wanted: Peer = request.param
    if wanted.server == "modules":
        redis_binary(), both_modules()
    return wanted


def test_a_peer_answers_as_simstore_does(peer: Peer, tmp_path: Path) -> None:
    with ExitStack() as stack:
        ours, *_ = usual_stores(tmp_path / "ours", stack, {})
        try:
            theirs = peer_entrant(peer, tmp_path, stack)
        except (BenchmarkError, MissingDependencyError) as error:
            # Sotopia is not for Python 3.13.
            unavailable(
                str(error), expected=peer.program == "sotopia" and sys.version_info >= (3, 13)
            )
        both = stack.enter_context(
            started([ours, theirs], tmp_path, episodes=EPISODES, kilobytes=KILOBYTES)
        )
        assert both[peer.name].works == DOES[peer.program]
        assert both[peer.name].versions
        expected = answers(both[ours.name])
        assert answers(both[peer.name]) == {name: expected[name] for name in DOES[peer.program]}
        held = both[peer.name].ask("held")["answer"]
        assert held is None if peer.in_process else held > 0
