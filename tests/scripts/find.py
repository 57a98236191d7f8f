"""Find by tag, by environment and by name, with all the ways to join conditions."""

from simstore.sotopia import AgentProfile, EnvAgentComboStorage, EnvironmentProfile, EpisodeLog


def names(agents):
    return sorted(f"{agent.first_name} {agent.last_name}" for agent in agents)


for tag in [
    "sample_oak_birch",
    "sample_oak_oak",
    "sample",
    "no-such tag, at all",
]:
    print(tag, len(EpisodeLog.find(EpisodeLog.tag == tag).all()))

ladder = EnvironmentProfile.find(EnvironmentProfile.codename == "borrowed_ladder").all()[0]
combos = list(EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == ladder.pk).all())
print(len(combos), "combos of the ladder:")
for combo in sorted(combos, key=lambda combo: combo.pk):
    print("  ", names(AgentProfile.get(agent_id) for agent_id in combo.agent_ids))
print(
    len(EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == "none of ours").all()), "of none"
)

by_both = AgentProfile.find(
    (AgentProfile.first_name == "Mei-Lin") & (AgentProfile.last_name == "Castellano")
).all()
print(names(by_both))
by_position = AgentProfile.find(
    AgentProfile.first_name == "Noor", AgentProfile.last_name == "Haddad-Blum"
)
print(names(by_position))
print(names(AgentProfile.find(AgentProfile.first_name == "Noor", AgentProfile.last_name == "Noor")))

either = (AgentProfile.first_name == "Ines") | (AgentProfile.first_name == "Ravi")
print(names(AgentProfile.find(either).all()))
print(names(AgentProfile.find((AgentProfile.gender == "Woman") & ~either).all()))
print(names(AgentProfile.find(AgentProfile.gender != "Woman")))
print(names(AgentProfile.find(AgentProfile.age >= 34, AgentProfile.age < 52).all()))
print(names(AgentProfile.find(AgentProfile.age == 27)), AgentProfile.find().count(), "in all")
print(names(AgentProfile.find(AgentProfile.occupation << ["Beekeeper", "Night Nurse", "Pirate"])))

episodes = EpisodeLog.find(
    (EpisodeLog.environment == ladder.pk) & (EpisodeLog.tag == "sample_oak_birch")
).all()
print(len(episodes), "episode of the ladder;", len(EpisodeLog.find(EpisodeLog.pk == "x").all()))
done = [
    environment.codename
    for environment in EnvironmentProfile.all()
    if EpisodeLog.find(
        EpisodeLog.tag == "sample_game", EpisodeLog.environment == environment.pk
    ).all()
]
print("the game was played in", done)
