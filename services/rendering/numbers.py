"""Scores as readers see them."""


def score_text(score: float | None) -> str:
    """`score` to four digits, without needless zeros; a dash where there is none."""
    # 0.0 makes a zero of a negative one.
    return "\N{EN DASH}" if score is None else f"{score + 0.0:.4g}"


def range_text(bounds: tuple[int, int]) -> str:
    """The lowest and the highest score of a dimension, as Sotopia's tables write them."""
    low, high = bounds
    return f"[{low}, {high}]"
