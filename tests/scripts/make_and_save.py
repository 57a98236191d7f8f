"""Make a small world, save it, and read it back."""

from simstore.sotopia import (
    AgentProfile,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    RelationshipProfile,
    RelationshipType,
)

ada = AgentProfile(
    first_name="Ada",
    last_name="Osei",
    age=31,
    occupation="Ferry Pilot",
    moral_values=["Care", "Fairness"],
    tag="pilot",
)
ada.save()
ben = AgentProfile(first_name="Ben", last_name="Roth")
ben.save()
print("pks of 26 letters:", len(ada.pk) == len(ben.pk) == 26, "each its own:", ada.pk != ben.pk)

ferry = EnvironmentProfile(
    codename="ferry",
    scenario="Two strangers wait for the last ferry.",
    agent_goals=["Get a seat", "Find out why it is late"],
    relationship=RelationshipType.stranger,
    agent_constraint=[[ada.pk, ben.pk]],
)
ferry.save()

bond = RelationshipProfile(agent_1_id=ada.pk, agent_2_id=ben.pk, relationship=3)
bond.save()

combo = EnvAgentComboStorage(env_id=ferry.pk, agent_ids=[ada.pk, ben.pk])
combo.save()

episode = EpisodeLog(
    environment=ferry.pk,
    agents=[ada.pk, ben.pk],
    tag="first try",
    models=["judge", "oak", "birch"],
    messages=[
        [("Environment", "Ada Osei", "You see the sea."), ("Environment", "Ben Roth", "It rains.")],
        [("Ada Osei", "Environment", 'said: "Is it late?"')],
    ],
    reasoning="Ada asked.",
    rewards=[(5.5, {"believability": 9.0, "goal": 2.0, "overall_score": 5.5}), 0.0],
    rewards_prompt="Judge them.",
)
episode.save()

agent = AgentProfile.get(ada.pk)
print(agent.first_name, agent.last_name, agent.age, agent.occupation, agent.moral_values, agent.tag)
print("defaults:", repr(AgentProfile.get(ben.pk).secret), AgentProfile.get(ben.pk).age)
environment = EnvironmentProfile.get(pk=ferry.pk)
print(environment.codename, environment.relationship.name, environment.agent_goals)
print("constraint kept:", environment.agent_constraint == [[ada.pk, ben.pk]])
print("friends:", RelationshipProfile.get(bond.pk).relationship == RelationshipType.friend)
between = RelationshipProfile.find(
    RelationshipProfile.agent_1_id == ada.pk, RelationshipProfile.agent_2_id == ben.pk
).all()
friends = RelationshipProfile.find(RelationshipProfile.relationship == 3).all()
print(len(between), "between them,", len(friends), "friendships in all")
print("combo kept:", EnvAgentComboStorage.get(combo.pk).agent_ids == [ada.pk, ben.pk])
again = EpisodeLog.get(episode.pk)
print(again.tag, again.models, len(again.messages))
print(again.messages[1])
print(again.rewards)
print("all as it was:", again == episode, agent == ada)
try:
    EpisodeLog(environment="e", agents=["a", "b"], messages=[], rewards=[0.0])
except ValueError:
    print("an episode of two agents has two rewards")
