"""Change records, and save them again."""

from simstore.sotopia import AgentProfile, EnvironmentProfile, EpisodeLog

ravi = AgentProfile.find(AgentProfile.first_name == "Ravi").all()[0]
ravi.occupation = "Instrument Maker"
ravi.age += 1
ravi.moral_values.append("Care")
ravi.save()
again = AgentProfile.get(ravi.pk)
print(again.occupation, again.age, again.moral_values)
print(len(AgentProfile.find(AgentProfile.occupation == "Piano Tuner").all()), "tuner left")
print(len(AgentProfile.find(AgentProfile.occupation == "Instrument Maker").all()), "maker")

ravi.update(tag="veteran", model_id="oak-2")
print(
    ravi.tag,
    AgentProfile.get(ravi.pk).tag,
    len(AgentProfile.find(AgentProfile.tag == "veteran").all()),
)

for episode in EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch").all():
    episode.tag = "renamed"
    episode.rewards = [
        (reward[0] + 1, {**reward[1], "wit": 4}) if isinstance(reward, tuple) else reward
        for reward in episode.rewards
    ]
    episode.save()
print(
    [len(EpisodeLog.find(EpisodeLog.tag == tag).all()) for tag in ["sample_oak_birch", "renamed"]]
)
print(
    [
        reward[1]["wit"]
        for episode in EpisodeLog.find(EpisodeLog.tag == "renamed")
        for reward in episode.rewards
    ]
)

episode = EpisodeLog.find(EpisodeLog.tag == "sample_oak_oak").all()[0]
copy = EpisodeLog(**{**episode.model_dump(), "pk": "a-copy", "tag": "copy"})
copy.messages = copy.messages[:1]
copy.save()
print(
    EpisodeLog.find().count(),
    "episodes;",
    len(EpisodeLog.get("a-copy").messages),
    "turn in the copy,",
)
print(len(EpisodeLog.get(episode.pk).messages), "in what it was made of")

EnvironmentProfile.find(EnvironmentProfile.source == "original").update(source="mine", tag="t1")
print(
    sorted(
        item.codename
        for item in EnvironmentProfile.find(
            EnvironmentProfile.source == "mine", EnvironmentProfile.tag == "t1"
        )
    )
)
print("Ravi is saved again, not twice:", len(AgentProfile.all()))
