"""What a model declares: its collection, the shape of each field, and which are indexed."""

import difflib
import operator
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Literal, NewType, Union

from pydantic import BaseModel

from simstore.domain.errors import ModelError, QueryError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.query import Scalar
from simstore.domain.views import collection_of


class Kind(StrEnum):
    """The kinds of values that can be compared; values of two kinds are never equal."""

    TEXT = "str"
    NUMBER = "number"
    BOOLEAN = "bool"


def kind_of(value: object) -> Kind | None:
    """The kind of a scalar; None for null and for everything else."""
    if isinstance(value, str):
        return Kind.TEXT
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | float):
        return Kind.NUMBER
    return None


def scalar(value: Any) -> Any:
    """`value` as it is compared: an enum's member by its value, all else as it is."""
    return value.value if isinstance(value, Enum) else value


@dataclass(frozen=True, slots=True)
class Shape:
    """What values a field holds.

    `kinds` is empty where the values cannot be compared (dicts, dates, nested lists). `many`
    says that the field is a list of them, `unordered` that it is a set. `choices` are the
    values of an enum or a Literal. `embedded` is the model of a nested record, or of a list's
    elements.
    """

    kinds: frozenset[Kind] = frozenset()
    many: bool = False
    unordered: bool = False
    choices: frozenset[Scalar] | None = None
    embedded: type[BaseModel] | None = None
    indexed: bool = False
    full_text: bool = False


OPAQUE = Shape()
"""A field that can be stored but not compared, but for null."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A field of a model, or of a model embedded in it."""

    path: str
    shape: Shape
    annotation: Any
    read: Callable[[Any], Any]
    """Takes a record, returns the field's value: None where an embedded model is None, a
    list where the path goes through a list of models."""

    @property
    def plain(self) -> bool:
        """It is of the record itself, and its values are compared as they are."""
        return "." not in self.path and self.annotation in {str, int, float, bool}

    def scalars(self, item: Any) -> Any:
        """The field's value as it is compared: enums by value, sequences as lists."""
        value = self.read(item)
        if self.shape.many and value is not None:
            return [scalar(element) for element in value]
        return scalar(value)


class ModelSchema:
    """A model as the store sees it. Get it from `schema_of`."""

    def __init__(self, model: type[BaseModel]) -> None:
        _check_model(model)
        self.model = model
        self.collection = collection_of(model)
        self._paths: dict[str, FieldPath] = {}
        self._marked_paths = tuple(_marked_paths(model, "", frozenset()))
        self.indexed = tuple(self._checked_index(path) for path in self._marked_paths)
        """The fields that are marked Indexed or FullText, embedded ones included."""

    def resolve(self, path: str) -> FieldPath:
        """The field at `path`.

        Raises:
            QueryError: there is no such field; the message suggests the nearest name.
        """
        found = self._paths.get(path)
        if found is None:
            found = self._paths[path] = self._walk(path)
        return found

    def _walk(self, path: str) -> FieldPath:
        model: type[BaseModel] | None = self.model
        steps: list[tuple[str, bool]] = []
        through_list = False
        shape = OPAQUE
        annotation: Any = None
        names = path.split(".")
        for depth, name in enumerate(names):
            if model is None:
                parent = ".".join(names[:depth])
                raise QueryError(f"{self.model.__name__}.{parent} has no fields of its own")
            if name not in model.model_fields:
                raise QueryError(_unknown_field(self.model, path, name, model.model_fields))
            if model.model_fields[name].exclude:
                raise QueryError(f"{self.model.__name__}.{path} is not stored: it has exclude=True")
            shape, annotation = _field_shape(model, name)
            steps.append((name, shape.many and shape.embedded is not None))
            if depth < len(names) - 1:
                through_list = through_list or shape.many
                model = shape.embedded
        if through_list:
            # A list within a list has no elements that could be compared one by one.
            shape = OPAQUE if shape.many else replace(shape, many=True)
            annotation = types.GenericAlias(list, (annotation,))
        if path not in self._marked_paths:
            # A field of a model within itself has its marker at every depth, one index at none.
            shape = replace(shape, indexed=False, full_text=False)
        return FieldPath(path, shape, annotation, _reader(tuple(steps)))

    def _checked_index(self, path: str) -> FieldPath:
        found = self.resolve(path)
        if not found.shape.kinds:
            raise ModelError(
                f"{self.model.__name__}.{path} cannot be indexed: only text, numbers, bools, "
                "enums and lists of them can"
            )
        if found.shape.full_text and (Kind.TEXT not in found.shape.kinds or found.shape.many):
            raise ModelError(f"{self.model.__name__}.{path} cannot be FullText: it is not one text")
        return found


