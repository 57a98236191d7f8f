"""The base classes of records, and how stored or foreign data becomes one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simstore.domain.fields import Pk, new_pk

DEFAULT_EXPIRE_SECONDS = 604_800
"""How long a session or a waiting room is kept after its last save: 7 days."""

T = TypeVar("T", bound=BaseModel)


class Record(BaseModel):
    """A record with a primary key: the base of simstore's models, and a good one for yours.

    A blank or missing ``pk`` becomes a ULID at construction. Unknown names are refused, so
    that a misspelt argument cannot vanish.
    """

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    pk: Pk = Field(default_factory=new_pk)


class ExpiringRecord(Record):
    """A record that the store forgets `expire_time` seconds after its last save."""

    expire_time: int = Field(default=DEFAULT_EXPIRE_SECONDS, gt=0)


def dump_record(item: BaseModel) -> dict[str, Any]:
    """The document of a record: JSON values keyed by field name, whatever aliases it has.

    `load_record` turns it back. Infinities, for which JSON has no numbers, stay floats.

    Raises:
        pydantic_core.PydanticSerializationError: a value, such as an object of a foreign
            class, has no JSON.
    """
    return dumper_of(type(item))(item)


def dumper_of(model: type[T]) -> Callable[[T], dict[str, Any]]:
    """`dump_record` for one model: to be kept by whoever dumps many."""
    # The serializer itself, as model_dump checks its arguments anew.
    serialize = model.__pydantic_serializer__.to_python

    def dump(item: T) -> dict[str, Any]:
        document: dict[str, Any] = serialize(
            item, mode="json", by_alias=False, round_trip=True, warnings=False
        )
        return document

    return dump


def load_record(model: type[T], document: Mapping[str, Any]) -> T:
    """Build a `model` from stored or foreign data, older versions of it included.

    `document` is keyed by field name and holds JSON values. Fields that the model does not
    know are left out where the model would forbid them; a None in a field that cannot hold
    it means the field's default.

    Raises:
        pydantic.ValidationError: the data does not make a `model`.
    """
    return loader_of(model)(document)


def loader_of(model: type[T]) -> Callable[[Mapping[str, Any]], T]:
    """`load_record` for one model: to be kept by whoever loads many."""
    # The validator itself: model_validate checks its arguments anew, a third of a small
    # record's time. Lax, because JSON has no tuples, enums or dates.
    validate = model.__pydantic_validator__.validate_python
    # Other programs store what is computed. It is nobody's field, and computed anew.
    computed = model.model_computed_fields.keys()

    def load(document: Mapping[str, Any]) -> T:
        item: T
        if computed and isinstance(document, Mapping):
            document = {name: value for name, value in document.items() if name not in computed}
        try:
            item = validate(document, strict=False, by_alias=False, by_name=True)
        except ValidationError as error:
            mended = _mended(model, document, error)
            if mended is None:
                raise
            item = validate(mended, strict=False, by_alias=False, by_name=True)
        return item

    return load


def _mended(
    model: type[BaseModel], document: Mapping[str, Any], error: ValidationError
) -> dict[str, Any] | None:
    """`document` without what `error` complains of and the model can do without; None if nothing.

    That is: names that a model forbids, and nulls in fields that have a default.
    """
    if not isinstance(document, Mapping):
        return None
    mended: Any = document
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    # Together: a foreign line may have thousands of them, and each removal copies the document.
    unknown = {f["loc"][0] for f in faults if f["type"] == "extra_forbidden" and len(f["loc"]) == 1}
    if unknown:
        mended = {name: value for name, value in document.items() if name not in unknown}
    for fault in faults:
        path = fault["loc"]
        if fault["type"] == "extra_forbidden":
            if len(path) > 1:
                mended = _without(mended, path)
        elif path and document.get(str(path[0]), "") is None:
            field = model.model_fields.get(str(path[0]))
            if field is not None and not field.is_required():
                mended = _without(mended, path[:1])
    return None if mended is document else mended


def _without(value: Any, path: Sequence[int | str]) -> Any:
    """`value` without what is at `path` within it; `value` itself if there is nothing."""
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and step in value:
        if not rest:
            return {name: kept for name, kept in value.items() if name != step}
        inner = _without(value[step], rest)
        return value if inner is value[step] else {**value, step: inner}
    if isinstance(value, list) and isinstance(step, int) and step < len(value) and rest:
        inner = _without(value[step], rest)
        return value if inner is value[step] else [*value[:step], inner, *value[step + 1 :]]
    # Other steps are pydantic's own labels for the members of a union.
    return _without(value, rest) if rest else value
