"""Models of a user's own are kept in Sotopia's database where redis-om keeps them."""

import json
from typing import Annotated, Any, ClassVar, Self

import pytest
import redis
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
    field_validator,
    model_validator,
)

import simstore
import simstore.sotopia
from simstore.domain.errors import BackendError, ConflictError, InvalidRecordError, ModelError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.leases import LeaseRecord
from simstore.domain.maintenance import IndexFault
from simstore.domain.numbers import Number
from simstore.domain.query import Condition, field
from simstore.domain.record import Record, dump_record
from simstore.domain.repository import Repository
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services import compare_stores, copy_store, diagnose
from simstore.testing.texts import HOSTILE_PKS, HOSTILE_TEXTS
from simstore.testing.values import HOSTILE_INTS
from tests.golden.sotopia_database import FOREIGN, load, state


class Home(BaseModel):
    """A model within others."""

    street: Annotated[str, Indexed()] = ""
    number: Annotated[int, Indexed()] = 7


class Person(Record):
    """A user's model."""

    name: Annotated[str, Indexed()]
    nickname: Annotated[str | None, Indexed()] = None
    age: Annotated[int, Indexed()] = 30
    height: Annotated[Number, Indexed()] = 1.5
    active: Annotated[bool, Indexed()] = True
    hobbies: Annotated[list[str], Indexed()] = Field(default_factory=list)
    marks: Annotated[list[int], Indexed()] = Field(default_factory=list)
    home: Home | None = None
    homes: list[Home] = Field(default_factory=list)
    home_street: Annotated[str, Indexed()] = ""
    bio: Annotated[str, FullText()] = ""
    remark: str = ""


class Pet(BaseModel):
    """Another, kept under another name than its class's."""

    __collection__: ClassVar[str] = "animals"

    pk: str
    owner: Annotated[str, Indexed()] = ""


class Annotator(Record):
    """Another one than Sotopia's."""

    languages: Annotated[list[str], Indexed()] = Field(default_factory=list)


class AgentProfile(simstore.AgentProfile):
    """Sotopia's, with a method."""

    def initials(self) -> str:
        return self.first_name[:1] + self.last_name[:1]


class EnvironmentProfile(simstore.EnvironmentProfile):
    """A user's own, although it is made of Sotopia's."""

    place: str = ""


PERSON = f":{__name__}.Person:"
AGENT = ":sotopia.database.persistent_profile.AgentProfile:"


def of_module(model: type[Record], module: str) -> type[Any]:
    """A class of its own with the fields of `model`, in a module."""
    fields: dict[str, Any] = {n: (f.annotation, f) for n, f in model.model_fields.items()}
    return create_model(model.__name__, __base__=Record, __module__=module, **fields)


def write(client: redis.Redis, key: str, document: dict[str, Any]) -> None:
    """Write a document as redis-om does."""
    assert client.execute_command("JSON.SET", key, "$", json.dumps(document))


def read(client: redis.Redis, key: str) -> Any:
    return json.loads(client.execute_command("JSON.GET", key))


