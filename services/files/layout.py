"""How the records of a model are laid out in a file: what each key of a line stands for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from simstore.domain.errors import InvalidPkError
from simstore.domain.record import loader_of
from simstore.domain.schema import near_name, schema_of
from simstore.services.files.place import place, shorten

T = TypeVar("T", bound=BaseModel)

Line = dict[str, Any]
"""What a line, or a row, of a file says: JSON values by the file's own keys."""


class LineError(ValueError):
    """A line does not make a record; `field` is the place in it, by the file's keys."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


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
                    raise LineError(key, f"is missing{near_name(key, line)}")
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
            except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
                # From a validator of the model's own, which did not expect what it met.
                raise LineError("", f"{type(error).__name__}: {error}") from error

        return record_of

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
            return LineError(key, f"is missing{near_name(key, line)}")
        if path:
            path = [self._key_of(path[0]), *path[1:]]
        reason = fault["msg"].removeprefix("Value error, ")
        shown = fault["input"]
        plain = shown is None or isinstance(shown, str | int | float)
        if fault["type"] != "value_error" and plain:
            reason += f", not {shorten(repr(shown))}"
        return LineError(place(path), reason)

    def _key_of(self, field: str | int) -> str:
        for key, name in self.fields.items():
            if name == field:
                return key
        return str(field)


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
