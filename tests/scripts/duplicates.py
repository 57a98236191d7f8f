"""Find agents that were made twice, keep one of each, and let everything point to it."""

from collections import defaultdict

from simstore.sotopia import AgentProfile, EnvAgentComboStorage, EpisodeLog, RelationshipProfile

for agent in sorted(AgentProfile.all(), key=lambda agent: agent.pk)[:3]:
    twin = AgentProfile(**{**agent.model_dump(), "pk": ""})
    twin.save()
    EnvAgentComboStorage(pk="", env_id="new", agent_ids=[twin.pk, agent.pk]).save()
print(len(list(AgentProfile.all_pks())), "agents")


def same_name(first_name, last_name):
    return AgentProfile.find(
        (AgentProfile.first_name == first_name) & (AgentProfile.last_name == last_name)
    ).all()


by_name = defaultdict(list)
for agent in AgentProfile.all():
    by_name[agent.first_name, agent.last_name].append(agent.pk)
kept = {}
for (first_name, last_name), pks in sorted(by_name.items()):
    assert len(pks) == len(same_name(first_name, last_name))
    for pk in sorted(pks)[1:]:
        kept[pk] = min(pks)
        print("twice:", first_name, last_name)

for combo in EnvAgentComboStorage.all():
    if any(pk in kept for pk in combo.agent_ids):
        combo.agent_ids = [kept.get(pk, pk) for pk in combo.agent_ids]
        combo.save()
for pk in kept:
    AgentProfile.delete(pk)
print(len(list(AgentProfile.all_pks())), "agents,", len(same_name("Ines", "Okafor")), "Ines")
known = set(AgentProfile.all_pks())
used = {pk for combo in EnvAgentComboStorage.all() for pk in combo.agent_ids}
used |= {pk for episode in EpisodeLog.all() for pk in episode.agents}
used |= {pk for bond in RelationshipProfile.all() for pk in (bond.agent_1_id, bond.agent_2_id)}
print("everybody is known:", used <= known)
