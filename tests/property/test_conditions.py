"""A condition means the same to the domain and to the kit's oracle, which share no code."""

from hypothesis import event, given
from hypothesis import strategies as st

from simstore.domain.checking import checked
from simstore.domain.matching import predicate
from simstore.domain.query import Condition
from simstore.domain.schema import schema_of
from simstore.domain.text import words
from simstore.testing import Specimen
from simstore.testing.conditions import comparisons, conditions, specimens
from simstore.testing.oracle import holds, words_of
from simstore.testing.values import free_texts, texts

_SCHEMA = schema_of(Specimen)


@given(conditions(), st.lists(specimens(), max_size=4))
def test_the_domain_and_the_oracle_agree(condition: Condition, items: list[Specimen]) -> None:
    means = predicate(_SCHEMA, checked(_SCHEMA, [condition], {}))
    for item in items:
        assert means(item) is holds(condition, item)
        event(f"holds: {means(item)}")


@given(comparisons(), specimens())
def test_a_negation_is_the_complement(condition: Condition, item: Specimen) -> None:
    assert holds(~condition, item) is not holds(condition, item)


@given(st.one_of(texts(), free_texts(200)))
def test_words_are_the_same_to_both(text: str) -> None:
    assert set(words(text)) == words_of(text)
