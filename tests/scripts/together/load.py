"""Prints the records of files."""

from simstore.sotopia import (
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
)

for name, load in [
    ("agents", jsonl_to_agentprofiles),
    ("environments", jsonl_to_environmentprofiles),
    ("relationships", jsonl_to_relationshipprofiles),
    ("combos", jsonl_to_envagnetcombostorage),
    ("episodes", jsonl_to_episodes),
]:
    for item in load(f"{name}.jsonl"):
        document = item.model_dump(mode="json")
        for newer in ["agent_classes", "game_metadata"]:
            document.pop(newer, None)
        if name != "episodes":
            document.pop("tag", None)  # which Sotopia's files do not have
        print(name, sorted(document.items()))
