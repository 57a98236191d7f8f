"""A copy that is killed while it writes goes on when it is called again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import simstore
from simstore import EpisodeLog
from simstore.services.transfer import copy_store

# It kills itself, some seconds after so many pages: its pages of episodes have 16, 64, 256 and
# then 1,000 records.
COPY = """
import os, signal, sys, threading, simstore
from simstore.services.transfer import copy_store
pages, seconds = int(sys.argv[3]), float(sys.argv[4])
def on_progress(progress):
    global pages
    pages -= progress.collection == "EpisodeLog"
    if pages == 0:
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
source, target = map(simstore.connect, sys.argv[1:3])
copy_store(source, target, progress=on_progress)
"""

EPISODES = 8_000


def episodes() -> list[EpisodeLog]:
    return [
        EpisodeLog(
            pk=f"{n:05}",
            environment=f"e{n % 7}",
            agents=["a", "b"],
            messages=[[("a", "b", f"message {n} " * 100)]],
            rewards=[0.0, (1.5, {"goal": n})],
        )
        for n in range(EPISODES)
    ]


@pytest.mark.parametrize(("pages", "seconds"), [(1, 0.0), (2, 0.02), (3, 0.05), (4, 0.1)])
def test_a_killed_copy_goes_on_when_it_is_called_again(
    tmp_path: Path, pages: int, seconds: float
) -> None:
    urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("source", "target")]
    with simstore.connect(urls[0]) as source:
        source.agents.save(simstore.AgentProfile(pk="a", first_name="A", last_name="B"))
        source.episodes.save_many(episodes())
    command = [sys.executable, "-c", COPY, *urls, str(pages), str(seconds)]
    killed = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with simstore.connect(urls[0]) as source, simstore.connect(urls[1]) as target:
        there = target.episodes.count()
        assert 0 < there < EPISODES
        report = copy_store(source, target)
        copied = next(each for each in report.collections if each.collection == "EpisodeLog")
        assert (copied.unchanged, copied.copied) == (there, EPISODES - there)
        assert report.equal
        assert target.episodes.find(environment="e3") == source.episodes.find(environment="e3")
