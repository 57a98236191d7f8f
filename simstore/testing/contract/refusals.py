"""Bad input: a clear error of simstore's own, and nothing stored or lost."""

# ruff: noqa: PT012 — a transaction is refused as a whole: here or there in its block

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from simstore.domain.errors import (
    InvalidArgumentError,
    InvalidPkError,
    InvalidRecordError,
    QueryError,
    WrongModelError,
)
from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.domain.store import Capability, Store
from simstore.testing.binding import Binding, need
from simstore.testing.contract.helpers import contents, specimen
from simstore.testing.models import Level, Part, Span, Specimen
from simstore.testing.texts import BAD_PKS, HALF_PAIRS

_NAN = float("nan")

Spoil = Callable[[Specimen], None]


def _set(**values: Any) -> Spoil:
    def spoil(item: Specimen) -> None:
        for name, value in values.items():
            setattr(item, name, value)

    return spoil


SPOILT: dict[str, Spoil] = {
    "NaN": _set(score=float("nan")),
    "NaN, not indexed": _set(plain_score=float("nan")),
    "NaN in JSON": lambda item: item.extra.update(deep=[{"k": float("nan")}]),
    "NaN, embedded": lambda item: item.parts.append(Part.model_construct(weight=float("nan"))),
    "NaN in a union": _set(mixed=float("nan")),
    "int beyond 64 bits": _set(number=2**63),
    "int below 64 bits": _set(plain_number=-(2**63) - 1),
    "huge int in JSON": lambda item: item.extra.update(k=10**40),
    "huge int in a list": _set(marks=[1, 2**64]),
    "wrong type": _set(number="many"),
    "wrong type, not indexed": _set(plain_number="many"),
    "None where none may be": _set(tag=None),
    "wrong element": lambda item: item.labels.append(cast("str", 5)),
    "not a list": _set(labels="x"),
    "no such choice": _set(status="broken"),
    "no such member": _set(level=7),
    "not JSON": lambda item: item.extra.update(k=cast("Any", object())),
    "half a pair": _set(tag=HALF_PAIRS[0]),
    "half a pair, not indexed": _set(plain_text=HALF_PAIRS[2]),
    "half a pair as a key": lambda item: item.extra.update({HALF_PAIRS[1]: 1}),
}
"""Changes after which a record, valid when it was made, cannot be stored."""


