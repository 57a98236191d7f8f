"""What a transcript says in words of its own, the same in every format."""

import re

from simstore.services.rendering.transcript import CastMember, Transcript

UNTITLED = "Episode"
NAMELESS = "(no name)"

CAST = "Who plays"
OPENINGS = "What each was told beforehand"
CONVERSATION = "Conversation"
SCORES = "Scores"
REASONING = "Reasoning of the judge"

NO_CAST = "No agent takes part."
NO_OPENINGS = "Nothing."
NO_MESSAGES = "No messages."
NO_ACTS = "Nobody did anything."
NO_SCORES = "No scores."
NO_REASONING = "None."

BARE_REWARD = (
    "A reward without scores of dimensions is a bare number: "
    "the judgement failed, or the environment has scores of its own."
)

_TAG = re.compile(r"""</?(?:extra_info|\w+_hint)>|<p\s+viewer=[^<>]*>|</p>""")
"""Sotopia's marks in scenarios and goals: which part is for whom, and what is a hint."""


def plain(text: str) -> str:
    """A text of an environment without the tags that tell which agent may read what."""
    return _TAG.sub("", text)


def facts_of(transcript: Transcript) -> list[tuple[str, str]]:
    """What is known of an episode, by name; empty where it is not."""
    return [
        ("Tag", transcript.episode.tag or ""),
        ("Judge", transcript.judge),
        ("Other models", ", ".join(transcript.other_models)),
    ]


def facts_of_member(member: CastMember) -> list[tuple[str, str]]:
    """What is known of an agent in its episode, by name; empty where it is not."""
    return [
        ("Model", member.model),
        ("Agent class", member.agent_class),
        ("Goal", plain(member.goal)),
    ]
