"""Records as dicts and JSON, to tables and back, with pydantic's names old and new."""

import copy
import json
import pickle

from simstore.sotopia import AgentProfile, EnvironmentProfile, EpisodeLog

episode = EpisodeLog.find(EpisodeLog.tag == "sample_oak_oak").all()[0]
document = episode.model_dump()
print(document["tag"], document["rewards"][1][0], type(document["messages"][0][0]).__name__)
print(episode.dict() == document, json.loads(episode.json())["models"])
print(EpisodeLog(**document) == episode, EpisodeLog.parse_obj(document).pk == episode.pk)
print(EpisodeLog.model_validate_json(episode.model_dump_json()) == episode)
print(copy.deepcopy(episode) == episode, episode.copy() == episode)
print(pickle.loads(pickle.dumps(episode)).tag)

environment = EnvironmentProfile.get(episode.environment)
print(json.loads(environment.model_dump_json())["relationship"], environment.relationship)

agents = [AgentProfile.get(pk) for pk in episode.agents]
table = [agent.model_dump(include={"first_name", "age"}) for agent in agents]
print(table)
wrong = agents[0].model_dump()
wrong["age"] = "old"
try:
    AgentProfile(**wrong)
except ValueError as error:
    print(type(error).__name__)
agents[0].age = "sixty"
try:
    agents[0].save()
except ValueError:
    print("not saved:", AgentProfile.get(agents[0].pk).age)
print("in order:", [agent.first_name for agent in sorted(AgentProfile.all())])
