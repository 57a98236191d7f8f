"""Dimensions on which episodes are judged, and the models of scores that a judge fills in.

Sotopia's seven dimensions are constants; those a user defines are records. `score_model` makes
a pydantic class of either.
"""

import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
    model_validator,
)

from simstore.domain.errors import EvaluationError
from simstore.domain.fields import Indexed
from simstore.domain.record import Record

OVERALL_SCORE = "overall_score"
"""The entry of an agent's scores that is the mean of the others."""


class CustomEvaluationDimension(Record):
    """A dimension that a user defines; scores go from `range_low` to `range_high`, inclusive."""

    name: Annotated[str, Indexed()]
    description: Annotated[str, Indexed()]
    range_low: int
    range_high: int

    @model_validator(mode="after")
    def _low_before_high(self) -> Self:
        if self.range_low > self.range_high:
            raise ValueError(_upside_down(self))
        return self


class CustomEvaluationDimensionList(Record):
    """A named list of dimensions."""

    name: Annotated[str, Indexed()]
    dimension_pks: Annotated[list[str], Indexed()] = Field(default_factory=list)


class AnyDimension(Protocol):
    """What a score model needs to know of a dimension."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def range_low(self) -> int: ...
    @property
    def range_high(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension known beforehand; scores go from `range_low` to `range_high`, inclusive."""

    name: str
    description: str
    range_low: int
    range_high: int


BELIEVABILITY = Dimension(
    "believability",
    "Does the agent behave as a real person of this character would, from start to end?",
    0,
    10,
)
RELATIONSHIP = Dimension(
    "relationship",
    "Do the agents come out of it closer to each other, or further apart, than before?",
    -5,
    5,
)
KNOWLEDGE = Dimension(
    "knowledge",
    "How much did the agent find out that is new to it and worth knowing?",
    0,
    10,
)
SECRET = Dimension(
    "secret",
    "Did the agent give away what it meant to hide? 0: nothing; -10: everything.",
    -10,
    0,
)
SOCIAL_RULES = Dimension(
    "social_rules",
    "Did the agent break laws or the manners of its society? 0: none; -10: the gravest.",
    -10,
    0,
)
FINANCIAL_AND_MATERIAL_BENEFITS = Dimension(
    "financial_and_material_benefits",
    "What did the agent win or lose in money and goods, now or in the long run?",
    -5,
    5,
)
GOAL = Dimension(
    "goal",
    "How far did the agent come with the goal it was given?",
    0,
    10,
)

SOTOPIA_DIMENSIONS = (
    BELIEVABILITY,
    RELATIONSHIP,
    KNOWLEDGE,
    SECRET,
    SOCIAL_RULES,
    FINANCIAL_AND_MATERIAL_BENEFITS,
    GOAL,
)
"""Sotopia's seven, in the order in which episodes store them."""


_STORED_ORDER = tuple(dimension.name for dimension in SOTOPIA_DIMENSIONS)


def ordered_dimensions(names: Iterable[str], first: Iterable[str] = _STORED_ORDER) -> list[str]:
    """`names`, each once: those that are in `first` in its order, then the others by name.

    Sotopia's dimensions are `first` unless others are given. The overall score is left out,
    since it is shown apart.
    """
    given = set(names) - {OVERALL_SCORE}
    known = list(first)
    return [*(name for name in known if name in given), *sorted(given - set(known))]


def overall_score(scores: Mapping[str, float]) -> float:
    """The unweighted mean of `scores`, without the overall score if it is among them.

    Raises:
        EvaluationError: there is no score to take the mean of.
    """
    values = [score for name, score in scores.items() if name != OVERALL_SCORE]
    if not values:
        raise EvaluationError("there is no overall score without a score of a dimension")
    return sum(values) / len(values)


def score_model(dimensions: Iterable[AnyDimension], *, name: str = "Scores") -> type[BaseModel]:
    """A pydantic model with one field for each of `dimensions`, in their order.

    A field's value is a tuple (reasoning, score): a text, and an integer within the
    dimension's range. It can be given as a pair or as ``{"reasoning": ..., "score": ...}``;
    the JSON schema asks for the latter, because the structured output of language models
    knows no tuples. Every field is required, and others are refused.

    Raises:
        EvaluationError: there are no dimensions, two of one name, a name that cannot be a
            field, or a range upside down; the message names every dimension at fault.
    """
    dimensions = list(dimensions)
    if not dimensions:
        raise EvaluationError("a score model needs at least one dimension")
    faults = [fault for dimension in dimensions if (fault := _fault(dimension))]
    names = [dimension.name for dimension in dimensions]
    faults += [
        f"{names.count(repeated)} dimensions are named {repeated!r}"
        for repeated in dict.fromkeys(names)
        if names.count(repeated) > 1
    ]
    if not name.isidentifier():
        faults.append(f"the score model cannot be named {name!r}: it is not an identifier")
    if faults:
        raise EvaluationError("; ".join(faults))
    fields: dict[str, Any] = {dimension.name: _field(dimension) for dimension in dimensions}
    return create_model(
        name,
        __config__=ConfigDict(extra="forbid", protected_namespaces=()),
        __doc__="The judgement of one agent: for each dimension the reasoning, then the score.",
        **fields,
    )


def _fault(dimension: AnyDimension) -> str:
    name = dimension.name
    if dimension.range_low > dimension.range_high:
        return _upside_down(dimension)
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        made = re.sub(r"\W+", "_", name.strip().casefold()).strip("_")
        hint = f"; try {made!r}" if made.isidentifier() and not keyword.iskeyword(made) else ""
        return f"dimension {name!r} cannot be a field: its name is not a public identifier{hint}"
    if hasattr(BaseModel, name):
        return f"dimension {name!r} cannot be a field: every pydantic model has an attribute {name}"
    return ""


def _upside_down(dimension: AnyDimension) -> str:
    return (
        f"dimension {dimension.name!r} goes from {dimension.range_low} to "
        f"{dimension.range_high}; range_low must not be above range_high"
    )


def _field(dimension: AnyDimension) -> tuple[Any, Any]:
    """The type and description of a dimension's field."""
    name, low, high = dimension.name, dimension.range_low, dimension.range_high

    def check(judgement: tuple[str, int]) -> tuple[str, int]:
        score = judgement[1]
        if not low <= score <= high:
            raise ValueError(f"the score {score} of {name!r} is not within {low} to {high}")
        return judgement

    schema = {
        "type": "object",
        "properties": {
            "reasoning": {
                "type": "string",
                "description": "What speaks for the score, in a few sentences.",
            },
            "score": {
                "type": "integer",
                "minimum": low,
                "maximum": high,
                "description": f"A whole number from {low} to {high}.",
            },
        },
        "required": ["reasoning", "score"],
        "additionalProperties": False,
    }
    kind = Annotated[
        tuple[str, int],
        BeforeValidator(_as_pair),
        AfterValidator(check),
        WithJsonSchema(schema, mode="validation"),
    ]
    described = f"{dimension.description} Scores go from {low} to {high}.".lstrip()
    return kind, Field(description=described)


def _as_pair(judgement: object) -> object:
    """`judgement` as a pair; a bool is no score, though Python counts it as a number."""
    match judgement:
        case {"reasoning": reasoning, "score": score, **others} if not others:
            judgement = (reasoning, score)
    match judgement:
        case [_, bool(score)]:
            raise ValueError(f"a score is a whole number, not {score}")
    return judgement
