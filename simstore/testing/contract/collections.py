"""The collections of a store: those that hold a record, and no others."""

# ruff: noqa: PT012 — a transaction fails as a whole: here or there in its block

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

import pytest
from pydantic import BaseModel

from simstore.connection import connect
from simstore.domain.errors import StoreClosedError, StoreURLError
from simstore.domain.fields import new_pk
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, OpenStore, need
from simstore.testing.contract.helpers import specimen
from simstore.testing.examples import example_records
from simstore.testing.models import Specimen, Ticket

SHORT = 0.05
"""Seconds that a mortal record lives."""

AFTERWARDS = 0.08
"""Seconds after which it is gone."""


class Unlike(BaseModel):
    """A model of a user's own, kept under another name than its class's."""

    __collection__: ClassVar[str] = "of_my_own"
    pk: str


class CollectionsContract(Binding):
    """A store names the collections that hold records now, whoever wrote them."""

    @pytest.fixture
    def namespaces(self, store: Store) -> Iterator[list[Store]]:
        """Stores on one database, in namespaces that are easily taken for each other."""
        # A namespace that the URL has is one of the test's own on a shared server.
        url, _, own = self.full_url(store).partition("namespace=")
        url = url.rstrip("?&")
        names = [f"{own}{name}" for name in ("a", "a:b", "b", "A", "a%", "a_")]
        found: list[Store] = []
        try:
            for name in names:
                option = f"namespace={name.replace('%', '%25')}"
                found.append(connect(f"{url}{'&' if '?' in url else '?'}{option}"))
        except StoreURLError:
            pytest.skip(f"simstore.connect knows no namespaces of {store.url}")
        yield [store, *found]
        for other in found:
            other.close()

    def test_an_empty_store_has_none(self, store: Store) -> None:
        assert store.collections() == []
        assert store.agents.find(tag="x") == []
        assert store.agents.pks() == []
        assert store.repository(Specimen).count() == 0
        assert store.collections() == []

    def test_it_has_those_that_were_saved_to(self, store: Store) -> None:
        examples = example_records()
        for item in examples:
            store.repository(type(item)).save(item)
        assert store.collections() == sorted({type(item).__name__ for item in examples})

    def test_each_is_named_once_and_in_order(self, store: Store) -> None:
        store.repository(Specimen).save_many(specimen(f"{n}") for n in range(5))
        store.repository(Unlike).save_many([Unlike(pk="a"), Unlike(pk="b")])
        store.repository(Ticket).add(Ticket(pk="a"))
        assert store.collections() == ["Specimen", "Ticket", "of_my_own"]

    def test_one_of_an_unknown_model_is_named_too(self, open_store: OpenStore) -> None:
        with open_store() as writer, open_store() as reader:
            writer.repository(Unlike).save(Unlike(pk="a"))
            assert reader.collections() == ["of_my_own"]
            writer.repository(Unlike).delete("a")
            assert reader.collections() == []

    def test_it_is_gone_with_its_last_record(self, store: Store) -> None:
        specimens, unlike = store.repository(Specimen), store.repository(Unlike)
        specimens.save_many([specimen("a"), specimen("b", tag="x")])
        unlike.save(Unlike(pk="a"))
        specimens.delete("a")
        assert store.collections() == ["Specimen", "of_my_own"]
        specimens.delete_many(tag="x")
        assert store.collections() == ["of_my_own"]
        specimens.save(specimen("c"))
        assert store.collections() == ["Specimen", "of_my_own"]

    def test_it_is_gone_when_its_last_record_expires(self, store: Store) -> None:
        specimens, unlike = store.repository(Specimen), store.repository(Unlike)
        specimens.save(specimen("a"), ttl=SHORT)
        unlike.save(Unlike(pk="a"), ttl=timedelta(seconds=SHORT))
        unlike.save(Unlike(pk="b"))
        tickets = store.repository(Ticket)
        tickets.save(Ticket(pk="a"), ttl=SHORT)
        tickets.save(Ticket(pk="b"))
        self.advance(AFTERWARDS)
        assert store.collections() == ["Ticket", "of_my_own"]
        specimens.add(specimen("a"))
        assert store.collections() == ["Specimen", "Ticket", "of_my_own"]

    def test_a_transaction_that_failed_leaves_none(self, store: Store) -> None:
        with pytest.raises(KeyError), store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("a"))
            raise KeyError
        assert store.collections() == []
        with store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("a"))
        assert store.collections() == ["Specimen"]

    def test_to_ask_for_them_leaves_every_index_as_it_is(self, store: Store) -> None:
        specimens = store.repository(Specimen)
        specimens.save(specimen("a", tag="x"))
        assert store.collections() == ["Specimen"]
        assert specimens.pks(tag="x") == ["a"]

    def test_those_of_other_namespaces_are_not_named(self, namespaces: list[Store]) -> None:
        for number, store in enumerate(namespaces):
            assert store.collections() == []

            class Own(BaseModel):
                __collection__: ClassVar[str] = f"own_{number}"
                pk: str

            store.repository(Own).save(Own(pk=new_pk()))
            store.repository(Specimen).save(specimen("a"))
        for number, store in enumerate(namespaces):
            assert store.collections() == ["Specimen", f"own_{number}"]
        namespaces[1].repository(Specimen).delete("a")
        assert namespaces[1].collections() == ["own_1"]
        assert all(
            "Specimen" in store.collections()
            for store in namespaces
            if store.url != namespaces[1].url
        )

    def test_they_outlive_the_store(self, open_store: OpenStore) -> None:
        with open_store() as store:
            need(store, Capability.PERSISTENCE)
            store.repository(Unlike).save(Unlike(pk="a"))
            store.agents.count()
        with open_store() as store:
            assert store.collections() == ["of_my_own"]

    def test_a_closed_store_names_none(self, open_store: OpenStore) -> None:
        store = open_store()
        store.repository(Specimen).save(specimen("a"))
        store.close()
        with pytest.raises(StoreClosedError):
            store.collections()
