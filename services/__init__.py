"""Use cases over the ports: files in and out, score models. They know no backend."""

from simstore.services.evaluation import EvaluationDimensionBuilder
from simstore.services.sotopia_jsonl import (
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
)

__all__ = [
    "EvaluationDimensionBuilder",
    "jsonl_to_agentprofiles",
    "jsonl_to_envagnetcombostorage",
    "jsonl_to_environmentprofiles",
    "jsonl_to_episodes",
    "jsonl_to_relationshipprofiles",
]
