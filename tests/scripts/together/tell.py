"""Prints all that there is, and writes it to files."""

from simstore.sotopia import (
    AgentProfile,
    AnnotationForEpisode,
    Annotator,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    NonStreamingSimulationStatus,
    RelationshipProfile,
    agentprofiles_to_csv,
    agentprofiles_to_jsonl,
    envagnetcombostorage_to_csv,
    envagnetcombostorage_to_jsonl,
    environmentprofiles_to_csv,
    environmentprofiles_to_jsonl,
    episodes_to_csv,
    episodes_to_jsonl,
    map_human_annotations_to_episode_logs,
    relationshipprofiles_to_csv,
    relationshipprofiles_to_jsonl,
)


def in_order(items):
    return sorted(items, key=lambda item: item.pk)


MODELS = [
    AgentProfile,
    EnvironmentProfile,
    RelationshipProfile,
    EnvAgentComboStorage,
    EpisodeLog,
    AnnotationForEpisode,
    Annotator,
    NonStreamingSimulationStatus,
]
for model in MODELS:
    assert sorted(model.all_pks()) == [item.pk for item in in_order(model.all())]
    for item in in_order(model.all()):
        document = item.model_dump(mode="json")
        for newer in ["agent_classes", "game_metadata"]:  # Sotopia 0.1.5 has none
            document.pop(newer, None)
        print(model.__name__, sorted(document.items()))

episodes = in_order(EpisodeLog.all())
for episode in episodes:
    agents, texts = episode.render_for_humans()
    print([agent.pk for agent in agents], texts)
annotations = in_order(AnnotationForEpisode.all())
for aggregate in [False, True]:
    mapped = map_human_annotations_to_episode_logs(annotations, aggregate=aggregate)
    for pk, human in sorted(mapped.items()):
        print(pk, human.rewards, human.reasoning)

judged = [episode for episode in episodes if not isinstance(episode.rewards[1], float)]
free = [item for item in in_order(EnvironmentProfile.all()) if item.agent_constraint is None]
for name, items, to_jsonl, to_csv in [
    ("agents", AgentProfile.all(), agentprofiles_to_jsonl, agentprofiles_to_csv),
    ("environments", free, environmentprofiles_to_jsonl, environmentprofiles_to_csv),
    (
        "relationships",
        RelationshipProfile.all(),
        relationshipprofiles_to_jsonl,
        relationshipprofiles_to_csv,
    ),
    (
        "combos",
        EnvAgentComboStorage.all(),
        envagnetcombostorage_to_jsonl,
        envagnetcombostorage_to_csv,
    ),
    ("episodes", judged, episodes_to_jsonl, episodes_to_csv),
]:
    to_jsonl(in_order(items), f"{name}.jsonl")
    to_csv(in_order(items), f"{name}.csv")
