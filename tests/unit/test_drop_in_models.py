"""A user's own models on `simstore.sotopia`, declared as with redis-om."""

import datetime as dt
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, ClassVar, Literal, Optional
from uuid import UUID

import pydantic
import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    computed_field,
    create_model,
)

import simstore
from simstore.domain.errors import InvalidRecordError, ModelError, QueryError
from simstore.domain.record import Record
from simstore.domain.schema import schema_of
from simstore.domain.store import Store
from simstore.sotopia import AgentProfile, EmbeddedJsonModel, EpisodeLog, Field, JsonModel, bind
from simstore.sotopia.active_record import METHODS


class Address(EmbeddedJsonModel):
    street: str = Field(index=True)
    city: str = Field(default="", index=True)


class Person(JsonModel):
    name: str = Field(index=True)
    age: int = Field(index=True, default_factory=lambda: 0)
    email: Optional[str] = Field(default=None, index=True)  # noqa: UP045 — as users write it
    bio: str = Field(default="", index=True, full_text_search=True)
    score: float = Field(default=0.0, ge=0, index=True, sortable=True)
    awake: bool = Field(default=True, index=True)
    pets: list[str] = Field(default=[], index=True)
    mood: Literal["good", "bad"] = Field(default="good", index=True, case_sensitive=False)
    note: str = ""
    address: Address | None = Field(default=None, index=True)
    former: list[Address] = Field(default_factory=list)

    class Meta:
        global_key_prefix = "app"


@pytest.fixture(autouse=True)
def store() -> Iterator[Store]:
    with bind("memory://") as store:
        yield store


@pytest.fixture
def alice() -> Person:
    return Person(
        pk="alice",
        name="Alice",
        age=30,
        bio="Likes two cats.",
        pets=["Tom", "Kit"],
        address=Address(street="Main Street", city="Accra"),
        former=[Address(street="Side Street")],
    ).save()


def found(*conditions: Any, **equals: Any) -> list[str]:
    return [person.name for person in Person.find(*conditions, **equals).all()]


def test_it_is_saved_and_found(alice: Person) -> None:
    Person(pk="bob", name="Bob", age=30).save()
    assert Person.get("alice") == alice
    assert found(name="Alice") == ["Alice"]
    assert found(Person.age == 30, Person.name != "Alice") == ["Bob"]
    assert found(Person.email == None) == ["Alice", "Bob"]
    assert found(Person.bio % "CATS two") == ["Alice"]
    assert found(Person.pets == "Kit") == ["Alice"]  # type: ignore[comparison-overlap]  # a list
    assert found(Person.awake == True, Person.mood == "good") == ["Alice", "Bob"]
    assert [person.name for person in Person.find().sort_by("-name")] == ["Bob", "Alice"]


def test_what_is_embedded_is_found_too(alice: Person) -> None:
    street: Any = Person.address.street  # type: ignore[union-attr]  # None, to mypy
    former: Any = Person.former.street  # type: ignore[attr-defined]  # a list, to mypy
    assert found(street == "Main Street") == found(former == "Side Street") == ["Alice"]
    assert found(address__city="Accra") == ["Alice"]
    alice.update(address__city="Kumasi")
    assert found(address__city="Kumasi") == ["Alice"]
    for name, said in (("former__city", "a list"), ("address__town", "no field 'town'")):
        with pytest.raises(QueryError, match=said):
            alice.update(**{name: "x"})
    alice.update(address=None)
    with pytest.raises(QueryError, match="address is None"):
        alice.update(address__city="x")
    assert Person.get("alice") == alice


def test_its_markers_are_simstores() -> None:
    indexed = {field.path: field.shape.full_text for field in schema_of(Person).indexed}
    assert indexed == {
        "name": False,
        "age": False,
        "email": False,
        "bio": True,
        "score": False,
        "awake": False,
        "pets": False,
        "mood": False,
        "address.street": False,
        "address.city": False,
        "former.street": False,
        "former.city": False,
    }
    explained = Person._repository().explain(simstore.field("name") == "x")
    assert not explained.reads_all


def test_its_other_rules_are_pydantics() -> None:
    with pytest.raises(ValidationError, match="greater than or equal"):
        Person(name="x", score=-1)
    with pytest.raises(ValidationError, match="name"):
        Person()
    one, other = Person(name="a"), Person(name="b")
    one.pets.append("Tom")
    assert other.pets == []
    person = Person(name="a")
    person.score = -1
    with pytest.raises(InvalidRecordError, match="score"):
        person.save()


