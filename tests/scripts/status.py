"""Follow a simulation that runs elsewhere: its status is found by the episode's pk."""

from simstore.sotopia import EpisodeLog, NonStreamingSimulationStatus, NotFoundError


def status_of(episode_pk):
    found = NonStreamingSimulationStatus.find(
        NonStreamingSimulationStatus.episode_pk == episode_pk
    ).all()
    return found[0].status if found else "unknown"


print(status_of("new-episode"))
status = NonStreamingSimulationStatus(pk="", episode_pk="new-episode", status="Started")
status.save()
print(status_of("new-episode"))

EpisodeLog(
    pk="new-episode",
    environment="some environment",
    agents=["one", "other"],
    tag="live",
    models=["judge", "a", "b"],
    messages=[[("Environment", "one", "Hello")], []],
    rewards=[0.0, 0.0],
).save()
status = NonStreamingSimulationStatus.find(
    NonStreamingSimulationStatus.episode_pk == "new-episode"
).all()[0]
status.status = "Completed"
status.save()
print(status_of("new-episode"), EpisodeLog.get("new-episode").tag)
print(len(NonStreamingSimulationStatus.all()), "status in all")

try:
    NonStreamingSimulationStatus(pk="", episode_pk="x", status="Paused")
except ValueError:
    print("there is no such status")
try:
    print(NonStreamingSimulationStatus.find(NonStreamingSimulationStatus.episode_pk == "x").first())
except NotFoundError:
    print("no status of x")
