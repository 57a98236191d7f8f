"""JSON lines: what is read as an object, each way in which a line is bad, and what is written."""

import io
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.domain.errors import ImportFileError
from simstore.services.files.jsonl import dump_json, load_json, read_objects


def read(data: bytes) -> list[tuple[int, dict[str, Any] | ImportFileError]]:
    return list(read_objects(io.BytesIO(data), "lines.jsonl"))


def read_one(line: str | bytes) -> dict[str, Any] | ImportFileError:
    data = line if isinstance(line, bytes) else line.encode()
    ((number, value),) = read(b"\n \n" + data + b"\n")
    assert number == 3
    return value


GOOD = '{"name": "Zoë", "age": 30, "values": ["Care", "Fairness"]}'


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ('{"name": "a", "name": "b"}', "name", "the key 'name' is given twice"),
        ('{"x": {"y": 1, "y": 1}}', "y", "the key 'y' is given twice"),
        (GOOD.replace("30", "NaN"), "age", "NaN is not JSON and not a value; leave it out"),
        (GOOD.replace('"Fairness"', "NaN"), "values[1]", "NaN is not JSON"),
        (GOOD.replace("30", "NaN")[:-5], "", "NaN is not JSON"),
        ('{"a": ' + "[" * 980 + '"\\ud83c"' + "]" * 980 + "}", "", "is nested too deeply"),
        (GOOD[:40], "", "is not complete: the line ends after 40 characters"),
        (GOOD[:-1], "", "is not complete"),
        (GOOD + GOOD, "", "is not JSON: Extra data at character"),
        (GOOD + ",", "", "is not JSON: Extra data"),
        ("{'name': 'a'}", "", "is not JSON: Expecting property name"),
        ('{"name": "a\tb"}', "", "is not JSON: Invalid control character"),
        ("[1]", "", "is a JSON value of type list; each line must be one object {...}"),
        ("null", "", "of type null"),
        ("17", "", "of type int"),
        ('"text"', "", "of type str"),
        ("[" * 100_000, "", "is nested too deeply"),
        ('{"name": ' + "9" * 5000 + "}", "", "is not JSON that can be read"),
        (b'{"name": "\xff"}', "", "is not UTF-8: invalid start byte at byte 11"),
        ('{"name": "\\ud83c"}', "name", "holds half of a surrogate pair"),
        ('{"": "\\ud83c"}', "", "holds half of a surrogate pair"),
        ('{"a\\uDE00": 1}', "a\\ude00", "holds half of a surrogate pair"),
    ],
)
def test_bad_lines(line: str | bytes, field: str, reason: str) -> None:
    fault = read_one(line)
    assert isinstance(fault, ImportFileError)
    assert (fault.path, fault.line, fault.field) == ("lines.jsonl", 3, field)
    assert reason in fault.reason
    assert fault.__cause__ is not None


def test_what_follows_a_bad_line_is_read() -> None:
    numbers = [number for number, value in read(b'{"a": 1}\n{\n{"a": 2}') if value == {"a": 2}]
    assert numbers == [3]


def test_a_whole_pair_of_surrogates_is_a_letter() -> None:
    assert read_one('{"a": "\\ud83c\\udf70"}') == {"a": "🍰"}


def test_infinities_are_values() -> None:
    assert read_one('{"a": [Infinity, -Infinity]}') == {"a": [math.inf, -math.inf]}


def test_blank_lines_byte_order_mark_and_line_ends() -> None:
    assert read(b'\xef\xbb\xbf{"a": 1}\r\n\r\n \t\n{"a": 2}') == [(1, {"a": 1}), (4, {"a": 2})]
    assert read(b"\xef\xbb\xbf\n") == []
    assert read(b"") == []


def test_odd_separators_stay_in_the_text() -> None:
    # Unicode has more line ends than JSON lines has.
    odd = "a\u2028b\u2029c\x85d\x0ce"
    assert read_one(json.dumps({"a": odd}, ensure_ascii=False)) == {"a": odd}


