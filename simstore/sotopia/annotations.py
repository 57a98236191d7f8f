"""What people think of episodes, with Sotopia's signature."""

# ruff: noqa: FBT001, FBT002 — two bools that may be given by position, as in Sotopia

from simstore import services
from simstore.sotopia.active_record import adopted
from simstore.sotopia.binding import current_store
from simstore.sotopia.records import AnnotationForEpisode, EpisodeLog


def map_human_annotations_to_episode_logs(
    human_annotation: list[AnnotationForEpisode],
    return_model_episodes: bool = False,
    aggregate: bool = False,
) -> dict[str, EpisodeLog | tuple[EpisodeLog, EpisodeLog]]:
    """The episodes of annotations as people judged them; see `simstore.services`.

    Raises:
        NotFoundError: names every episode that is not stored.
        InvalidArgumentError: annotations have more or fewer rewards than their episode has
            agents; the message names them all.
    """
    store = current_store()
    if return_model_episodes:
        pairs = services.map_human_annotations_to_episode_logs(
            human_annotation, return_model_episodes=True, aggregate=aggregate, store=store
        )
        return {
            key: (adopted(EpisodeLog, human), adopted(EpisodeLog, model))
            for key, (human, model) in pairs.items()
        }
    found = services.map_human_annotations_to_episode_logs(
        human_annotation, aggregate=aggregate, store=store
    )
    return {key: adopted(EpisodeLog, human) for key, human in found.items()}
