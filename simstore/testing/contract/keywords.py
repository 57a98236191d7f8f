"""Keywords: each call has its own arguments, and every other keyword is a field."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from simstore.domain.errors import QueryError
from simstore.domain.fields import Indexed
from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.domain.store import Store
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import contents, pks_of, specimen
from simstore.testing.models import Specimen

Call = Callable[[Any], object]
"""A call of a repository; untyped, for some are mistaken."""


class Reserved(BaseModel):
    """A model whose fields are named as arguments are."""

    pk: str
    limit: Annotated[int, Indexed()] = 0
    offset: int = 0
    after: Annotated[str, Indexed()] = ""
    order_by: str = ""
    batch_size: Annotated[int, Indexed()] = 0
    change: str = ""
    ttl: float = 0.0


EQUALITY: dict[str, tuple[Call, object]] = {
    "count(limit)": (lambda r: r.count(limit=9), 2),
    "count(limit), of none": (lambda r: r.count(limit=1), 0),
    "count(offset)": (lambda r: r.count(offset=1), 1),
    "count(batch_size)": (lambda r: r.count(batch_size=5, order_by="pk"), 2),
    "exists(after)": (lambda r: r.exists(after="x"), True),
    "exists(after), of none": (lambda r: r.exists(after="a"), False),
    "exists(limit)": (lambda r: r.exists(limit=0), False),
    "first(limit)": (lambda r: r.first(limit=8).pk, "b"),
    "first(offset)": (lambda r: r.first(offset=1).pk, "c"),
    "first(after)": (lambda r: r.first(after="a"), None),
    "one(offset)": (lambda r: r.one(offset=1).pk, "c"),
    "one(limit)": (lambda r: r.one(limit=8).pk, "b"),
    "pks(offset)": (lambda r: r.pks(offset=2), ["a", "b"]),
    "pks(order_by)": (lambda r: r.pks(order_by="limit"), ["b"]),
    "find(batch_size)": (lambda r: pks_of(r.find(batch_size=1)), ["b"]),
    "iterate(limit)": (lambda r: pks_of(r.iterate(limit=9)), ["a", "c"]),
    "iterate(offset, order_by)": (lambda r: pks_of(r.iterate(offset=2, order_by="pk")), ["a"]),
    "project(limit)": (lambda r: r.project(["pk"], limit=9), [{"pk": "a"}, {"pk": "c"}]),
    "project(after)": (lambda r: r.project(["offset"], after="z"), [{"offset": 1}]),
    "explain(limit)": (lambda r: r.explain(limit=9).reads_all, False),
}
"""Calls with keywords that are no arguments of theirs."""

ARGUMENTS: dict[str, tuple[Call, object]] = {
    "find(limit)": (lambda r: pks_of(r.find(limit=2)), ["a", "b"]),
    "find(offset)": (lambda r: pks_of(r.find(offset=2)), ["c"]),
    "find(after)": (lambda r: pks_of(r.find(after="a")), ["b", "c"]),
    "find(order_by)": (lambda r: pks_of(r.find(order_by="-offset")), ["a", "b", "c"]),
    "find(order_by the like-named)": (lambda r: pks_of(r.find(order_by="limit")), ["b", "a", "c"]),
    "first(order_by)": (lambda r: r.first(order_by="limit").pk, "b"),
    "first(order_by, limit)": (lambda r: r.first(order_by="offset", limit=9).pk, "c"),
    "pks(limit)": (lambda r: r.pks(limit=1), ["a"]),
    "pks(after)": (lambda r: r.pks(after="b"), ["c"]),
    "pks(limit, and the like-named)": (lambda r: r.pks(field("limit") == 9, limit=1), ["a"]),
    "iterate(batch_size)": (lambda r: pks_of(r.iterate(batch_size=2)), ["a", "b", "c"]),
}
"""The same names where they are arguments."""

MISTAKEN: dict[str, Call] = {
    "first(offset)": lambda r: r.first(offset=1),
    "first(limit)": lambda r: r.first(limit=1),
    "exists(after)": lambda r: r.exists(after="x"),
    "exists(order_by)": lambda r: r.exists(order_by="tag"),
    "one(limit)": lambda r: r.one(limit=1),
    "count(limit)": lambda r: r.count(limit=1),
    "count(offset)": lambda r: r.count(offset=0),
    "pks(offset)": lambda r: r.pks(offset=1),
    "pks(order_by)": lambda r: r.pks(order_by="tag"),
    "find(batch_size)": lambda r: r.find(batch_size=2),
    "iterate(limit)": lambda r: r.iterate(limit=1),
    "iterate(after)": lambda r: r.iterate(after="a"),
    "project(order_by)": lambda r: r.project(["tag"], order_by="tag"),
    "project(limit)": lambda r: r.project(["tag"], limit=None),
    "explain(limit)": lambda r: r.explain(limit=1),
    "delete_many(limit)": lambda r: r.delete_many(limit=1),
    "delete_many(limit=None)": lambda r: r.delete_many(limit=None),
    "delete_many(offset)": lambda r: r.delete_many(offset=0),
    "delete_many(after)": lambda r: r.delete_many(after="a"),
    "delete_many(batch_size)": lambda r: r.delete_many(batch_size=10),
    "delete_many(condition, limit)": lambda r: r.delete_many(field("tag") == "x", limit=1),
    "delete_many(pks, limit)": lambda r: r.delete_many(["a", "b"], limit=1),
    "update_many(limit)": lambda r: r.update_many(_untag, limit=1),
    "update_many(batch_size)": lambda r: r.update_many(_untag, batch_size=10),
    "update_many(ttl)": lambda r: r.update_many(_untag, tag="x", ttl=60),
}
"""Calls with arguments of other calls, on a model without such fields."""


def _untag(item: Specimen) -> None:
    item.tag = ""


class KeywordContract(Binding):
    """No call takes an argument of another for its own, nor a field for an argument."""

    @pytest.fixture
    def reserved(self, store: Store) -> Repository[Reserved]:
        reserved = store.repository(Reserved)
        reserved.save_many(
            [
                Reserved(pk="a", limit=9, offset=2, after="x", order_by="pk", batch_size=5),
                Reserved(pk="b", limit=8, offset=2, after="y", order_by="limit", batch_size=1),
                Reserved(pk="c", limit=9, offset=1, after="z", order_by="pk", batch_size=5),
            ]
        )
        return reserved

    @pytest.mark.parametrize("name", EQUALITY)
    def test_a_field_named_like_an_argument_of_another_call(
        self, reserved: Repository[Reserved], name: str
    ) -> None:
        call, expected = EQUALITY[name]
        assert call(reserved) == expected

    @pytest.mark.parametrize("name", ARGUMENTS)
    def test_an_argument_of_the_call_is_no_field(
        self, reserved: Repository[Reserved], name: str
    ) -> None:
        call, expected = ARGUMENTS[name]
        assert call(reserved) == expected

    @pytest.mark.parametrize(
        ("equals", "left"),
        [
            ({"limit": 9}, ["b"]),
            ({"limit": 1}, ["a", "b", "c"]),
            ({"offset": 2}, ["c"]),
            ({"after": "x"}, ["b", "c"]),
            ({"after": "a"}, ["a", "b", "c"]),
            ({"order_by": "limit"}, ["a", "c"]),
            ({"batch_size": 5, "offset": 1}, ["a", "b"]),
        ],
        ids=str,
    )
    def test_delete_many_by_fields_named_like_arguments(
        self, reserved: Repository[Reserved], equals: dict[str, Any], left: list[str]
    ) -> None:
        assert reserved.delete_many(**equals) == 3 - len(left)
        assert reserved.pks() == left

    @pytest.mark.parametrize(
        ("equals", "changed"),
        [
            ({"limit": 9}, ["a", "c"]),
            ({"after": "x", "order_by": "pk"}, ["a"]),
            ({"batch_size": 1}, ["b"]),
            ({"ttl": 0.0}, ["a", "b", "c"]),
            ({"change": "x"}, []),
        ],
        ids=str,
    )
    def test_update_many_by_fields_named_like_arguments(
        self, reserved: Repository[Reserved], equals: dict[str, Any], changed: list[str]
    ) -> None:
        def change(item: Reserved) -> None:
            item.change = "done"

        assert reserved.update_many(change, **equals) == len(changed)
        assert pks_of(reserved.find(field("change") == "done")) == changed

    @pytest.mark.parametrize("name", MISTAKEN)
    def test_an_argument_of_another_call_is_refused(
        self, specimens: Repository[Specimen], name: str
    ) -> None:
        kept = [specimen(pk, tag="x") for pk in "abc"]
        specimens.save_many(kept)
        with pytest.raises(QueryError):
            MISTAKEN[name](specimens)
        assert contents(specimens) == kept
