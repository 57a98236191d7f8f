"""Delete a failed experiment by its tag, and then all the rest."""

from simstore.sotopia import AgentProfile, EnvAgentComboStorage, EpisodeLog, NotFoundError

first = EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch").all()[0]
for number in range(5):
    episode = first.model_copy(update={"pk": f"failed-{number}", "tag": "failed"})
    episode.save()
print(
    len(EpisodeLog.find(EpisodeLog.tag == "failed").all()),
    "failed of",
    len(list(EpisodeLog.all_pks())),
)

for episode in EpisodeLog.find(EpisodeLog.tag == "failed").all():
    EpisodeLog.delete(episode.pk)
print(
    len(EpisodeLog.find(EpisodeLog.tag == "failed").all()),
    "failed of",
    len(list(EpisodeLog.all_pks())),
)

# An episode that was judged by nobody has bare numbers.
for episode in EpisodeLog.find(EpisodeLog.tag == "sample_game").all():
    valid = not isinstance(episode.rewards[0], float)
    if not valid:
        assert isinstance(episode.pk, str)
        EpisodeLog.delete(episode.pk)
print("episodes left:", EpisodeLog.find().count())

print(
    "deleted at once:",
    EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == first.environment).delete(),
)
print("combos left:", len(EnvAgentComboStorage.all()))
print("deleted:", EpisodeLog.delete(first.pk), "again:", EpisodeLog.delete(first.pk))
print("deleted:", EpisodeLog.delete_many(EpisodeLog.all()), "left:", EpisodeLog.all())

for pk in AgentProfile.all_pks():
    AgentProfile.delete(pk)
print("agents left:", len(AgentProfile.all()), list(AgentProfile.all_pks()))
try:
    AgentProfile.get(first.agents[0])
except NotFoundError:
    print("gone")
