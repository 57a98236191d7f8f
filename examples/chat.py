"""A person and a scripted agent meet in a waiting room, and talk in turns.

Both in one program, with everything in memory::

    python examples/chat.py

Or in two terminals, on the same store: a file, or a server (``redis://localhost:6379``)::

    python examples/chat.py agent --store sqlite:///chat.db
    python examples/chat.py human --store sqlite:///chat.db --name Ada

An empty line, "bye", Ctrl-D or Ctrl-C ends it. Then the conversation is kept as an episode.
"""

import argparse
import re
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import simstore
from simstore import AgentProfile, EnvironmentProfile, EpisodeLog, Store
from simstore.services import ChatSession, WaitingRoom, join_session, render_for_humans

BENCH = EnvironmentProfile(
    pk="bench",
    codename="bench",
    scenario="Two strangers sit on a bench in the park, and have time.",
    agent_goals=["Get to know the other one"] * 2,
)
LEFT = "left the conversation"
"""What is posted last; an episode has the same words for it."""

Speaker = Callable[[str, str | None], str | None]
"""Given who the other one is and what they said last (None: nothing yet), says something, or
None to leave. It is all in which a person and an agent differ."""


def human(other: str, heard: str | None) -> str | None:
    """Show what was heard, and read a line."""
    print(f"{other}: {heard}" if heard else f"{other} is here. You begin.")
    try:
        line = input("> ").strip()
    except EOFError:
        return None
    return None if line.casefold() in {"", "bye"} else line


def agent(other: str, heard: str | None) -> str | None:
    """Answer; here a language model would be asked."""
    if heard is None:
        return f"Hello, {other}! What brings you here?"
    if heard.endswith("?"):
        return "Good question. What would you say yourself?"
    longest = max(re.findall(r"\w+", heard), key=len, default="silence")
    return f"Tell me more about “{longest}”."


def take_part(
    store: Store, me: str, speak: Speaker, patience: float
) -> tuple[EpisodeLog | None, str]:
    """Meet somebody and talk: the episode, if anybody came, and why it is over."""
    store.environments.save(BENCH)
    store.agents.save(AgentProfile(pk=me, first_name=me, last_name="", tag="chat"))
    # Whoever enters the room next is the partner, whichever process or machine they are on.
    match = WaitingRoom(store, BENCH.pk).enter(me, timeout=patience)
    if match is None:
        return None, "Nobody came."
    session = join_session(store, match.session_id)
    try:
        reason = talk(session, me, speak, patience)
    except KeyboardInterrupt:
        reason = f"{me} {LEFT}."
    # Whoever ends it says so; the other one finds this message, and adds none.
    if all(message.message != LEFT for message in session.messages()):
        session.post(me, LEFT)
    return keep(store, session), reason


def talk(session: ChatSession, me: str, speak: Speaker, patience: float) -> str:
    """Speak and listen by turns, until one leaves, or stays silent for too long; say which."""
    record = session.record()
    listening = me == record.server_id  # who waited in the room begins
    other = record.client_id if listening else record.server_id
    heard = None
    while True:
        if listening:
            # From what was heard last: so it is found, also if it came while nobody listened.
            heard = session.wait_for(sender=other, since=heard, timeout=patience)
            if heard is None:
                return f"{other} said nothing for {patience:g} seconds."
            if heard.message == LEFT:
                return f"{other} {LEFT}."
        listening = True
        # The turn is a lock that all processes see: while one thinks, the other one waits.
        if not session.take_turn(me, timeout=patience):
            return f"{other} did not end a turn for {patience:g} seconds."
        try:
            words = speak(other, heard.message if heard else None)
            if words is None:
                return f"{me} {LEFT}."
            session.post(me, words)
        finally:
            session.end_turn(me)


def keep(store: Store, session: ChatSession) -> EpisodeLog:
    """Store the conversation as an episode; both sides do, under the same key."""
    record = session.record()
    agents = [record.client_id, record.server_id]
    opening = [("Environment", name, BENCH.scenario) for name in agents]
    turns = [
        [(sender, "Environment", text if text == LEFT else f'said: "{text}"')]
        for _, sender, text in (message.to_tuple() for message in record.message_list)
    ]
    return store.episodes.save(
        EpisodeLog(
            pk=session.session_id,
            environment=BENCH.pk,
            agents=agents,
            messages=[opening, *turns],
            rewards=[0.0, 0.0],  # a judge's, if there were one
            tag="chat",
        )
    )


def main() -> None:
    """Take part as the command line says, and print the episode."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("role", nargs="?", choices=["both", "human", "agent"], default="both")
    parser.add_argument("--store", default="memory://", help="the URL (default: %(default)s)")
    parser.add_argument("--name", help="of the one who takes part (default: Ada, or Grace)")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for others")
    args = parser.parse_args()
    if args.role != "both" and args.store.startswith("memory:"):
        parser.error("memory:// ends at the process; --store sqlite:///chat.db is for two of them")
    speak, name = (agent, "Grace") if args.role == "agent" else (human, "Ada")
    try:
        # The store is closed first: an agent that still waits, in its thread, is woken by that.
        with ThreadPoolExecutor() as pool, simstore.connect(args.store) as store:
            if args.role == "both":  # threads may share a store
                pool.submit(take_part, store, "Grace", agent, args.patience)
            print("Waiting for somebody to talk to …")
            episode, reason = take_part(store, args.name or name, speak, args.patience)
            print("", reason, sep="\n")
            if episode is not None:
                # "skip": a browser of fastapi_app.py has a name, but no profile.
                _, texts = render_for_humans(episode, store, missing="skip")
                print("", *texts, sep="\n")
    except KeyboardInterrupt:
        sys.exit("\nNobody came.")
    except (simstore.SimstoreError, ValueError) as error:  # ValueError: no name for a record
        sys.exit(f"chat.py: {error}")


if __name__ == "__main__":
    main()
