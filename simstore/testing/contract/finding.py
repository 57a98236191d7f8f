"""Conditions: what each operator means."""

from collections.abc import Sequence
from typing import Any

import pytest

from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import pks_of, specimen
from simstore.testing.models import Colour, Level, Part, Specimen

_F = field

_COMPARISONS: Sequence[Condition] = (
    _F("tag") == "pilot", _F("plain_text") == "pilot", _F("nickname") == None, _F("number") == 1,
    _F("score") == 0, _F("ratio") == None, _F("active") == True, _F("level") == Level.high,
    _F("colour") == Colour.blue, _F("status") == "used", _F("mixed") == 1, _F("mixed") == True,
    _F("labels") == ["x", "y"], _F("labels") == [], _F("marks") == None, _F("home") == None,
    _F("home.label") == "den", _F("home.label") == None, _F("parts.label") == ["p", "q"],
    _F("extra") == None, _F("plain_number") == 2**53, _F("number") < 1, _F("tag") >= "pilot",
    _F("ratio") > 0, _F("ratio") <= 0, _F("nickname") < "~", _F("plain_nickname") >= "",
    _F("level") >= Level.middle, _F("tag").in_(["pilot", ""]), _F("nickname").in_([None, "nick"]),
    _F("tag").in_([]), _F("labels").contains("x"), _F("marks").contains(3),
    _F("parts.label").contains("q"), _F("parts.remark").contains(None), _F("tag").startswith("pi"),
    _F("tag").startswith(""), _F("nickname").startswith(""), _F("bio").matches("two words"),
    _F("motto").matches("words"), _F("plain_text").matches("pilot"), _F("pk") == "b",
    _F("pk") < "c", _F("pk").in_(["a", "d", "zz"]), _F("pk").startswith("a"),
)  # fmt: skip


