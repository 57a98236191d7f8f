"""Models that are not simstore's: any pydantic model with a ``pk: str``."""

from datetime import date, datetime, timedelta, timezone
from itertools import permutations
from typing import Annotated, Any, ClassVar, cast

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from simstore.domain.errors import InvalidRecordError, ModelError, QueryError, WrongModelError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.query import field
from simstore.domain.record import Record
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import assert_identical, pks_of


class Address(BaseModel):
    """A frozen embedded model with an alias."""

    model_config = ConfigDict(frozen=True)

    street: Annotated[str, Indexed()] = Field(alias="streetName", default="")
    tags: set[str] = Field(default_factory=set)


class Person(BaseModel):
    """A model that knows nothing of simstore but its markers."""

    model_config = ConfigDict(populate_by_name=True)

    __collection__: ClassVar[str] = "people"

    pk: str
    full_name: Annotated[str, Indexed(), FullText()] = Field(alias="fullName")
    born: date | None = None
    seen: list[datetime] = Field(default_factory=list)
    waited: timedelta = timedelta(0)
    address: Address | None = None
    past: list[Address] = Field(default_factory=list)
    notes: JsonValue = None
    pair: tuple[int, str] = (0, "")
    scores: dict[int, float] = Field(default_factory=dict)
    photo: bytes = b""


class Free(BaseModel):
    """A model that takes fields it does not declare."""

    model_config = ConfigDict(extra="allow")

    pk: str


class Greeter(Person):
    """The same records with a method."""

    def greeting(self) -> str:
        return f"Hello, {self.full_name}!"


class Whisperer(Person):
    """The same records with another method."""

    def whisper(self) -> str:
        return self.full_name.lower()


ORDERS = tuple(permutations((Person, Greeter, Whisperer)))


class Older(Person):
    """Other records: a field more."""

    age: int = 0


class Tree(BaseModel):
    """A model within itself."""

    pk: str = "leaf"
    name: Annotated[str, Indexed()] = ""
    children: list["Tree"] = Field(default_factory=list)


class Empty(BaseModel):
    """A model whose records are false to ``if``, as those with a length of 0 are."""

    pk: str
    rank: Annotated[int, Indexed()] = 0

    def __len__(self) -> int:
        return 0


def _person(pk: str, name: str) -> Person:
    return Person(
        pk=pk,
        fullName=name,
        born=date(1999, 12, 31),
        seen=[datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=-5)))],
        waited=timedelta(days=1, microseconds=5),
        address=Address(streetName="Main | Street", tags={"b", "a"}),
        past=[Address(), Address(streetName="Side")],
        notes=[{"k": [1, 1.5, None, True, "x"]}],
        pair=(7, "seven"),
        scores={1: -0.0, 2: float("inf")},
        photo=b"plain bytes",
    )


def _names_of(models: tuple[type[BaseModel], ...]) -> str:
    return ", ".join(model.__name__ for model in models)


