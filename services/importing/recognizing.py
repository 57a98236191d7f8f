"""Which model's records a file holds, by the keys of its first row."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from simstore.domain.errors import ImportFileError
from simstore.domain.store import RECORD_MODELS
from simstore.services.files.layout import Layout, own_layout
from simstore.services.files.place import shorten
from simstore.services.sotopia_files.layouts import SOTOPIA_LAYOUTS

_PK = "pk"

_SHOWN_KEYS = 8
"""How many keys a message lists before it counts the rest."""


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
        ImportFileError: none fits the file called `name`, or several do equally; or they are the
            keys of another model, of Sotopia's records.
    """
    best = _best(layouts, keys)
    if not best:
        nearest = max(layouts, key=lambda layout: _likeness(layout, keys), default=None)
        _refuse_other_model(keys, layouts, nearest, name)
        if nearest is not None and len({layout.model for layout in layouts}) == 1:
            return nearest
        raise ImportFileError(
            name,
            0,
            "",
            f"its keys are those of no known model: {_listed(keys) or 'none'}"
            f"{_difference(nearest, keys)}. If they are those of a model of yours, or more than "
            "a model's, name the model",
        )
    models = _names(best)
    if len(models) > 1:
        raise ImportFileError(
            name, 0, "", f"its keys may be those of {' or '.join(models)}: name the model"
        )
    return best[0]


def _refuse_other_model(
    keys: Sequence[str], layouts: Sequence[Layout[Any]], nearest: Layout[Any] | None, name: str
) -> None:
    """Raise ImportFileError if the keys are those of a model that is none of the layouts'."""
    others = _best(layouts_of(RECORD_MODELS), keys)
    found, given = _names(others), _names(layouts)
    # With as many keys of the given model, it is a file of that, and something is amiss.
    if (
        len(found) == 1
        and found[0] not in given
        and (nearest is None or _common(others[0], keys) > _common(nearest, keys))
    ):
        raise ImportFileError(
            name, 0, "", f"its keys are those of {found[0]}, not of {_listed(given)}"
        )


def _best(layouts: Sequence[Layout[Any]], keys: Sequence[str]) -> list[Layout[Any]]:
    """The layouts that `keys` fit, and of these the ones that have no other keys, if any."""
    fitting = [layout for layout in layouts if _fits(layout, keys)]
    return [layout for layout in fitting if layout.fields.keys() == set(keys)] or fitting


def _names(layouts: Iterable[Layout[Any]]) -> list[str]:
    return list(dict.fromkeys(layout.model.__name__ for layout in layouts))


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
    return [key for key in keys if not layout.knows(key)]


def _likeness(layout: Layout[Any], keys: Sequence[str]) -> int:
    """How much a row looks like one of `layout`: what it has of it, less what is amiss."""
    return _common(layout, keys) - len(_missing(layout, keys)) - len(_unknown(layout, keys))


def _common(layout: Layout[Any], keys: Sequence[str]) -> int:
    return len(layout.fields.keys() & set(keys))


def _difference(nearest: Layout[Any] | None, keys: Sequence[str]) -> str:
    """What keeps a row from being one of the `nearest` layout; nothing if they are unlike."""
    if nearest is None or not (nearest.fields.keys() & set(keys)) - {_PK}:
        return ""
    missing, unknown = _missing(nearest, keys), _unknown(nearest, keys)
    parts = [f"they lack {_listed(missing)}"] if missing else []
    if unknown:
        parts.append(f"it has no {_listed(unknown)}")
    return f" (for {nearest.model.__name__} {', and '.join(parts)})"


def _listed(keys: Sequence[str]) -> str:
    """The first of `keys`, and how many more there are."""
    more = len(keys) - _SHOWN_KEYS
    shown = ", ".join(map(shorten, keys[:_SHOWN_KEYS]))
    return f"{shown} and {more} more" if more > 0 else shown