def test_lines_are_read_one_at_a_time() -> None:
    stream = io.BytesIO(b'{"a": 1}\n{"a": 2}\n')
    next(read_objects(stream, "lines.jsonl"))
    assert stream.read() == b'{"a": 2}\n'


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simstore.services.files.jsonl.MAX_LINE_BYTES", 10)
    assert read(b'{"a": 123}')[0][1] == {"a": 123}
    with pytest.raises(ImportFileError, match="line 2: is longer than 10 bytes"):
        read(b'{}\n{"a": 1234}\n')


def test_a_very_deep_place_is_shortened() -> None:
    deep: Any = "\ud83c"
    for _ in range(100):
        deep = {"deeper": [deep]}
    fault = read_one(json.dumps({"x": deep}))
    assert isinstance(fault, ImportFileError)
    assert fault.field.startswith("x.deeper[0]")
    assert fault.field.endswith("...")
    assert len(str(fault)) < 200


def test_objects_are_written_a_line_each_in_utf_8() -> None:
    values: list[Any] = [{"a": "é\n\u2028"}, {"b": [math.inf, -math.inf, None, 1.0]}, {}]
    lines = [dump_json(value) for value in values]
    assert [line.decode() for line in lines] == [
        '{"a":"é\\n\u2028"}',
        '{"b":[Infinity,-Infinity,null,1.0]}',
        "{}",
    ]
    assert [value for _, value in read(b"\n".join(lines))] == values


@pytest.mark.parametrize(
    "line",
    [
        '{"a":1,"a":1}',
        '{"a":{"b":1,"b":2}}',
        '{"a":18446744073709551616}',
        '{"a":-9223372036854775809}',
        '{"a":1e400}',
        '{"a":"\\ud83c"}',
        '{"a":NaN}',
        '{"a":' + "[" * 300 + "]" * 300 + "}",
        '{"a":-0.0,"b":1.0,"c":1e16,"d":0.1}',
        '{"a":"\\/"}',
        '{"a":"\u2028é","b":[Infinity]}',
        '{"a": "\\u0022\\u0022", "b": 1, "b": 2}',
        '{"a": "\\\\", "a" : "\\""}',
        '{"a": "\\ud83c\\u0041"}',
    ],
)
def test_the_fast_parser_never_has_its_way_with_a_line(line: str) -> None:
    got = read_one(line)
    if isinstance(got, ImportFileError):
        with pytest.raises(ValueError, match=r".") as refused:
            load_json(line)
        assert got.reason == str(refused.value)
    else:
        assert repr(got) == repr(load_json(line))


# Texts as JSON spells them: one letter in several ways, and what looks like the end of a key.
ESCAPES = [r"\u0061", r"\u00e9", r"\"", r"\u0022", r"\\", r"\/", r"\n", r"\ud83c", r"\udf70"]
SPELT = st.lists(st.sampled_from([*"aé:, {}🍰", *ESCAPES]), max_size=3).map(
    lambda letters: f'"{"".join(letters)}"'
)
SPACE = st.sampled_from(["", "", " ", "\t", "\r "])
LEAF = SPELT | st.sampled_from(
    ["1", "1e5", "-0", "18446744073709551616", "null", "Infinity", "NaN"]
)


def spelt_objects(member: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(SPACE, SPELT, SPACE, SPACE, member).map(lambda p: "{}{}{}:{}{}".format(*p))
    return st.lists(pair, max_size=4).map(lambda pairs: f"{{{','.join(pairs)}}}")


SPELT_LINES = spelt_objects(
    st.recursive(
        LEAF,
        lambda inner: (
            spelt_objects(inner)
            | st.lists(inner, max_size=3).map(lambda members: f"[{', '.join(members)}]")
        ),
        max_leaves=6,
    )
)


@given(SPELT_LINES)
def test_the_fast_parser_is_right_however_a_line_is_spelt(line: str) -> None:
    test_the_fast_parser_never_has_its_way_with_a_line(line)