def test_the_store_has_it_as_any_other_model(alice: Person, store: Store) -> None:
    people = store.repository(Person)
    assert people.collection == "Person"
    assert people.find(name="Alice") == [alice]
    assert people.find(simstore.field("address.city") == "Accra") == [alice]


def test_another_primary_key_is_refused() -> None:
    with pytest.raises(ModelError, match="always the field pk"):
        Field(primary_key=True)


def test_a_word_that_nobody_knows_is_refused() -> None:
    for word, near in (("indx", "index"), ("descripton", "description")):
        with pytest.raises(ModelError, match=f"no '{word}'; did you mean '{near}'"):
            Field(**{word: True})
    with pytest.raises(ModelError, match="no 'vector_options'"):
        Field(vector_options={})


def test_redis_oms_words_for_pydantics_are_known() -> None:
    class Coded(JsonModel):
        code: str = Field(default="a", regex="^[a-z]$")
        parts: list[str] = Field(default=["a"], min_items=1, max_items=2)

    wrong: list[dict[str, Any]] = [{"code": "A"}, {"parts": []}, {"parts": ["a"] * 3}]
    for values in wrong:
        with pytest.raises(ValidationError, match=r"pattern|at least 1|at most 2"):
            Coded(**values)


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (str, {"default": ""}),
        (Optional[str], {"default": ""}),  # noqa: UP045 — as above
        (Optional[str], {"default": None}),  # noqa: UP045
        (Optional[str], {"default_factory": str}),  # noqa: UP045
    ],
)
def test_a_pk_as_sotopia_declares_it_is_assigned(annotation: Any, default: Any) -> None:
    base = create_model(
        "Base", pk=(annotation, pydantic.Field(**default)), name=(str, Field(index=True))
    )

    class Noted(base, JsonModel):  # type: ignore[misc, valid-type]  # made above
        pass

    noted: Any = Noted(name="x")
    noted.save()
    assert len(noted.pk) == 26
    assert Noted.find(Noted.name == "x").all() == [noted]
    for blank in ("", None):
        noted.pk = blank
        noted.save()  # under a new one
        assert noted.pk
    assert len(Noted.all_pks()) == 3


def test_a_pk_of_ones_own_making_stays() -> None:
    numbers = iter("123")

    class Counted(JsonModel):
        pk: str = Field(default_factory=lambda: f"n{next(numbers)}")

    assert [Counted().save().pk, Counted().save().pk] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("annotation", "default"),
    [(int, 7), (Optional[str], "mine"), (UUID, UUID(int=1))],  # noqa: UP045 — as above
)
def test_a_pk_that_is_no_text_is_refused(annotation: Any, default: Any) -> None:
    model = create_model("Odd", __base__=JsonModel, pk=(annotation, default))
    with pytest.raises(ModelError, match="pk: str"):
        model.all()


def test_records_of_a_subclass_are_deleted_among_its_own() -> None:
    class Student(Person):
        school: str = ""

    for model in (Person, Student):
        model(pk="1", name="x").save()
    assert Person.delete_many([Student(pk="1", name="x")]) == 1
    assert (Person.all_pks(), Student.all_pks()) == (["1"], [])
    assert JsonModel.delete_many([Person(pk="1", name="x"), Student(pk="1", name="x")]) == 1
    assert Person.all_pks() == []


def test_classes_may_say_that_they_are_indexed_as_in_redis_om_1() -> None:
    class Place(EmbeddedJsonModel, index=True):
        town: str = Field(default="", index=True)

    class Visit(JsonModel, index=True):
        place: Place = Place()

    Visit(pk="v", place=Place(town="Accra")).save()
    assert Visit.find(Visit.place.town == "Accra").values("place").all() == [
        {"place": {"town": "Accra"}}
    ]
    with pytest.raises(TypeError):

        class Odd(JsonModel, indx=True):
            pass


def test_a_vain_index_within_an_embedded_or_late_model_is_left_out_too() -> None:
    class Since(EmbeddedJsonModel):
        day: dt.date = Field(default=dt.date(2026, 1, 1), index=True)
        town: str = Field(default="", index=True)

    class Late(JsonModel):
        since: Since = Since()
        other: "Optional[Later]" = None  # noqa: UP045 — as above
        days: list[dt.date] = Field(default=[], index=True)

    class Later(EmbeddedJsonModel):
        day: dt.date | None = Field(default=None, index=True)

    Late.model_rebuild(_types_namespace={"Optional": Optional, "Later": Later})
    assert [field.path for field in schema_of(Late).indexed] == ["since.town"]
    late = Late(pk="l").save()
    assert Late.all() == [late]


class Square(JsonModel):
    side: int = 1

    @computed_field  # type: ignore[prop-decorator]  # a property, as pydantic has it
    @property
    def area(self) -> int:
        return self.side**2


