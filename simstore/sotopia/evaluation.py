"""Score models with Sotopia's names; the texts that describe the dimensions are simstore's."""

from typing import Any

from pydantic import BaseModel

from simstore import services
from simstore.domain.evaluation import GOAL, SOTOPIA_DIMENSIONS, score_model
from simstore.sotopia.binding import current_store

SotopiaDimensions = score_model(SOTOPIA_DIMENSIONS, name="SotopiaDimensions")
"""One agent's judgement on Sotopia's seven dimensions."""

SotopiaDimensionsPlus = score_model(SOTOPIA_DIMENSIONS, name="SotopiaDimensionsPlus")
"""The same; in Sotopia its texts are longer."""

GoalDimension = score_model([GOAL], name="GoalDimension")
"""One agent's judgement on its goal alone."""

SOTOPIA_LIST = "sotopia"
"""The name of a list that is always there."""

_MODEL_NAME = "CustomEvaluationDimensionModel"


class EvaluationDimensionBuilder:
    """Makes score models of the dimensions in the store that is bound.

    Every method raises EvaluationError for dimensions, or a list, that the store does not have,
    for a name that several have, and for dimensions that make no model.
    """

    @staticmethod
    def build_dimension_model(dimension_ids: list[str]) -> type[BaseModel]:
        """A score model of the dimensions with these primary keys."""
        return _builder().from_pks(dimension_ids, name=_MODEL_NAME)

    @staticmethod
    def build_dimension_model_from_dict(dimensions: list[dict[str, Any]]) -> type[BaseModel]:
        """A score model of dimensions given as dicts; nothing is read or stored."""
        return services.EvaluationDimensionBuilder.from_dicts(dimensions, name=_MODEL_NAME)

    @staticmethod
    def select_existing_dimension_model_by_name(dimension_names: list[str]) -> type[BaseModel]:
        """A score model of the dimensions with these names, which must be theirs alone."""
        return _builder().from_names(dimension_names, name=_MODEL_NAME)

    @staticmethod
    def select_existing_dimension_model_by_list_name(list_name: str) -> type[BaseModel]:
        """A score model of the dimensions on the list of this name; Sotopia's for ``sotopia``."""
        if list_name == SOTOPIA_LIST:
            return SotopiaDimensions
        return _builder().from_list(list_name, name=_MODEL_NAME)


def _builder() -> services.EvaluationDimensionBuilder:
    return services.EvaluationDimensionBuilder(current_store())
