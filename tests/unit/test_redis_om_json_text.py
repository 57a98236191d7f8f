"""What RedisJSON would change is written so that it does not, or not as RedisJSON at all."""

import json
import math
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.adapters.redis_om.json_text import LEVELS, kept_json, read_by_redisjson, spelled
from simstore.testing.texts import HOSTILE_TEXTS
from simstore.testing.values import HOSTILE_FLOATS, HOSTILE_INTS, json_objects


@pytest.mark.parametrize(
    "value",
    [0.0, -0.0, 1.5, 0.1, -2.25, 3.2857142857142856, 1e16, 100.0, *HOSTILE_INTS],
    ids=repr,
)
def test_what_is_read_right_stays_as_it_is(value: float) -> None:
    content = orjson.dumps({"x": value})
    assert kept_json(content) == content


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text[:20]))
def test_texts_stay_as_they_are(text: str) -> None:
    for document in ({"x": text}, {text: 1}, {"x": text, "y": [0.1, text]}):
        content = orjson.dumps(document)
        assert kept_json(content) == content


def test_digits_in_texts_are_no_numbers() -> None:
    for text in ("12345678901234567890.5", 'a "quoted" 1e5', "\\", 'end\\"1e400', "Infinity"):
        content = orjson.dumps({"x": text, text: [text]})
        assert kept_json(content) == content


@pytest.mark.parametrize("value", [173 / 17, 202 / 18, -79 / 6.5, 11.222222222222222])
def test_what_is_misread_gets_other_digits(value: float) -> None:
    content = orjson.dumps({"x": [value, "1e5"], "y": value})
    assert read_by_redisjson(repr(value)) != value
    kept = kept_json(content)
    assert kept is not None
    assert kept != content
    assert orjson.loads(kept) == json.loads(kept) == {"x": [value, "1e5"], "y": value}
    for number in re.findall(rb"[-0-9.]+e-?[0-9]+", kept.replace(b'"1e5"', b"")):
        assert read_by_redisjson(number.decode()) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_spelling_is_read_as_the_float(value: float) -> None:
    text = spelled(value) if value else repr(value)
    if text is not None:
        assert float(text) == value
        assert read_by_redisjson(text) == value


@given(st.lists(st.integers(-10, 10), min_size=1, max_size=30))
def test_means_of_scores_can_be_kept(scores: list[int]) -> None:
    mean = sum(scores) / len(scores)
    assert kept_json(orjson.dumps([mean])) is not None


@pytest.mark.parametrize("value", [x for x in HOSTILE_FLOATS if math.isinf(x)])
def test_infinities_cannot_be_kept(value: float) -> None:
    assert kept_json(json.dumps({"x": value}).encode()) is None


def test_what_is_nested_too_deep_cannot_be_kept() -> None:
    for levels in (1, LEVELS - 1, LEVELS):
        content = b"[" * levels + b"]" * levels
        assert kept_json(content) == content
    for content in (b"[" * (LEVELS + 1) + b"]" * (LEVELS + 1), b'{"":' * 128 + b"0" + b"}" * 128):
        assert kept_json(content) is None
    wide = orjson.dumps([["[" * 200, {}]] * 200)
    assert kept_json(wide) == wide
    assert kept_json(b"[[1]]", levels=1) is None


@given(json_objects())
def test_what_is_kept_says_the_same(document: dict[str, object]) -> None:
    content = json.dumps(document, ensure_ascii=False).encode()
    kept = kept_json(content)
    if kept is not None:
        assert repr(json.loads(kept)) == repr(document)
