"""One value in a cell of a CSV file: how it is written, and how it is read back exactly.

Text stands as it is; other values are JSON. A cell of a text that may be None needs one rule
more, since an empty cell cannot be both: it is the field's default (None or the empty text),
and the other one is written as JSON, ``null`` or ``""``. So is every text that could be
mistaken for these: ``null`` itself, and what begins with a quote.

Cells of Python's own notation, as Sotopia writes lists and tuples, are read too; they are
parsed, never evaluated. So are TRUE and FALSE, which spreadsheets make of JSON's.
"""

import ast
import math
import re
from enum import Enum
from typing import Any

from pydantic import BaseModel

from simstore.services.files.columns import Column, columns_of
from simstore.services.files.jsonl import JsonError, JsonSyntaxError, dump_json, load_json
from simstore.services.files.place import shown

MAX_LITERAL_CHARACTERS = 1 << 20
"""How long a cell of Python's own notation may be, whose parser takes five hundred times that much
memory. JSON has no such bound."""


class CellForm(Enum):
    """What the cells of a column hold."""

    TEXT = "text"
    TEXT_OR_EMPTY_NONE = "text, or None where the cell is empty"
    EMPTY_TEXT_OR_NONE = "text, empty too, or None as null"
    JSON = "JSON"


class CellError(ValueError):
    """A cell that does not hold what its column should."""


def cell_forms(model: type[BaseModel]) -> dict[str, CellForm]:
    """The form of each field's cells."""
    return {name: _form(column) for name, column in columns_of(model).items()}


def _form(column: Column) -> CellForm:
    if column.types == {"string"}:
        return CellForm.TEXT
    if column.types != {"string", "null"}:
        return CellForm.JSON
    if column.default == "":
        return CellForm.EMPTY_TEXT_OR_NONE
    return CellForm.TEXT_OR_EMPTY_NONE


def write_cell(form: CellForm, value: Any) -> bytes:
    """The cell of a JSON `value`, in UTF-8.

    Raises:
        ValueError: the value has no JSON, or is no text where its column holds texts.
    """
    if form is CellForm.JSON:
        return dump_json(value)
    if value is None and form is not CellForm.TEXT:
        return b"" if form is CellForm.TEXT_OR_EMPTY_NONE else b"null"
    if not isinstance(value, str):
        raise CellError(f"is no text, as the model's schema says: {shown(value)}")
    if form is not CellForm.TEXT:
        if value == "":
            return b'""' if form is CellForm.TEXT_OR_EMPTY_NONE else b""
        if value == "null" or value.startswith('"'):
            return dump_json(value)
    return value.encode()


def read_cell(form: CellForm, cell: str) -> Any:
    """The JSON value that a cell holds.

    Raises:
        CellError: it is neither JSON nor a Python literal, where the form asks for one; or JSON
            that no line could hold either.
    """
    if form is CellForm.TEXT:
        return cell
    if form is CellForm.JSON:
        return _parse(cell)
    if not cell:
        return None if form is CellForm.TEXT_OR_EMPTY_NONE else ""
    if cell == "null":
        return None
    if cell.startswith('"'):
        try:
            return load_json(cell)
        except JsonError:
            return cell  # a text of somebody's who did not know the rule
    return cell


def _parse(cell: str) -> Any:
    try:
        return load_json(cell)
    except JsonSyntaxError:
        pass
    except JsonError as error:
        raise CellError(": ".join(filter(None, (error.field, str(error))))) from error
    if len(cell) > MAX_LITERAL_CHARACTERS:
        raise CellError(
            f"is not JSON, and too long to be a Python literal: it has {len(cell)} characters, of "
            f"{MAX_LITERAL_CHARACTERS} at most; write JSON"
        )
    try:
        if not _TOKENS.fullmatch(cell):
            raise ValueError("there are tokens that no literal has")  # noqa: TRY301 — as those of `ast`
        return _literal(ast.parse(cell.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CellError(f"is neither JSON nor a Python literal: {shown(cell)}") from error


_ESCAPE = r"""\\(?:[\\'"abfnrtv\n]|[0-3][0-7]{2}|[0-7]{1,2}(?![0-7])
    |x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]*\})"""

_TOKENS = re.compile(
    rf"""(?: [\s\[\](){{}},:-]
    | '(?:[^'\\]|{_ESCAPE})*+' | "(?:[^"\\]|{_ESCAPE})*+"
    | [0-9.][0-9._]*(?:[eE][+-]?[0-9_]+)?(?!\w) | (?:None|True|False|TRUE|FALSE|inf)\b
    )*+""",
    re.VERBOSE,
)
"""What literals are made of. Python's parser warns of some other tokens, such as an escape that
there is not; and how warnings are filtered is not a thread's own affair."""


def _literal(node: ast.expr) -> Any:
    """The value of a literal in Python's notation, in JSON's types."""
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.List(elts=members) | ast.Tuple(elts=members):
            return [_literal(member) for member in members]
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {
                _key(key): _literal(value)
                for key, value in zip(keys, values, strict=True)
                if key is not None
            }
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _literal(operand)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return -value
        case ast.Name(id="inf"):
            return math.inf
        case ast.Name(id="TRUE" | "FALSE" as word):
            return word == "TRUE"
    raise ValueError(f"{ast.dump(node)[:40]} is no literal")


def _key(node: ast.expr) -> str:
    key = _literal(node)
    if not isinstance(key, str):
        raise ValueError(f"{key!r} is no key")  # noqa: TRY004 — a fault of the text, not of a type
    return key
