"""simstore's types, as mypy --strict and pyright show them to somebody who installed it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

RIGHT = """
from typing import Annotated, Any, assert_type

from pydantic import BaseModel

import simstore
from simstore import AgentProfile, Condition, EpisodeLog, Explanation, Indexed, Repository, Store
from simstore import field


class Mood(BaseModel):
    pk: str = ""
    level: Annotated[int, Indexed()] = 0


def older(agent: AgentProfile) -> None:
    agent.age += 1


def use(store: Store) -> None:
    assert_type(store.agents.get("x"), AgentProfile)
    assert_type(store.agents.find(field("age") >= 18, first_name="Ada"), list[AgentProfile])
    adults: Condition = (field("age") >= 18) & ~field("tag").in_(["pilot", "test"])
    assert_type(store.agents.count(adults), int)
    assert_type(store.agents.update("x", older), AgentProfile)
    assert_type(store.agents.explain(first_name="Ada"), Explanation)
    assert_type(store.agents.project(["age"]), list[dict[str, Any]])
    assert_type(store.episodes, Repository[EpisodeLog])
    assert_type(store.episodes.first(tag="pilot"), EpisodeLog | None)
    for episode in store.episodes.iterate():
        assert_type(episode.agents, list[str])
    moods = store.repository(Mood)
    assert_type(moods.find(), list[Mood])
    assert_type(moods.get_versioned("x"), tuple[Mood, str])
    assert_type(moods.save(Mood(level=3)), Mood)
    assert_type(moods.delete_many(field("level") < 0), int)
    assert_type(moods.delete_many(["a", "b"]), int)
    with store.transaction() as tx:
        assert_type(tx.agents.get("x"), AgentProfile)
        assert_type(tx.repository(Mood).get("x"), Mood)


with simstore.connect("memory://") as opened:
    use(opened)
"""

DROP_IN = """
from typing import Any, assert_type

from simstore import Store
from simstore.sotopia import AgentProfile, EpisodeLog, Field, FindQuery, JsonModel, bind
from simstore.sotopia import current_store, episodes_to_jsonl, jsonl_to_episodes


class Person(JsonModel):
    name: str = Field(index=True)
    age: int = Field(index=True, default_factory=lambda: 0)
    bio: str = Field(default="", full_text_search=True)


def use(tag: str) -> None:
    assert_type(AgentProfile.get("x"), AgentProfile)
    assert_type(AgentProfile.all(), list[AgentProfile])
    assert_type(AgentProfile.all_pks(), list[str])
    assert_type(EpisodeLog.find(EpisodeLog.tag == tag).all(), list[EpisodeLog])
    both = (EpisodeLog.tag == tag) & (EpisodeLog.environment == "e")
    assert_type(EpisodeLog.find(both).count(), int)
    adas = AgentProfile.find(AgentProfile.age >= 18, first_name="Ada")
    assert_type(adas, FindQuery[AgentProfile])
    assert_type(AgentProfile.find().sort_by("-age")[0], AgentProfile)
    assert_type(AgentProfile.find()[:3], list[AgentProfile])
    rows: list[dict[str, Any]] = AgentProfile.find().values("age")
    assert_type(rows[0]["age"], Any)
    for episode in EpisodeLog.find():
        assert_type(episode.agents, list[str])
        assert_type(episode.save(), EpisodeLog)
    episodes_to_jsonl(EpisodeLog.all())
    assert_type(jsonl_to_episodes("x"), list[EpisodeLog])
    assert_type(Person(name="Alice").save(), Person)
    assert_type(Person.find(name="Alice").first(), Person)
    assert_type(Person(name="Alice", age=3).age, int)


with bind("memory://") as store:
    assert_type(store, Store)
    assert_type(current_store(), Store)
    use("pilot")
"""
"""Existing scripts: to a type checker a condition is a bool, as with redis-om."""

WRONG = """
import simstore
from simstore import AgentProfile

store = simstore.connect("memory://")
age: int = store.agents.get("x")
store.episodes.save(AgentProfile(first_name="Ada", last_name="Lovelace"))
store.agents.get(7)
store.agent
"""
"""A mistake on each of the last four lines."""


def mypy(file: Path, python: Path) -> list[int]:
    """The lines of `file` at which mypy finds an error."""
    ran = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "mypy",
                "--strict",
                "--config-file=",
                "--output=json",
                "--no-error-summary",
            ),
            *(f"--python-executable={python}", f"--cache-dir={file.parent / 'cache'}", file.name),
        ],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines() if line]
    print(*found, sep="\n")
    return [message["line"] for message in found if message["severity"] == "error"]


def pyright(file: Path, python: Path) -> list[int]:
    """The lines of `file` at which pyright, in strict mode, finds an error."""
    settings = {"typeCheckingMode": "strict", "include": [file.name]}
    (file.parent / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", python],
        cwd=file.parent,
        # The wrapper would ask the package index whether there is a newer pyright.
        env={**os.environ, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in {0, 1}, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)["generalDiagnostics"]
    print(*found, sep="\n")
    return [m["range"]["start"]["line"] + 1 for m in found if m["severity"] == "error"]


Checker = Callable[[Path, Path], list[int]]
CHECKERS = pytest.mark.parametrize("errors", [mypy, pyright], ids=["mypy", "pyright"])


@CHECKERS
@pytest.mark.parametrize("code", [RIGHT, DROP_IN], ids=["store", "drop-in"])
def test_right_code_passes(errors: Checker, consumer: Path, tmp_path: Path, code: str) -> None:
    file = tmp_path / "right.py"
    file.write_text(code, encoding="utf-8")
    assert errors(file, consumer) == []


@CHECKERS
def test_wrong_code_is_found(errors: Checker, consumer: Path, tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG, encoding="utf-8")
    last = WRONG.count("\n")
    assert sorted(set(errors(file, consumer))) == [last - 3, last - 2, last - 1, last]
