"""A store: its repositories, its end, and other stores on the same database."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from simstore.connection import connect
from simstore.domain.errors import ModelError, StoreClosedError, StoreURLError
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, OpenStore, need
from simstore.testing.contract.helpers import specimen
from simstore.testing.examples import example_records
from simstore.testing.models import Specimen
from simstore.testing.records import REPOSITORIES


def redefined() -> type[BaseModel]:
    """A class, defined anew at each call, as a notebook's cell does."""

    class Redefined(BaseModel):
        pk: str

    return Redefined


class StoresContract(Binding):
    """A store has every repository, and says so when it is closed."""

    @pytest.mark.parametrize("name", REPOSITORIES)
    def test_each_named_repository_is_that_of_its_model(self, store: Store, name: str) -> None:
        repository = getattr(store, name)
        assert repository.model is REPOSITORIES[name]
        example = next(item for item in example_records() if type(item) is REPOSITORIES[name])
        repository.save(example)
        assert store.repository(REPOSITORIES[name]).get("example") == example

    def test_the_repositories_are_separate(self, store: Store) -> None:
        for item in example_records():
            repository: Any = store.repository(type(item))
            assert repository.count() == 0
            repository.save(item)
        assert all(getattr(store, name).count() == 1 for name in REPOSITORIES)

    def test_two_classes_of_one_collection_name(self, store: Store) -> None:
        class Imposter(BaseModel):
            __collection__: ClassVar[str] = "Specimen"
            pk: str

        store.repository(Specimen).save(specimen("a"))
        with pytest.raises(ModelError, match="Specimen"):
            store.repository(Imposter)
        assert store.repository(Specimen).count() == 1

    def test_a_class_that_is_defined_again_is_the_same_model(self, store: Store) -> None:
        first, second = redefined(), redefined()
        store.repository(first).save(first(pk="a"))
        assert store.repository(second).get("a") == second(pk="a")
        assert type(store.repository(second).get("a")) is second

    @pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "a-b", "{a}", "a\x00"])
    def test_a_collection_name_is_of_letters_digits_and_underscores(
        self, store: Store, name: str
    ) -> None:
        class Oddly(BaseModel):
            __collection__: ClassVar[str] = name
            pk: str

        with pytest.raises(ModelError):
            store.repository(Oddly)

    def test_the_url_can_be_shown(self, store: Store) -> None:
        assert isinstance(store.url, str)
        assert ":" in store.url

    def test_what_it_lacks_has_reasons(self, store: Store) -> None:
        assert all(isinstance(capability, Capability) for capability in store.lacks)
        assert all(store.lacks.values())

    def test_a_closed_store_refuses_every_call(self, open_store: OpenStore) -> None:
        store = open_store()
        specimens = store.repository(Specimen)
        specimens.save(specimen("a"))
        item, version = specimens.get_versioned("a")
        store.close()
        calls: list[Callable[[], object]] = [
            lambda: specimens.check(item),
            lambda: specimens.save(item),
            lambda: specimens.save(item, if_version=version),
            lambda: specimens.save_many([item]),
            lambda: specimens.add(item),
            lambda: specimens.get("a"),
            lambda: specimens.get_versioned("a"),
            lambda: specimens.get_many(["a"]),
            specimens.find,
            lambda: specimens.find(tag="x", order_by="tag"),
            lambda: list(specimens.iterate()),
            specimens.first,
            specimens.one,
            specimens.count,
            specimens.exists,
            specimens.pks,
            lambda: specimens.project(["tag"]),
            lambda: specimens.update("a", lambda item: item),
            lambda: specimens.delete("a"),
            lambda: specimens.delete_many(["a"]),
            lambda: specimens.delete_many(tag=""),
            lambda: store.repository(Specimen).get("a"),
            lambda: store.agents.get("a"),
            lambda: list(specimens.index_faults()),
            store.collections,
            store.inspect,
            store.__enter__,
        ]
        for number, call in enumerate(calls):
            with pytest.raises(StoreClosedError):
                raise AssertionError(f"call {number} returned {call()!r}")
        with pytest.raises(StoreClosedError), store.transaction() as transaction:
            transaction.repository(Specimen).save(item)

    def test_to_close_it_twice_is_no_error(self, open_store: OpenStore) -> None:
        store = open_store()
        store.close()
        store.close()

    def test_the_end_of_the_block_closes_it(self, open_store: OpenStore) -> None:
        with pytest.raises(KeyError), open_store() as store:
            raise KeyError
        with pytest.raises(StoreClosedError):
            store.agents.count()

    def test_a_closed_store_leaves_the_others_open(self, open_store: OpenStore) -> None:
        with open_store() as first:
            second = open_store()
            second.repository(Specimen).save(specimen("a"))
            second.close()
            assert first.repository(Specimen).get("a") == specimen("a")

    def test_two_stores_see_each_others_writes(self, open_store: OpenStore) -> None:
        with open_store() as first, open_store() as second:
            mine, theirs = first.repository(Specimen), second.repository(Specimen)
            assert theirs.count() == 0
            mine.save(specimen("a", tag="old"))
            assert theirs.find(tag="old") == [specimen("a", tag="old")]
            theirs.save(specimen("a", tag="new"))
            assert mine.find(tag="old") == []
            assert mine.find(tag="new") == [mine.get("a")] == [specimen("a", tag="new")]
            mine.delete("a")
            assert theirs.pks() == []
            assert theirs.count(tag="new") == 0

    def test_records_outlive_the_store(self, open_store: OpenStore) -> None:
        with open_store() as store:
            need(store, Capability.PERSISTENCE)
            store.repository(Specimen).save(specimen("a", tag="x", labels=["l"]), ttl=3_600)
            store.repository(Specimen).save(specimen("b", tag="x"))
        with open_store() as store:
            specimens = store.repository(Specimen)
            assert specimens.get("a") == specimen("a", tag="x", labels=["l"])
            assert specimens.pks(tag="x") == ["a", "b"]

    def test_its_url_opens_the_same_database(self, open_store: OpenStore) -> None:
        with open_store() as store:
            try:
                other = connect(self.full_url(store))
            except StoreURLError:
                pytest.skip(f"simstore.connect does not know {store.url}")
            with other:
                other.repository(Specimen).save(specimen("a"))
                assert store.repository(Specimen).get("a") == specimen("a")
