"""Write a whole database to files, JSON lines and CSV, and look into them."""

import csv
import json

from simstore.sotopia import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    RelationshipProfile,
    agentprofiles_to_csv,
    agentprofiles_to_jsonl,
    envagnetcombostorage_to_csv,
    envagnetcombostorage_to_jsonl,
    environmentprofiles_to_csv,
    environmentprofiles_to_jsonl,
    episodes_to_csv,
    episodes_to_jsonl,
    relationshipprofiles_to_csv,
    relationshipprofiles_to_jsonl,
)

agents: list[AgentProfile] = AgentProfile.all()
environments: list[EnvironmentProfile] = EnvironmentProfile.all()
agentprofiles_to_jsonl(agents, "agents.jsonl")
agentprofiles_to_csv(agents, "agents.csv")
environmentprofiles_to_jsonl(environments, "environments.jsonl")
environmentprofiles_to_csv(environments, "environments.csv")
relationshipprofiles_to_jsonl(RelationshipProfile.all(), "relationships.jsonl")
relationshipprofiles_to_csv(RelationshipProfile.all(), "relationships.csv")
envagnetcombostorage_to_jsonl(EnvAgentComboStorage.all(), "combos.jsonl")
envagnetcombostorage_to_csv(EnvAgentComboStorage.all(), "combos.csv")
episodes = [
    episode
    for tag in ["sample_oak_birch", "sample_oak_oak"]
    for episode in EpisodeLog.find(EpisodeLog.tag == tag).all()
]
episodes_to_jsonl(episodes, "episodes.jsonl")
episodes_to_csv(episodes, csv_file_path="episodes.csv")
episodes_to_jsonl(episodes)

rows = {}
for name in ["agents", "environments", "relationships", "combos", "episodes"]:
    with open(f"{name}.jsonl") as file:
        rows[name] = [json.loads(line) for line in file]
    with open(f"{name}.csv", newline="") as file:
        table = list(csv.DictReader(file))
    key = next(iter(table[0]))
    same = sorted(row[key] for row in table) == sorted(row[key] for row in rows[name])
    print(name, len(rows[name]), "lines; the CSV file has the same", f"{key}s:", same)

ines = next(row for row in rows["agents"] if row["first_name"] == "Ines")
print([ines[key] for key in ["last_name", "age", "gender_pronoun", "moral_values", "mbti"]])
ladder = next(row for row in rows["environments"] if row["codename"] == "borrowed_ladder")
print([ladder[key] for key in ["source", "relationship", "age_constraint", "agent_constraint"]])
print(sorted(row["relationship"] for row in rows["relationships"]))
episode = next(row for row in rows["episodes"] if row["codename"] == "stuck_piano")
print(episode["experiment_tag"], episode["experiment_model_name_pairs"])
print(episode["scenario"])
print(episode["social_goals"])
print(list(episode["agents_background"]), episode["agents_background"]["Ravi Thornbury"][:45])
print(episode["social_interactions"].split("\n\n")[0])
print([scores["goal"] for overall, scores in episode["rewards"]], episode["raw_rewards"][0][0])
