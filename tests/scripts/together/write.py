"""Makes a database: agents, environments, relationships, combos, episodes and annotations."""

from simstore.sotopia import (
    AgentProfile,
    AnnotationForEpisode,
    Annotator,
    EnvAgentComboStorage,
    EnvironmentProfile,
    EpisodeLog,
    NonStreamingSimulationStatus,
    RelationshipProfile,
)

for number in range(12):
    AgentProfile(
        pk=f"agent-{number:02}",
        first_name=["Ada", "Ben", "Cléo", "D'Arcy"][number % 4],
        last_name=["Osei", "van der Berg", "O'Neil-Smith"][number % 3],
        age=20 + 3 * number,
        occupation="Ferry Pilot, retired" if number == 5 else "Baker",
        gender=["Man", "Woman", "Nonbinary"][number % 3],
        moral_values=["Care", "Fairness"][: number % 3],
        secret="" if number % 2 else 'She said: "no".\nTwice.',
    ).save()
for number in range(4):
    EnvironmentProfile(
        pk=f"environment-{number}",
        codename=f"ferry_{number}",
        source="original" if number < 3 else "craigslist",
        scenario=f"Two people wait for ferry {number}.",
        agent_goals=["Get a seat", "Find out the time"],
        relationship=number,
        age_constraint="[(18, 70), (18, 70)]",
        occupation_constraint="nan",
    ).save()
for number in range(3):
    RelationshipProfile(
        pk=f"relationship-{number}",
        agent_1_id=f"agent-{number:02}",
        agent_2_id=f"agent-{number + 1:02}",
        relationship=number + 1,
        background_story=f"They met {number} times.",
    ).save()
for number in range(8):
    EnvAgentComboStorage(
        pk=f"combo-{number}",
        env_id=f"environment-{number % 4}",
        agent_ids=[f"agent-{number:02}", f"agent-{number + 1:02}"],
    ).save()
for number in range(16):
    agents = [f"agent-{number % 8:02}", f"agent-{number % 8 + 1:02}"]
    EpisodeLog(
        pk=f"episode-{number:02}",
        environment=f"environment-{number % 4}",
        agents=agents,
        tag=["pilot", "gpt-4_vs_oak v1.2", "naïve, 2nd run"][number % 3],
        models=["judge", "gpt-4", ["oak-7b", "birch"][number % 2]],
        messages=[
            [
                ("Environment", agents[0], "You see the sea."),
                ("Environment", agents[1], "It rains."),
            ],
            [(agents[0], "Environment", f'said: "Is it {number} o\'clock?"')],
            [(agents[1], "Environment", "did nothing")],
        ],
        reasoning=f"Ferry {number} was late.",
        rewards=[
            (number / 4, {"goal": number / 2, "overall_score": number / 4}),
            (-0.5, {"goal": -1.0, "overall_score": -0.5}),
        ],
        rewards_prompt="Judge them.",
    ).save()
Annotator(pk="annotator-1", name="Lee", email="lee@example.org").save()
for number in range(3):
    AnnotationForEpisode(
        pk=f"annotation-{number}",
        episode=f"episode-{number // 2:02}",
        annotator_id="annotator-1",
        rewards=[(number, {"goal": number}), (1.0, {"goal": 1.0})],
        reasoning=f"Reason {number}.",
    ).save()
NonStreamingSimulationStatus(pk="status-1", episode_pk="episode-01", status="Started").save()
