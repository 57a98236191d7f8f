"""How the records of a model are laid out in a file: what each key of a line stands for."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from simstore.domain.errors import InvalidPkError
from simstore.domain.record import loader_of
from simstore.domain.schema import schema_of
from simstore.services.files.cells import CellError, CellForm, cell_forms, read_cell
from simstore.services.files.faults import LineError
from simstore.services.files.place import place, shown

T = TypeVar("T", bound=BaseModel)

Line = dict[str, Any]
"""What a line, or a row, of a file says: JSON values by the file's own keys."""

LineOfRow = Callable[[Mapping[str, str]], Line]
"""Makes a line of the cells of a row, by column."""


COLLECTION_KEY = "__collection__"
"""The key under which a line of a whole store's file names its collection."""


_UNEXPECTED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What code raises that meets a value which it did not expect."""


@dataclass(frozen=True, slots=True)
class Layout(Generic[T]):
    """How the records of a model are written in a file.

    `fields` goes from each key of the file, in the order of its columns, to the field of the
    model that it holds. `required` are keys that every line must have, whatever the model's
    defaults. `prepare` turns older forms of a line into the current one. `derived` are keys that
    are written for human readers alone. They, and keys that are unknown, are left aside when a
    line is read.
    """

    model: type[T]
    fields: Mapping[str, str]
    required: tuple[str, ...] = ()
    prepare: Callable[[Line], Line] = dict
    derived: frozenset[str] = frozenset()

    def loader(self) -> Callable[[Line], T]:
        """A function that makes the record of a line, to be kept for a whole file.

        It raises LineError where the line makes none.
        """
        load = loader_of(self.model)
        renamed = {key: field for key, field in self.fields.items() if key != field}
        # A key that bears the name of a renamed field is not that field.
        shadowed = set(renamed.values()) - set(self.fields)

        def record_of(line: Line) -> T:
            for key in self.required:
                if key not in line:
                    raise self._missing(key, line)
            prepared = self.prepare(line)
            document = (
                {
                    renamed.get(key, key): value
                    for key, value in prepared.items()
                    if key not in shadowed
                }
                if renamed
                else prepared
            )
            try:
                return load(document)
            except ValidationError as error:
                raise self._first_fault(document, line, error) from error
            except InvalidPkError as error:
                raise LineError(self._key_of("pk"), str(error)) from error
            except _UNEXPECTED as error:
                # From a validator of the model's own, which did not expect what it met.
                raise LineError("", f"{type(error).__name__}: {error}") from error

        return record_of

    def row_reader(self) -> LineOfRow:
        """A function that makes a line of the cells of a row, to be kept for a whole table.

        It raises LineError for a cell that cannot be read.
        """
        by_field = cell_forms(self.model)
        forms = {key: by_field[field] for key, field in self.fields.items()}

        def line_of(cells: Mapping[str, str]) -> Line:
            line: Line = {}
            for column, cell in cells.items():
                form = forms.get(column, CellForm.TEXT)
                if form is CellForm.JSON and not cell:
                    continue  # nobody writes that; what a spreadsheet leaves empty is not given
                line[column] = cell_value(column, form, cell)
            return line

        return line_of

    def knows(self, key: str) -> bool:
        """Whether a line of this layout may have `key`."""
        return key in self.fields or key in self.derived

    def _missing(self, key: str, line: Line) -> LineError:
        """That a line lacks `key`, and which of those it should not have may be meant for it."""
        others = [other for other in line if not self.knows(other)]
        near = difflib.get_close_matches(key, others, n=1)
        hint = f"; {near[0]!r} may be meant for it" if near else ""
        return LineError(key, f"is missing{hint}")

    def _first_fault(
        self, document: Mapping[str, Any], line: Line, error: ValidationError
    ) -> LineError:
        """The first field at fault, its place by the file's keys, and the reason."""
        faults = error.errors(include_url=False, include_context=False)
        steps = [_steps(document, fault["loc"]) for fault in faults]
        # A value that may be several things fails as each of them; the deepest says the most.
        same = [i for i, fault in enumerate(faults) if fault["loc"][:1] == faults[0]["loc"][:1]]
        chosen = max(same, key=lambda i: len(steps[i]))
        fault, path = faults[chosen], steps[chosen]
        if fault["type"] == "missing" and len(fault["loc"]) == 1:
            key = self._key_of(fault["loc"][0])
            return self._missing(key, line)
        if path:
            path = [self._key_of(path[0]), *path[1:]]
        reason = fault["msg"].removeprefix("Value error, ")
        value = fault["input"]
        plain = value is None or isinstance(value, str | int | float)
        if fault["type"] != "value_error" and plain:
            reason += f", not {shown(value)}"
        return LineError(place(path), reason)

    def _key_of(self, field: str | int) -> str:
        for key, name in self.fields.items():
            if name == field:
                return key
        return str(field)


def cell_value(column: str, form: CellForm, cell: str) -> Any:
    """As `read_cell`, with a LineError that names the `column`."""
    try:
        return read_cell(form, cell)
    except CellError as error:
        raise LineError(column, str(error)) from error


def own_layout(model: type[T]) -> Layout[T]:
    """The layout of simstore's own files: each field of `model` under its name, the pk first.

    Raises:
        ModelError: `model` cannot be used as a record.
    """
    schema_of(model)  # refuses what is no record
    stored = [name for name, field in model.model_fields.items() if not field.exclude]
    return Layout(model, {name: name for name in sorted(stored, key=lambda name: name != "pk")})


def _steps(document: object, location: tuple[str | int, ...]) -> list[str | int]:
    """The steps of `location` that lead into `document`.

    The validator's location also names the alternatives that it tried, which are no places.
    """
    path: list[str | int] = []
    for step in location:
        if (isinstance(document, dict) and step in document) or (
            isinstance(document, list) and isinstance(step, int) and step < len(document)
        ):
            document = document[step]  # type: ignore[index]  # a dict's key or a list's position
            path.append(step)
    return path
