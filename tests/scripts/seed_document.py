"""The examples of Sotopia's page on its database, as it shows them."""

from simstore.sotopia import (
    AgentProfile,
    EnvironmentProfile,
    EpisodeLog,
    Field,
    JsonModel,
    agentprofiles_to_jsonl,
    environmentprofiles_to_jsonl,
    episodes_to_jsonl,
)


class Person(JsonModel):
    name: str = Field(index=True)
    age: int = Field(index=True, default_factory=lambda: 0)


# create a person profile
person = Person(name="Alice", age=30)
# save the person to the database
person.save()

# find all of the people in the database
for person in Person.find().all():
    print(person.name, person.age)

Person(name="Bob").save()
# find all of the people with the name "Alice"
for person in Person.find(name="Alice").all():
    print(person.name, person.age)

episodes: list[EpisodeLog] = EpisodeLog.all()
episodes_to_jsonl(episodes, "episodes.jsonl")
agent_profiles: list[AgentProfile] = AgentProfile.all()
environment_profiles: list[EnvironmentProfile] = EnvironmentProfile.all()
agentprofiles_to_jsonl(agent_profiles, "agent_profiles.jsonl")
environmentprofiles_to_jsonl(environment_profiles, "environment_profiles.jsonl")
for name in ["episodes", "agent_profiles", "environment_profiles"]:
    with open(f"{name}.jsonl") as file:
        print(name, len(file.readlines()))