def schema_of(model: type[BaseModel]) -> ModelSchema:
    """The schema of `model`, worked out once.

    Raises:
        ModelError: `model` cannot be used as a record; the message says why.
    """
    if not isinstance(model, type):
        raise ModelError(f"{model!r} is not a pydantic model class")
    return _schema_of(model)


@cache
def _schema_of(model: type[BaseModel]) -> ModelSchema:
    return ModelSchema(model)


def _marked_paths(
    model: type[BaseModel], prefix: str, above: frozenset[type[BaseModel]], *, in_list: bool = False
) -> Iterable[str]:
    """The paths of the fields that are Indexed or FullText, embedded ones included.

    Not of lists and texts that are embedded in a list: their model may be made for records of
    its own, and here they are found by reading.
    """
    for name, field in model.model_fields.items():
        shape, _ = _field_shape(model, name)
        nested = in_list and (shape.many or shape.full_text)
        if (shape.indexed or shape.full_text) and not nested and not field.exclude:
            yield prefix + name
        embedded = shape.embedded
        if embedded is not None and embedded not in above | {model}:
            yield from _marked_paths(
                embedded, f"{prefix}{name}.", above | {model}, in_list=in_list or shape.many
            )


_ARGUMENTS = ("order_by", "limit", "offset", "after", "batch_size")
"""What calls take beside fields, and users misspell or give to a call that lacks it."""


