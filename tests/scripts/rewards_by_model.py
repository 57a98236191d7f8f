"""The mean rewards of each model over the episodes of a tag."""

from collections import defaultdict

from simstore.sotopia import EpisodeLog, get_rewards_from_episode


def mean(values):
    return sum(values) / len(values)


def rewards_by_model(tags):
    rewards = defaultdict(lambda: defaultdict(list))
    for tag in tags:
        for episode in EpisodeLog.find(EpisodeLog.tag == tag).all():
            if any(isinstance(reward, float) for reward in episode.rewards):
                continue
            for model, (_, scores) in zip(episode.models[1:], get_rewards_from_episode(episode)):
                for dimension, score in scores.items():
                    rewards[model][dimension].append(score)
    return {
        model: {dimension: mean(scores) for dimension, scores in rewards[model].items()}
        for model in sorted(rewards)
    }


for tags in [["sample_oak_birch"], ["sample_oak_birch", "sample_oak_oak", "sample_game"], ["none"]]:
    print(", ".join(tags))
    for model, means in rewards_by_model(tags).items():
        print(f"  {model}:", ", ".join(f"{name} {value:.2f}" for name, value in means.items()))

failed = [episode.tag for episode in EpisodeLog.all() if isinstance(episode.rewards[0], float)]
print("without dimensions:", failed)
