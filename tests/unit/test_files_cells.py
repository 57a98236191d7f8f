"""Cells in Python's notation are read as they are, and nothing else of the process changes."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.services.files.cells import CellError, CellForm, read_cell
from simstore.testing.texts import HOSTILE_TEXTS

literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=literals)
def test_what_python_prints_is_read(value: Any) -> None:
    assert read_cell(CellForm.JSON, repr(value)) == value


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_texts_are_read(text: str) -> None:
    assert read_cell(CellForm.JSON, repr([text, (text,)])) == [text, [text]]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("['\\x41\\101\\u0041\\N{LATIN SMALL LETTER A}']", ["AAAa"]),
        ("('a' 'b', -1, 1e3, .5, 1_000, TRUE, FALSE, inf, -inf)", None),
        (" {'a': [None, True, False]} ", {"a": [None, True, False]}),
    ],
)
def test_other_notations_of_literals(cell: str, value: Any) -> None:
    expected = ["ab", -1, 1e3, 0.5, 1_000, True, False, float("inf"), -float("inf")]
    assert read_cell(CellForm.JSON, cell) == (expected if value is None else value)


WARNED_OF = ["['\\d']", "['\\477']", "[1if 1 else 2]", "['a' is 'a']", "[1](2)", "0x1for x in y"]


@pytest.mark.parametrize(
    "cell", [*WARNED_OF, "f'{x}'", "b'x'", "nan", "x", "['a", "__import__('os')"]
)
def test_what_is_no_literal_is_refused(cell: str) -> None:
    with pytest.raises(CellError, match="neither JSON nor a Python literal"):
        read_cell(CellForm.JSON, cell)


def test_no_thread_changes_what_is_warned_of() -> None:
    before = list(warnings.filters)
    shown = warnings.showwarning

    def read(number: int) -> Any:
        try:
            return read_cell(CellForm.JSON, WARNED_OF[number % len(WARNED_OF)])
        except CellError:
            return read_cell(CellForm.JSON, f"('{number}',)")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        during = list(warnings.filters)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(read, range(2_000))) == [[str(n)] for n in range(2_000)]
        assert warnings.filters == during
    assert not caught
    assert (warnings.filters, warnings.showwarning) == (before, shown)
