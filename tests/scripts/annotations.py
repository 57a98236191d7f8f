"""People judge episodes: their rewards in the place of the model's, each or the mean of all."""

from simstore.sotopia import (
    AnnotationForEpisode,
    Annotator,
    EpisodeLog,
    map_human_annotations_to_episode_logs,
)

lee = Annotator(pk="annotator-1", name="Lee", email="lee@example.org")
kim = Annotator(pk="annotator-2", name="Kim", email="kim@example.org")
lee.save()
kim.save()
print(sorted(annotator.name for annotator in Annotator.all()))

ladder, allotment = sorted(
    EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch").all(), key=lambda episode: episode.pk
)


def judge(annotator, episode, pk, first, second, reasoning):
    AnnotationForEpisode(
        pk=pk,
        episode=episode.pk,
        annotator_id=annotator.pk,
        rewards=[(first, {"goal": first}), (second, {"goal": second})],
        reasoning=reasoning,
    ).save()


judge(lee, ladder, "annotation-1", 6.0, 8.0, "Ines was kind.")
judge(kim, ladder, "annotation-2", 9.0, 5.0, "Tobias was late.")
judge(lee, allotment, "annotation-3", 10.0, 1.0, "A hard bargain.")

of_lee = AnnotationForEpisode.find(AnnotationForEpisode.annotator_id == lee.pk).all()
print(sorted(annotation.pk for annotation in of_lee), "are Lee's")
of_ladder = AnnotationForEpisode.find(AnnotationForEpisode.episode == ladder.pk).all()
print(len(of_ladder), "of the ladder")

annotations = sorted(AnnotationForEpisode.all(), key=lambda annotation: annotation.pk)
for pk, episode in map_human_annotations_to_episode_logs(annotations).items():
    print(pk, episode.tag, [reward[1]["goal"] for reward in episode.rewards], episode.reasoning)

mapped = map_human_annotations_to_episode_logs(annotations, aggregate=True)
print(len(mapped), "episodes in all")
for pk, human in mapped.items():
    print("ladder" if pk == ladder.pk else "allotment", human.rewards, human.reasoning.split("\n"))

pairs = map_human_annotations_to_episode_logs(
    annotations, return_model_episodes=True, aggregate=True
)
for human, model in pairs.values():
    print(
        [
            f"{ours[1]['goal']:g} for {theirs[1]['goal']:g}"
            for ours, theirs in zip(human.rewards, model.rewards)
        ],
        human.pk == model.pk,
    )
print("stored as before:", EpisodeLog.get(ladder.pk).rewards == ladder.rewards)
