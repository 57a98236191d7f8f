"""project."""

import pytest

from simstore.domain.errors import QueryError
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import assert_identical, specimen
from simstore.testing.models import Colour, Level, Part, Specimen


class ProjectingContract(Binding):
    """A projection has the values, and their types, that the records would have."""

    @pytest.fixture
    def two(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        specimens.save(
            specimen(
                "b", tag="", number=3, score=-0.0, level=Level.high, colour=Colour.blue, mixed=1.0,
                labels=["y", "x"], marks=[], home=Part(label="home", remark="r"),
                parts=[Part(label="p", weight=1.0), Part(label="q")], plain_level=Level.middle,
                plain_text="t", extra={"k": [1]}, active=True, bio="Two Words",
            )
        )  # fmt: skip
        specimens.save(specimen("a", tag="none", mixed=True))
        return specimens

    def test_indexed_fields(self, two: Repository[Specimen]) -> None:
        fields = ("tag", "number", "score", "active", "level", "colour", "mixed", "labels", "marks")
        first: tuple[object, ...] = ("none", 0, 0.0, False, Level.low, None, True, [], None)
        second: tuple[object, ...]
        second = ("", 3, -0.0, True, Level.high, Colour.blue, 1.0, ["y", "x"], [])
        assert_identical(
            two.project(fields),
            [
                dict(zip(fields, first, strict=True)),
                dict(zip(fields, second, strict=True)),
            ],
        )

    def test_fields_that_are_not_indexed(self, two: Repository[Specimen]) -> None:
        assert_identical(
            two.project(["plain_text", "plain_level", "extra"]),
            [
                {"plain_text": "", "plain_level": Level.low, "extra": {}},
                {"plain_text": "t", "plain_level": Level.middle, "extra": {"k": [1]}},
            ],
        )

    def test_full_text_fields(self, two: Repository[Specimen]) -> None:
        assert two.project(["bio", "motto"]) == [
            {"bio": "", "motto": None},
            {"bio": "Two Words", "motto": None},
        ]

    def test_a_mixture_with_the_pk_in_the_order_asked(self, two: Repository[Specimen]) -> None:
        found = two.project(["plain_text", "tag", "pk"])
        assert found == [
            {"plain_text": "", "tag": "none", "pk": "a"},
            {"plain_text": "t", "tag": "", "pk": "b"},
        ]
        assert [list(row) for row in found] == [["plain_text", "tag", "pk"]] * 2

    def test_the_pk_alone(self, two: Repository[Specimen]) -> None:
        assert two.project(["pk"]) == [{"pk": "a"}, {"pk": "b"}]

    def test_nested_paths(self, two: Repository[Specimen]) -> None:
        assert_identical(
            two.project(["home.label", "home.remark", "parts.label", "parts.weight"]),
            [
                {"home.label": None, "home.remark": None, "parts.label": [], "parts.weight": []},
                {
                    "home.label": "home",
                    "home.remark": "r",
                    "parts.label": ["p", "q"],
                    "parts.weight": [1.0, 0.0],
                },
            ],
        )

    def test_indexed_nested_paths(self, two: Repository[Specimen]) -> None:
        assert two.project(["home.label", "parts.label"]) == [
            {"home.label": None, "parts.label": []},
            {"home.label": "home", "parts.label": ["p", "q"]},
        ]

    def test_whole_embedded_models(self, two: Repository[Specimen]) -> None:
        found = two.project(["home", "parts"])
        assert_identical(found[0], {"home": None, "parts": []})
        assert_identical(found[1]["home"], Part(label="home", remark="r"))
        assert_identical(found[1]["parts"], [Part(label="p", weight=1.0), Part(label="q")])

    def test_a_projection_with_conditions(self, two: Repository[Specimen]) -> None:
        assert two.project(["number"], tag="") == [{"number": 3}]
        assert two.project(["number"], field("plain_text") == "t") == [{"number": 3}]
        assert two.project(["plain_text"], field("number") > 99) == []
        assert two.project(["number"], ~(field("tag") == "")) == [{"number": 0}]

    def test_a_projection_of_an_unknown_field(self, two: Repository[Specimen]) -> None:
        with pytest.raises(QueryError, match="number"):
            two.project(["tag", "nubmer"])

    def test_a_changed_projection_changes_nothing(self, two: Repository[Specimen]) -> None:
        for fields in (["labels"], ["labels", "extra"]):
            two.project(fields)[1]["labels"].append("z")
        two.project(["extra"])[1]["extra"]["k"].append("z")
        two.project(["home"])[1]["home"].label = "z"
        assert two.project(["labels", "extra", "home.label"])[1] == {
            "labels": ["y", "x"],
            "extra": {"k": [1]},
            "home.label": "home",
        }
        assert two.count(field("labels").contains("z")) == 0
