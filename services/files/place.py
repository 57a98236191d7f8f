"""How messages about files name a place in a line, and show a value."""

SHOWN_CHARACTERS = 60
"""How much of a value a message shows."""

_SHOWN_STEPS = 8


def place(steps: list[str | int]) -> str:
    """A place within a JSON object, from its keys and positions: ``raw_rewards[0][1].goal``.

    A place that is very deep ends in dots; what could not be printed is escaped.
    """
    written = "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps[:_SHOWN_STEPS]
    )
    dots = "..." if len(steps) > _SHOWN_STEPS else ""
    return written.removeprefix(".").encode(errors="backslashreplace").decode() + dots


def shown(value: object) -> str:
    """`value` as Python prints it, cut off where it is longer than a message should show."""
    try:
        return shorten(repr(value))
    except ValueError:  # Python prints no integer of more than some thousand digits
        return "an integer of thousands of digits"


def shorten(text: str) -> str:
    """`text`, cut off where it is longer than a message should show."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
