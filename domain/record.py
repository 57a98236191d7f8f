"""The base classes of records, and how stored or foreign data becomes one."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

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
    extra: Literal["ignore"] | None = (
        "ignore" if model.model_config.get("extra") == "forbid" else None
    )

    def load(document: Mapping[str, Any]) -> T:
        item: T
        try:
            item = validate(document, strict=False, by_alias=False, by_name=True, extra=extra)
        except ValidationError as error:
            filled = _without_nulls_at_fault(model, document, error)
            if filled is None:
                raise
            item = validate(filled, strict=False, by_alias=False, by_name=True, extra=extra)
        return item

    return load


def _without_nulls_at_fault(
    model: type[BaseModel], document: Mapping[str, Any], error: ValidationError
) -> dict[str, Any] | None:
    """`document` without the nulls that `error` complains of, or None if that cannot help."""
    if not isinstance(document, Mapping):
        return None
    fields = model.model_fields
    at_fault = {
        name
        for details in error.errors(include_url=False, include_context=False, include_input=False)
        if details["loc"]
        and (name := details["loc"][0]) in fields
        and document.get(str(name)) is None
        and not fields[str(name)].is_required()
    }
    if not at_fault:
        return None
    return {name: value for name, value in document.items() if name not in at_fault}
