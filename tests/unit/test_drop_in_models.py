"""A user's own models on `simstore.sotopia`, declared as with redis-om."""

import datetime as dt
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal, Optional

import pytest
from pydantic import BaseModel, ValidationError, create_model

import simstore
from simstore.domain.errors import InvalidRecordError, ModelError, QueryError
from simstore.domain.schema import schema_of
from simstore.domain.store import Store
from simstore.sotopia import AgentProfile, EmbeddedJsonModel, EpisodeLog, Field, JsonModel, bind


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
        Person()  # type: ignore[call-arg]  # the mistake
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

    student = Student(school="x").save()  # type: ignore[call-arg]  # a default by position
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
