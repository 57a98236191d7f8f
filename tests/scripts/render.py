"""Print an episode as people read it."""

from simstore.sotopia import AgentProfile, EpisodeLog

first, second = "Ines Okafor", "Tobias Lindqvist"
ines = AgentProfile.find(AgentProfile.first_name == "Ines").all()[0]
tobias = AgentProfile.find(AgentProfile.first_name == "Tobias").all()[0]
EpisodeLog(
    pk="short",
    environment="none of the samples",
    agents=[ines.pk, tobias.pk],
    messages=[
        [
            ("Environment", first, "You want your ladder."),
            ("Environment", second, "You broke it."),
        ],
        [
            ("Environment", "Environment", "Turn #0"),
            (first, "Environment", 'said: "Good morning."'),
            (second, "Environment", "did nothing"),
        ],
        [
            (first, "Environment", "did nothing"),
            (second, "Environment", "[action] looks at his boots"),
            (second, first, 'said: "This is for you alone."'),
        ],
    ],
    reasoning="It was short.",
    rewards=[(5.0, {"goal": 5.0}), 0.0],
).save()

agents, messages_and_rewards = EpisodeLog.get("short").render_for_humans()
print([f"{agent.first_name}, {agent.age}" for agent in agents])
for text in messages_and_rewards:
    print(text)
    print("-" * 20)

for episode in sorted(
    EpisodeLog.find(EpisodeLog.tag == "sample_oak_birch"), key=lambda episode: episode.pk
):
    agents, texts = episode.render_for_humans()
    print(len(texts), "texts;", texts[1].splitlines()[-1])
