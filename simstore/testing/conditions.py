"""Hypothesis strategies for specimens, and for conditions on them that often hold.

Both draw from the same small pools: a condition on random text would be true of nothing, and
a backend that always answered "none" would pass.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from simstore.domain.query import Condition, field
from simstore.testing.models import Colour, Level, Part, Specimen
from simstore.testing.values import floats, free_texts, integers, json_objects, texts

POOL_TEXTS = (
    "", " ", "pilot", "pilot ", "Pilot", "Straße", "STRASSE", "İ", "a|b", "{x}", "*", "pi*",
    "nul\x00",
    "two\nlines", "é", "e\u0301", "😀", "\uffff", "1",
)  # fmt: skip
POOL_INTS = (0, 1, -1, 5, 10, 9, 2**53, 2**53 + 1, -(2**63), 2**63 - 1)
POOL_FLOATS = (0.0, -0.0, 1.0, 0.5, -2.5, 2.0**53, float("inf"), float("-inf"))
POOL_BIOS = (
    "", "a doctor from Köln", "A DOCTOR; also a poet", "doctor_poet", "Straße 12", "STRASSE",
    "e\u0301lan vital", "日本語 text", "doctor-poet 😀", "don't",
)  # fmt: skip
POOL_WORDS = (
    "doctor", "POET doctor", "strasse", "Straße", "12", "a", "doc", "köln", "日本語", "lan",
    "don t",
    "poet, a", "vital é",
)  # fmt: skip
POOL_PKS = ("a", "A", "b", " a", "{a}", "é", "e\u0301", "\uffff", "😀", "x" * 255)


def _pool(values: tuple[Any, ...], *others: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(st.sampled_from(values), st.sampled_from(values), *others)


def _or_none(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.one_of(st.none(), values)


_TEXT = _pool(POOL_TEXTS, texts())
_INT = _pool(POOL_INTS, integers())
_FLOAT = _pool(POOL_FLOATS, floats())
_NUMBER = st.one_of(_INT, _FLOAT)
_BIO = _pool(POOL_BIOS, free_texts())
_MIXED = _pool((True, 1, 1.0, "1", False, 0, -0.0, "", 2), _TEXT, _INT, _FLOAT)
_LEVEL = st.sampled_from(Level)
_COLOUR = st.sampled_from(Colour)
_STATUS = st.sampled_from(["new", "used"])


def _lists(values: SearchStrategy[Any]) -> SearchStrategy[list[Any]]:
    return st.lists(values, max_size=3)


def parts() -> SearchStrategy[Part]:
    """Embedded records."""
    return st.builds(Part, label=_TEXT, weight=_FLOAT, remark=_or_none(_TEXT))


_FIELDS: dict[str, SearchStrategy[Any]] = {
    "tag": _TEXT,
    "nickname": _or_none(_TEXT),
    "number": _INT,
    "score": _FLOAT,
    "ratio": _or_none(_FLOAT),
    "active": st.booleans(),
    "level": _LEVEL,
    "colour": _or_none(_COLOUR),
    "status": _STATUS,
    "mixed": _or_none(_MIXED),
    "labels": _lists(_TEXT),
    "marks": _or_none(_lists(_INT)),
    "home": _or_none(parts()),
    "parts": _lists(parts()),
    "bio": _BIO,
    "motto": _or_none(_BIO),
    "plain_text": _TEXT,
    "plain_nickname": _or_none(_TEXT),
    "plain_number": _INT,
    "plain_score": _FLOAT,
    "plain_active": st.booleans(),
    "plain_level": _LEVEL,
    "plain_labels": _lists(_TEXT),
    "extra": json_objects(),
}


def specimen_pks() -> SearchStrategy[str]:
    """Primary keys from a pool so small that records meet."""
    return st.sampled_from(POOL_PKS)


def specimens() -> SearchStrategy[Specimen]:
    """Specimens, each with some of the fields set."""
    pk: dict[str, SearchStrategy[Any]] = {"pk": specimen_pks()}
    return st.fixed_dictionaries(pk, optional=_FIELDS).map(Specimen.model_validate)


def _as_operand(values: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Enum members, and as often their bare values: a condition may be written with either."""
    return st.one_of(values, values.map(lambda member: member.value))


