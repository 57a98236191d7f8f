"""Conditions on the primary key: answered without the documents."""

import json

import pytest

from simstore.domain.query import Condition, Or, field
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Specimen

PK = field("pk")

ANSWERS: dict[str, tuple[Condition, str]] = {
    "==": (PK == "b", "b"),
    "== of none": (PK == "z", ""),
    "== None": (PK == None, ""),
    "!=": (PK != "b", "acd"),
    "!= of none": (PK != "z", "abcd"),
    "in": (PK.in_(["d", "z", "b", "d"]), "bd"),
    "in of none": (PK.in_([]), ""),
    "or": ((PK == "c") | (PK == "a"), "ac"),
    "or, one missing": ((PK == "z") | (PK == "a"), "a"),
    "and": ((PK == "a") & (PK == "b"), ""),
    "and of the same": (PK.in_(["a", "b"]) & PK.in_(["b", "c"]), "b"),
    "not": (~(PK == "a"), "bcd"),
    "not in": (~PK.in_(["a", "d"]), "bc"),
    "not or": (~((PK == "a") | (PK == "b")), "cd"),
    "not not": (~~(PK == "a"), "a"),
    "and a field": (PK.in_(["a", "b", "c"]) & (field("tag") == "x"), "ac"),
    "and a field of another": ((PK == "a") & (field("tag") == "y"), ""),
    "or a field": ((PK == "a") | (field("tag") == "y"), "abd"),
    "not, and a field": (~(PK == "a") & (field("tag") == "x"), "c"),
    "and not a field": (PK.in_(["a", "b"]) & ~(field("tag") == "x"), "b"),
    "and a range": (PK.in_(["b", "c"]) & (field("number") > 1), "c"),
    "and words": ((PK != "a") & field("bio").matches("odd"), "c"),
}
"""Conditions on pks and indexed fields, and the pks that fulfil them."""


class KeyContract(Binding):
    """What asks for pks alone, or for pks and indexed fields, reads no document."""

    @pytest.fixture
    def tagged(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """a to d; a and c are tagged "x", b and d "y"."""
        specimens.save_many(
            specimen(pk, tag="xyxy"[n], number=n, bio=("odd one", "even one")[n % 2])
            for n, pk in enumerate("abcd")
        )
        return specimens

    @pytest.fixture
    def unreadable(self, store: Store, tagged: Repository[Specimen]) -> Repository[Specimen]:
        """The same, but whoever reads a document fails."""
        for pk in "abcd":
            document = json.dumps({"pk": pk, "number": "many"})
            self.write_raw(store, tagged.collection, pk, document)
        return tagged

    @pytest.mark.parametrize("name", ANSWERS)
    def test_a_condition_on_the_pk(self, tagged: Repository[Specimen], name: str) -> None:
        condition, expected = ANSWERS[name]
        assert pks_of(tagged.find(condition)) == list(expected)
        assert pks_of(tagged.find(condition, order_by="-number")) == list(expected)[::-1]
        assert pks_of(tagged.iterate(condition, batch_size=1)) == list(expected)
        assert pks_of(tagged.find(condition, field("plain_text") == "")) == list(expected)
        assert tagged.delete_many(condition) == len(expected)
        assert pks_of(contents(tagged)) == [pk for pk in "abcd" if pk not in expected]

    @pytest.mark.parametrize("name", ANSWERS)
    def test_a_condition_on_the_pk_reads_no_document(
        self, unreadable: Repository[Specimen], name: str
    ) -> None:
        condition, expected = ANSWERS[name]
        assert unreadable.pks(condition) == list(expected)
        assert unreadable.count(condition) == len(expected)
        assert unreadable.exists(condition) is bool(expected)
        assert unreadable.project(["pk", "tag"], condition) == [
            {"pk": pk, "tag": "xyxy"["abcd".index(pk)]} for pk in expected
        ]
        assert not unreadable.explain(condition).scan

    def test_a_pk_as_a_keyword_reads_no_document(self, unreadable: Repository[Specimen]) -> None:
        assert unreadable.exists(pk="a")
        assert not unreadable.exists(pk="z")
        assert unreadable.pks(pk="b") == ["b"]
        assert unreadable.pks(pk="z") == []
        assert unreadable.count(pk="c") == 1
        assert unreadable.count(pk="z") == 0
        assert unreadable.count(pk="c", tag="x") == 1
        assert unreadable.count(pk="c", tag="y") == 0
        assert unreadable.project(["tag"], pk="d") == [{"tag": "y"}]
        assert unreadable.project(["tag"], pk="z") == []

    def test_pages_of_some_pks_read_no_document(self, unreadable: Repository[Specimen]) -> None:
        some = PK.in_(["d", "b", "a"])
        assert unreadable.pks(some, limit=2) == ["a", "b"]
        assert unreadable.pks(some, limit=0) == []
        assert unreadable.pks(some, after="a") == ["b", "d"]
        assert unreadable.pks(some, after="b", limit=5) == ["d"]
        assert unreadable.pks(some, after="c", limit=1) == ["d"]
        assert unreadable.pks(some, after="d") == []
        assert unreadable.pks(~(PK == "b"), after="a", limit=1) == ["c"]
        assert unreadable.pks(pk="b", after="b") == []
        assert unreadable.pks(pk="b", after="a") == ["b"]

    def test_many_pks(self, tagged: Repository[Specimen]) -> None:
        many = PK.in_([f"{n:05}" for n in range(3_000)] + ["b", "d"])
        assert tagged.pks(many) == ["b", "d"]
        assert tagged.pks(~many) == ["a", "c"]
        assert pks_of(tagged.find(many, tag="y", limit=1)) == ["b"]
        either: Condition = Or((PK == "a", *(field("pk") == f"{n:05}" for n in range(150))))
        assert tagged.pks(either) == ["a"]
        assert tagged.count(~either) == 3
