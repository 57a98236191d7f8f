"""The models that a call is about, and what a store has besides."""

from collections.abc import Iterable

from pydantic import BaseModel

from simstore.domain.errors import InvalidArgumentError
from simstore.domain.leases import LeaseRecord
from simstore.domain.schema import schema_of
from simstore.domain.store import Store

Models = type[BaseModel] | Iterable[type[BaseModel]]
"""One model, or several."""


def chosen_models(models: Models) -> tuple[type[BaseModel], ...]:
    """`models` in their order, each once; a single one is a series of one.

    Raises:
        InvalidArgumentError: it is neither a class nor a series of classes.
    """
    given: object = (models,) if isinstance(models, type) else models
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        chosen = tuple(dict.fromkeys(given))
        if all(isinstance(model, type) for model in chosen):
            return chosen
    raise InvalidArgumentError(f"models is a model or a series of models, not {models!r}")


def unknown_collections(store: Store, models: Iterable[type[BaseModel]]) -> tuple[str, ...]:
    """The collections of `store` that none of `models` is kept in, by name.

    Leases are not among them: they end by themselves, and mean nothing elsewhere.

    Raises:
        ModelError: one of them cannot be used as a record, or not in this store.
        BackendError: the backend failed.
    """
    # By their repositories: a store that shares its database then knows which keys are theirs.
    known = {store.repository(model).collection for model in models}
    known.add(schema_of(LeaseRecord).collection)
    return tuple(name for name in store.collections() if name not in known)
