"""Stored documents: foreign, old, unreadable ones, and models that change."""

import json
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, create_model

from simstore.domain.errors import CorruptRecordError
from simstore.domain.fields import FullText, Indexed
from simstore.domain.profiles import AgentProfile
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding, OpenStore
from simstore.testing.contract.helpers import pks_of, specimen
from simstore.testing.models import Specimen

UNREADABLE = {
    "not JSON": ("{not json", ""),
    "nothing": ("", ""),
    "not an object": ("[1, 2]", ""),
    "a wrong type": ('{"pk": "b", "number": "many"}', "number"),
    "an embedded wrong type": ('{"pk": "b", "parts": [{"weight": "heavy"}]}', "parts"),
    "another pk": ('{"pk": "z", "tag": "x"}', "pk"),
}
"""Documents that cannot be read, and the field that is to be named."""


def article(*, indexed: bool) -> type[BaseModel]:
    """One class, as it was written before and after its fields were marked."""
    text: Any = Annotated[str, Indexed(), FullText()] if indexed else str
    names: Any = Annotated[list[str], Indexed()] if indexed else list[str]
    model = create_model("Article", pk=(str, ...), title=(text, ""), names=(names, []))
    model.__module__ = __name__
    return model


class Before(BaseModel):
    """A model before fields were added, one dropped, and one indexed."""

    __collection__: ClassVar[str] = "evolving"
    pk: str
    kept: str
    dropped: int = 0


class After(BaseModel, extra="forbid"):
    """The same afterwards."""

    __collection__: ClassVar[str] = "evolving"
    pk: str
    kept: Annotated[str, Indexed()]
    added: Annotated[str, Indexed()] = "default"
    more: list[int] = []


class DocumentContract(Binding):
    """What is stored outlives the class that it was stored by."""

    @pytest.mark.parametrize("name", UNREADABLE)
    def test_a_document_that_cannot_be_read(
        self, store: Store, specimens: Repository[Specimen], name: str
    ) -> None:
        document, at_fault = UNREADABLE[name]
        specimens.save_many([specimen("a"), specimen("b", tag="x"), specimen("c", number=3)])
        self.write_raw(store, specimens.collection, "b", document)
        reads = (
            lambda: specimens.get("b"),
            lambda: specimens.get_versioned("b"),
            lambda: specimens.get_many(["a", "b"]),
            specimens.find,
            lambda: list(specimens.iterate()),
            lambda: specimens.update("b", lambda item: item),
        )
        for read in reads:
            with pytest.raises(CorruptRecordError) as caught:
                read()
            assert caught.value.pk == "b"
            assert caught.value.field.split(".")[0] == at_fault
            assert caught.value.collection == specimens.collection

    @pytest.mark.parametrize("name", UNREADABLE)
    def test_an_unreadable_document_does_not_hide_the_others(
        self, store: Store, specimens: Repository[Specimen], name: str
    ) -> None:
        specimens.save_many([specimen("a"), specimen("b", tag="x"), specimen("c", number=3)])
        self.write_raw(store, specimens.collection, "b", UNREADABLE[name][0])
        assert pks_of(specimens.get_many(["c", "a"])) == ["c", "a"]
        assert pks_of(specimens.find(number=3)) == ["c"]
        assert specimens.pks() == list("abc")
        specimens.save(specimen("c", number=4))
        assert specimens.get("c").number == 4

    def test_an_unreadable_document_can_be_replaced_and_deleted(
        self, store: Store, specimens: Repository[Specimen]
    ) -> None:
        specimens.save_many([specimen("a", tag="x"), specimen("b", tag="x")])
        for pk in "ab":
            self.write_raw(store, specimens.collection, pk, "{not json")
        specimens.save(specimen("a", tag="new"))
        specimens.delete("b")
        assert specimens.find() == [specimen("a", tag="new")]
        assert specimens.find(tag="x") == []

    def test_the_document_is_json_by_field_name(
        self, store: Store, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a", tag="é\x00", number=2**53 + 1, labels=["x"]))
        document = json.loads(self.read_raw(store, specimens.collection, "a"))
        assert document["pk"] == "a"
        assert document["tag"] == "é\x00"
        assert document["number"] == 2**53 + 1
        assert document["labels"] == ["x"]

    def test_a_foreign_document_is_read_with_defaults(self, store: Store) -> None:
        store.agents.save(AgentProfile(pk="a", first_name="x", last_name="y"))
        foreign = '{"pk": "a", "first_name": "Ada", "last_name": "Osei", "tag": null, "unknown": 1}'
        self.write_raw(store, store.agents.collection, "a", foreign)
        assert store.agents.get("a") == AgentProfile(pk="a", first_name="Ada", last_name="Osei")

    def test_records_that_lack_newer_fields_load_with_defaults(self, open_store: OpenStore) -> None:
        with open_store() as first:
            first.repository(Before).save(Before(pk="a", kept="here", dropped=5))
            with open_store() as second:
                records = second.repository(After)
                assert records.get("a") == After(pk="a", kept="here")
                assert records.find(kept="here") == [After(pk="a", kept="here")]
                assert records.find(added="default") == [After(pk="a", kept="here")]
                assert records.project(["added", "more"]) == [{"added": "default", "more": []}]
                records.update("a", lambda item: item.model_copy(update={"added": "new"}))
                assert records.pks(added="new") == ["a"]

    def test_an_index_that_is_added_finds_what_was_stored_before(
        self, open_store: OpenStore
    ) -> None:
        old, new = article(indexed=False), article(indexed=True)
        with open_store() as first:
            first.repository(old).save_many(
                old(pk=f"{n:04}", title=f"title {n % 3}", names=[f"n{n % 5}"]) for n in range(300)
            )
            with open_store() as second:
                self._check_article(second.repository(new))

    def test_an_index_that_is_added_within_one_store(self, store: Store) -> None:
        old, new = article(indexed=False), article(indexed=True)
        store.repository(old).save_many(
            old(pk=f"{n:04}", title=f"title {n % 3}", names=[f"n{n % 5}"]) for n in range(300)
        )
        self._check_article(store.repository(new))

    def _check_article(self, articles: Repository[BaseModel]) -> None:
        assert not articles.explain(title="x").reads_all
        assert articles.count(title="title 1") == 100
        assert articles.count(field("names").contains("n4")) == 60
        assert articles.count(field("title").matches("TITLE 2")) == 100
        assert articles.project(["title"], pk="0002") == [{"title": "title 2"}]
        assert pks_of(articles.find(title="title 1", limit=2)) == ["0001", "0004"]
        articles.delete("0001")
        assert articles.count(title="title 1") == 99

    def test_an_index_that_is_dropped_leaves_the_records_findable(
        self, open_store: OpenStore
    ) -> None:
        old, new = article(indexed=True), article(indexed=False)
        with open_store() as first:
            first.repository(old).save(old(pk="a", title="x", names=["n"]))
            with open_store() as second:
                articles = second.repository(new)
                assert articles.explain(title="x").reads_all
                assert articles.pks(title="x") == ["a"]
                articles.save(new(pk="b", title="x"))
            with open_store() as third:
                assert third.repository(old).pks(title="x") == ["a", "b"]
