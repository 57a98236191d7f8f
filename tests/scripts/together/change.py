"""Changes records, makes new ones and deletes some."""

from simstore.sotopia import (
    AgentProfile,
    AnnotationForEpisode,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    NonStreamingSimulationStatus,
    RelationshipProfile,
)

agent = AgentProfile.get("agent-00")
agent.occupation = "Ferry Pilot"
agent.moral_values.append("Loyalty")
agent.save()
AgentProfile.get("agent-01").update(age=99, tag="renamed")
for agent in AgentProfile.find(AgentProfile.last_name == "O'Neil-Smith").all():
    agent.mbti = "INTP"
    agent.save()
AgentProfile(pk="agent-new", first_name="Zoë", last_name="New", age=50, gender="Woman").save()
AgentProfile.delete("agent-11")

EnvironmentProfile.get("environment-2").update(relationship=5, agent_constraint=[["agent-00"]])
RelationshipProfile.get("relationship-0").update(relationship=4)
EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == "environment-3").delete()

for episode in EpisodeLog.find(EpisodeLog.tag == "pilot").all():
    episode.tag = "pilot (judged again)"
    episode.rewards = [episode.rewards[0], 0.0]
    episode.save()
new = EpisodeLog(**{**EpisodeLog.get("episode-03").model_dump(), "pk": "episode-new"})
new.tag, new.models = "new", ["judge", "elm", "elm"]
new.save()
EpisodeLog.delete("episode-15")
AnnotationForEpisode.get("annotation-2").update(reasoning="Another reason.")
status = NonStreamingSimulationStatus.find(
    NonStreamingSimulationStatus.episode_pk == "episode-01"
).all()[0]
status.status = "Completed"
status.save()
