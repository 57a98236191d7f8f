"""Find episodes by who took part: models and agents are lists."""

from simstore.sotopia import AgentProfile, EnvAgentComboStorage, EpisodeLog


def tags(episodes):
    return sorted(str(episode.tag) for episode in episodes)


ravi = AgentProfile.find(AgentProfile.first_name == "Ravi").all()[0]
tobias = AgentProfile.find(AgentProfile.first_name == "Tobias").first()

print("with birch:", tags(EpisodeLog.find(EpisodeLog.models << ["sample-birch"]).all()))
print("with either judge:", tags(EpisodeLog.find(EpisodeLog.models << ["sample-judge", "me"])))
print("without birch:", tags(EpisodeLog.find(EpisodeLog.models >> ["sample-birch"])))
print("of Ravi:", tags(EpisodeLog.find(EpisodeLog.agents << [ravi.pk])))
print("of Tobias:", tags(EpisodeLog.find(EpisodeLog.agents == tobias.pk)))
print("not of Tobias:", tags(EpisodeLog.find(EpisodeLog.agents != tobias.pk)))
print("of either:", tags(EpisodeLog.find(EpisodeLog.agents << [ravi.pk, tobias.pk])))
print(
    "of Ravi, with birch:",
    tags(
        EpisodeLog.find((EpisodeLog.agents << [ravi.pk]) & (EpisodeLog.models << ["sample-birch"]))
    ),
)
print("of nobody:", tags(EpisodeLog.find(EpisodeLog.agents << ["nobody"])))
print(
    "combos of Ravi:",
    len(EnvAgentComboStorage.find(EnvAgentComboStorage.agent_ids << [ravi.pk]).all()),
)

wanted = ["sample-judge", "sample-oak", "sample-oak"]
same = [episode for episode in EpisodeLog.find().all() if episode.models == wanted]
print("exactly these models:", tags(same))
