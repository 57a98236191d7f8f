"""Make the indexes before asking, as one had to after importing."""

from simstore.sotopia import AgentProfile, EnvironmentList, EpisodeLog, Migrator

Migrator().run()
print(len(EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch").all()))
print(len(AgentProfile.find(AgentProfile.gender == "Woman").all()))

EnvironmentList(name="hard", environments=["a", "b"], agent_index=["0", "1"]).save()
Migrator().run()
hard = EnvironmentList.find(EnvironmentList.name == "hard").all()
print([(item.environments, item.agent_index) for item in hard])
print(EnvironmentList.get(hard[0].pk).name)
try:
    EnvironmentList(name="wrong", environments=["a", "b"], agent_index=["0"])
except (ValueError, AssertionError):
    print("one index for each environment")