def test_what_is_computed_is_not_stored_nor_taken_for_a_field() -> None:
    name = "memory://squares"
    with bind(name), simstore.connect(name) as theirs:
        squares = theirs.repository(SquareDocument)
        squares.save(SquareDocument(pk="s", side=2, area=4))  # type: ignore[call-arg]  # as redis-om
        square = Square.get("s")
        assert (square.model_extra, square.area) == ({}, 4)
        square.update(side=3)
        assert Square.get("s").model_dump_json() == '{"pk":"s","side":3,"area":9}'
        assert squares.get("s").model_extra == {"side": 3}


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_field_cannot_be_called_like_a_method(name: str) -> None:
    with (
        warnings.catch_warnings(action="ignore"),
        pytest.raises(ModelError, match=rf"Odd\.{name} cannot be a field"),
    ):
        create_model("Odd", __base__=JsonModel, **{name: (str, "")})  # type: ignore[call-overload]  # by name


def test_the_methods_are_all_that_a_model_can_do() -> None:
    own = {name for name in vars(JsonModel) if not name.startswith("_")} - vars(Record).keys()
    assert own == METHODS


class SquareDocument(BaseModel):
    """The document of a square, whatever it has."""

    model_config = ConfigDict(extra="allow")
    __collection__: ClassVar[str] = "Square"

    pk: str


def test_a_field_that_is_not_stored_is_not_among_the_values() -> None:
    class Secretive(JsonModel):
        name: str = ""
        word: str = Field(default="", exclude=True)

    Secretive(pk="a", name="x", word="y").save()
    assert Secretive.find().values() == [{"pk": "a", "name": "x"}]


def test_an_index_on_what_cannot_be_compared_is_left_out() -> None:
    class Day(JsonModel):
        date: dt.date = Field(index=True)
        price: Decimal | None = Field(default=None, index=True)
        notes: dict[str, str] = Field(default={}, full_text_search=True)
        name: str = Field(default="", index=True)

    day = Day(date=dt.date(2026, 1, 2), price=Decimal("1.5"), notes={"a": "b"}, name="x").save()
    assert [field.path for field in schema_of(Day).indexed] == ["name"]
    assert Day.find(Day.name == "x").all() == [day]
    assert Day.find(Day.price == None).all() == []
    with pytest.raises(QueryError, match=r"Day\.date holds date, which can be compared with None"):
        Day.find(Day.date == day.date)


def test_a_subclass_has_its_parents_fields_and_its_own() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        class Student(Person):
            name: str = Field("nobody", index=True)
            school: str = Field(index=True)

        class Script(EpisodeLog):
            author: str = Field(default="", index=True)

    student = Student(school="x").save()
    assert (student.name, student.age) == ("nobody", 0)
    assert [item.pk for item in Student.find(Student.school == "x", Student.name == "nobody")] == [
        student.pk
    ]
    assert found() == []  # a collection of its own
    script = Script(environment="e", agents=["a"], messages=[], rewards=[0.0], author="me").save()
    assert Script.find(Script.author == "me", Script.environment == "e").all() == [script]
    assert EpisodeLog.all() == []


def test_a_subclass_of_methods_has_the_same_records() -> None:
    model = type("AgentProfile", (AgentProfile,), {"__module__": __name__, "shout": lambda _: "!"})
    AgentProfile(pk="a", first_name="Ada", last_name="Osei").save()
    mine: Any = model
    assert mine.get("a").shout() == "!"
    other = create_model(
        "AgentProfile", __base__=AgentProfile, __module__="elsewhere", height=(int, 0)
    )
    with pytest.raises(ModelError, match="both kept as 'AgentProfile'"):
        other.all()


def test_a_class_that_names_another_that_is_made_later() -> None:
    class Node(JsonModel):
        name: str = Field(index=True)
        leaf: "Optional[Leaf]" = None  # noqa: UP045 — as above

    class Leaf(EmbeddedJsonModel):
        size: int = Field(default=0, index=True)

    Node.model_rebuild(_types_namespace={"Optional": Optional, "Leaf": Leaf})
    node = Node(name="root", leaf=Leaf(size=3)).save()
    size: Any = Node.leaf.size  # type: ignore[union-attr]  # None, to mypy
    assert Node.find(size == 3).all() == [node]


def test_class_attributes_that_are_no_fields_are_as_ever() -> None:
    assert Person.Meta.global_key_prefix == "app"
    assert not hasattr(Person, "_private")
    assert not hasattr(Person, "__no_such__")
    assert issubclass(Address, BaseModel)
    assert not hasattr(Address, "street")  # it has no records to be asked for
