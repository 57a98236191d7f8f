"""The records that are measured: a 1 KB agent and a 21 KB episode, as simulations write them."""

from simstore import AgentProfile, EpisodeLog

DIMENSIONS = (
    "believability",
    "relationship",
    "knowledge",
    "secret",
    "social_rules",
    "financial_and_material_benefits",
    "goal",
    "overall_score",
)

_SENTENCE = "Je comprends — das ist schön, 你好, and I would like to hear more about it. "


def agent(number: int) -> AgentProfile:
    """An agent of about 1 KB of JSON; `number` makes it a different one."""
    return AgentProfile(
        first_name=f"Ada{number}",
        last_name="Lovelace",
        age=18 + number % 60,
        occupation="mathematician",
        gender="Woman",
        gender_pronoun="She/her",
        public_info="She writes notes on engines that do not exist yet. " * 4,
        big_five="Openness: high; Conscientiousness: high; Extraversion: low. " * 2,
        moral_values=["Care", "Fairness"],
        schwartz_personal_values=["Self-Direction", "Achievement"],
        personality_and_values="She thinks in patterns and says what she thinks. " * 4,
        decision_making_style="Analytical",
        secret="She bets on horses, by a system of her own.",
        model_id="gpt-4",
        mbti="INTJ",
        tag=f"tag{number // 10}",
    )


def episode(number: int, *, turns: int = 20) -> EpisodeLog:
    """An episode of about 21 KB of JSON, a tenth of it not ASCII; its tag is shared by ten."""
    context = "Here is the context of this interaction: " + _SENTENCE * 20
    opening = [("Environment", "Ada", context), ("Environment", "Charles", context)]
    talk = [
        [
            ("Ada", "Environment", f'said: "{_SENTENCE * 2}"'),
            ("Charles", "Environment", "did nothing"),
        ]
        for _ in range(turns - 1)
    ]
    scores = dict.fromkeys(DIMENSIONS, 1.5 * (number % 5))
    return EpisodeLog(
        environment=f"env{number % 90}",
        agents=[f"agent{number % 40}", f"agent{(number + 1) % 40}"],
        tag=f"tag{number // 10}",
        models=["gpt-4", "gpt-4", "gpt-3.5-turbo"],
        agent_classes=["LLMAgent", "LLMAgent"],
        messages=[opening, *talk],
        reasoning=_SENTENCE * 40,
        rewards=[(3.5, scores), (4.5, scores)],
        rewards_prompt=_SENTENCE * 100,
    )
