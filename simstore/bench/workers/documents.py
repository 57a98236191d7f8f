"""The records that are measured, as plain documents: what a simulation of some size writes."""

from typing import Any

Document = dict[str, Any]

ENVIRONMENTS = 90
AGENTS = 40

GROUP = 10
"""So many episodes share a tag."""

PASSING = 1_000
"""So many agents are saved one by one, and go again."""

HALF = "gpt-3.5-turbo"
"""The model of the second agent in every other episode; in no other episode is it one."""

AGENT_CLASSES = ["LLMAgent", "LLMAgent"]

USUAL_KILOBYTES = 21
_DIMENSIONS = (
    "believability",
    "relationship",
    "knowledge",
    "secret",
    "social_rules",
    "financial_and_material_benefits",
    "goal",
)
_SENTENCE = "Je comprends — das ist schön, 你好, and I would like to hear more about it. "


def episode(number: int, kilobytes: float = USUAL_KILOBYTES) -> Document:
    """An episode of about so many KB of JSON, a tenth of its bytes not ASCII.

    Ten share a tag, and every other one has an agent of the model `HALF`.
    """
    share = kilobytes / USUAL_KILOBYTES
    context = f"Here is the context of interaction {number}: {_repeated(20 * share)}"
    turns = [[["Environment", "Ada", context], ["Environment", "Charles", context]]]
    turns += [
        [
            ["Ada", "Environment", f'said: "{number}.{turn}: {_repeated(2)}"'],
            ["Charles", "Environment", "did nothing"],
        ]
        for turn in range(round(21 * share))
    ]
    scores = dict.fromkeys(_DIMENSIONS, 1.5 * (number % 5))
    return {
        "pk": pk_of("EP", number),
        "environment": pk_of("EN", number % ENVIRONMENTS),
        "agents": [pk_of("AG", number % AGENTS), pk_of("AG", (number + 1) % AGENTS)],
        "tag": tag_of(number),
        "models": ["gpt-4", "gpt-4", HALF if number % 2 else "gpt-4"],
        "agent_classes": AGENT_CLASSES,
        "messages": turns,
        "reasoning": f"Episode {number}. {_repeated(40 * share)}",
        "rewards": [
            [3.5, {**scores, "overall_score": 3.5}],
            [4.5, {**scores, "overall_score": 4.5}],
        ],
        "rewards_prompt": f"Prompt {number}. {_repeated(100 * share)}",
    }


def agent(number: int) -> Document:
    """An agent of about 1 KB of JSON; ten share a tag."""
    return {
        "pk": pk_of("AG", number),
        "first_name": f"Ada{number}",
        "last_name": "Lovelace",
        "age": 18 + number % 60,
        "occupation": "Mathematician",
        "gender": "Woman",
        "gender_pronoun": "She/her",
        "public_info": "She writes notes on engines that do not exist yet. " * 4,
        "big_five": "Openness: high; Conscientiousness: high; Extraversion: low. " * 2,
        "moral_values": ["Care", "Fairness"],
        "schwartz_personal_values": ["Self-Direction", "Achievement"],
        "personality_and_values": "She thinks in patterns and says what she thinks. " * 4,
        "decision_making_style": "Analytical",
        "secret": "She bets on horses, by a system of her own.",
        "model_id": "gpt-4",
        "mbti": "INTJ",
        "tag": tag_of(number),
    }


def passing_agents() -> list[Document]:
    """Agents that are no others': they are saved and read one by one, and go again."""
    return [{**agent(n), "pk": pk_of("PA", n)} for n in range(PASSING)]


def environment(number: int) -> Document:
    """A scenario with a goal for each of two agents."""
    return {
        "pk": pk_of("EN", number),
        "codename": f"engine_{number}",
        "source": "benchmark",
        "scenario": f"Two people talk about engine {number} over a cup of tea.",
        "agent_goals": ["Learn how the engine works.", "Give nothing away."],
        "relationship": 2,
        "age_constraint": None,
        "occupation_constraint": None,
        "agent_constraint": None,
        "tag": "",
    }


def annotator(number: int) -> Document:
    """The smallest of records: for counting very many of them."""
    return {"pk": pk_of("AN", number), "name": f"Ann{number}", "email": f"{number}@example.org"}


def tag_of(number: int) -> str:
    """The tag that the episode or agent of this number shares with its group."""
    return f"tag{number // GROUP}"


def pk_of(kind: str, number: int) -> str:
    """A primary key in the form of a ULID; those of one kind sort as their numbers do."""
    return f"01BENCH{kind}{number:017d}"


def _repeated(sentences: float) -> str:
    return _SENTENCE * max(1, round(sentences))
