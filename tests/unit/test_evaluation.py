"""Dimensions, score models, and the builder that reads dimensions from a store."""

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from pydantic import BaseModel, ValidationError

import simstore
from simstore.domain.errors import EvaluationError
from simstore.domain.evaluation import (
    OVERALL_SCORE,
    SOTOPIA_DIMENSIONS,
    CustomEvaluationDimension,
    CustomEvaluationDimensionList,
    Dimension,
    overall_score,
    score_model,
)
from simstore.domain.store import Store
from simstore.services.evaluation import EvaluationDimensionBuilder

WIT = {"name": "wit", "description": "Is it funny?", "range_low": 0, "range_high": 10}
TACT = {"name": "tact", "description": "Is it kind?", "range_low": -5, "range_high": 5}


def judgements(**changes: object) -> dict[str, object]:
    return {d.name: ("why", d.range_high) for d in SOTOPIA_DIMENSIONS} | changes


# ------------------------------------------------------------------------------ the seven


def test_sotopia_s_seven_in_storage_order() -> None:
    assert [(d.name, d.range_low, d.range_high) for d in SOTOPIA_DIMENSIONS] == [
        ("believability", 0, 10),
        ("relationship", -5, 5),
        ("knowledge", 0, 10),
        ("secret", -10, 0),
        ("social_rules", -10, 0),
        ("financial_and_material_benefits", -5, 5),
        ("goal", 0, 10),
    ]
    assert all(d.description for d in SOTOPIA_DIMENSIONS)


def test_the_overall_score_is_the_mean_of_the_others() -> None:
    assert overall_score({"a": 1.0, "b": 4.0}) == 2.5
    assert overall_score({"a": 1.0, OVERALL_SCORE: 100.0, "b": 4.0}) == 2.5
    with pytest.raises(EvaluationError, match="without a score of a dimension"):
        overall_score({OVERALL_SCORE: 1.0})


# --------------------------------------------------------------------------- score models


def test_a_score_model_keeps_reasoning_and_score() -> None:
    model = score_model(SOTOPIA_DIMENSIONS, name="Judgement")
    made = model.model_validate(judgements(goal=["nearly", 7]))
    assert model.__name__ == "Judgement"
    assert made.model_dump() == judgements(goal=("nearly", 7))
    assert model.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("dimension", SOTOPIA_DIMENSIONS, ids=lambda d: d.name)
def test_ranges_are_inclusive_and_the_message_names_all(dimension: Dimension) -> None:
    model = score_model(SOTOPIA_DIMENSIONS)
    for score in (dimension.range_low, dimension.range_high):
        model.model_validate(judgements(**{dimension.name: ("why", score)}))
    for score in (dimension.range_low - 1, dimension.range_high + 1):
        with pytest.raises(ValidationError) as raised:
            model.model_validate(judgements(**{dimension.name: ("why", score)}))
        (error,) = raised.value.errors()
        assert error["loc"] == (dimension.name,)
        low, high = dimension.range_low, dimension.range_high
        assert error["msg"].endswith(
            f"the score {score} of {dimension.name!r} is not within {low} to {high}"
        )


@pytest.mark.parametrize(
    "judgement",
    [
        ("why", True),
        ("why", 3.5),
        ("why", "high"),
        ("why", None),
        (None, 3),
        ("why",),
        ("why", 3, 4),
        "why",
        3,
        {"reasoning": "why"},
        {"reasoning": "why", "score": False},
        {"reasoning": "why", "score": 3, "doubt": 1},
    ],
)
def test_what_is_not_a_judgement_is_refused(judgement: object) -> None:
    with pytest.raises(ValidationError) as raised:
        score_model(SOTOPIA_DIMENSIONS).model_validate(judgements(goal=judgement))
    assert {error["loc"][0] for error in raised.value.errors()} == {"goal"}


def test_fields_are_required_and_others_refused() -> None:
    model = score_model([Dimension("wit", "", 0, 1)])
    with pytest.raises(ValidationError, match="missing"):
        model.model_validate({})
    with pytest.raises(ValidationError, match="extra"):
        model.model_validate({"wit": ("", 1), "wits": ("", 1)})


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)