class FindingContract(Binding):
    """Each condition means the same everywhere, by index or by scan."""

    @pytest.fixture
    def four(self, specimens: Repository[Specimen]) -> Repository[Specimen]:
        """Four records that differ in everything."""
        specimens.save_many(
            [
                specimen(
                    "a", tag="pilot", nickname="nick", number=1, score=1.5, ratio=0.5, active=True,
                    level=Level.high, colour=Colour.blue, status="used", mixed=1, labels=["x", "y"],
                    marks=[3, 4], home=Part(label="den", weight=2.0), bio="Two WORDS, or three",
                    parts=[Part(label="p", remark="r"), Part(label="q")], motto="words",
                    plain_text="pilot", plain_nickname="", plain_number=2**53, plain_active=True,
                    plain_labels=["x"], plain_level=Level.middle,
                ),
                specimen(
                    "b", tag="pilots", nickname="", number=0, score=-0.0, ratio=float("-inf"),
                    level=Level.middle, colour=Colour.red, mixed=True, labels=["y", "x"], marks=[],
                    home=Part(), parts=[Part(label="q", remark="")], bio="words two",
                    plain_text="Pilot", plain_number=2**53 + 1, plain_nickname="n",
                ),
                specimen("c", tag="", number=-1, mixed="1", labels=["x"], bio="twofold words"),
                specimen("d", tag="Pilot", number=2**63 - 1, mixed=1.0, motto="no, nothing"),
            ]
        )  # fmt: skip
        return specimens

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("tag") == "pilot", "a"),
            (_F("tag") == "", "c"),
            (_F("plain_text") == "pilot", "a"),
            (_F("nickname") == "", "b"),
            (_F("nickname") == None, "cd"),
            (_F("plain_nickname") == None, "cd"),
            (_F("number") == 0, "b"),
            (_F("number") == 2**63 - 1, "d"),
            (_F("number") == 2.0**63, ""),
            (_F("score") == 0, "bcd"),
            (_F("score") == 0.0, "bcd"),
            (_F("ratio") == float("-inf"), "b"),
            (_F("plain_number") == 2**53, "a"),
            (_F("plain_number") == 2**53 + 1, "b"),
            (_F("plain_number") == 2.0**53, "a"),
            (_F("active") == True, "a"),
            (_F("active") == False, "bcd"),
            (_F("plain_active") == True, "a"),
            (_F("level") == Level.high, "a"),
            (_F("level") == 10, "a"),
            (_F("plain_level") == Level.middle, "a"),
            (_F("colour") == Colour.blue, "a"),
            (_F("colour") == "red", "b"),
            (_F("colour") == None, "cd"),
            (_F("status") == "new", "bcd"),
            (_F("mixed") == 1, "ad"),
            (_F("mixed") == 1.0, "ad"),
            (_F("mixed") == True, "b"),
            (_F("mixed") == "1", "c"),
        ],
    )
    def test_equality(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("labels") == ["x", "y"], "a"),
            (_F("labels") == ["y", "x"], "b"),
            (_F("labels") == ("x",), "c"),
            (_F("labels") == ["x", "x"], ""),
            (_F("labels") == [], "d"),
            (_F("labels") == None, ""),
            (_F("plain_labels") == ["x"], "a"),
            (_F("marks") == [], "b"),
            (_F("marks") == None, "cd"),
            (_F("marks") == [3, 4], "a"),
            (_F("parts.label") == ["p", "q"], "a"),
            (_F("parts.remark") == ["r", None], "a"),
            (_F("parts.label") == [], "cd"),
        ],
    )
    def test_lists_are_equal_element_by_element(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("number") < 0, "c"),
            (_F("number") <= 0, "bc"),
            (_F("number") > 1, "d"),
            (_F("number") >= 1, "ad"),
            (_F("number") > 0.5, "ad"),
            (_F("number") >= 2.0**62, "d"),
            (_F("plain_number") > 2**53, "b"),
            (_F("plain_number") > 2.0**53, "b"),
            (_F("score") < 0, ""),
            (_F("score") <= 0, "bcd"),
            (_F("ratio") < 0, "b"),
            (_F("ratio") > float("-inf"), "a"),
            (_F("level") > Level.low, "ab"),
            (_F("plain_level") < 5, "bcd"),
            (_F("tag") < "pilot", "cd"),
            (_F("tag") > "pilot", "b"),
            (_F("tag") <= "", "c"),
            (_F("nickname") >= "", "ab"),
            (_F("mixed") < 2, "ad"),
            (_F("mixed") >= "0", "c"),
            (_F("home.weight") >= 0, "ab"),
            ((_F("number") > -1) & (_F("number") < 2), "ab"),
            ((_F("number") > 2) & (_F("number") < 1), ""),
        ],
    )
    def test_ordering_is_by_value_and_text_by_code_point(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    @pytest.mark.parametrize(
        "path", ["nickname", "ratio", "plain_nickname", "number", "tag", "mixed"]
    )
    def test_nothing_is_before_or_after_none(self, four: Repository[Specimen], path: str) -> None:
        one = field(path)
        for condition in (one < None, one <= None, one > None, one >= None):
            assert four.find(condition) == []
            assert four.count(~condition) == 4

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("tag").in_(["pilot", "", "none"]), "ac"),
            (_F("plain_text").in_(["pilot", "Pilot"]), "ab"),
            (_F("tag").in_([]), ""),
            (_F("plain_text").in_([]), ""),
            (_F("nickname").in_(["nick", None]), "acd"),
            (_F("number").in_([0, 1, 1]), "ab"),
            (_F("number").in_([0.0, 0.5]), "b"),
            (_F("mixed").in_([True, "1"]), "bc"),
            (_F("level").in_([Level.high, 5]), "ab"),
            (_F("pk").in_(["d", "b", "zz", "a/b"]), "bd"),
        ],
    )
    def test_in_is_equality_with_any(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    def test_in_takes_many_values(self, four: Repository[Specimen]) -> None:
        many = [f"t{n}" for n in range(3_000)]
        assert pks_of(four.find(field("tag").in_([*many, "pilot"]))) == ["a"]

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("labels").contains("x"), "abc"),
            (_F("labels").contains("y"), "ab"),
            (_F("labels").contains("X"), ""),
            (_F("labels").contains(""), ""),
            (_F("labels").contains("x, y"), ""),
            (_F("labels").contains(None), ""),
            (_F("plain_labels").contains("x"), "a"),
            (_F("marks").contains(4), "a"),
            (_F("marks").contains(4.0), "a"),
            (_F("parts.label").contains("q"), "ab"),
            (_F("parts.remark").contains(None), "a"),
            (_F("parts.weight").contains(0), "ab"),
        ],
    )
    def test_contains_is_membership(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("tag").startswith("pilot"), "ab"),
            (_F("tag").startswith("pilots"), "b"),
            (_F("tag").startswith("p%"), ""),
            (_F("tag").startswith("pilo_"), ""),
            (_F("tag").startswith(""), "abcd"),
            (_F("nickname").startswith(""), "ab"),
            (_F("plain_text").startswith("P"), "b"),
            (_F("mixed").startswith("1"), "c"),
        ],
    )
    def test_startswith_is_an_exact_prefix(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    @pytest.mark.parametrize(
        ("condition", "expected"),
        [
            (_F("bio").matches("words"), "abc"),
            (_F("bio").matches("WORDS two"), "ab"),
            (_F("bio").matches("two"), "ab"),
            (_F("bio").matches("two, two; words!"), "ab"),
            (_F("bio").matches("word"), ""),
            (_F("bio").matches("twofold three"), ""),
            (_F("motto").matches("nothing"), "d"),
            (_F("plain_text").matches("pilot"), "ab"),
        ],
    )
    def test_matches_asks_for_every_word(
        self, four: Repository[Specimen], condition: Condition, expected: str
    ) -> None:
        assert pks_of(four.find(condition)) == list(expected)

    def test_words_are_runs_of_letters_and_digits_casefolded(
        self, specimens: Repository[Specimen]
    ) -> None:
        specimens.save(specimen("a", bio="Straße_12-b don't İstanbul"))
        for words in ("strasse", "STRASSE 12", "b", "don", "T don", "İstanbul", "_12"):
            assert specimens.count(field("bio").matches(words)) == 1, words
        for words in ("stra", "1", "dont", "istanbul", "12b"):
            assert specimens.count(field("bio").matches(words)) == 0, words

    def test_a_changed_text_has_its_new_words_alone(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", bio="old same"))
        specimens.save(specimen("a", bio="new same"))
        for word, count in (("old", 0), ("new", 1), ("same", 1)):
            assert specimens.count(field("bio").matches(word)) == count, word

    @pytest.mark.parametrize("condition", _COMPARISONS, ids=str)
    def test_a_negation_is_the_exact_complement(
        self, four: Repository[Specimen], condition: Condition
    ) -> None:
        held = set(pks_of(four.find(condition)))
        assert set(pks_of(four.find(~condition))) == set("abcd") - held
        assert set(four.pks(~~condition)) == held
        assert four.count(condition | ~condition) == 4
        assert four.count(condition & ~condition) == 0

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("tag", "pilot"),
            ("plain_text", "pilot"),
            ("nickname", None),
            ("number", 1),
            ("mixed", True),
            ("labels", ["x", "y"]),
            ("marks", None),
            ("home.label", "den"),
            ("level", Level.high),
            ("home", None),
        ],
    )
    def test_unequal_is_the_exact_complement_of_equal(
        self, four: Repository[Specimen], path: str, value: Any
    ) -> None:
        equal = set(four.pks(field(path) == value))
        assert equal
        assert set(four.pks(field(path) != value)) == set("abcd") - equal

    def test_conditions_join(self, four: Repository[Specimen]) -> None:
        tagged, small = field("tag") == "pilot", field("plain_number") == 0
        assert four.pks(tagged | small) == list("acd")
        assert four.pks(small & (field("number") > 0)) == ["d"]
        assert four.pks(small, number=-1) == ["c"]
        assert four.pks(tagged & small) == []
        assert four.pks(~(tagged | small)) == ["b"]
        assert four.pks(~tagged & ~small) == ["b"]

    def test_keywords_are_equality(self, four: Repository[Specimen]) -> None:
        assert four.pks(tag="pilot") == ["a"]
        assert four.pks(tag="pilot", number=1) == ["a"]
        assert four.pks(tag="pilot", number=2) == []
        assert four.pks(nickname=None, status="new") == list("cd")

    def test_a_pk_can_be_asked_for_like_a_field(self, four: Repository[Specimen]) -> None:
        assert four.pks(pk="b") == ["b"]
        assert four.pks(field("pk") > "b") == list("cd")
        assert four.pks(field("pk") != "b") == list("acd")
        assert four.pks(field("pk") == "b", tag="pilot") == []
        assert four.pks(field("pk") == None) == []
        assert four.pks((field("pk") == "b") | (field("tag") == "pilot")) == list("ab")

    @pytest.mark.parametrize("condition", _COMPARISONS, ids=str)
    def test_every_call_that_takes_conditions_agrees(
        self, four: Repository[Specimen], condition: Condition
    ) -> None:
        found = four.find(condition)
        pks = pks_of(found)
        assert four.pks(condition) == pks
        assert four.count(condition) == len(pks)
        assert four.exists(condition) is bool(pks)
        assert list(four.iterate(condition, batch_size=2)) == found
        assert four.first(condition) == (found[0] if found else None)
        assert [row["pk"] for row in four.project(["pk", "tag"], condition)] == pks
        assert [row["pk"] for row in four.project(["pk", "plain_text"], condition)] == pks
        assert four.delete_many(condition) == len(pks)
        assert not four.exists(condition)
        assert four.count() == 4 - len(pks)
