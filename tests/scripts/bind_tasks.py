"""Experiments that run at once, as tasks and as threads, each in a database of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from simstore.sotopia import AgentProfile, EpisodeLog, bind, current_store


async def experiment(name, agents):
    with bind(f"sqlite:///{name}.db"):
        for number in range(agents):
            AgentProfile(first_name=name, last_name=str(number)).save()
            await asyncio.sleep(0)
        inner = await asyncio.gather(count(), asyncio.to_thread(len, AgentProfile.find()[:9]))
        return name, inner


async def count():
    return len(AgentProfile.all())


async def main():
    names = ["red", "green", "blue"]
    runs = [experiment(name, number) for number, name in enumerate(names, 1)]
    return await asyncio.gather(*runs)


for name, numbers in asyncio.run(main()):
    print(name, numbers)
print("the environment's store has", len(AgentProfile.all()), "agents")


def work(number):
    with bind("memory://"):
        for _ in range(number):
            AgentProfile(first_name="a", last_name="b").save()
        return len(AgentProfile.all())


with ThreadPoolExecutor(max_workers=4) as pool:
    print(list(pool.map(work, range(5))))

with bind("sqlite:///red.db") as red, ThreadPoolExecutor(max_workers=2) as pool:
    print("a thread has the environment's store:", pool.submit(AgentProfile.find().count).result())
    context = copy_context()
    print(
        "or that of its starter:", pool.submit(context.run, lambda: current_store() is red).result()
    )

# Copy what one database has to another.
with bind("sqlite:///blue.db"):
    agents = AgentProfile.all()
with bind("memory://") as store:
    AgentProfile.add(agents)
    print(len(AgentProfile.all()), "copied,", len(store.agents.find(first_name="blue")), "found")
    with bind("memory://"):
        print(AgentProfile.all())
    print(len(AgentProfile.all()))
print(len(EpisodeLog.all()), "episodes, as before")
