"""order_by, limit, offset and after."""

import pytest

from simstore.domain.errors import InvalidArgumentError, QueryError
from simstore.domain.query import Condition, field
from simstore.domain.repository import OrderBy, Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import pks_of, specimen
from simstore.testing.models import Level, Part, Specimen
from simstore.testing.texts import HOSTILE_PKS, HOSTILE_TEXTS


class OrderingContract(Binding):
    """The order is total, the same in every backend, and pages cover it without gap or overlap."""

    @pytest.fixture
    def six(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        specimens.save_many(
            specimen(
                pk, number=number, ratio=ratio, nickname=text, plain_number=number,
                plain_nickname=text, level=Level.high if pk in "bd" else Level.low,
                home=None if text is None else Part(label=text), active=pk in "ae", tag="all",
            )
            for pk, number, ratio, text in (
                ("e", 5, None, "b"), ("b", 10, 0.5, None), ("d", 5, float("-inf"), "B"),
                ("a", -1, 0.5, "a"), ("c", 9, float("inf"), None), ("f", 5, -0.0, ""),
            )
        )  # fmt: skip
        return specimens

    def test_the_order_is_by_pk(self, six: Repository[Specimen]) -> None:
        assert pks_of(six.find()) == list("abcdef")
        assert pks_of(six.find(order_by="pk")) == list("abcdef")
        assert pks_of(six.find(order_by="-pk")) == list("fedcba")

    def test_pks_sort_by_code_point(self, specimens: Repository[Specimen]) -> None:
        specimens.save_many(specimen(pk) for pk in HOSTILE_PKS)
        assert specimens.pks() == sorted(HOSTILE_PKS)
        assert pks_of(specimens.find()) == sorted(HOSTILE_PKS)
        assert pks_of(specimens.iterate(batch_size=7)) == sorted(HOSTILE_PKS)

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            ("number", "adefcb"),
            ("-number", "bcdefa"),
            ("plain_number", "adefcb"),
            ("-plain_number", "bcdefa"),
            ("ratio", "dfabce"),
            ("-ratio", "cabfde"),
            ("nickname", "fdaebc"),
            ("-nickname", "eadfbc"),
            ("plain_nickname", "fdaebc"),
            ("-plain_nickname", "eadfbc"),
            ("home.label", "fdaebc"),
            ("-home.label", "eadfbc"),
            ("level", "acefbd"),
            ("-level", "bdacef"),
            ("active", "bcdfae"),
            ("-active", "aebcdf"),
            ("tag", "abcdef"),
            ("-tag", "abcdef"),
        ],
    )
    def test_order_by_a_field_ties_by_pk_and_none_last(
        self, six: Repository[Specimen], order_by: str, expected: str
    ) -> None:
        assert pks_of(six.find(order_by=order_by)) == list(expected)
        filtered = six.find(field("number") > 0, order_by=order_by)
        assert pks_of(filtered) == [pk for pk in expected if pk != "a"]
        scanned = six.find(field("plain_number") > 0, order_by=order_by)
        assert pks_of(scanned) == [pk for pk in expected if pk != "a"]

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            (["number", "nickname"], "afdecb"),
            (["number", "-nickname"], "aedfcb"),
            (["-number", "nickname"], "bcfdea"),
            (["plain_number", "-nickname"], "aedfcb"),
            (["ratio", "-pk"], "dfbace"),
            (("-level", "home.label", "number"), "dbfaec"),
            (["active", "-level", "-number"], "bdcfea"),
            (["tag"], "abcdef"),
            (["pk", "number"], "abcdef"),
            ([], "abcdef"),
        ],
    )
    def test_order_by_several_fields(
        self, six: Repository[Specimen], order_by: OrderBy, expected: str
    ) -> None:
        assert pks_of(six.find(order_by=order_by)) == list(expected)
        assert pks_of(six.find(order_by=order_by, offset=1, limit=3)) == list(expected[1:4])
        first = six.first(field("number") > 0, order_by=order_by)
        assert first is not None
        assert first.pk == expected.replace("a", "")[0]

    def test_text_sorts_by_code_point(self, specimens: Repository[Specimen]) -> None:
        specimens.save_many(
            specimen(f"{n:03}", tag=text, plain_text=text) for n, text in enumerate(HOSTILE_TEXTS)
        )
        ordered = sorted(HOSTILE_TEXTS)
        assert [item.tag for item in specimens.find(order_by="tag")] == ordered
        assert [item.tag for item in specimens.find(order_by="-plain_text")] == ordered[::-1]

    def test_text_compares_by_code_point(self, specimens: Repository[Specimen]) -> None:
        # UTF-16 and most locales put these the other way round.
        specimens.save(specimen("bmp", tag="\uffff", plain_text="\uffff"))
        specimens.save(specimen("astral", tag="😀", plain_text="😀"))
        for path in ("tag", "plain_text"):
            assert specimens.pks(field(path) > "\uffff") == ["astral"]
            assert specimens.pks(field(path) < "😀") == ["bmp"]

    def test_large_ints_sort_exactly(self, specimens: Repository[Specimen]) -> None:
        numbers = [2**53 + 1, 2**53, 2**53 + 2, -(2**63), 2**63 - 1, 2**63 - 2, 9, 10]
        specimens.save_many(specimen(str(n), number=n, mixed=n, plain_number=n) for n in numbers)
        for path in ("number", "plain_number", "mixed"):
            found = specimens.find(order_by=path)
            assert [item.number for item in found] == sorted(numbers)

    @pytest.mark.parametrize("order_by", [None, "number", "-ratio", "plain_nickname"])
    @pytest.mark.parametrize("condition", [None, field("tag") == "all", field("plain_number") > 0])
    def test_limit_and_offset_cut_the_whole_list(
        self, six: Repository[Specimen], order_by: str | None, condition: Condition | None
    ) -> None:
        where = () if condition is None else (condition,)
        whole = pks_of(six.find(*where, order_by=order_by))
        for offset in range(8):
            assert pks_of(six.find(*where, order_by=order_by, offset=offset)) == whole[offset:]
            for limit in range(8):
                page = six.find(*where, order_by=order_by, limit=limit, offset=offset)
                assert pks_of(page) == whole[offset : offset + limit]

    @pytest.mark.parametrize("condition", [None, field("tag") == "all", field("plain_number") > 0])
    def test_after_pages_without_gap_or_overlap(
        self, six: Repository[Specimen], condition: Condition | None
    ) -> None:
        where = () if condition is None else (condition,)
        whole = pks_of(six.find(*where))
        for size in (1, 2, 3, 6):
            pages: list[str] = []
            after = None
            while page := pks_of(six.find(*where, limit=size, after=after)):
                assert page == six.pks(*where, limit=size, after=after)
                pages += page
                after = page[-1]
            assert pages == whole

    def test_after_needs_no_record_there(self, six: Repository[Specimen]) -> None:
        assert pks_of(six.find(after="bb", limit=2)) == list("cd")
        assert pks_of(six.find(after="z")) == []

    def test_after_together_with_an_offset(self, six: Repository[Specimen]) -> None:
        assert pks_of(six.find(after="b", offset=1, limit=2)) == list("de")
        assert pks_of(six.find(field("plain_number") > 0, after="b", offset=1)) == list("def")

    def test_after_and_the_pks_asked_for(self, six: Repository[Specimen]) -> None:
        few = field("pk").in_(["e", "b", "c"])
        assert pks_of(six.find(few)) == list("bce")
        assert pks_of(six.find(few, after="b")) == list("ce")
        assert pks_of(six.find(few, offset=1, limit=1)) == ["c"]

    def test_after_is_in_the_order_of_pks_alone(self, six: Repository[Specimen]) -> None:
        with pytest.raises(InvalidArgumentError):
            six.find(order_by="number", after="a")

    @pytest.mark.parametrize(
        "order_by", ["nubmer", "-nubmer", "home.labl", "", ["number", "nubmer"], [""]]
    )
    def test_order_by_an_unknown_field(self, six: Repository[Specimen], order_by: OrderBy) -> None:
        with pytest.raises(QueryError):
            six.find(order_by=order_by)

    @pytest.mark.parametrize(
        "order_by", ["labels", "extra", "parts.label", "home", ("number", "labels")]
    )
    def test_order_by_a_field_without_order(
        self, six: Repository[Specimen], order_by: OrderBy
    ) -> None:
        with pytest.raises(QueryError):
            six.find(order_by=order_by)

    def test_the_order_follows_changes(self, six: Repository[Specimen]) -> None:
        six.save(specimen("a", number=100, tag="all"))
        six.delete("c")
        assert pks_of(six.find(order_by="number")) == list("defba")