def test_the_json_schema_suits_structured_output() -> None:
    # Providers ask for objects that are closed and whose properties are all required, and
    # know no tuples ("prefixItems").
    schema = score_model(SOTOPIA_DIMENSIONS).model_json_schema()
    assert "prefixItems" not in json.dumps(schema)
    found = list(objects(schema))
    assert len(found) == 1 + len(SOTOPIA_DIMENSIONS)
    for each in found:
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])
    goal = schema["properties"]["goal"]
    assert "Scores go from 0 to 10" in goal["description"]
    score = goal["properties"]["score"]
    assert (score["type"], score["minimum"], score["maximum"]) == ("integer", 0, 10)
    answer = {d.name: {"reasoning": "why", "score": 0} for d in SOTOPIA_DIMENSIONS}
    made = score_model(SOTOPIA_DIMENSIONS).model_validate_json(json.dumps(answer))
    assert made.model_dump() == {d.name: ("why", 0) for d in SOTOPIA_DIMENSIONS}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Social Rules", "not a public identifier; try 'social_rules'"),
        ("", "not a public identifier"),
        ("9lives", "not a public identifier"),
        ("class", "not a public identifier"),
        ("_wit", "not a public identifier; try 'wit'"),
        ("copy", "every pydantic model has an attribute copy"),
        ("model_fields", "every pydantic model has an attribute model_fields"),
    ],
)
def test_names_that_cannot_be_fields(name: str, message: str) -> None:
    with pytest.raises(EvaluationError) as raised:
        score_model([Dimension(name, "", 0, 1)])
    assert f"dimension {name!r} cannot be a field" in str(raised.value)
    assert message in str(raised.value)


def test_names_near_pydantic_s_own_are_fine() -> None:
    assert list(score_model([Dimension("model_wit", "", 0, 1)]).model_fields) == ["model_wit"]


def test_every_fault_is_named() -> None:
    dimensions = [Dimension("a b", "", 0, 1), Dimension("c", "", 2, 1)]
    twice = [Dimension("d", "", 0, 1)] * 2
    with pytest.raises(EvaluationError) as raised:
        score_model([*dimensions, *twice], name="no name")
    for part in ("'a b'", "'c' goes from 2 to 1", "2 dimensions are named 'd'", "'no name'"):
        assert part in str(raised.value)


def test_a_score_model_needs_a_dimension() -> None:
    with pytest.raises(EvaluationError, match="at least one dimension"):
        score_model([])


# ------------------------------------------------------------------------------ the builder


class Counting:
    """A repository, or a store of them, that counts the calls it passes on."""

    def __init__(self, inner: object, calls: list[str]) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._inner, name)
        if isinstance(member, RepositoryOfMemory):
            return Counting(member, self._calls)

        def call(*arguments: Any, **options: Any) -> Any:
            self._calls.append(name)
            return member(*arguments, **options)

        return call


RepositoryOfMemory = type(simstore.connect("memory://").dimensions)


class Setting:
    """A store with some dimensions, a builder on it, and the calls that the builder made."""

    def __init__(self) -> None:
        self.store = simstore.connect("memory://")
        self.wit = self._dimension(WIT | {"pk": "1-wit"})
        self.tact = self._dimension(TACT | {"pk": "2-tact"})
        self.calls: list[str] = []
        self.builder = EvaluationDimensionBuilder(cast("Store", Counting(self.store, self.calls)))

    def _dimension(self, values: dict[str, Any]) -> CustomEvaluationDimension:
        return self.store.dimensions.save(CustomEvaluationDimension(**values))

    def another(self, name: str) -> CustomEvaluationDimension:
        return self._dimension(WIT | {"pk": f"3-{name}", "name": name})

    def list_of(self, name: str, *pks: str) -> None:
        self.store.dimension_lists.save(
            CustomEvaluationDimensionList(name=name, dimension_pks=list(pks))
        )


@pytest.fixture
def setting() -> Iterator[Setting]:
    made = Setting()
    with made.store:
        yield made


def fields(model: type[BaseModel]) -> list[str]:
    return list(model.model_fields)


def test_from_pks_in_one_call_and_in_order(setting: Setting) -> None:
    model = setting.builder.from_pks([setting.tact.pk, setting.wit.pk], name="Ours")
    assert (fields(model), model.__name__) == (["tact", "wit"], "Ours")
    assert setting.calls == ["get_many"]
    with pytest.raises(ValidationError, match="the score 6 of 'tact' is not within -5 to 5"):
        model.model_validate({"wit": ("", 0), "tact": ("", 6)})


def test_from_names_in_one_call_and_in_order(setting: Setting) -> None:
    assert fields(setting.builder.from_names(iter(["tact", "wit"]))) == ["tact", "wit"]
    assert setting.calls == ["find"]


def test_from_a_list_in_two_calls_and_in_order(setting: Setting) -> None:
    setting.list_of("manners", setting.tact.pk, setting.wit.pk)
    assert fields(setting.builder.from_list("manners")) == ["tact", "wit"]
    assert setting.calls == ["find", "get_many"]


