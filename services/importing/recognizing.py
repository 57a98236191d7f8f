"""Which model's records a file holds, by the keys of its first row."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.services.files.layout import Layout, own_layout
from simstore.services.files.place import shorten
from simstore.services.sotopia_files.layouts import SOTOPIA_LAYOUTS

_PK = "pk"


def layouts_of(models: Iterable[type[BaseModel]]) -> list[Layout[Any]]:
    """Every layout in which records of `models` are written: simstore's own, and Sotopia's."""
    models = list(models)
    own = [own_layout(model) for model in models]
    return [*own, *(layout for layout in SOTOPIA_LAYOUTS if layout.model in models)]


def recognize(keys: Sequence[str], layouts: Sequence[Layout[Any]], name: str) -> Layout[Any]:
    """The one of `layouts` that a row with `keys` is written in.

    It must have a row's required keys, and know all of the others; of several, the one that
    has no more keys than these is it. Where all `layouts` are of one model, that model's best is
    taken: what is wrong with the rows, each of them will say.

    Raises:
        ImportFileError: none fits the file called `name`, or several do equally.
    """
    fitting = [layout for layout in layouts if _fits(layout, keys)]
    if not fitting:
        nearest = max(layouts, key=lambda layout: _likeness(layout, keys), default=None)
        if nearest is not None and len({layout.model for layout in layouts}) == 1:
            return nearest
        raise ImportFileError(
            name,
            0,
            "",
            f"its keys are those of no known model: {', '.join(map(shorten, keys)) or 'none'}"
            f"{_difference(nearest, keys)}. If they are those of a model of yours, or more than "
            "a model's, say which model it is",
        )
    exact = [layout for layout in fitting if layout.fields.keys() == set(keys)]
    best = exact or fitting
    models = dict.fromkeys(layout.model for layout in best)
    if len(models) > 1:
        names = " or ".join(model.__name__ for model in models)
        raise ImportFileError(
            name, 0, "", f"its keys may be those of {names}: say which model it is"
        )
    return best[0]


def _fits(layout: Layout[Any], keys: Sequence[str]) -> bool:
    # A pk alone is anybody's.
    return bool(set(keys) - {_PK}) and not _missing(layout, keys) and not _unknown(layout, keys)


def _missing(layout: Layout[Any], keys: Sequence[str]) -> list[str]:
    """The keys that a row must have and this one has not."""
    fields = layout.model.model_fields
    # What older forms of a foreign file lack, its layout knows how to make up for.
    needed = layout.required or [
        k for k, name in layout.fields.items() if fields[name].is_required()
    ]
    return [key for key in needed if key not in keys]


def _unknown(layout: Layout[Any], keys: Sequence[str]) -> list[str]:
    """The keys of a row that the layout does not know."""
    return [key for key in keys if key not in layout.fields and key not in layout.derived]


def _likeness(layout: Layout[Any], keys: Sequence[str]) -> int:
    """How much a row looks like one of `layout`: what it has of it, less what is amiss."""
    common = len(layout.fields.keys() & set(keys))
    return common - len(_missing(layout, keys)) - len(_unknown(layout, keys))


def _difference(nearest: Layout[Any] | None, keys: Sequence[str]) -> str:
    """What keeps a row from being one of the `nearest` layout; nothing if they are unlike."""
    if nearest is None or not (nearest.fields.keys() & set(keys)) - {_PK}:
        return ""
    missing, unknown = _missing(nearest, keys), _unknown(nearest, keys)
    parts = [f"they lack {', '.join(map(shorten, missing))}"] if missing else []
    if unknown:
        parts.append(f"it has no {', '.join(map(shorten, unknown))}")
    return f" (for {nearest.model.__name__} {', and '.join(parts)})"
