"""Move a database through files: write it, delete it, load the files and save all."""

from simstore.sotopia import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    RelationshipProfile,
    agentprofiles_to_jsonl,
    envagnetcombostorage_to_jsonl,
    environmentprofiles_to_jsonl,
    episodes_to_jsonl,
    get_rewards_from_episode,
    jsonl_to_agentprofiles,
    jsonl_to_envagnetcombostorage,
    jsonl_to_environmentprofiles,
    jsonl_to_episodes,
    jsonl_to_relationshipprofiles,
    relationshipprofiles_to_jsonl,
)

EpisodeLog.find(EpisodeLog.tag == "sample_game").delete()
before = {pk: EpisodeLog.get(pk) for pk in EpisodeLog.all_pks()}
agents_before = {agent.pk: agent for agent in AgentProfile.all()}

episodes_to_jsonl(list(before.values()), "episodes.jsonl")
agentprofiles_to_jsonl(AgentProfile.all(), "agents.jsonl")
environmentprofiles_to_jsonl(EnvironmentProfile.all(), "environments.jsonl")
relationshipprofiles_to_jsonl(RelationshipProfile.all(), "relationships.jsonl")
envagnetcombostorage_to_jsonl(EnvAgentComboStorage.all(), "combos.jsonl")

MODELS = [AgentProfile, EnvironmentProfile, RelationshipProfile, EnvAgentComboStorage, EpisodeLog]
for model in MODELS:
    for pk in list(model.all_pks()):
        model.delete(pk)
print("after deleting:", [len(model.all()) for model in MODELS])

for agent in jsonl_to_agentprofiles("agents.jsonl"):
    agent.save()
for environment in jsonl_to_environmentprofiles("environments.jsonl"):
    environment.save()
for relationship in jsonl_to_relationshipprofiles("relationships.jsonl"):
    relationship.save()
for combo in jsonl_to_envagnetcombostorage("combos.jsonl"):
    combo.save()
for episode in jsonl_to_episodes("episodes.jsonl"):
    episode.save()
print("after loading:", [len(model.all()) for model in MODELS])

print(
    "agents are the same:", all(AgentProfile.get(pk) == agents_before[pk] for pk in agents_before)
)
for pk, episode in before.items():
    loaded = EpisodeLog.get(pk)
    assert loaded.messages == episode.messages
    assert loaded.tag == episode.tag
    assert loaded.models == episode.models
    assert get_rewards_from_episode(loaded) == get_rewards_from_episode(episode)
print("episodes are found again:", len(EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch").all()))
print("and combos:", sorted(len(combo.agent_ids) for combo in EnvAgentComboStorage.all()))
