"""The chat in the terminal, by people who type: in two processes, and in one."""

import time
from pathlib import Path

import pytest

import simstore
from simstore import EpisodeLog
from simstore.services import render_for_humans, transcript_of
from tests.examples.serving import BOUND, eventually
from tests.examples.terminal import Terminal
from tests.servers.fixtures import own_database

SERVERS = {
    "redis": "valkey_server",
    "redis+cluster": "redis_cluster",
    "redis+om": "redis_server",
}
"""The fixture that has the server of a scheme."""

SCENE = "Two strangers sit on a bench in the park, and have time."


@pytest.fixture(params=["sqlite", *SERVERS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database that two processes can share."""
    if request.param not in SERVERS:
        return f"sqlite:///{tmp_path}/chat.db"
    server = request.getfixturevalue(SERVERS[request.param])
    return own_database(f"{request.param}://{server.url.partition('://')[2]}")


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/chat.db"


def converse(human: Terminal) -> None:
    """Say two things, and see that each is answered."""
    human.wait_for("> ")
    human.type("I like teapots")
    assert "Grace: Tell me more about “teapots”." in human.wait_for("> ")
    human.type("Do you?")
    assert "Grace: Good question." in human.wait_for("> ")


def the_episode(url: str) -> EpisodeLog:
    """The only one of a store; it is as readers want it."""
    with simstore.connect(url) as store:
        episode = store.episodes.one()
        transcript = transcript_of(store, episode.pk, missing="raise")
    assert {member.name for member in transcript.cast} == {"Ada", "Grace"}
    assert transcript.environment is not None
    assert transcript.environment.scenario == SCENE
    return episode


def spoken(episode: EpisodeLog) -> list[str]:
    """What was said and done; a greeting comes first if the agent was there first."""
    opening, *turns = episode.messages
    assert sorted(opening) == [("Environment", name, SCENE) for name in ("Ada", "Grace")]
    assert all(len(turn) == 1 and turn[0][1] == "Environment" for turn in turns)
    lines = [f"{speaker} {text}" for ((speaker, _, text),) in turns]
    greeting = 'Grace said: "Hello, Ada! What brings you here?"'
    return lines[1:] if lines[0] == greeting else lines


CONVERSATION = [
    'Ada said: "I like teapots"',
    'Grace said: "Tell me more about “teapots”."',
    'Ada said: "Do you?"',
    'Grace said: "Good question. What would you say yourself?"',
]


def test_two_processes_talk_and_keep_an_episode(url: str) -> None:
    with Terminal("agent", "--store", url) as agent, Terminal("human", "--store", url) as human:
        converse(human)
        human.type("bye")
        shown, at_the_agent = human.end(), agent.end()
    episode = the_episode(url)
    assert spoken(episode) == [*CONVERSATION, "Ada left the conversation"]
    with simstore.connect(url) as store:
        _, texts = render_for_humans(episode, store)
    transcript = "\n".join(texts)
    for terminal in (shown, at_the_agent):
        assert terminal.endswith(f"Ada left the conversation.\n\n{transcript}\n")


def test_one_process_is_enough_in_memory() -> None:
    with Terminal() as human:
        converse(human)
        human.type("")
        shown = human.end()
    assert "\n".join(CONVERSATION) in shown
    assert "Ada: left the conversation\n" in shown


def test_two_people_may_talk_as_well(file_url: str) -> None:
    with (
        Terminal("human", "--store", file_url, "--name", "Ada") as ada,
        Terminal("human", "--store", file_url, "--name", "Grace") as grace,
    ):
        eventually(lambda: "You begin" in ada.shown + grace.shown, "they have met")
        first, second = (ada, grace) if "You begin" in ada.shown else (grace, ada)
        first.type("Nice day")
        assert ": Nice day\n" in second.wait_for("> ")
        second.type("Is it?")
        assert ": Is it?\n" in first.wait_for("Is it?\n> ")
        first.press_ctrl_d()
        first.end()
        assert "left the conversation." in second.end()
    assert len(spoken(the_episode(file_url))) == 3


def test_ctrl_c_ends_it_and_keeps_it(file_url: str) -> None:
    with (
        Terminal("agent", "--store", file_url) as agent,
        Terminal("human", "--store", file_url) as human,
    ):
        converse(human)
        human.press_ctrl_c()
        assert "Ada: left the conversation\n" in human.end()
        agent.end()
    assert spoken(the_episode(file_url)) == [*CONVERSATION, "Ada left the conversation"]


def test_a_partner_that_is_killed_is_not_waited_for_for_ever(file_url: str) -> None:
    with Terminal("agent", "--store", file_url) as agent:
        agent.wait_for("Waiting for somebody")  # what it takes to start is not the human's time
        with Terminal("human", "--store", file_url, "--patience", "2") as human:
            human.wait_for("> ")
            agent.process.kill()
            agent.process.wait()
            human.type("Are you there?")
            begun = time.monotonic()
            assert "Grace said nothing for 2 seconds.\n" in human.end()
            assert time.monotonic() - begun < 8
    said = ['Ada said: "Are you there?"', "Ada left the conversation"]
    assert spoken(the_episode(file_url)) == said


def test_who_is_alone_is_told(file_url: str) -> None:
    with Terminal("agent", "--store", file_url, "--patience", "0.2") as agent:
        assert agent.end() == "Waiting for somebody to talk to …\n\nNobody came.\n"
    with simstore.connect(file_url) as store:
        assert store.episodes.count() == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["agent"], 2, "memory:// ends at the process"),
        (["--store", "sqlite:////nowhere/chat.db"], 1, "there is no folder /nowhere"),
        (["--name", "a/b"], 1, "slashes"),
    ],
    ids=["memory in two processes", "no such store", "no such name"],
)
def test_what_cannot_be_is_said_in_a_line(arguments: list[str], status: int, message: str) -> None:
    with Terminal(*arguments) as terminal:
        assert terminal.process.wait(BOUND) == status
        terminal.wait_for(message)
        assert "Traceback" not in terminal.shown
