"""Read one field of many episodes, with 20 threads as one does over a slow network."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from simstore.sotopia import AgentProfile, EpisodeLog


def tag_of(pk):
    return EpisodeLog.get(pk).tag


pks = list(EpisodeLog.all_pks())
for number in range(40):
    episode = EpisodeLog.get(pks[number % 4]).model_copy(update={"pk": f"copy-{number:02}"})
    episode.save()

with ThreadPoolExecutor(max_workers=20) as pool:
    tags = list(pool.map(tag_of, EpisodeLog.all_pks()))
print(sorted(Counter(tags).items()))

with ThreadPoolExecutor(max_workers=20) as pool:
    found = pool.map(lambda age: AgentProfile.find(AgentProfile.age == age).all(), range(20, 60))
    print(sorted(agent.first_name for agents in found for agent in agents))

with ThreadPoolExecutor(max_workers=20) as pool:
    pool.map(EpisodeLog.delete, [f"copy-{number:02}" for number in range(40)])
print(len(list(EpisodeLog.all_pks())), "left")
