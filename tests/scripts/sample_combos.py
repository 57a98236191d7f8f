"""Choose whom to let play: a combo for each environment, new ones where there are too few."""

import random

from simstore.sotopia import AgentProfile, EnvAgentComboStorage, EnvironmentProfile, EpisodeLog

random.seed(42)

codenames = {environment.pk: environment.codename for environment in EnvironmentProfile.all()}
env_ids = sorted(EnvironmentProfile.all_pks())
agent_ids = list(AgentProfile.all_pks())
for env_id in env_ids:
    combos = EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == env_id).all()
    chosen = random.choice(list(combos))
    print(codenames[env_id], len(combos), "to choose from:", chosen in combos)
    agents = [AgentProfile.get(agent_id) for agent_id in chosen.agent_ids]
    goals = EnvironmentProfile.get(env_id).agent_goals
    print("  each agent has its goal:", len(agents) == len(goals))

new = EnvironmentProfile(
    codename="night_train", scenario="A night train.", agent_goals=["Sleep", "Talk"]
)
new.save()
print("none yet:", EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == new.pk).all())
for _ in range(5):
    EnvAgentComboStorage(pk="", env_id=new.pk, agent_ids=random.sample(agent_ids, 2)).save()
combos = EnvAgentComboStorage.find(EnvAgentComboStorage.env_id == new.pk).all()
print(
    len(combos),
    "now, of agents there are:",
    all(set(combo.agent_ids) <= set(agent_ids) for combo in combos),
)

played = {(episode.environment, tuple(episode.agents)) for episode in EpisodeLog.all()}
open_combos = [
    combo
    for combo in EnvAgentComboStorage.find().all()
    if (combo.env_id, tuple(combo.agent_ids)) not in played
]
print(len(open_combos), "combos are still to be played")
first = min(open_combos, key=lambda combo: combo.pk)
print(
    "first:", codenames[first.env_id], [AgentProfile.get(pk).first_name for pk in first.agent_ids]
)
