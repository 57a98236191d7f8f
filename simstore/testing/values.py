"""Hypothesis strategies for what records are made of: text, numbers, keys, JSON."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from simstore.domain.errors import InvalidPkError
from simstore.domain.fields import check_pk
from simstore.domain.numbers import MAX_INT, MIN_INT
from simstore.testing.texts import HOSTILE_PKS, HOSTILE_TEXTS, LONG_TEXT

_ONE_IN = 128
"""How rarely a text is 100 KB long: often enough to be met, too rare to slow every test."""

_SHORT_TEXTS = tuple(text for text in HOSTILE_TEXTS if text != LONG_TEXT)

HOSTILE_INTS: tuple[int, ...] = (
    0, 1, -1, 2, 9, 10, 11, 99, 100, -9, -10, -100, 2**31, -(2**31), 2**53, 2**53 + 1, 2**53 - 1,
    -(2**53), -(2**53) - 1, 10**18, 10**18 + 1, MAX_INT - 1, MAX_INT, MIN_INT, MIN_INT + 1,
)  # fmt: skip
"""Ints at the ends, beside those a float cannot tell apart, and in another order as text."""

HOSTILE_FLOATS: tuple[float, ...] = (
    0.0, -0.0, 1.0, -1.0, 0.1, 0.30000000000000004, 0.3, 1.5, 9.0, 10.0, -2.5, 1e-300, 5e-324,
    -5e-324, 1e16, 2.0**53, 2.0**53 + 2, 1e22, 1.7976931348623157e308, float("inf"), float("-inf"),
)  # fmt: skip
"""Every kind of float but NaN."""


def free_texts(max_size: int = 40) -> SearchStrategy[str]:
    """Any valid unicode text."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def texts() -> SearchStrategy[str]:
    """Hostile texts, any other text, and rarely 100 KB of it."""
    usual = st.one_of(st.sampled_from(_SHORT_TEXTS), free_texts())
    return st.integers(1, _ONE_IN).flatmap(lambda n: st.just(LONG_TEXT) if n == _ONE_IN else usual)


def integers() -> SearchStrategy[int]:
    """Ints of 64 bits."""
    return st.one_of(st.sampled_from(HOSTILE_INTS), st.integers(MIN_INT, MAX_INT))


def floats() -> SearchStrategy[float]:
    """Every float but NaN."""
    return st.one_of(st.sampled_from(HOSTILE_FLOATS), st.floats(allow_nan=False))


def _is_pk(text: str) -> bool:
    try:
        check_pk(text)
    except InvalidPkError:
        return False
    return True


def pks() -> SearchStrategy[str]:
    """Valid primary keys, hostile ones first."""
    return st.one_of(
        st.sampled_from(HOSTILE_PKS),
        st.text(
            st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"),
            min_size=1,
            max_size=30,
        ).filter(_is_pk),
    )


def json_values() -> SearchStrategy[object]:
    """Whatever JSON can say, but for NaN and ints beyond 64 bits."""
    return st.recursive(
        st.one_of(st.none(), st.booleans(), integers(), floats(), texts()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(texts(), inner, max_size=3)
        ),
        max_leaves=6,
    )


def json_objects() -> SearchStrategy[dict[str, object]]:
    """JSON objects."""
    return st.dictionaries(texts(), json_values(), max_size=3)
