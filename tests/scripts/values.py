"""Read some fields of many records, without the records."""

from simstore.sotopia import AgentProfile, EpisodeLog

rows = EpisodeLog.find().values("tag", "models")
print(sorted((row["tag"], row["models"][1]) for row in rows))
print(AgentProfile.find(AgentProfile.gender == "Man").sort_by("-age").values("first_name", "age"))
print(
    [row["first_name"] for row in AgentProfile.find().sort_by("gender", "age").values("first_name")]
)
print(AgentProfile.find(AgentProfile.first_name == "Noor").values()[0]["secret"])
print(len(EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch").values("pk")))

query = AgentProfile.find(AgentProfile.age > 30).sort_by("age")
print(query.count(), query[0].first_name, query[-1].first_name, [agent.age for agent in query[1:3]])
try:
    query[4]
except IndexError:
    print("there are four")