class OwnModelContract(Binding):
    """A user's own models work everywhere that simstore's do."""

    def test_every_type_comes_back_as_it_was(self, store: Store) -> None:
        people = store.repository(Person)
        ada = people.save(_person("a", "Ada Osei"))
        found = people.get("a")
        assert_identical(found, ada)
        assert found.seen[0].utcoffset() == timedelta(hours=-5)
        assert people.collection == "people"

    def test_fields_go_by_their_names_not_their_aliases(self, store: Store) -> None:
        people = store.repository(Person)
        people.save_many([_person("a", "Ada Osei"), _person("b", "Bo Ek")])
        assert people.pks(full_name="Ada Osei") == ["a"]
        assert people.pks(field("full_name").matches("ek")) == ["b"]
        assert people.count(field("address.street") == "Main | Street") == 2
        assert people.count(field("past.street").contains("Side")) == 2
        assert people.project(["full_name"], pk="b") == [{"full_name": "Bo Ek"}]
        with pytest.raises(QueryError):
            people.find(fullName="Ada Osei")

    def test_embedded_lists_and_sets_can_be_asked(self, store: Store) -> None:
        people = store.repository(Person)
        people.save(_person("a", "Ada"))
        assert people.count(field("address.tags").contains("b")) == 1
        assert people.count(field("address.tags").contains("c")) == 0

    @pytest.mark.parametrize("path", ["born", "waited", "photo", "notes", "scores", "address"])
    def test_what_cannot_be_compared_is_a_query_error(self, store: Store, path: str) -> None:
        people = store.repository(Person)
        people.save(_person("a", "Ada"))
        for condition in (field(path) == "1999-12-31", field(path) > 5, field(path).in_(["x"])):
            with pytest.raises(QueryError):
                people.find(condition)

    def test_what_cannot_be_compared_can_be_asked_for_none(self, store: Store) -> None:
        people = store.repository(Person)
        people.save_many([_person("a", "Ada"), Person(pk="b", fullName="Bo")])
        for path in ("born", "address", "notes"):
            assert people.pks(field(path) == None) == ["b"]
            assert people.pks(field(path) != None) == ["a"]

    def test_update_and_projection_of_own_types(self, store: Store) -> None:
        people = store.repository(Person)
        people.save(_person("a", "Ada"))
        people.update("a", lambda item: item.model_copy(update={"born": date(2000, 1, 1)}))
        found = people.project(["born", "pair"])
        assert found == [{"born": date(2000, 1, 1), "pair": (7, "seven")}]

    def test_a_pk_is_required_of_the_item(self, store: Store) -> None:
        people = store.repository(Person)
        blank = Person(pk="", fullName="Nobody")
        with pytest.raises(ValueError, match="blank"):
            people.save(blank)
        assert people.count() == 0

    def test_fields_that_are_not_declared_are_kept(self, store: Store) -> None:
        free = store.repository(Free)
        free.save(Free(pk="a", colour="red", sizes=[1, 2.5]))  # type: ignore[call-arg]  # extras
        assert free.get("a").model_extra == {"colour": "red", "sizes": [1, 2.5]}
        with pytest.raises(InvalidRecordError):
            free.save(Free(pk="b", worth=float("nan")))  # type: ignore[call-arg]  # as above

    def test_a_subclass_with_methods_alone_has_the_same_records(self, store: Store) -> None:
        people, greeters = store.repository(Person), store.repository(Greeter)
        people.save(_person("a", "Ada"))
        greeter = greeters.get("a")
        assert type(greeter) is Greeter
        assert greeter.greeting() == "Hello, Ada!"
        greeter.full_name = "Bo"
        greeters.save(greeter)
        for repository in (people, greeters):
            assert repository.pks(full_name="Bo") == ["a"]
            assert repository.find(full_name="Ada") == []
            assert type(repository.find(full_name="Bo")[0]) is repository.model
            assert list(repository.index_faults()) == []
        assert people.get("a").full_name == "Bo"
        with store.transaction() as transaction:
            assert transaction.repository(Greeter).get("a") == greeter
        with pytest.raises(WrongModelError):
            people.save(greeter)

    @pytest.mark.parametrize("order", ORDERS, ids=_names_of)
    @pytest.mark.parametrize("number", [2, 3])
    def test_subclasses_with_methods_alone_share_records_in_any_order(
        self, store: Store, order: tuple[type[Person], ...], number: int
    ) -> None:
        repositories: list[Repository[Any]] = [store.repository(model) for model in order[:number]]
        for writing in repositories:
            kept = _person("a", f"Ada, a {writing.model.__name__}")
            writing.save(writing.model.model_validate(kept.model_dump(by_alias=True)))
            for reading in repositories:
                found = reading.get("a")
                assert type(found) is reading.model
                assert dict(found) == dict(kept)
                assert reading.find(full_name=kept.full_name) == [found]
                assert reading.count() == 1
                assert list(reading.index_faults()) == []

    @pytest.mark.parametrize("order", ORDERS, ids=_names_of)
    @pytest.mark.parametrize("after", range(1, 4))
    def test_a_subclass_with_another_field_needs_a_name_of_its_own(
        self, store: Store, order: tuple[type[Person], ...], after: int
    ) -> None:
        for model in order[:after]:
            store.repository(model)
        with pytest.raises(ModelError, match="people"):
            store.repository(Older)
        with pytest.raises(ModelError, match="people"):
            store.repository(type("Eldest", (Older,), {}))

    @pytest.mark.parametrize("model", [Person, Greeter, Whisperer])
    def test_a_class_needs_a_name_of_its_own_beside_a_subclass_with_another_field(
        self, store: Store, model: type[Person]
    ) -> None:
        store.repository(Older)
        with pytest.raises(ModelError, match="people"):
            store.repository(model)

    def test_a_class_and_its_subclass_may_be_defined_again(self, store: Store) -> None:
        def define() -> tuple[type[Record], type[Record]]:
            class Animal(Record):
                __collection__: ClassVar[str] = "animals"
                name: str = ""

            class Cat(Animal):
                def cry(self) -> str:
                    return f"{self.name}: miaow"

            return Animal, Cat

        for number in (1, 2):
            for model in define():
                animals = store.repository(model)
                animals.save(model.model_validate({"pk": "a", "name": f"Tom {number}"}))
                assert animals.get("a").model_dump() == {"pk": "a", "name": f"Tom {number}"}

    def test_a_subclass_may_get_a_field_when_it_is_defined_again(self, store: Store) -> None:
        class Thing(Record):
            __collection__: ClassVar[str] = "things"

        def define(**fields: Any) -> type[Record]:
            return create_model("Stone", __base__=Thing, **fields)

        old = store.repository(define())
        old.save(old.model(pk="with 0"))
        stones = store.repository(define(size=(int, 5)))
        stones.save(stones.model(pk="with 1"))
        assert [item.model_dump() for item in stones.find()] == [
            {"pk": "with 0", "size": 5},
            {"pk": "with 1", "size": 5},
        ]

    def test_a_model_within_itself(self, store: Store) -> None:
        trees = store.repository(Tree)
        tree = Tree(pk="a", name="root", children=[Tree(name="x", children=[Tree(name="y")])])
        trees.save(tree)
        assert trees.get("a") == tree
        assert trees.pks(name="root") == ["a"]
        assert trees.count(field("children.name").contains("x")) == 1

    def test_a_record_may_be_false(self, store: Store) -> None:
        empty = store.repository(Empty)
        record = Empty(pk="a")
        empty.save(record)
        for found in (
            empty.find(),
            empty.find(rank=0),
            empty.find(order_by="rank"),
            empty.get_many(["a"]),
            empty.get_many(["a"], missing="skip"),
            list(empty.iterate()),
            [empty.first()],
            [empty.one()],
            [empty.update("a", lambda _: record)],
        ):
            assert found == [record]
        assert empty.exists()
        with store.transaction() as transaction:
            assert transaction.repository(Empty).get("a") == record

    def test_a_class_without_a_pk(self, store: Store) -> None:
        class Keyless(BaseModel):
            name: str

        class Numbered(BaseModel):
            pk: int

        for model in (Keyless, Numbered, dict, Person(pk="a", fullName="x"), "Person"):
            with pytest.raises(ModelError):
                store.repository(cast("Any", model))

    def test_an_index_on_what_cannot_be_compared(self, store: Store) -> None:
        class Dated(BaseModel):
            pk: str
            day: Annotated[date, Indexed()]

        class Worded(BaseModel):
            pk: str
            number: Annotated[int, FullText()]

        for model in (Dated, Worded):
            with pytest.raises(ModelError):
                store.repository(model)

    def test_two_records_of_two_models_with_one_pk(self, store: Store) -> None:
        store.repository(Person).save(_person("a", "Ada"))
        store.repository(Free).save(Free(pk="a"))
        store.repository(Person).delete("a")
        assert pks_of(store.repository(Free).find()) == ["a"]
