"""Asks what redis-om answers wrongly, or not at all."""

from simstore.sotopia import AgentProfile, EpisodeLog

VALUES = {
    "empty": "",
    "a blank at the end": "pilot ",
    "a blank at the start": " pilot",
    "a newline": "pilot\nrun",
    "a NUL": "pilot\0run",
    "long": "pilot " + "x" * 5000,
    "a bar": "pilot|run",
    "the other way about": "run|pilot",
    "only a bar": "|",
    "lower case": "run a",
    "upper case": "RUN A",
}

for number, value in enumerate(VALUES.values()):
    AgentProfile(
        pk=f"{number:02}", first_name="f", last_name="l", age=2**53 + number % 2, tag=value
    ).save()
for number, tag in enumerate([None, "", "tagged"]):
    EpisodeLog(
        pk=f"e{number}", environment="e", agents=["a"], tag=tag, messages=[], rewards=[0.0]
    ).save()


def ask(name, question):
    try:
        found = sorted(item.pk for item in question().all())
    except Exception as error:  # noqa: BLE001 — that is asked
        print(f"{name}: {type(error).__name__}")
    else:
        print(f"{name}: {found}")


for name, value in VALUES.items():
    ask(name, lambda value=value: AgentProfile.find(AgentProfile.tag == value))
ask("no tag", lambda: EpisodeLog.find(EpisodeLog.tag == None))
ask("an empty tag or none of these", lambda: EpisodeLog.find(EpisodeLog.tag << ["", "x"]))
ask("a large number", lambda: AgentProfile.find(AgentProfile.age == 2**53 + 1))
ask("by name", lambda: EpisodeLog.find(tag="tagged"))
ask("a list", lambda: EpisodeLog.find(EpisodeLog.agents == ["a"]))
ask("what is not indexed", lambda: EpisodeLog.find(EpisodeLog.reasoning == ""))
