"""Look up the agents of every episode, and go on where one is missing."""

from simstore.sotopia import AgentProfile, EnvironmentProfile, EpisodeLog, NotFoundError

for episode in sorted(EpisodeLog.all(), key=lambda episode: episode.pk):
    environment = EnvironmentProfile.get(pk=episode.environment)
    names = []
    for agent_id in episode.agents:
        agent = AgentProfile.get(pk=agent_id)
        names.append(f"{agent.first_name} {agent.last_name}")
    print(f"{environment.codename}: {', '.join(names)}")

wanted = [*sorted(EpisodeLog.all_pks())[:2], "01J00000000000000000000000", "", "no such episode"]
found, missing = [], 0
for pk in wanted:
    try:
        found.append(EpisodeLog.get(pk))
    except NotFoundError:
        missing += 1
print(len(found), "found,", missing, "missing")

AgentProfile.delete(found[0].agents[1])
for episode in found:
    try:
        agents = [AgentProfile.get(agent_id) for agent_id in episode.agents]
    except NotFoundError:
        print(episode.tag, "lacks an agent")
        continue
    print(episode.tag, [agent.first_name for agent in agents])
