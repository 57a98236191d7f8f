"""Change, copy and delete what is being read, more of it than is read at a time."""

from simstore.sotopia import AgentProfile

AgentProfile.add(
    [AgentProfile(first_name="Extra", last_name=f"{n}", tag="new") for n in range(105)]
)

for agent in AgentProfile.find(AgentProfile.tag == "new"):
    agent.tag = "renamed"
    agent.save()
print([len(AgentProfile.find(AgentProfile.tag == tag).all()) for tag in ["new", "renamed"]])

# The copies are found by what is asked, too, but not in this loop.
for agent in AgentProfile.find(AgentProfile.first_name == "Extra"):
    AgentProfile(**{**agent.model_dump(), "pk": "", "tag": "copy"}).save()
print(len(AgentProfile.find(AgentProfile.first_name == "Extra").all()))

for pk in AgentProfile.all_pks():
    if AgentProfile.get(pk).tag == "copy":
        AgentProfile.delete(pk)
print(AgentProfile.find(AgentProfile.tag == "copy").count(), len(AgentProfile.all()))

print(AgentProfile.find(AgentProfile.tag == "renamed").delete())
print(sorted(agent.first_name for agent in AgentProfile.all()))
