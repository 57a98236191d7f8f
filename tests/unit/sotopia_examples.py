"""Lines as Sotopia writes them, one of each kind."""

import json
from pathlib import Path
from typing import Any

AGENT: dict[str, Any] = {
    "agent_id": "a1",
    "first_name": "Zoë",
    "last_name": "O'Neil",
    "age": 30,
    "occupation": "Baker",
    "gender": "Woman",
    "gender_pronoun": "She/her",
    "public_info": "Bakes.",
    "big_five": "Openness to Experience - High",
    "moral_values": ["Care", " Fairness"],
    "schwartz_personal_values": ["Security"],
    "personality_and_values": "Kind.",
    "decision_making_style": "Intuitive",
    "secret": "Buys cake.",
    "mbti": "ESFJ",
    "model_id": "m",
}
ENVIRONMENT: dict[str, Any] = {
    "env_id": "e1",
    "codename": "queue",
    "source": "original",
    "scenario": "A queue.",
    "agent_goals": ["First", "Second"],
    "relationship": "2",
    "age_constraint": "[(18, 70), (18, 70)]",
    "occupation_constraint": "nan",
    "agent_constraint": "none",
}
RELATIONSHIP: dict[str, Any] = {
    "relationship_id": "r1",
    "agent1_id": "a1",
    "agent2_id": "a2",
    "relationship": "4",
    "background_story": "A dance.",
}
COMBO: dict[str, Any] = {"combo_id": "c1", "env_id": "e1", "agent_ids": ["a1", "a2"]}
EPISODE: dict[str, Any] = {
    "episode_id": "p1",
    "environment_id": "e1",
    "agent_ids": ["a1", "a2"],
    "experiment_tag": "t",
    "experiment_model_name_pairs": ["j", "m", "n"],
    "raw_messages": [[["Environment", "Zoë", "Turn #0"], ["Zoë", "Environment", 'said: "Hi"']]],
    "raw_rewards": [[8, {"goal": 9, "overall_score": 8.0}], 0.0],
    "raw_rewards_prompt": "Judge.",
    "scenario": "A queue.",
    "codename": "queue",
    "agents_background": {"Zoë": "Zoë is ..."},
    "social_goals": {"Zoë": "First"},
    "social_interactions": 'Zoë said: "Hi"',
    "reasoning": "Good.",
    "rewards": [[1.0, {"goal": 1.0}], [1.0, {"goal": 1.0}]],
}


def write_lines(path: Path, *lines: dict[str, Any] | str) -> Path:
    """Write objects, or lines as they are, to the file at `path`; return it."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8", newline="")
    return path


def without(line: dict[str, Any], *keys: str) -> dict[str, Any]:
    """`line` without `keys`."""
    return {key: value for key, value in line.items() if key not in keys}
