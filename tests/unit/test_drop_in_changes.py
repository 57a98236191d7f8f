"""What becomes of records on `simstore.sotopia` that were changed: they settle, or are refused."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest
from pydantic import ConfigDict, create_model, field_validator

from simstore.domain.errors import InvalidRecordError
from simstore.domain.store import Store
from simstore.sotopia import EmbeddedJsonModel, Field, JsonModel, bind


@pytest.fixture(autouse=True)
def store() -> Iterator[Store]:
    with bind("memory://") as store:
        yield store


class Address(EmbeddedJsonModel):
    street: str = Field(index=True)
    city: str = Field(default="", index=True)


class Settling(JsonModel):
    pair: tuple[int, str] = (0, "")
    place: Address = Field(default=Address(street=""))
    at: list[int] = Field(default=[])

    @cached_property
    def doubled(self) -> int:
        return self.pair[0] * 2


def test_what_is_cached_beside_the_fields_is_not_stored() -> None:
    item = Settling(pair=(1, "x"))
    assert item.doubled == 2
    item.pair = [2, "y"]  # type: ignore[assignment]  # it settles
    item.save().update(at=[1])
    assert Settling.get(item.pk).model_extra == {}
    assert Settling.get(item.pk).doubled == 4


def test_what_was_taken_from_a_record_stays_its_own() -> None:
    item = Settling(at=[1]).save()
    numbers, place = item.at, item.place
    item.update(pair=[1, "x"])
    item.pair = [2, "y"]  # type: ignore[assignment]  # it settles
    item.save()
    numbers.append(2)
    place.city = "Accra"
    item.save()
    again = Settling.get(item.pk)
    assert (again.at, again.place.city, again.pair) == ([1, 2], "Accra", (2, "y"))


def test_what_was_updated_is_set() -> None:
    item = Settling().save()
    item.update(at=[1], place__city="Accra")
    assert item.model_dump(exclude_unset=True)["at"] == [1]
    assert item.place.model_dump(exclude_unset=True) == {"street": "", "city": "Accra"}


def test_what_is_embedded_settles_too() -> None:
    class Point(EmbeddedJsonModel):
        xy: tuple[int, int] = (0, 0)

    class Spot(JsonModel):
        point: Point = Point()

    spot = Spot().save()
    spot.update(point__xy=["1", 2])
    assert Spot.get(spot.pk).point.xy == spot.point.xy == (1, 2)
    with pytest.raises(InvalidRecordError, match="point"):
        spot.update(point__xy=["x", 2])
    assert Spot.get(spot.pk) == spot


@pytest.mark.parametrize("config", [{"frozen": True}, {"validate_assignment": True}])
def test_update_of_a_model_with_rules_for_assignments(config: ConfigDict) -> None:
    model = create_model("Ruled", __base__=JsonModel, age=(int, Field(default=0, index=True)))
    ruled: Any = type("Ruled", (model,), {"model_config": config, "__module__": __name__})
    item = ruled().save()
    assert item.update(age="5").age == 5
    assert ruled.find().update(age=6) == 1
    for call in (item.update, ruled.find().update):
        with pytest.raises(InvalidRecordError, match="age"):
            call(age="many")
    assert ruled.get(item.pk).age == 6


def test_a_models_own_strictness_holds() -> None:
    class Strict(JsonModel):
        model_config = ConfigDict(strict=True)

        age: int = 0

    item: Any = Strict()
    item.age = "5"
    with pytest.raises(InvalidRecordError, match="age"):
        item.save()


def test_what_a_validator_raises_is_told_as_ever() -> None:
    class Looking(JsonModel):
        name: str = "a"

        @field_validator("name")
        @classmethod
        def _look(cls, name: str) -> str:
            return {"a": "a", "b": "b"}[name]

    item = Looking().save()
    item.name = "z"
    with pytest.raises(InvalidRecordError, match="z"):
        item.save()
    with pytest.raises(InvalidRecordError, match="'y'"):
        item.update(name="y")