class RefusalContract(Binding):
    """Each refusal leaves the store as it was."""

    @pytest.fixture
    def one(self, specimens: Repository[Specimen]) -> Iterator[Repository[Specimen]]:
        """A repository with one record, which must still be all there is when the test ends."""
        kept = specimen("a", tag="kept", number=1, labels=["l"])
        specimens.save(kept)
        yield specimens
        assert contents(specimens) == [kept]
        assert specimens.pks(tag="kept") == ["a"]
        assert specimens.count(field("labels").contains("l")) == 1

    @pytest.mark.parametrize("name", SPOILT)
    def test_a_record_spoilt_after_it_was_made(
        self, one: Repository[Specimen], store: Store, name: str
    ) -> None:
        spoil = SPOILT[name]
        replacing, item = specimen("a", tag="spoilt"), specimen("b", tag="spoilt")
        for spoilt in (replacing, item):
            spoil(spoilt)
            with pytest.raises(InvalidRecordError):
                one.check(spoilt)
            with pytest.raises(InvalidRecordError):
                one.save(spoilt)
            with pytest.raises(InvalidRecordError):
                one.save_many([specimen("c"), spoilt, specimen("d")])
        with pytest.raises(InvalidRecordError):
            one.add(item)
        with pytest.raises(InvalidRecordError):
            one.update("a", spoil)
        with pytest.raises(InvalidRecordError):
            one.update_many(spoil)
        with pytest.raises(InvalidRecordError), store.transaction() as transaction:
            transaction.repository(Specimen).save(item)

    @pytest.mark.parametrize("name", SPOILT)
    def test_a_spoilt_record_fails_the_whole_transaction(
        self, one: Repository[Specimen], store: Store, name: str
    ) -> None:
        need(store, Capability.WIDE_TRANSACTIONS)
        item = specimen("b", tag="spoilt")
        SPOILT[name](item)
        with pytest.raises(InvalidRecordError), store.transaction() as transaction:
            transaction.repository(Specimen).save(specimen("c"))
            transaction.repository(Specimen).save(item)

    def test_the_refusal_of_a_record_names_it_and_its_field(
        self, one: Repository[Specimen]
    ) -> None:
        item = specimen("b")
        item.plain_score = float("nan")
        with pytest.raises(InvalidRecordError, match=r"(?s)'b'.*plain_score"):
            one.save(item)

    def test_a_check_of_a_good_record_writes_nothing(self, one: Repository[Specimen]) -> None:
        before = contents(one)
        one.check(specimen("a", tag="changed"))
        one.check(specimen("new"))
        assert contents(one) == before

    def test_a_check_refuses_a_record_of_another_model(self, one: Repository[Specimen]) -> None:
        with pytest.raises(WrongModelError):
            cast("Any", one).check(Span(pk="a", start=1, end=2))

    def test_a_broken_invariant(self, store: Store) -> None:
        spans = store.repository(Span)
        spans.save(Span(pk="a", start=1, end=2))
        broken = Span(pk="a", start=1, end=2)
        broken.start = 3
        with pytest.raises(InvalidRecordError, match="start 3 is after end 2"):
            spans.save(broken)
        with pytest.raises(InvalidRecordError):
            spans.save_many([Span(pk="b", start=0, end=0), broken])
        assert spans.find() == [Span(pk="a", start=1, end=2)]

    @pytest.mark.parametrize("text", HALF_PAIRS)
    def test_half_a_surrogate_pair_given_at_construction(
        self, one: Repository[Specimen], text: str
    ) -> None:
        with pytest.raises(InvalidRecordError):
            one.save(specimen("b", plain_text=text))
        with pytest.raises(InvalidRecordError):
            one.save(specimen("b", extra={"k": text}))

    @pytest.mark.parametrize("pk", BAD_PKS, ids=range(len(BAD_PKS)))
    def test_a_pk_that_no_backend_could_keep(
        self, one: Repository[Specimen], store: Store, pk: str
    ) -> None:
        bad = specimen("b").model_copy(update={"pk": pk})
        calls: list[Callable[[], object]] = [
            lambda: one.save(bad),
            lambda: one.add(bad),
            lambda: one.save_many([specimen("c"), bad]),
            lambda: one.get(pk),
            lambda: one.get_versioned(pk),
            lambda: one.get_many(["a", pk]),
            lambda: one.get_many(["a", pk], missing="skip"),
            lambda: one.update(pk, lambda item: item),
            lambda: one.delete(pk),
            lambda: one.delete_many(["a", pk]),
        ]
        for call in calls:
            with pytest.raises(InvalidPkError):
                call()
        for name in ("save", "add", "get", "delete"):
            with pytest.raises(InvalidPkError), store.transaction() as transaction:
                repository = transaction.repository(Specimen)
                getattr(repository, name)(bad if name in {"save", "add"} else pk)

    @pytest.mark.parametrize("pk", [None, 5, b"a", ["a"]], ids=repr)
    def test_a_pk_that_is_no_text(self, one: Repository[Specimen], pk: Any) -> None:
        with pytest.raises(InvalidPkError):
            one.get(pk)
        with pytest.raises(InvalidPkError):
            one.delete(pk)
        with pytest.raises(InvalidPkError):
            one.get_many([pk])

    def test_an_item_of_another_model(self, one: Repository[Specimen], store: Store) -> None:
        class Imposter(Specimen):
            pass

        others = (Span(pk="b", start=0, end=1), Part(), Imposter(pk="b"), {"pk": "b"}, 5, "b")
        for item in cast("tuple[Specimen, ...]", others):

            def change(_: Specimen, item: Specimen = item) -> Specimen:
                return item

            with pytest.raises(WrongModelError):
                one.save(item)
            with pytest.raises(WrongModelError):
                one.add(item)
            with pytest.raises(WrongModelError):
                one.save_many([specimen("c"), item])
            with pytest.raises(WrongModelError):
                one.update("a", change)
            with pytest.raises(WrongModelError):
                one.update_many(change)
            with pytest.raises(WrongModelError), store.transaction() as transaction:
                transaction.repository(Specimen).add(item)

    @pytest.mark.parametrize(
        ("condition", "hint"),
        [
            (field("nubmer") == 1, "'number'"),
            (field("home.labl") == "x", "'label'"),
            (field("parts.labels") == "x", "'label'"),
            (field("plain_txt").contains("x"), "'plain_text'"),
            (field("tag.x") == 1, "tag has no fields"),
            ((field("tag") == "x") & ~(field("nubmer") == 1), "'number'"),
        ],
        ids=str,
    )
    def test_an_unknown_field(
        self, one: Repository[Specimen], condition: Condition, hint: str
    ) -> None:
        self._refused(one, condition, hint)

    def test_an_unknown_keyword(self, one: Repository[Specimen]) -> None:
        with pytest.raises(QueryError, match="'number'"):
            one.find(nubmer=1)
        with pytest.raises(QueryError, match="'number'"):
            one.delete_many(nubmer=1)
        with pytest.raises(QueryError, match="'number'"):
            one.update_many(lambda item: item, nubmer=1)

    @pytest.mark.parametrize(
        "condition",
        [
            field("number") == "1",
            field("number") == True,
            field("number") != "1",
            field("tag") == 1,
            field("active") == 1,
            field("active") > False,
            field("score") == "1.0",
            field("score") == _NAN,
            field("plain_score") < _NAN,
            field("level") == 7,
            field("level") == "high",
            field("status") == "broken",
            field("colour") == "green",
            field("tag").in_(["x", 1]),
            field("tag") == ["x"],
            field("tag").contains("x"),
            field("labels") == "x",
            field("labels") == ["x", 1],
            field("labels") > "x",
            field("labels").in_(["x"]),
            field("labels").contains(1),
            field("labels").startswith("x"),
            field("number").startswith("1"),
            field("number").matches("1"),
            field("bio").matches("..."),
            field("bio").matches(""),
            field("extra") == cast("Any", {"k": 1}),
            field("extra").contains("k"),
            field("home") == "x",
            field("parts") == [],
            field("tag") == HALF_PAIRS[0],
            field("tag").startswith(HALF_PAIRS[1]),
            field("tag") == cast("Any", b"x"),
        ],
        ids=repr,
    )
    def test_an_operand_or_operator_that_does_not_fit_the_field(
        self, one: Repository[Specimen], condition: Condition
    ) -> None:
        self._refused(one, condition, condition.path)  # type: ignore[attr-defined]  # a Comparison

    def _refused(self, one: Repository[Specimen], condition: Condition, hint: str) -> None:
        calls: list[Callable[[Condition], object]] = [
            one.find, one.iterate, one.first, one.one, one.count, one.exists, one.pks, one.explain,
            one.delete_many, lambda condition: one.project(["tag"], condition),
            lambda condition: one.update_many(_set(tag="new"), condition),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(QueryError, match=hint.replace(".", r"\.")):
                call(condition)

    @pytest.mark.parametrize("condition", [True, "tag == 'x'", {"tag": "x"}, None, Level.low])
    def test_what_is_no_condition(self, one: Repository[Specimen], condition: Any) -> None:
        with pytest.raises(QueryError):
            one.find(condition)
        with pytest.raises(QueryError):
            one.count(field("tag") == "x", condition)
        with pytest.raises(QueryError):
            one.update_many(_set(tag="new"), condition)

    def test_arguments_out_of_range(self, one: Repository[Specimen]) -> None:
        calls: list[Callable[[], object]] = [
            lambda: one.find(limit=-1),
            lambda: one.find(offset=-1),
            lambda: one.find(tag="kept", limit=-1),
            lambda: one.find(order_by="tag", limit=-1),
            lambda: one.find(limit=cast("int", 1.5)),
            lambda: one.find(limit=cast("int", "1")),
            lambda: one.pks(limit=-1),
            lambda: one.iterate(batch_size=0),
            lambda: one.iterate(batch_size=-1),
            lambda: one.get_many(["a"], missing=cast("Any", "ignore")),
            lambda: one.get_many("a"),
            lambda: one.delete_many("a"),
        ]
        for call in calls:
            with pytest.raises(InvalidArgumentError):
                call()

    def test_after_is_a_pk(self, one: Repository[Specimen]) -> None:
        with pytest.raises(InvalidPkError):
            one.find(after="a/b")
        with pytest.raises(InvalidPkError):
            one.pks(after="")
