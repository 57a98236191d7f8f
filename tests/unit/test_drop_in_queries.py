"""redis-om's manners of asking, in `simstore.sotopia`: operators, and what a query can do."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simstore.adapters.codec import RecordCodec
from simstore.domain.errors import InvalidRecordError, NotFoundError, QueryError
from simstore.sotopia import (
    AgentProfile,
    AnnotationForEpisode,
    EnvironmentProfile,
    EpisodeLog,
    FindQuery,
    MessageTransaction,
    RelationshipType,
    SessionTransaction,
    bind,
)
from simstore.testing.texts import HOSTILE_TEXTS

AGES = {"a": 30, "b": 18, "c": 30, "d": 65, "e": 0}


def agent(pk: str, **fields: Any) -> AgentProfile:
    return AgentProfile(**{"pk": pk, "first_name": pk.upper(), "last_name": "X", **fields})


def episode(pk: str, **fields: Any) -> EpisodeLog:
    agents = fields.pop("agents", ["x", "y"])
    return EpisodeLog(
        pk=pk, environment="env", agents=agents, messages=[], rewards=[0.0] * len(agents), **fields
    )


@pytest.fixture(autouse=True)
def _bound() -> Iterator[None]:
    with bind("memory://"):
        AgentProfile.add(
            [agent(pk, age=age, tag="even" if pk in "bd" else "odd") for pk, age in AGES.items()]
        )
        yield


def found(query: FindQuery[Any]) -> str:
    return "".join(item.pk for item in query.all())


# mypy takes `AgentProfile.age == 30` for a bool, as it does redis-om's; at run time it is none.
AGE: Any = AgentProfile.age
TAG: Any = AgentProfile.tag
NAME: Any = AgentProfile.first_name


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AGE == 30, "ac"),
        (AGE != 30, "bde"),
        (AGE < 30, "be"),
        (AGE <= 30, "abce"),
        (AGE > 30, "d"),
        (AGE >= 30, "acd"),
        (AGE << [18, 65, 7], "bd"),
        (AGE >> [18, 65, 7], "ace"),
        (AGE << [], ""),
        (AGE >> [], "abcde"),
        (NAME << "A", "a"),
        ((TAG == "odd") & (AGE == 30), "ac"),
        ((TAG == "even") | (AGE == 0), "bde"),
        (~(TAG == "even"), "ace"),
        (~((TAG == "odd") & (AGE == 30)), "bde"),
        (NAME.startswith("A"), "a"),
        (AgentProfile.pk == "c", "c"),
        (TAG == None, ""),
        (TAG != None, "abcde"),
    ],
    ids=str,
)
def test_an_operator(condition: Any, expected: str) -> None:
    assert found(AgentProfile.find(condition)) == expected
    assert AgentProfile.find(condition).count() == len(expected)


def test_conditions_in_a_row_and_keywords_must_all_hold() -> None:
    assert found(AgentProfile.find(AGE >= 18, TAG == "odd", AGE < 65)) == "ac"
    assert found(AgentProfile.find(AGE >= 18, tag="even")) == "bd"
    assert found(AgentProfile.find(first_name="A", age=30)) == "a"
    assert found(AgentProfile.find(first_name="A", age=31)) == ""
    assert found(AgentProfile.find()) == "abcde"


def test_a_list_is_searched_for_an_element() -> None:
    EpisodeLog.add(
        [
            episode("e1", agents=["p", "q"], models=["judge", "m1", "m2"]),
            episode("e2", agents=["q", "r"], models=["judge", "m2", "m2"]),
            episode("e3", agents=["s", "p"], models=None),
        ]
    )
    agents: Any = EpisodeLog.agents
    models: Any = EpisodeLog.models
    for condition, expected in (
        (agents == "q", "e1e2"),
        (agents != "q", "e3"),
        (agents == ["q", "r"], "e2"),
        (agents != ["q", "r"], "e1e3"),
        (agents << ["r", "s"], "e2e3"),
        (agents >> ["r", "s"], "e1"),
        (agents << "s", "e3"),
        (agents << [], ""),
        (models == "m1", "e1"),
        (models != "m1", "e2e3"),
        (models == None, "e3"),
        (models != None, "e1e2"),
        (agents.contains("r"), "e2"),
        ((agents == "p") & (models == "m2"), "e1"),
    ):
        assert found(EpisodeLog.find(condition)) == expected, condition
    assert found(EpisodeLog.find(agents="q")) == "e1e2"
    assert found(EpisodeLog.find(agents=["q", "r"])) == "e2"


def test_a_field_of_an_embedded_model() -> None:
    for pk, name in (("s1", "Ada"), ("s2", "Bo")):
        message = MessageTransaction(timestamp_str="1.5", sender=name, message="hi")
        SessionTransaction(
            pk=pk, session_id=pk, client_id="c", server_id="s", message_list=[message]
        ).save()
    sender: Any = SessionTransaction.message_list.sender  # type: ignore[attr-defined]  # to mypy a list
    assert found(SessionTransaction.find(sender == "Ada")) == "s1"
    assert found(SessionTransaction.find(message_list__sender="Bo")) == "s2"
    with pytest.raises(AttributeError, match="did you mean 'sender'"):
        SessionTransaction.message_list.sendr  # type: ignore[attr-defined]  # noqa: B018 — it raises


def test_enums_go_by_value_and_by_member() -> None:
    EnvironmentProfile(pk="f", scenario="s", relationship=RelationshipType.friend).save()
    EnvironmentProfile(pk="s", scenario="s").save()
    relationship: Any = EnvironmentProfile.relationship
    assert found(EnvironmentProfile.find(relationship == RelationshipType.friend)) == "f"
    assert found(EnvironmentProfile.find(relationship == 3)) == "f"
    assert found(EnvironmentProfile.find(relationship << [0, 3])) == "fs"


def test_words_are_looked_for_whole_and_in_any_case() -> None:
    for pk, name in (("1", "Ann Lee"), ("2", "lee, ANN-Marie"), ("3", "Annie Lee")):
        AnnotationForEpisode(
            pk=pk, episode="e", annotator_id=name, rewards=[0.0], reasoning="r"
        ).save()
    annotator: Any = AnnotationForEpisode.annotator_id
    assert found(AnnotationForEpisode.find(annotator % "ann LEE")) == "12"
    assert found(AnnotationForEpisode.find(annotator % "marie")) == "2"
    assert found(AnnotationForEpisode.find(~(annotator % "ann"))) == "3"


@pytest.mark.parametrize(
    "words", ["ann*", "%ann%", "-ann", "ann | lee", '"ann lee"', "ann -lee", "(ann)", "@name:ann"]
)
def test_the_query_engines_syntax_is_refused_among_words(words: str) -> None:
    with pytest.raises(QueryError, match="syntax"):
        AnnotationForEpisode.annotator_id % words


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_every_text_is_found_just_as_it_is(text: str) -> None:
    others = [other for other in HOSTILE_TEXTS if other != text]
    EpisodeLog.add([episode(f"{n:03}", tag=other) for n, other in enumerate(others)])
    episode("it", tag=text, agents=[text, "x"]).save()
    for condition in (
        EpisodeLog.tag == text,
        EpisodeLog.tag << [text],  # type: ignore[operator]  # to mypy a str
        EpisodeLog.agents == text,  # type: ignore[comparison-overlap]  # to mypy a list
    ):
        assert found(EpisodeLog.find(condition)) == "it"
    assert EpisodeLog.find(EpisodeLog.tag != text).count() == len(others)


@given(st.integers(), st.integers())
def test_every_integer_is_found_just_as_it_is(one: int, other: int) -> None:
    with bind("memory://"):
        agent("one", age=one).save() if -(2**63) <= one < 2**63 else None
        expected = "one" if one == other and -(2**63) <= one < 2**63 else ""
        assert found(AgentProfile.find(AgentProfile.age == other)) == expected


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ((True,), "True is not a condition"),
        ((AGE == "30",), "age is compared with number, not with '30'"),
        ((TAG == 5,), "tag is compared with str, not with 5"),
        ((TAG,), "is not a condition"),
        ((TAG == ["a", "b"],), "tag"),
        ((TAG % "!",), "none: no letter"),
    ],
    ids=str,
)
def test_a_condition_that_does_not_fit_is_refused_at_once(
    conditions: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        AgentProfile.find(*conditions)


def test_an_unknown_field_is_refused_with_the_near_name() -> None:
    with pytest.raises(QueryError, match="did you mean 'first_name'"):
        AgentProfile.find(frist_name="A")
    with pytest.raises(
        AttributeError, match="AgentProfile has no 'frist_name'; did you mean 'first_name'"
    ):
        AgentProfile.frist_name  # type: ignore[attr-defined]  # noqa: B018 — it raises
    with pytest.raises(QueryError, match="did you mean 'age'"):
        AgentProfile.find().sort_by("agee")
    with pytest.raises(QueryError, match="tags"):
        AgentProfile.find().values("tags")


def test_a_field_may_be_named_by_itself() -> None:
    query = AgentProfile.find(AGE == 30)
    assert query.values(AGE, NAME) == query.values("age", "first_name")
    assert found(AgentProfile.find().sort_by(TAG, "-age")) == "dbace"


@pytest.mark.parametrize("wrong", [5, None, ["age"], b"age", "moral_values", "--age", "-"])
def test_an_order_that_is_none_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(QueryError):
        AgentProfile.find().sort_by(wrong)
    if wrong != "moral_values":
        with pytest.raises(QueryError):
            AgentProfile.find().values(wrong)


def test_names_of_pythons_own_are_fields_like_others() -> None:
    for call in (AgentProfile.find, AgentProfile.find().update, agent("a").update):
        for name in ("self", "cls"):
            with pytest.raises(QueryError, match=f"no field '{name}'"):
                call(**{name: 1})


def test_a_query_keeps_what_it_was_asked() -> None:
    values = ["Care"]
    agent("f", moral_values=["Care"]).save()
    query = AgentProfile.find(AgentProfile.moral_values == values)
    values.append("Truth")
    assert found(query) == "f"


def test_values_that_are_indexed_are_had_without_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecordCodec, "decode", None)  # whoever reads a record fails
    assert AgentProfile.find(AGE > 0).sort_by("-age").values("pk", "age") == [
        {"pk": pk, "age": AGES[pk]} for pk in "dacb"
    ]
    assert AgentProfile.find(AGE > 0).count() == 4
    assert len(AgentProfile.all_pks()) == 5


@pytest.mark.parametrize("use", [bool, lambda field: 3 in field, lambda field: ~field])
def test_a_field_alone_is_no_condition(use: Any) -> None:
    with pytest.raises(QueryError):
        use(AGE)
    with pytest.raises(QueryError, match="neither true nor false"):
        18 <= AGE <= 65  # noqa: B015 — it raises


class TestQuery:
    def test_first(self) -> None:
        assert AgentProfile.find(AGE == 30).first().pk == "a"
        assert AgentProfile.find().sort_by("-age").first().pk == "d"
        with pytest.raises(NotFoundError, match=r"AgentProfile has no record where \(age == 7\)"):
            AgentProfile.find(AGE == 7).first()

    def test_page(self) -> None:
        query = AgentProfile.find(AGE > 0)
        assert [item.pk for item in query.page()] == list("abcd")
        assert [item.pk for item in query.page(offset=1, limit=2)] == list("bc")
        assert [item.pk for item in query.sort_by("age").page(1, 2)] == list("ac")
        assert query.page(offset=9) == []

    def test_sort_by(self) -> None:
        assert found(AgentProfile.find().sort_by("age")) == "ebacd"
        assert found(AgentProfile.find().sort_by("-age")) == "dacbe"
        assert found(AgentProfile.find().sort_by("tag", "-age")) == "dbace"
        assert found(AgentProfile.find(AGE > 0).sort_by("-first_name")) == "dcba"
        assert found(AgentProfile.find().sort_by()) == "abcde"

    def test_values(self) -> None:
        query = AgentProfile.find(AGE == 30)
        assert query.values("first_name", "age") == [
            {"first_name": "A", "age": 30},
            {"first_name": "C", "age": 30},
        ]
        assert query.sort_by("-first_name").values("pk") == [{"pk": "c"}, {"pk": "a"}]
        (whole,) = AgentProfile.find(pk="d").values()
        assert whole == AgentProfile.get("d").model_dump()

    def test_values_of_embedded_models_have_the_names_asked_for(self) -> None:
        SessionTransaction(pk="s", session_id="s", client_id="c", server_id="x").save()
        for query in (SessionTransaction.find(), SessionTransaction.find().sort_by("session_id")):
            assert query.values("client_id", "message_list__sender") == [
                {"client_id": "c", "message_list__sender": []}
            ]

    def test_iteration_and_indexing(self) -> None:
        query = AgentProfile.find()
        assert "".join(item.pk for item in query) == "abcde"
        assert "".join(item.pk for item in query.sort_by("-pk")) == "edcba"
        assert (query[0].pk, query[4].pk, query[-1].pk, query[-5].pk) == ("a", "e", "e", "a")
        assert query.sort_by("-age")[0].pk == "d"
        for number in (5, -6, 10**9):
            with pytest.raises(IndexError, match=str(number)):
                query[number]

    @pytest.mark.parametrize("start", [None, 0, 2, 9, -2])
    @pytest.mark.parametrize("stop", [None, 0, 3, 9, -1])
    @pytest.mark.parametrize("step", [None, 2, -1])
    def test_slices(self, start: int | None, stop: int | None, step: int | None) -> None:
        part = slice(start, stop, step)
        for query in (AgentProfile.find(), AgentProfile.find().sort_by("-age")):
            assert query[part] == query.all()[part]

    def test_all_takes_a_batch_size(self) -> None:
        assert len(AgentProfile.find().all(batch_size=2)) == 5

    def test_every_call_asks_anew(self) -> None:
        query = AgentProfile.find(TAG == "even")
        assert query.count() == len(query.all()) == 2
        agent("f", tag="even").save()
        assert query.count() == len(query.all()) == 3

    def test_delete(self) -> None:
        assert AgentProfile.find(TAG == "odd", AGE > 0).delete() == 2
        assert AgentProfile.all_pks() == list("bde")
        assert AgentProfile.find(TAG == "none").delete() == 0
        assert AgentProfile.find().delete() == 3
        assert AgentProfile.find().delete() == 0

    def test_update(self) -> None:
        query = AgentProfile.find(TAG == "odd")
        assert query.update(tag="new", age="41") == 3
        assert AgentProfile.find(TAG == "new").values("pk", "age") == [
            {"pk": pk, "age": 41} for pk in "ace"
        ]
        assert query.update(tag="x") == 0

    def test_an_update_that_does_not_fit_changes_nothing(self) -> None:
        EpisodeLog.add([episode("e1"), episode("e2", agents=["x"])])
        for fields, error in (
            ({"agents": ["p", "q"]}, InvalidRecordError),  # e2 has one reward
            ({"tag": "new", "reasoning": 5}, InvalidRecordError),
            ({"tga": "new"}, QueryError),
        ):
            with pytest.raises(error):
                EpisodeLog.find().update(**fields)
        assert EpisodeLog.all() == [episode("e1"), episode("e2", agents=["x"])]

    def test_an_update_passes_over_what_others_took_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository = AgentProfile._repository()
        check = repository.check

        def theirs(item: AgentProfile) -> None:
            check(item)
            if item.pk == "a":
                repository.delete("c")
                repository.save(agent("e", tag="even"))

        monkeypatch.setattr(repository, "check", theirs)
        assert AgentProfile.find(TAG == "odd").update(mbti="X") == 1
        assert AgentProfile.find(AgentProfile.mbti == "X").values("pk") == [{"pk": "a"}]