_TEXT_PATHS = {
    "pk": specimen_pks(),
    **dict.fromkeys(
        ("tag", "nickname", "plain_text", "plain_nickname", "home.label", "home.remark"), _TEXT
    ),
    "bio": _BIO,
    "motto": _BIO,
}
_NUMBER_PATHS = dict.fromkeys(
    ("number", "score", "ratio", "plain_number", "plain_score", "home.weight"), _NUMBER
)
_CHOICE_PATHS = {
    "level": _as_operand(_LEVEL),
    "plain_level": _as_operand(_LEVEL),
    "colour": _as_operand(_COLOUR),
    "status": _STATUS,
    "active": st.booleans(),
    "plain_active": st.booleans(),
}
_LIST_PATHS = {
    "labels": _TEXT,
    "plain_labels": _TEXT,
    "marks": _INT,
    "parts.label": _TEXT,
    "parts.weight": _NUMBER,
    "parts.remark": _or_none(_TEXT),
}
_ONE_VALUE = {**_TEXT_PATHS, **_NUMBER_PATHS, **_CHOICE_PATHS, "mixed": _MIXED}
_ORDERED = {
    **_TEXT_PATHS,
    **_NUMBER_PATHS,
    "level": _as_operand(_LEVEL),
    "plain_level": _as_operand(_LEVEL),
    "mixed": st.one_of(_TEXT, _NUMBER),
}

ORDERABLE_PATHS = tuple(path for path in _ONE_VALUE if path != "mixed")
"""The paths that ``order_by`` may name and whose values are of one kind."""


def _on(
    paths: dict[str, SearchStrategy[Any]],
    compare: Callable[[str, Any], Condition],
) -> SearchStrategy[Condition]:
    """`compare` of any of `paths` and an operand that fits it."""
    return st.sampled_from(sorted(paths)).flatmap(
        lambda path: paths[path].map(lambda operand: compare(path, operand))
    )


def _listed(values: dict[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Any]]:
    return {path: _lists(value) for path, value in values.items()}


def _nullable(values: dict[str, SearchStrategy[Any]]) -> dict[str, SearchStrategy[Any]]:
    return {path: _or_none(value) for path, value in values.items()}


def comparisons() -> SearchStrategy[Condition]:
    """One comparison: any operator, any path it applies to."""
    whole = _nullable({**_ONE_VALUE, **_listed(_LIST_PATHS)})
    opaque = dict.fromkeys(("extra", "home", "parts"), st.none())
    ordered = _nullable(_ORDERED)
    return st.one_of(
        _on({**whole, **opaque}, lambda path, value: field(path) == value),
        _on({**whole, **opaque}, lambda path, value: field(path) != value),
        _on(ordered, lambda path, value: field(path) < value),
        _on(ordered, lambda path, value: field(path) <= value),
        _on(ordered, lambda path, value: field(path) > value),
        _on(ordered, lambda path, value: field(path) >= value),
        _on(_listed(_nullable(_ONE_VALUE)), lambda path, value: field(path).in_(value)),
        _on(_LIST_PATHS, lambda path, value: field(path).contains(value)),
        _on(_prefixes(), lambda path, value: field(path).startswith(value)),
        _on(
            dict.fromkeys(("bio", "motto", "tag", "plain_text"), st.sampled_from(POOL_WORDS)),
            lambda path, value: field(path).matches(value),
        ),
    )


def _prefixes() -> dict[str, SearchStrategy[Any]]:
    cut = st.integers(0, 3)
    return {
        path: st.builds(lambda text, length: text[:length], values, cut)
        for path, values in {**_TEXT_PATHS, "mixed": _TEXT}.items()
    }


def conditions() -> SearchStrategy[Condition]:
    """Trees of comparisons, joined by ``&``, ``|`` and ``~``."""
    return st.recursive(
        comparisons(),
        lambda inner: st.one_of(
            st.builds(lambda a, b: a & b, inner, inner),
            st.builds(lambda a, b: a | b, inner, inner),
            inner.map(lambda condition: ~condition),
        ),
        max_leaves=5,
    )


def order_bys() -> SearchStrategy[str]:
    """A path to order by, with or without the minus of "descending"."""
    paths = st.sampled_from(ORDERABLE_PATHS)
    return st.one_of(paths, paths.map(lambda path: f"-{path}"))
