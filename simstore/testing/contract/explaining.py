"""explain."""

import pytest

from simstore.domain.errors import QueryError
from simstore.domain.query import Condition, field
from simstore.domain.repository import Repository
from simstore.testing.binding import Binding
from simstore.testing.contract.helpers import specimen
from simstore.testing.models import Level, Specimen


class ExplainingContract(Binding):
    """An index answers equality on an indexed field, and what is scanned is called a scan."""

    @pytest.mark.parametrize(
        "condition",
        [
            field("tag") == "pilot",
            field("nickname") == "nick",
            field("number") == 1,
            field("active") == True,
            field("level") == Level.high,
            field("labels").contains("x"),
            field("home.label") == "den",
            field("parts.label").contains("p"),
        ],
        ids=str,
    )
    def test_an_indexed_field_is_answered_by_the_index(
        self, specimens: Repository[Specimen], condition: Condition
    ) -> None:
        explanation = specimens.explain(condition)
        assert explanation.collection == "Specimen"
        assert explanation.index
        assert not explanation.reads_all
        assert "index" in str(explanation)

    @pytest.mark.parametrize(
        "condition",
        [
            field("plain_text") == "pilot",
            field("plain_nickname") == None,
            field("plain_number") >= 1,
            field("plain_labels").contains("x"),
            field("home.weight") > 1,
            field("home.remark") == "r",
            ~(field("plain_text") == "pilot"),
            (field("plain_text") == "a") | (field("tag") == "b"),
        ],
        ids=str,
    )
    def test_a_field_that_is_not_indexed_is_answered_by_a_scan(
        self, specimens: Repository[Specimen], condition: Condition
    ) -> None:
        explanation = specimens.explain(condition)
        assert explanation.scan
        assert explanation.reads_all
        assert "reading every record" in str(explanation)

    def test_an_index_narrows_what_is_scanned(self, specimens: Repository[Specimen]) -> None:
        explanation = specimens.explain(field("plain_text") == "x", tag="pilot")
        assert "tag" in explanation.index
        assert "plain_text" in explanation.scan
        assert not explanation.reads_all

    def test_a_pk_needs_no_scan(self, specimens: Repository[Specimen]) -> None:
        assert not specimens.explain(pk="a").reads_all

    def test_keywords_and_conditions_are_explained_alike(
        self, specimens: Repository[Specimen]
    ) -> None:
        assert specimens.explain(tag="x") == specimens.explain(field("tag") == "x")

    def test_explain_checks_the_condition(self, specimens: Repository[Specimen]) -> None:
        with pytest.raises(QueryError):
            specimens.explain(tga="x")

    def test_explain_changes_nothing(self, specimens: Repository[Specimen]) -> None:
        specimens.save(specimen("a", tag="x"))
        specimens.explain(tag="x")
        assert specimens.count(tag="x") == 1
