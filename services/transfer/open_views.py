"""Views of models that keep the fields which these do not declare."""

from functools import cache
from typing import Any

from pydantic import BaseModel

from simstore.domain.schema import schema_of
from simstore.domain.views import record_class


@cache
def open_view(model: type[BaseModel]) -> type[BaseModel]:
    """A class for the records of `model` that also keeps their undeclared fields.

    It is `model` itself where that keeps them, and a subclass of the same name otherwise, whether
    the model forbids or ignores them. Embedded models are left as they are, and so may lose theirs.
    A model that cannot be subclassed, or not without another collection or other fields, has no
    such view: it is returned as it is. Hooks of the model for its subclasses see the view.

    Raises:
        ModelError: `model` cannot be used as a record.
    """
    schema_of(model)
    if model.model_config.get("extra") == "allow":
        return model
    config = {
        # Without this setting a model cannot store infinities in its own fields: nothing changes.
        "ser_json_inf_nan": "constants",
        **model.model_config,
        "extra": "allow",
        "protected_namespaces": (),  # the model's names have been warned of
    }
    make: Any = type(model)
    namespace = {
        "__doc__": model.__doc__,
        "__module__": model.__module__,
        "__qualname__": model.__qualname__,
        "model_config": config,
    }
    try:
        view: type[BaseModel] = make(model.__name__, (model,), namespace)
        schema_of(view)
        is_view = record_class(view) is record_class(model)
    except Exception:  # noqa: BLE001 — whatever the model does to its subclasses
        return model
    return view if is_view else model