def near_name(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of `names`, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _unknown_field(root: type[BaseModel], path: str, name: str, names: Iterable[str]) -> str:
    if name in _ARGUMENTS:
        return f"{root.__name__} has no field {name!r}, and this call has no such argument"
    hint = near_name(name, [*names, *_ARGUMENTS]) or f"; it has {', '.join(names)}"
    within = f" (in {path!r})" if path != name else ""
    return f"{root.__name__} has no field {name!r}{within}{hint}"


def _check_model(model: type) -> None:
    if not issubclass(model, BaseModel):
        raise ModelError(f"{model!r} is not a pydantic model class")
    name = model.__name__
    pk = model.model_fields.get("pk")
    if pk is None or pk.annotation is not str or pk.exclude:
        found = "no field 'pk'" if pk is None else f"a field 'pk: {pk.annotation}'"
        raise ModelError(
            f"{name} has {found}, where a record needs a stored 'pk: str'; derive it from "
            "simstore.Record, which has one"
        )
    if not model.__pydantic_complete__:
        try:
            model.model_rebuild()
        except Exception as error:  # whatever evaluating the user's annotations raises
            raise ModelError(f"{name} is not fully defined: {error}") from error
    collection = getattr(model, "__collection__", name)
    if not isinstance(collection, str) or not collection.replace("_", "").isalnum():
        raise ModelError(
            f"{name}.__collection__ is {collection!r}; use letters, digits and underscores"
        )


def _field_shape(model: type[BaseModel], name: str) -> tuple[Shape, Any]:
    field = model.model_fields[name]
    annotation: Any = field.annotation
    shape = _marked_by(shape_of(annotation), field.metadata)
    return shape, annotation


def _marked_by(shape: Shape, metadata: Iterable[object]) -> Shape:
    metadata = list(metadata)
    return replace(
        shape,
        indexed=shape.indexed or any(isinstance(m, Indexed) or m is Indexed for m in metadata),
        full_text=shape.full_text
        or any(isinstance(m, FullText) or m is FullText for m in metadata),
    )


def shape_of(  # noqa: PLR0911 — one return for each form of a type
    annotation: Any, aliases: frozenset[Any] = frozenset()
) -> Shape:
    """What values a field of that annotation holds; `aliases` are the types that it is within."""
    if type(annotation).__name__ == "TypeAliasType":  # typing's own, or typing_extensions' on 3.11
        if annotation in aliases:
            return OPAQUE  # a type within itself, such as JSON's
        return shape_of(annotation.__value__, aliases | {annotation})
    if isinstance(annotation, NewType):
        return shape_of(annotation.__supertype__, aliases)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _marked_by(shape_of(arguments[0], aliases), arguments[1:])
    if origin is Literal:
        return _choices(arguments)
    if origin in {Union, types.UnionType}:
        return _union([shape_of(a, aliases) for a in arguments if a is not types.NoneType])
    if origin in {list, set, frozenset} or (
        origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis
    ):
        element = shape_of(arguments[0], aliases)
        comparable = not element.many and (element.kinds or element.embedded)
        if not comparable:
            return replace(OPAQUE, indexed=element.indexed)
        return replace(element, many=True, unordered=origin in {set, frozenset})
    if isinstance(annotation, type) and origin is None:
        return _classify_class(annotation)
    return OPAQUE


def _classify_class(annotation: type) -> Shape:
    if issubclass(annotation, Enum):
        return _choices(member.value for member in annotation)
    if issubclass(annotation, BaseModel):
        return Shape(embedded=annotation)
    for base, kind in (
        (str, Kind.TEXT),
        (bool, Kind.BOOLEAN),
        (int, Kind.NUMBER),
        (float, Kind.NUMBER),
    ):
        if issubclass(annotation, base):
            return Shape(frozenset({kind}))
    return OPAQUE


def _choices(values: Iterable[object]) -> Shape:
    members = [scalar(value) for value in values if value is not None]
    kinds = {kind_of(member) for member in members}
    if None in kinds:
        return OPAQUE
    return Shape(frozenset(k for k in kinds if k), choices=frozenset(members))


def _union(shapes: list[Shape]) -> Shape:
    if len(shapes) == 1:
        return shapes[0]
    indexed = any(shape.indexed for shape in shapes)
    full_text = any(shape.full_text for shape in shapes)
    if any(shape.many or not shape.kinds for shape in shapes):
        return replace(OPAQUE, indexed=indexed, full_text=full_text)
    choices = (
        frozenset().union(*(shape.choices for shape in shapes if shape.choices is not None))
        if all(shape.choices is not None for shape in shapes)
        else None
    )
    kinds = frozenset().union(*(shape.kinds for shape in shapes))
    return Shape(kinds, choices=choices, indexed=indexed, full_text=full_text)


def _reader(steps: tuple[tuple[str, bool], ...]) -> Callable[[Any], Any]:
    """A function from a record to the value at the end of `steps`: (name, is a list of models)."""
    *parents, (leaf, _) = steps
    if not parents:
        return operator.attrgetter(leaf)

    def read_one(item: Any) -> Any:
        for name, _ in parents:
            item = getattr(item, name)
            if item is None:
                return None
        return getattr(item, leaf)

    def read_each(item: Any) -> list[Any]:
        items = [item]
        for name, is_list in parents:
            below = [
                value
                for item in items
                if item is not None and (value := getattr(item, name)) is not None
            ]
            items = [element for values in below for element in values] if is_list else below
        return [getattr(item, leaf) for item in items if item is not None]

    return read_each if any(is_list for _, is_list in parents) else read_one
