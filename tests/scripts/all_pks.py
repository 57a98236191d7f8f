"""What there is, by primary keys alone."""

from simstore.sotopia import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    NonStreamingSimulationStatus,
    RelationshipProfile,
)

for model in [
    AgentProfile,
    EnvironmentProfile,
    RelationshipProfile,
    EnvAgentComboStorage,
    EpisodeLog,
]:
    print(model.__name__, len(list(model.all_pks())))
print("none yet:", list(NonStreamingSimulationStatus.all_pks()))

pks = list(EpisodeLog.all_pks())
tags = set()
for i in range(len(pks)):
    tags.add(EpisodeLog.get(pks[i]).tag)
print(sorted(tags))

number = 0
for pk in AgentProfile.all_pks():
    assert AgentProfile.get(pk).pk == pk
    number += 1
print(number, "read")

played = {episode.environment for episode in EpisodeLog.all()}
print("each environment was played:", set(EnvironmentProfile.all_pks()) == played)
print("a pk is a str:", all(isinstance(pk, str) for pk in pks))