def test_from_dicts_without_a_call(setting: Setting) -> None:
    model = setting.builder.from_dicts([TACT, WIT], name="Ours")
    assert (fields(model), model.__name__) == (["tact", "wit"], "Ours")
    assert fields(EvaluationDimensionBuilder.from_dicts([WIT])) == ["wit"]
    assert setting.calls == []


def test_descriptions_are_kept(setting: Setting) -> None:
    description = setting.builder.from_names(["wit"]).model_fields["wit"].description
    assert description == "Is it funny? Scores go from 0 to 10."


Build = Callable[[EvaluationDimensionBuilder], type[BaseModel]]


@pytest.mark.parametrize(
    ("build", "parts"),
    [
        (
            lambda b: b.from_pks(["1-wit", *(f"x{i}" for i in range(7))]),
            ["no dimension with pk", *(f"'x{i}'" for i in range(7))],
        ),
        (
            lambda b: b.from_names(["wti", "wit", "charm", "charm"]),
            ["no dimension named 'wti'; did you mean 'wit'?", "'charm'"],
        ),
        (lambda b: b.from_list("maners"), ["list named 'maners'; did you mean 'manners'?"]),
        (lambda b: b.from_list("dangling"), ["list 'dangling'", "with pk 'gone', 'lost'"]),
        (lambda b: b.from_list("empty"), ["at least one dimension"]),
        (lambda b: b.from_pks(["1-wit", "1-wit"]), ["2 dimensions are named 'wit'"]),
        (lambda b: b.from_names(["wit", "wit"]), ["2 dimensions are named 'wit'"]),
        (lambda b: b.from_pks([]), ["at least one dimension"]),
        (lambda b: b.from_names([]), ["at least one dimension"]),
        (lambda b: b.from_dicts([]), ["at least one dimension"]),
        (lambda b: b.from_pks("1-wit"), ["give the primary keys as a list, such as ['1-wit']"]),
        (lambda b: b.from_names("wit"), ["give the names as a list, such as ['wit']"]),
        (lambda b: b.from_dicts(WIT), ["a list of dicts"]),
        (lambda b: b.from_dicts(["wit"]), ["dimension 1 is not a dict but 'wit'"]),
        (
            lambda b: b.from_dicts([WIT, {"name": "tact", "range_low": 0}]),
            ["dimension 2 ('tact')", "'description' is missing", "'range_high' is missing"],
        ),
        (lambda b: b.from_dicts([{}]), ["dimension 1: the key 'name' is missing"]),
        (
            lambda b: b.from_dicts([WIT | {"range_hihg": 3}]),
            ["'range_hihg' is unknown; did you mean 'range_high'?"],
        ),
        (lambda b: b.from_dicts([WIT | {"range_low": "low"}]), ["'range_low': ", "integer"]),
        (
            lambda b: b.from_dicts([WIT | {"range_low": 11}]),
            ["dimension 1 ('wit')", "goes from 11 to 10; range_low must not be above range_high"],
        ),
        (lambda b: b.from_dicts([WIT, WIT]), ["2 dimensions are named 'wit'"]),
        (lambda b: b.from_dicts([WIT | {"name": "dry wit"}]), ["try 'dry_wit'"]),
    ],
)
def test_what_makes_no_score_model(setting: Setting, build: Build, parts: list[str]) -> None:
    setting.list_of("manners", setting.wit.pk)
    setting.list_of("dangling", "gone", setting.wit.pk, "lost")
    setting.list_of("empty")
    with pytest.raises(EvaluationError) as raised:
        build(setting.builder)
    for part in parts:
        assert part in str(raised.value)
    assert isinstance(raised.value, ValueError)


def test_an_ambiguous_name_lists_its_dimensions(setting: Setting) -> None:
    twin = setting.store.dimensions.save(setting.wit.model_copy(update={"pk": "9-wit"}))
    with pytest.raises(EvaluationError) as raised:
        setting.builder.from_names(["tact", "wit"])
    assert str(raised.value) == (
        "2 dimensions are named 'wit': '1-wit', '9-wit'; ask by pk instead"
    )
    assert fields(setting.builder.from_pks([twin.pk])) == ["wit"]


def test_an_ambiguous_list_is_refused(setting: Setting) -> None:
    setting.list_of("manners", setting.wit.pk)
    setting.list_of("manners", setting.tact.pk)
    with pytest.raises(EvaluationError, match="2 dimension lists are named 'manners'"):
        setting.builder.from_list("manners")


def test_stored_dimensions_that_make_no_field_are_refused(setting: Setting) -> None:
    setting.another("dry wit")
    with pytest.raises(EvaluationError, match="dimension 'dry wit' cannot be a field"):
        setting.builder.from_names(["dry wit"])
