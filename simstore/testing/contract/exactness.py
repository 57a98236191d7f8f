"""Equality is exact, for every text and number, by index and by scan."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from simstore.domain.query import field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import assert_identical, pks_of, specimen
from simstore.testing.models import Part, Specimen
from simstore.testing.oracle import words_of
from simstore.testing.texts import HOSTILE_PKS, HOSTILE_TEXTS, LONG_TEXT
from simstore.testing.values import HOSTILE_FLOATS, HOSTILE_INTS


def _names(values: Sequence[Any]) -> list[str]:
    return [f"{n:03}" for n in range(len(values))]


FILL: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(
        ("tag", "nickname", "mixed", "motto", "bio", "plain_text", "plain_nickname"),
        lambda text: text,
    ),
    "labels": lambda text: [text],
    "plain_labels": lambda text: ["other", text],
    "home.label": lambda text: Part(label=text),
    "parts.label": lambda text: [Part(label="other"), Part(label=text)],
    "extra": lambda text: {text: text},
}
"""How a text gets into each field that can have one."""


def fill(specimens: Repository[Specimen], *paths: str) -> None:
    """Store a record for each hostile text, with that text at each of `paths`."""
    specimens.save_many(
        specimen(pk, **{path.split(".")[0]: FILL[path](text) for path in paths})
        for pk, text in zip(_names(HOSTILE_TEXTS), HOSTILE_TEXTS, strict=True)
    )


class ExactnessContract(Binding):
    """No text is confused with another, and none is a syntax error."""

    def test_every_text_comes_back_as_it_was(self, specimens: Repository[Specimen]) -> None:
        fill(specimens, *FILL)
        for item, text in zip(specimens.find(), HOSTILE_TEXTS, strict=True):
            for path, value in FILL.items():
                name = path.split(".")[0]
                assert_identical((path, getattr(item, name)), (path, value(text)))

    def test_every_text_can_be_projected(self, specimens: Repository[Specimen]) -> None:
        fill(specimens, "tag", "motto", "labels", "home.label")
        for fields in (["tag", "motto", "labels", "home.label"], ["tag", "plain_text"]):
            rows = specimens.project(fields)
            assert [row["tag"] for row in rows] == list(HOSTILE_TEXTS)
        nested = specimens.project(["home.label"])
        assert [row["home.label"] for row in nested] == list(HOSTILE_TEXTS)

    @pytest.mark.parametrize(
        ("path", "compare"),
        [
            ("tag", lambda text: field("tag") == text),
            ("nickname", lambda text: field("nickname") == text),
            ("mixed", lambda text: field("mixed") == text),
            ("motto", lambda text: field("motto") == text),
            ("bio", lambda text: field("bio") == text),
            ("home.label", lambda text: field("home.label") == text),
            ("plain_text", lambda text: field("plain_text") == text),
            ("plain_nickname", lambda text: field("plain_nickname") == text),
            ("labels", lambda text: field("labels").contains(text)),
            ("labels", lambda text: field("labels") == [text]),
            ("plain_labels", lambda text: field("plain_labels").contains(text)),
            ("parts.label", lambda text: field("parts.label").contains(text)),
            ("tag", lambda text: field("tag").in_([text])),
            ("plain_text", lambda text: field("plain_text").in_([text])),
            ("tag", lambda text: (field("tag") >= text) & (field("tag") <= text)),
            ("tag", lambda text: ~(field("tag") != text)),
        ],
        ids=(
            "text", "optional", "union", "fulltext", "words only", "nested", "scan",
            "optional scan",
            "contains", "list", "contains scan", "contains nested", "in", "in scan", "range",
            "not !=",
        ),
    )  # fmt: skip
    def test_equality_finds_the_one_text_and_no_other(
        self, specimens: Repository[Specimen], path: str, compare: Callable[[str], Any]
    ) -> None:
        fill(specimens, path)
        for pk, text in zip(_names(HOSTILE_TEXTS), HOSTILE_TEXTS, strict=True):
            assert specimens.pks(compare(text)) == [pk], repr(text[:50])

    def test_equality_by_keyword_is_exact_too(self, specimens: Repository[Specimen]) -> None:
        fill(specimens, "tag")
        for pk, text in zip(_names(HOSTILE_TEXTS), HOSTILE_TEXTS, strict=True):
            assert specimens.pks(tag=text) == [pk], repr(text[:50])
            assert pks_of(specimens.find(tag=text)) == [pk], repr(text[:50])
            assert specimens.count(tag=text) == 1, repr(text[:50])

    @pytest.mark.parametrize("path", ["tag", "plain_text"])
    def test_unequal_finds_all_but_the_one(
        self, specimens: Repository[Specimen], path: str
    ) -> None:
        fill(specimens, path)
        for pk, text in zip(_names(HOSTILE_TEXTS), HOSTILE_TEXTS, strict=True):
            others = [name for name in _names(HOSTILE_TEXTS) if name != pk]
            assert specimens.pks(field(path) != text) == others, repr(text[:50])

    @pytest.mark.parametrize("path", ["tag", "nickname", "plain_text", "mixed"])
    def test_prefixes_are_exact(self, specimens: Repository[Specimen], path: str) -> None:
        fill(specimens, path)
        names = dict(zip(_names(HOSTILE_TEXTS), HOSTILE_TEXTS, strict=True))
        for prefix in {cut for text in HOSTILE_TEXTS for cut in (text, text[:1], text[:-1])}:
            expected = [pk for pk, text in names.items() if text.startswith(prefix)]
            assert specimens.pks(field(path).startswith(prefix)) == expected, repr(prefix[:50])

    @pytest.mark.parametrize("path", ["bio", "motto", "plain_text"])
    def test_every_text_is_found_by_its_words(
        self, specimens: Repository[Specimen], path: str
    ) -> None:
        fill(specimens, path)
        words = [words_of(text) for text in HOSTILE_TEXTS]
        for text, wanted in zip(HOSTILE_TEXTS, words, strict=True):
            if wanted:
                expected = [
                    pk for pk, had in zip(_names(words), words, strict=True) if wanted <= had
                ]
                assert specimens.pks(field(path).matches(text)) == expected, repr(text[:50])

    @pytest.mark.parametrize("path", ["tag", "plain_text"])
    def test_texts_that_nobody_has_find_nothing(
        self, specimens: Repository[Specimen], path: str
    ) -> None:
        fill(specimens, path)
        for text in (
            "no such text", LONG_TEXT + "x", LONG_TEXT[:-1], "pilot\x00", "{pilot", "PiLoT",
            "pilot\t",
            "STRASSe", "\u0130i", "e", "nul", "two lines", "pilot  ",
        ):  # fmt: skip
            assert specimens.pks(field(path) == text) == []

    def test_every_text_can_be_replaced_and_deleted(self, specimens: Repository[Specimen]) -> None:
        fill(specimens, "tag", "labels")
        for pk, text in zip(_names(HOSTILE_TEXTS), HOSTILE_TEXTS, strict=True):
            specimens.save(specimen(pk, tag="replaced"))
            assert specimens.pks(tag=text) == []
            assert specimens.pks(field("labels").contains(text)) == []
        assert specimens.count(tag="replaced") == len(HOSTILE_TEXTS)
        assert specimens.delete_many(tag="replaced") == len(HOSTILE_TEXTS)

    def test_every_pk_is_a_record_of_its_own(self, specimens: Repository[Specimen]) -> None:
        specimens.save_many(specimen(pk, tag=pk) for pk in HOSTILE_PKS)
        for pk in HOSTILE_PKS:
            assert specimens.get(pk).tag == pk
            assert specimens.pks(pk=pk) == [pk]
            assert specimens.pks(tag=pk) == [pk]
        for pk in HOSTILE_PKS:
            specimens.delete(pk)
            assert not specimens.exists(pk=pk)
        assert specimens.count() == 0

    def test_a_value_that_an_equal_one_of_another_kind_replaces(
        self, specimens: Repository[Specimen]
    ) -> None:
        # To Python, and to many an index, 1 and True are one.
        for value in (1, True, 1.0, "1", False, 0, True, 1):
            specimens.save(specimen("a", mixed=value, plain_text=repr(value)))
            assert_identical(specimens.get("a").mixed, value)
            assert_identical(specimens.project(["mixed"]), [{"mixed": value}])
            for other in (1, True, "1", False, 0):
                same = value == other and isinstance(value, bool) is isinstance(other, bool)
                assert specimens.pks(mixed=other) == (["a"] if same else []), (value, other)

    @pytest.mark.parametrize("path", ["number", "plain_number", "mixed"])
    def test_ints_are_exact(self, specimens: Repository[Specimen], path: str) -> None:
        specimens.save_many(specimen(str(n), **{path: n}) for n in HOSTILE_INTS)
        for number in HOSTILE_INTS:
            assert_identical(getattr(specimens.get(str(number)), path), number)
            assert specimens.pks(field(path) == number) == [str(number)]
            above = sorted(str(n) for n in HOSTILE_INTS if n > number)
            assert specimens.pks(field(path) > number) == above
            not_above = sorted(str(n) for n in HOSTILE_INTS if n <= number)
            assert specimens.pks(field(path) <= number) == not_above
        for number in (2**63, -(2**63) - 1, 10**30):
            assert specimens.pks(field(path) == number) == []
            assert specimens.count(field(path) < number) == (len(HOSTILE_INTS) if number > 0 else 0)

    @pytest.mark.parametrize("path", ["score", "ratio", "plain_score", "mixed"])
    def test_floats_are_exact(self, specimens: Repository[Specimen], path: str) -> None:
        values = dict(zip(_names(HOSTILE_FLOATS), HOSTILE_FLOATS, strict=True))
        specimens.save_many(specimen(pk, **{path: value}) for pk, value in values.items())
        for pk, value in values.items():
            assert_identical(getattr(specimens.get(pk), path), value)
            equal = [other for other in values if values[other] == value]
            assert specimens.pks(field(path) == value) == equal
            assert specimens.pks(field(path) >= value) == [o for o in values if values[o] >= value]
            assert specimens.pks(field(path) < value) == [o for o in values if values[o] < value]
        assert_identical([row[path] for row in specimens.project([path])], list(HOSTILE_FLOATS))
        ordered = [getattr(item, path) for item in specimens.find(order_by=path)]
        assert ordered == sorted(HOSTILE_FLOATS)

    def test_ints_and_floats_compare_by_value(self, specimens: Repository[Specimen]) -> None:
        specimens.save_many(
            [specimen("f", mixed=2.0**53), specimen("i", mixed=2**53 + 1), specimen("t", mixed="x")]
        )
        assert specimens.pks(field("mixed") == 2**53) == ["f"]
        assert specimens.pks(field("mixed") == 2**53 + 1) == ["i"]
        assert specimens.pks(field("mixed") > 2.0**53) == ["i"]
        assert specimens.pks(field("mixed") < 2**53 + 1) == ["f"]

    def test_a_number_is_no_bool_and_no_text(self, specimens: Repository[Specimen]) -> None:
        values = {"bool": True, "int": 1, "text": "1", "true": "true", "none": None, "empty": ""}
        specimens.save_many(specimen(pk, mixed=value) for pk, value in values.items())
        for pk, value in values.items():
            assert pks_of(specimens.find(mixed=value)) == [pk]
        assert specimens.pks(field("mixed") >= 0) == ["int"]
        assert specimens.pks(field("mixed") >= "") == ["empty", "text", "true"]
