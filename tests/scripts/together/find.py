"""Asks what both answer alike."""

from simstore.sotopia import (
    AgentProfile,
    AnnotationForEpisode,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    NonStreamingSimulationStatus,
    NotFoundError,
    RelationshipProfile,
)

A, E, C, P = AgentProfile, EpisodeLog, EnvAgentComboStorage, EnvironmentProfile


def ask(model, *conditions):
    found = sorted(item.pk for item in model.find(*conditions))
    assert found == sorted(item.pk for item in model.find(*conditions).all())
    print(len(found), found)
    assert model.find(*conditions).count() == len(found)


tags = ["pilot", "pilot (judged again)", "gpt-4_vs_oak v1.2", "naïve, 2nd run", "new", "none"]
for tag in tags:
    ask(E, E.tag == tag)
    ask(E, E.tag != tag)
    ask(E, ~(E.tag == tag))
    ask(E, E.tag == tag, E.environment == "environment-1")
    ask(E, (E.tag == tag) & (E.environment << ["environment-0", "environment-2", "x"]))
    ask(E, (E.tag == tag) | (E.models << ["oak-7b"]))
    ask(E, (E.tag == tag) & ~(E.agents << ["agent-01"]))
ask(E)
ask(E, E.tag << tags[:2])
ask(E, E.tag >> tags[2:4])
ask(E, E.tag.startswith("pilot"))
ask(E, E.tag.startswith("naïve, 2nd"))
for model in ["judge", "gpt-4", "oak-7b", "birch", "elm", "oak"]:
    ask(E, E.models << [model])
    ask(E, E.models == model)
    ask(E, E.models >> [model])
ask(E, E.models << ["elm", "birch"])
for pk in ["agent-00", "agent-01", "agent-07", "agent-99"]:
    ask(E, E.agents << [pk])
    ask(E, E.agents != pk)
    ask(E, E.agents == pk, E.tag == "pilot (judged again)")
    ask(C, C.agent_ids << [pk])
    ask(A, A.pk == pk)
for number in range(5):
    ask(C, C.env_id == f"environment-{number}")
    ask(P, P.relationship == number)
    ask(P, P.codename == f"ferry_{number}")
ask(P, P.relationship >= 1, P.source == "original")
for first_name in ["Ada", "Ben", "Cléo", "D'Arcy", "Zoë", "Nobody"]:
    ask(A, A.first_name == first_name)
    for last_name in ["Osei", "van der Berg", "O'Neil-Smith", "New"]:
        ask(A, (A.first_name == first_name) & (A.last_name == last_name))
        ask(A, A.first_name == first_name, A.last_name == last_name)
for age in [0, 20, 35, 50, 99]:
    ask(A, A.age == age)
    ask(A, A.age != age)
    ask(A, A.age > age)
    ask(A, A.age >= age)
    ask(A, A.age < age, A.gender == "Woman")
    ask(A, (A.age <= age) | (A.occupation == "Ferry Pilot"))
ask(A, (A.age >= 30) & (A.age < 50))
ask(A, ((A.age < 30) | (A.age > 45)) & (A.gender << ["Man", "Nonbinary"]))
ask(A, A.occupation == "Ferry Pilot, retired")
ask(A, A.tag == "renamed")
ask(RelationshipProfile, RelationshipProfile.relationship == 4)
ask(AnnotationForEpisode, AnnotationForEpisode.annotator_id == "annotator-1")
ask(NonStreamingSimulationStatus, NonStreamingSimulationStatus.episode_pk == "episode-01")
for condition in [A.age == 20, A.first_name == "Zoë", A.age == 99, A.tag == "renamed"]:
    try:
        print(A.find(condition).first().pk)
    except NotFoundError:
        print("none")
