"""Sotopia's files of episodes: one to import, and what those that were exported say."""

import csv
import json
import sys
from pathlib import Path

from simstore.bench.workers import documents
from simstore.bench.workers.loop import Setting, digest


def write_import(path: Path, setting: Setting) -> None:
    """The file of JSON lines that is imported."""
    with path.open("w", encoding="utf-8") as lines:
        for number in range(setting.episodes):
            line = _line(documents.episode(number, setting.kilobytes))
            print(json.dumps(line, ensure_ascii=False), file=lines)


def digest_of(path: Path) -> str:
    """What an exported file says, JSON lines or CSV, under Sotopia's keys; ours write more."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)
        return digest({key: row[key] for key in _KEYS} for row in rows)


def _line(document: documents.Document) -> documents.Document:
    """The line of Sotopia's JSON lines for an episode; what it derives is of the usual size."""
    talk = "\n\n".join(text for turn in document["messages"][1:] for _, _, text in turn)
    return {
        "episode_id": document["pk"],
        "environment_id": document["environment"],
        "agent_ids": document["agents"],
        "experiment_tag": document["tag"],
        "experiment_model_name_pairs": document["models"],
        "raw_messages": document["messages"],
        "raw_rewards": document["rewards"],
        "raw_rewards_prompt": document["rewards_prompt"],
        "scenario": "Two people talk about an engine over a cup of tea.",
        "codename": "engine",
        "agents_background": {"Ada": "She is a mathematician.", "Charles": "He builds."},
        "social_goals": {"Ada": "Learn how the engine works.", "Charles": "Give nothing away."},
        "social_interactions": talk,
        "reasoning": document["reasoning"],
        "rewards": document["rewards"],
    }


_KEYS = tuple(_line(documents.episode(0)))
