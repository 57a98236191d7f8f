"""A query: conditions, checked, planned and made into a predicate."""

from collections.abc import Mapping, Sequence
from typing import Any

from simstore.adapters.planner import Plan, PrecisionOf, plan
from simstore.domain.checking import checked
from simstore.domain.matching import Predicate, predicate
from simstore.domain.query import Condition
from simstore.domain.schema import ModelSchema


class Query:
    """What a call asks for.

    Raises:
        QueryError: the conditions do not fit the model.
    """

    def __init__(
        self,
        schema: ModelSchema,
        where: Sequence[Condition],
        equals: Mapping[str, Any],
        precision_of: PrecisionOf,
    ) -> None:
        self.condition: Condition = checked(schema, where, equals)
        self.plan: Plan = plan(schema, self.condition, precision_of)
        self.holds: Predicate = predicate(schema, self.condition)
