"""Classes that have the same records: a model, and subclasses of it that only add methods."""

from functools import cache
from typing import Any

from pydantic import BaseModel


def collection_of(model: type[BaseModel]) -> str:
    """The name that the records of `model` are kept under."""
    name: str = getattr(model, "__collection__", model.__name__)
    return name


@cache
def record_class(model: type[BaseModel]) -> type[BaseModel]:
    """The class whose records those of `model` are: the furthest base with its fields and name.

    Subclasses of the same collection that only add methods are views of the same records. Which
    class stands for them follows from the classes alone, not from which of them was used first.
    """
    return next(
        base
        for base in reversed(model.__mro__)
        if issubclass(base, BaseModel)
        and collection_of(base) == collection_of(model)
        and _reads_alike(base, model)
    )


_OF_ASSIGNMENTS = {"extra", "frozen", "protected_namespaces", "ser_json_inf_nan", "title"}
_OF_ASSIGNMENTS |= {"validate_assignment"}
"""Settings that do not change what a model reads in the fields that it declares."""


_DECORATORS = (
    "validators",
    "root_validators",
    "field_validators",
    "model_validators",
    "field_serializers",
    "model_serializers",
    "computed_fields",
)


def _reads_alike(model: type[BaseModel], other: type[BaseModel]) -> bool:
    """Whether both have the same fields, validators and serializers, and the same settings."""
    try:
        return _rules_of(model) == _rules_of(other)
    except Exception:  # noqa: BLE001 — a default may have an equality of its own
        return False


def _rules_of(model: type[BaseModel]) -> tuple[Any, ...]:
    settings = {k: v for k, v in model.model_config.items() if k not in _OF_ASSIGNMENTS}
    decorators = model.__pydantic_decorators__
    functions = {
        (kind, name, getattr(decorator.func, "__func__", decorator.func))
        for kind in _DECORATORS
        for name, decorator in getattr(decorators, kind).items()
    }
    fields = {
        name: (
            *(field.annotation, field.metadata, field.default, field.default_factory),
            *(field.exclude, getattr(field, "exclude_if", None)),
            *(field.alias, field.validation_alias, field.serialization_alias),
        )
        for name, field in model.model_fields.items()
    }
    return settings, functions, fields
