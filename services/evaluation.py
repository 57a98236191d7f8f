"""Score models from the evaluation dimensions that a store holds."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from simstore.domain.errors import EvaluationError, NotFoundError
from simstore.domain.evaluation import (
    CustomEvaluationDimension,
    CustomEvaluationDimensionList,
    score_model,
)
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.schema import near_name
from simstore.domain.store import Store

DEFAULT_NAME = "Scores"
"""What a score model is called unless the caller says otherwise."""


class EvaluationDimensionBuilder:
    """Makes score models, as `score_model` does, of the dimensions in a store.

    Each method reads its dimensions in one call to the store, the list's own record apart,
    and puts them in the order asked for. `name` becomes the name of the model's class.

    Every method raises EvaluationError for dimensions, or a list, that the store does not
    have (naming all of them), for a name that several have, and for dimensions that make no
    model.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def from_pks(self, pks: Iterable[str], *, name: str = DEFAULT_NAME) -> type[BaseModel]:
        """A score model of the dimensions with these primary keys."""
        return score_model(self._get_many(_several(pks, "primary keys")), name=name)

    def from_names(self, names: Iterable[str], *, name: str = DEFAULT_NAME) -> type[BaseModel]:
        """A score model of the dimensions with these names, which must be theirs alone."""
        wanted = _several(names, "names")
        # Without names there is nothing to look up: score_model refuses the empty list.
        found = self._store.dimensions.find(field("name").in_(wanted)) if wanted else []
        by_name = {dimension.name: dimension for dimension in found}
        self._refuse_missing("dimension", self._store.dimensions, wanted, by_name)
        _refuse_ambiguous("dimension", found)
        return score_model([by_name[each] for each in wanted], name=name)

    def from_list(self, list_name: str, *, name: str = DEFAULT_NAME) -> type[BaseModel]:
        """A score model of the dimensions on the list of this name."""
        lists = self._store.dimension_lists
        found = lists.find(field("name") == list_name)
        self._refuse_missing("dimension list", lists, [list_name], {each.name for each in found})
        _refuse_ambiguous("dimension list", found)
        return score_model(
            self._get_many(found[0].dimension_pks, f"dimension list {list_name!r}: "), name=name
        )

    @staticmethod
    def from_dicts(
        dimensions: Iterable[Mapping[str, Any]], *, name: str = DEFAULT_NAME
    ) -> type[BaseModel]:
        """A score model of dimensions given as dicts; nothing is read or stored.

        Each has the keys name, description, range_low and range_high.
        """
        if isinstance(dimensions, Mapping):
            raise EvaluationError("from_dicts() takes a list of dicts, not one of them")
        return score_model(
            [_from_dict(position, each) for position, each in enumerate(dimensions, start=1)],
            name=name,
        )

    def _get_many(self, pks: list[str], prefix: str = "") -> list[CustomEvaluationDimension]:
        try:
            return self._store.dimensions.get_many(pks)
        except NotFoundError as error:
            raise EvaluationError(
                f"{prefix}the store has no dimension with pk {_all(error.pks)}"
            ) from error

    @staticmethod
    def _refuse_missing(
        kind: str,
        repository: Repository[Any],
        wanted: Iterable[str],
        found: Iterable[str],
    ) -> None:
        missing = [name for name in dict.fromkeys(wanted) if name not in found]
        if missing:
            # The names there are, for the hint; read only when there is one to give.
            known = {row["name"] for row in repository.project(["name"])}
            hinted = ", ".join(f"{name!r}{near_name(name, known)}" for name in missing)
            raise EvaluationError(f"the store has no {kind} named {hinted}")


def _refuse_ambiguous(
    kind: str, found: list[CustomEvaluationDimension] | list[CustomEvaluationDimensionList]
) -> None:
    counts = Counter(each.name for each in found)
    faults = [
        f"{count} {kind}s are named {name!r}: "
        + _all([each.pk for each in found if each.name == name])
        for name, count in counts.items()
        if count > 1
    ]
    if faults:
        raise EvaluationError(f"{'; '.join(faults)}; ask by pk instead")


def _from_dict(position: int, given: Mapping[str, Any]) -> CustomEvaluationDimension:
    if not isinstance(given, Mapping):
        raise EvaluationError(f"dimension {position} is not a dict but {given!r}")
    called = f"dimension {position}" + (f" ({given['name']!r})" if "name" in given else "")
    try:
        return CustomEvaluationDimension.model_validate(dict(given))
    except ValidationError as error:
        faults = [
            _explain(".".join(map(str, details["loc"])), details["type"], details["msg"])
            for details in error.errors(include_url=False, include_input=False)
        ]
        raise EvaluationError(f"{called}: {'; '.join(faults)}") from error


def _explain(key: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"the key {key!r} is missing"
    if kind == "extra_forbidden":
        return f"the key {key!r} is unknown{near_name(key, CustomEvaluationDimension.model_fields)}"
    message = message.removeprefix("Value error, ")
    return f"{key!r}: {message}" if key else message


def _several(values: Iterable[str], what: str) -> list[str]:
    if isinstance(values, str):
        raise EvaluationError(f"give the {what} as a list, such as [{values!r}]")
    return list(values)


def _all(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
