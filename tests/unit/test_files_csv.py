"""The writing of CSV: byte for byte what Python's csv module writes."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from simstore.services.files.csv_files import FORMULA_STARTS, guarded, guarded_cell, write_rows

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab \",;'\r\n\0\té你🙂=")


def written_by_python(rows: list[list[str]]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue().encode()


@given(st.lists(st.lists(texts, min_size=1, max_size=4), min_size=1))
def test_a_table_is_what_the_csv_module_writes(rows: list[list[str]]) -> None:
    header, *others = rows
    stream = io.BytesIO()
    write_rows(stream, header, [[cell.encode() for cell in row] for row in others])
    assert stream.getvalue() == written_by_python(rows)


def test_a_row_of_one_empty_cell_is_no_blank_line() -> None:
    stream = io.BytesIO()
    write_rows(stream, ["a"], [[b""]])
    assert stream.getvalue() == b'a\r\n""\r\n'


@given(texts | st.builds(str.__add__, st.sampled_from(FORMULA_STARTS), texts))
def test_a_cell_is_guarded_as_its_text_is(text: str) -> None:
    assert guarded_cell(text.encode()) == guarded(text).encode()
