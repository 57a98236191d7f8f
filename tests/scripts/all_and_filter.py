"""Read everything, and let Python choose."""

from collections import Counter, defaultdict

from simstore.sotopia import AgentProfile, EnvironmentProfile, EpisodeLog, RelationshipProfile

agents = AgentProfile.all()
print(len(agents), "agents,", len(AgentProfile.find().all()), "by find()")
women = [agent for agent in agents if agent.gender == "Woman" and agent.age > 30]
print(sorted(agent.first_name for agent in women))
print("the eldest:", max(agents, key=lambda agent: agent.age).occupation)

by_pk = {agent.pk: agent for agent in agents}
for relationship in sorted(RelationshipProfile.all(), key=lambda item: item.relationship):
    first, second = by_pk[relationship.agent_1_id], by_pk[relationship.agent_2_id]
    print(relationship.relationship.name, first.first_name, second.first_name)

episodes: list[EpisodeLog] = EpisodeLog.all()
print(sorted(Counter(episode.tag for episode in episodes).items()))
episodes = [episode for episode in episodes if not isinstance(episode.rewards[0], float)]
print(len(episodes), "judged by dimension")
newest = max(episodes, key=lambda episode: episode.pk)
print("the newest of them:", newest.tag, len(newest.messages), "turns")

pairs = defaultdict(set)
for episode in episodes:
    assert episode.models is not None
    pairs[tuple(episode.models[1:])].add(episode.environment)
print(sorted((pair, len(environments)) for pair, environments in pairs.items()))

two = [item for item in EnvironmentProfile.all() if len(item.agent_goals) == 2]
print(sorted(environment.codename for environment in two))