@pytest.mark.parametrize(
    ("model", "fields", "prefix"),
    [
        (Person, {"name": "Ada"}, PERSON),
        (of_module(Person, "__main__"), {"name": "Ada"}, ":__main__.Person:"),
        (Pet, {}, f":{__name__}.Pet:"),
        (Annotator, {}, f":{__name__}.Annotator:"),
        (EnvironmentProfile, {"scenario": "s"}, f":{__name__}.EnvironmentProfile:"),
        (AgentProfile, {"first_name": "a", "last_name": "b"}, AGENT),
        (simstore.sotopia.AgentProfile, {"first_name": "a", "last_name": "b"}, AGENT),
        (
            simstore.sotopia.EpisodeLog,
            {"environment": "e", "agents": [], "messages": [], "rewards": []},
            ":sotopia.database.logs.EpisodeLog:",
        ),
        (of_module(Annotator, "sotopia.database.logs"), {}, ":sotopia.database.logs.Annotator:"),
        (LeaseRecord, {"owner": "o", "expires_at": 1.5}, ":simstore.domain.leases.LeaseRecord:"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_is_where_redis_om_has_it(
    client: redis.Redis,
    store: Store,
    model: type[BaseModel],
    fields: dict[str, Any],
    prefix: str,
) -> None:
    item = model(pk="a:b", **fields)
    repository = store.repository(model)
    repository.save(item)
    assert client.keys() == [f"{prefix}a:b".encode()]
    assert read(client, f"{prefix}a:b") == dump_record(item)
    assert repository.find() == [item]
    assert store.collections() == [repository.collection]
    repository.delete("a:b")
    assert client.keys() == []
    assert store.collections() == []


def people() -> list[Person]:
    """One for each hostile text, which its other fields have as well."""
    ints = [*HOSTILE_INTS, *range(len(HOSTILE_TEXTS))]
    return [
        Person(
            pk=HOSTILE_PKS[n] if n < len(HOSTILE_PKS) else f"{n:04}",
            name=text,
            nickname=None if n % 3 else text,
            age=ints[n],
            height=n / 4,
            active=n % 2 == 0,
            hobbies=[text, f"{text} "][: n % 3],
            marks=[ints[n], -1][: n % 3],
            home=None if n % 2 else Home(street=text, number=ints[n]),
            homes=[Home(street=text), Home(number=ints[n])][: n % 3],
            home_street=text[::-1],
            bio=text,
            remark=text,
        )
        for n, text in enumerate(HOSTILE_TEXTS)
    ]


def conditions_on(text: str, other: str) -> list[Condition]:
    return [
        field("name") == text,
        field("nickname").in_([text, other, "none of them"]),
        field("hobbies").contains(text),
        field("home.street") == text,
        field("homes.street").contains(text),
        field("home_street") == text[::-1],
        (field("name") == text) | (field("remark") == other),
    ]


def assert_same(there: Repository[Person], memory: Repository[Person], asked: Condition) -> None:
    assert there.pks(asked) == memory.pks(asked), asked
    assert there.count(asked) == memory.count(asked), asked


def test_hostile_values_are_found_as_in_memory(store: Store) -> None:
    memory, there = simstore.connect("memory://").repository(Person), store.repository(Person)
    for repository in (memory, there):
        repository.save_many(people())
    assert there.find() == memory.find() == sorted(people(), key=lambda item: item.pk)
    for number, text in enumerate(HOSTILE_TEXTS):
        for condition in conditions_on(text, HOSTILE_TEXTS[number - 1]):
            assert_same(there, memory, condition)
    for value in HOSTILE_INTS:
        for path in ("age", "home.number"):
            for condition in (field(path) == value, field(path) > value, field(path) <= value):
                assert_same(there, memory, condition)
        for path in ("marks", "homes.number"):
            assert_same(there, memory, field(path).contains(value))
    others: list[Condition] = [
        field("active") == True,
        (field("active") == False) & (field("height") < 9),
        field("height").in_([0, 0.25, 7]),
        field("home") == None,
        field("nickname") == None,
        ~(field("name") == "pilot") & ~(field("hobbies").contains("pilot")),
        field("bio").matches("two words"),
        field("name").startswith("pi"),
        field("hobbies") == [],
    ]
    for condition in others:
        assert_same(there, memory, condition)
    assert list(there.index_faults()) == []
    assert there.delete_many(active=True) == memory.delete_many(active=True) > 0
    assert there.find() == memory.find()


def test_what_is_written_beside_us_is_read_found_updated_and_deleted(
    client: redis.Redis, store: Store
) -> None:
    made = f"ON JSON PREFIX 1 {PERSON} SCHEMA $.name AS name TAG SEPARATOR | $.age AS age NUMERIC"
    client.execute_command("FT.CREATE", f"{PERSON}index", *made.split())
    client.set(f"{PERSON}index:hash", "a digest")
    client.set(f"{PERSON}index:schema", made)
    theirs = state(client)
    document = {"pk": "a", "name": "Ada", "age": 36, "home": {"pk": "h", "street": "x"}, "new": [1]}
    write(client, f"{PERSON}a", document)
    write(client, f"{PERSON}b", {"pk": "b", "name": "Bo", "age": None, "home": {"number": 1}})
    write(client, f"{PERSON}c", {"name": "Cy", "homes": [{}]})
    write(client, f"{PERSON}odd", {"pk": "odd", "name": "Ada", "age": "36"})
    people = store.repository(Person)
    assert people.pks() == ["a", "b", "c", "odd"]
    ada = Person(pk="a", name="Ada", age=36, home=Home(street="x"))
    assert people.get("a") == ada
    assert people.get("c") == Person(pk="c", name="Cy", homes=[Home()])
    assert people.pks(name="Ada") == people.pks(age=36) == ["a", "odd"]
    assert people.pks(age=30) == ["b", "c"], "the default"
    assert people.pks(field("home.number") == 7) == ["a"], "of a model within, too"
    assert people.pks(field("homes.number").contains(7)) == ["c"]
    assert list(people.index_faults()) == [IndexFault("missing", "Person", "odd", "pk")]
    people.update("a", lambda person: setattr(person, "age", 37))
    assert read(client, f"{PERSON}a")["new"] == [1]
    assert people.pks(age=37) == ["a"]
    found = client.execute_command("FT.SEARCH", f"{PERSON}index", "@age:[37 37]", "NOCONTENT")
    assert f"{PERSON}a" in str(found), "their index finds it"
    people.delete_many(["a", "b", "c", "odd"])
    assert state(client) == theirs
    assert f"{PERSON}index".encode() in client.execute_command("FT._LIST")
    for pk in ("index:hash", "index:schema"):
        assert not people.exists(pk=pk)
        with pytest.raises(BackendError, match="somebody else"):
            people.get(pk)
        with pytest.raises(BackendError, match="overwritten"):
            people.save(Person(pk=pk, name="x"))
    assert state(client) == theirs


def test_keys_of_others_are_left_alone_and_not_listed(client: redis.Redis, store: Store) -> None:
    load(client)
    before = state(client)
    sotopias = store.collections()
    write(client, f"{PERSON}a", {"pk": "a", "name": "Ada"})
    write(client, f":{__name__}.Annotator:a", {"pk": "a", "languages": ["en"]})
    assert store.collections() == sotopias, "nobody asked for people, and none can tell what it is"
    people, annotators = store.repository(Person), store.repository(Annotator)
    animals = store.repository(Pet)
    assert store.collections() == sorted([*sotopias, "Person"])
    assert annotators.pks() == ["a"], "not Sotopia's"
    animals.save(Pet(pk="a", owner="a"))
    assert store.collections() == sorted([*sotopias, "Person", "animals"])
    for repository in (people, annotators, animals):
        repository.find()
        assert repository.delete_many(repository.pks()) == 1
        assert list(repository.index_faults(repair=True)) == []
    assert store.collections() == sotopias
    assert state(client) == before
    assert before.keys() > FOREIGN.keys()


def test_classes_of_one_name_or_at_one_place_are_told_apart(store: Store) -> None:
    named = type("Annotator", (Annotator,), {"__module__": "b", "__collection__": "mine"})
    store.annotators.save(simstore.Annotator(pk="a", name="Lee", email=""))
    store.repository(named).save(named(pk="a"))
    assert (store.annotators.count(), store.repository(named).count()) == (1, 1)
    assert store.collections() == ["Annotator", "mine"]
    with pytest.raises(ModelError, match="both kept as 'Annotator'"):
        store.repository(Annotator)
    at_one_place = type("Annotator", (named,), {"__module__": "b", "__collection__": "yours"})
    with pytest.raises(ModelError, match=r"keys :b\.Annotator:… are already those of 'mine'"):
        store.repository(at_one_place)
    colon = type("a:b", (named,), {"__collection__": "colon"})
    with pytest.raises(ModelError, match="colon in its name"):
        store.repository(colon)
    again = of_module(Person, "b")
    store.repository(again).save(again(pk="a", name="Ada"))
    again = of_module(Person, "b")
    assert store.repository(again).get("a").name == "Ada"


def test_whole_stores_have_them_if_they_are_told(client: redis.Redis, store: Store) -> None:
    load(client)
    write(client, f"{PERSON}a", {"pk": "a", "name": "Ada"})
    models: list[type[BaseModel]] = [*RECORD_MODELS, Person]
    target = simstore.connect("memory://")
    copy_store(store, target, models=models)
    assert target.repository(Person).find() == [Person(pk="a", name="Ada")]
    assert compare_stores(store, target, models=models).equal
    with simstore.connect(store.url) as fresh:
        found = {each.collection: each.count for each in diagnose(fresh, models=models).collections}
        assert found["Person"] == 1
        assert diagnose(fresh, models=models).healthy
        assert diagnose(fresh).unknown == ("Person",), "it knows of it by now"


def test_the_command_line_lists_them_if_it_is_told(client: redis.Redis, store: Store) -> None:
    pytest.importorskip("typer", reason="the command line needs typer")
    from tests.unit.cli_runs import cli  # noqa: PLC0415 — it needs typer

    write(client, f"{PERSON}a", {"pk": "a", "name": "Ada"})
    assert cli("list", "--json", "--store", store.url).json == []
    listed = cli("list", "--json", "--store", store.url, "--type", f"{__name__}:Person").json
    assert listed == [{"collection": "Person", "name": None, "records": 1}]


def lowered(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


class Changing(Record):
    """A model that reads something else than what stands in a document."""

    name: Annotated[str, Indexed(), BeforeValidator(lowered)]
    size: Annotated[int, Indexed()] = 0
    kept: Annotated[str, Indexed()] = ""

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        self.size = max(self.size, 1)
        return self


def test_what_a_model_makes_of_a_document_is_found(client: redis.Redis, store: Store) -> None:
    write(client, f":{__name__}.Changing:a", {"pk": "a", "name": "ADA", "size": 0, "kept": "x"})
    repository = store.repository(Changing)
    assert repository.pks(name="ada") == repository.pks(size=1) == repository.pks(kept="x") == ["a"]
    assert repository.pks(name="ADA") == repository.pks(size=0) == []


class Place(Record):
    """A model, and below another that reads the same records otherwise."""

    name: Annotated[str, Indexed()]
    size: Annotated[int, Indexed()]


def test_each_of_two_views_of_records_is_answered_by_itself(
    client: redis.Redis, store: Store
) -> None:
    checks = {"_checked": field_validator("name", mode="before")(lowered)}
    other = create_model("Place", __base__=Place, __validators__=checks)
    write(client, f":{__name__}.Place:a", {"pk": "a", "name": "Rome", "size": 3})
    views: list[tuple[type[Place], str]] = [(other, "rome"), (Place, "Rome")]
    for model, name in views * 2:
        places = store.repository(model)
        assert places.pks(size=3) == places.pks(name=name) == ["a"]
        assert places.count(name=name.swapcase()) == 0


class Guest(simstore.sotopia.JsonModel):
    """A model of the drop-in's."""

    name: str = simstore.sotopia.Field(index=True)


def test_a_model_of_the_drop_in_is_where_redis_om_had_it(client: redis.Redis, store: Store) -> None:
    document = {"pk": "a", "name": "Ada", "room": 7}
    write(client, f":{__name__}.Guest:a", document)
    with simstore.sotopia.bind(store):
        [guest] = Guest.find(Guest.name == "Ada").all()
        assert dump_record(guest) == document
        guest.update(name="Bo")
        assert read(client, f":{__name__}.Guest:a") == {**document, "name": "Bo"}
        assert Guest.all_pks() == ["a"]
        assert Guest.delete("a") == 1
    assert store.collections() == []


class Open(Record):
    """A model that takes fields of any name."""

    model_config = ConfigDict(extra="allow")

    tag: Annotated[str, Indexed()] = ""


def test_writes_are_compared_and_set(client: redis.Redis, store: Store) -> None:
    write(client, f":{__name__}.Open:a", {"pk": "a", "more": 1, "most": 2})
    opened, people = store.repository(Open), store.repository(Person)
    opened.update("a", lambda item: delattr(item, "more"))
    assert read(client, f":{__name__}.Open:a") == {"pk": "a", "tag": "", "most": 2}
    people.save(Person(pk="a", name="Ada"), ttl=60)
    assert 0 < client.ttl(f"{PERSON}a") <= 60
    item, version = people.get_versioned("a")
    write(client, f"{PERSON}a", {"pk": "a", "name": "Bo"})
    with pytest.raises(ConflictError):
        people.save(item, if_version=version)
    with store.transaction() as transaction:
        transaction.repository(Person).save(Person(pk="b", name="Cy"))
        transaction.repository(Open).delete("a")
        transaction.agents.save(simstore.AgentProfile(pk="a", first_name="a", last_name="b"))
    assert store.collections() == ["AgentProfile", "Person"]
    with pytest.raises(InvalidRecordError, match="cannot be stored in Sotopia's layout"):
        people.save(Person(pk="c", name="Cy", height=float("inf")))
    assert people.pks() == ["a", "b"]
