"""The records: names, types and defaults as Sotopia's users know them, and what is refused."""

import math
from typing import Annotated, Any, get_args, get_origin

import pytest
from pydantic import BaseModel, ValidationError

import simstore
from simstore.domain.evaluation import CustomEvaluationDimension
from simstore.domain.fields import FullText, Indexed
from simstore.domain.messaging import MessageTransaction
from simstore.domain.record import Record, load_record

NEW = object()
"""Stands for a default that is made anew for each record."""

REQUIRED = object()

Row = tuple[str, object, bool]
"""(type as it is printed, default, whether it is indexed)."""


def indexed(kind: str, default: object = REQUIRED) -> Row:
    return kind, default, True


def plain(kind: str, default: object = REQUIRED) -> Row:
    return kind, default, False


STRS = "list[str]"
REWARDS = "list[tuple[float, dict[str, float]] | float]"
STRANGER = simstore.RelationshipType.stranger

TABLE: dict[type[BaseModel], dict[str, Row]] = {
    simstore.AgentProfile: {
        "pk": plain("str", NEW),
        "first_name": indexed("str"),
        "last_name": indexed("str"),
        "age": indexed("int", 0),
        "occupation": indexed("str", ""),
        "gender": indexed("str", ""),
        "gender_pronoun": plain("str", ""),
        "public_info": plain("str", ""),
        "big_five": plain("str", ""),
        "moral_values": plain(STRS, []),
        "schwartz_personal_values": plain(STRS, []),
        "personality_and_values": plain("str", ""),
        "decision_making_style": plain("str", ""),
        "secret": plain("str", ""),
        "model_id": indexed("str", ""),
        "mbti": plain("str", ""),
        "tag": indexed("str", ""),
    },
    simstore.EnvironmentProfile: {
        "pk": plain("str", NEW),
        "codename": indexed("str", ""),
        "source": indexed("str", ""),
        "scenario": plain("str"),
        "agent_goals": plain(STRS, []),
        "relationship": indexed("RelationshipType", STRANGER),
        "age_constraint": plain("str | None", None),
        "occupation_constraint": plain("str | None", None),
        "agent_constraint": plain("list[list[str]] | None", None),
        "game_metadata": plain("dict[str, JsonValue] | None", None),
        "tag": indexed("str", ""),
    },
    simstore.RelationshipProfile: {
        "pk": plain("str", NEW),
        "agent_1_id": indexed("str"),
        "agent_2_id": indexed("str"),
        "relationship": indexed("RelationshipType"),
        "background_story": plain("str | None", None),
        "tag": indexed("str", ""),
    },
    simstore.EnvironmentList: {
        "pk": plain("str", NEW),
        "name": indexed("str"),
        "environments": plain(STRS, []),
        "agent_index": plain("list[str] | None", None),
    },
    simstore.EpisodeLog: {
        "pk": plain("str", NEW),
        "environment": indexed("str"),
        "agents": indexed(STRS),
        "tag": indexed("str | None", ""),
        "models": indexed("list[str] | None", []),
        "agent_classes": indexed("list[str] | None", []),
        "messages": plain("list[list[tuple[str, str, str]]]"),
        "reasoning": plain("str", ""),
        "rewards": plain(REWARDS),
        "rewards_prompt": plain("str", ""),
    },
    simstore.AnnotationForEpisode: {
        "pk": plain("str", NEW),
        "episode": indexed("str"),
        "annotator_id": indexed("str"),
        "rewards": plain(REWARDS),
        "reasoning": plain("str"),
    },
    simstore.Annotator: {
        "pk": plain("str", NEW),
        "name": indexed("str"),
        "email": indexed("str"),
    },
    simstore.EnvAgentComboStorage: {
        "pk": plain("str", NEW),
        "env_id": indexed("str", ""),
        "agent_ids": indexed(STRS, []),
    },
    simstore.NonStreamingSimulationStatus: {
        "pk": plain("str", NEW),
        "episode_pk": indexed("str"),
        "status": plain("Literal['Started', 'Error', 'Completed']"),
    },
    simstore.CustomEvaluationDimension: {
        "pk": plain("str", NEW),
        "name": indexed("str"),
        "description": indexed("str"),
        "range_low": plain("int"),
        "range_high": plain("int"),
    },
    simstore.CustomEvaluationDimensionList: {
        "pk": plain("str", NEW),
        "name": indexed("str"),
        "dimension_pks": indexed(STRS, []),
    },
    simstore.MessageTransaction: {
        "timestamp_str": indexed("str"),
        "sender": indexed("str"),
        "message": plain("str"),
    },
    simstore.SessionTransaction: {
        "pk": plain("str", NEW),
        "expire_time": plain("int", 604_800),
        "session_id": indexed("str"),
        "client_id": indexed("str"),
        "server_id": indexed("str"),
        "client_action_lock": plain("str", "no action"),
        "message_list": plain("list[MessageTransaction]", []),
    },
    simstore.MatchingInWaitingRoom: {
        "pk": plain("str", NEW),
        "expire_time": plain("int", 604_800),
        "timestamp": plain("float"),
        "client_ids": plain(STRS, []),
        "session_ids": plain(STRS, []),
        "session_id_retrieved": plain(STRS, []),
    },
}


def printed(annotation: Any) -> str:
    """An annotation without its Annotated parts, as one would write it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return printed(arguments[0])
    if annotation is type(None):
        return "None"
    if origin is None:
        return str(getattr(annotation, "__name__", annotation))
    if getattr(origin, "__name__", "") in {"Union", "UnionType"}:
        return " | ".join(printed(argument) for argument in arguments)
    if getattr(origin, "_name", "") == "Literal":
        return f"Literal[{', '.join(repr(argument) for argument in arguments)}]"
    return f"{origin.__name__}[{', '.join(printed(argument) for argument in arguments)}]"


def default_of(model: type[BaseModel], name: str) -> object:
    field = model.model_fields[name]
    if field.is_required():
        return REQUIRED
    return NEW if name == "pk" else field.get_default(call_default_factory=True)


@pytest.mark.parametrize("model", TABLE, ids=lambda model: model.__name__)
def test_names_types_and_defaults(model: type[BaseModel]) -> None:
    actual = {
        name: (
            printed(field.annotation),
            default_of(model, name),
            any(isinstance(mark, Indexed) for mark in field.metadata),
        )
        for name, field in model.model_fields.items()
    }
    assert actual == TABLE[model]


def test_the_only_full_text_is_the_annotator() -> None:
    found = [
        (model.__name__, name)
        for model in TABLE
        for name, field in model.model_fields.items()
        if any(isinstance(mark, FullText) for mark in field.metadata)
    ]
    assert found == [("AnnotationForEpisode", "annotator_id")]


def test_every_record_has_its_repository() -> None:
    with simstore.connect("memory://") as store:
        repositories = [
            store.agents,
            store.environments,
            store.relationships,
            store.environment_lists,
            store.episodes,
            store.annotations,
            store.annotators,
            store.env_agent_combos,
            store.simulation_statuses,
            store.dimensions,
            store.dimension_lists,
            store.sessions,
            store.waiting_rooms,
        ]
        models: set[type[BaseModel]] = {each.model for each in repositories}  # type: ignore[attr-defined]
    assert models == set(TABLE) - {MessageTransaction}


def test_relationship_types() -> None:
    assert {member.name: int(member) for member in simstore.RelationshipType} == {
        "stranger": 0,
        "know_by_name": 1,
        "acquaintance": 2,
        "friend": 3,
        "romantic_relationship": 4,
        "family_member": 5,
    }


AGENT: dict[str, Any] = {"first_name": "Ada", "last_name": "L"}
EPISODE: dict[str, Any] = {"environment": "e", "agents": ["a"], "messages": [], "rewards": [0.0]}
SESSION: dict[str, Any] = {"session_id": "s", "client_id": "c", "server_id": "v"}


def message(moment: str) -> dict[str, str]:
    return {"timestamp_str": moment, "sender": "a", "message": "hello"}


@pytest.mark.parametrize(
    ("model", "values", "why"),
    [
        (
            simstore.EpisodeLog,
            EPISODE | {"agents": ["a", "b"]},
            "1 rewards for 2 agents; give one each",
        ),
        (
            simstore.EnvironmentList,
            {"name": "x", "environments": ["e"], "agent_index": []},
            "agent_index has 0 entries for 1 environments; give one each, or None",
        ),
        (
            CustomEvaluationDimension,
            {"name": "wit", "description": "", "range_low": 3, "range_high": 2},
            "dimension 'wit' goes from 3 to 2; range_low must not be above range_high",
        ),
        (
            simstore.SessionTransaction,
            SESSION | {"message_list": [message("10"), message("9")]},
            "message_list is not in the order of time: 10 stands before 9",
        ),
        (
            MessageTransaction,
            message("yesterday"),
            "'yesterday' is not a number of seconds, such as '1732367000.25'",
        ),
        (MessageTransaction, message("nan"), "'nan' is not a number of seconds"),
        (MessageTransaction, message("inf"), "'inf' is not a number of seconds"),
        (simstore.SessionTransaction, SESSION | {"expire_time": 0}, "greater than 0"),
        (simstore.MatchingInWaitingRoom, {"timestamp": 1.0, "expire_time": -1}, "greater than 0"),
        (simstore.MatchingInWaitingRoom, {"timestamp": math.nan}, "NaN"),
        (simstore.EpisodeLog, EPISODE | {"rewards": [math.nan]}, "[0]: NaN cannot be compared"),
        (
            simstore.EpisodeLog,
            EPISODE | {"rewards": [(1.0, {"goal": math.nan})]},
            "[0][1]['goal']: NaN cannot be compared or averaged",
        ),
        (
            simstore.AnnotationForEpisode,
            {"episode": "e", "annotator_id": "a", "rewards": [math.nan], "reasoning": ""},
            "NaN cannot be compared",
        ),
        (
            simstore.EnvironmentProfile,
            {"scenario": "s", "game_metadata": {"a": [1, math.nan]}},
            "['a'][1]: NaN cannot be compared",
        ),
        (simstore.AgentProfile, AGENT | {"age": math.nan}, "finite number"),
        (simstore.NonStreamingSimulationStatus, {"episode_pk": "e", "status": "Done"}, "'Started'"),
        (simstore.AgentProfile, AGENT | {"first_nam": "Ida"}, "first_nam"),
        (simstore.AgentProfile, AGENT | {"pk": "a/b"}, "the primary key 'a/b' holds '/'"),
        (
            simstore.RelationshipProfile,
            {"agent_1_id": "a", "agent_2_id": "b", "relationship": 6},
            "0, 1, 2, 3, 4 or 5",
        ),
    ],
)
def test_what_is_refused_and_why(model: type[BaseModel], values: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError) as raised:
        model(**values)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (simstore.EpisodeLog, EPISODE | {"agents": [], "rewards": []}),
        (simstore.EpisodeLog, EPISODE | {"agents": list("abcdef"), "rewards": [1, -1, 0, 1, 0, 0]}),
        (simstore.EpisodeLog, EPISODE | {"rewards": [math.inf]}),
        (simstore.EnvironmentList, {"name": "x", "environments": ["e"], "agent_index": ["0"]}),
        (simstore.EnvironmentList, {"name": "x", "environments": ["e"]}),
        (
            CustomEvaluationDimension,
            {"name": "wit", "description": "", "range_low": 2, "range_high": 2},
        ),
        (
            simstore.SessionTransaction,
            SESSION | {"message_list": [message("9"), message("9"), message("10")]},
        ),
    ],
)
def test_what_is_allowed(model: type[BaseModel], values: dict[str, Any]) -> None:
    made = model(**values)
    assert model.model_validate(made.model_dump()) == made
    assert model.model_validate_json(made.model_dump_json()) == made


def test_a_message_as_a_tuple() -> None:
    assert MessageTransaction(**message("1.5")).to_tuple() == (1.5, "a", "hello")


@pytest.mark.parametrize("pk", ["", " ", None])
def test_a_blank_key_is_assigned(pk: Any) -> None:
    assert len(simstore.AgentProfile(pk=pk, first_name="Ada", last_name="L").pk) == 26


def test_two_records_have_two_keys_and_lists_of_their_own() -> None:
    one, other = simstore.AgentProfile(**AGENT), simstore.AgentProfile(**AGENT)
    assert one.pk < other.pk
    one.moral_values.append("Care")
    assert other.moral_values == []


# -------------------------------------------------------------------------- old and foreign data


def test_old_documents_lack_newer_fields() -> None:
    old = load_record(simstore.AgentProfile, AGENT | {"pk": "1"})
    assert old == simstore.AgentProfile(pk="1", **AGENT)
    episode = load_record(simstore.EpisodeLog, EPISODE | {"pk": "2"})
    assert (episode.tag, episode.agent_classes) == ("", [])


def test_old_documents_hold_none_where_newer_ones_hold_values() -> None:
    nulls = dict.fromkeys(["age", "mbti", "tag", "moral_values", "secret", "model_id"])
    old = load_record(simstore.AgentProfile, AGENT | {"pk": "1"} | nulls)
    assert old == simstore.AgentProfile(pk="1", **AGENT)


def test_a_none_that_a_field_can_hold_stays() -> None:
    old = load_record(simstore.EpisodeLog, EPISODE | {"tag": None, "reasoning": None})
    assert (old.tag, old.reasoning) == (None, "")


def test_a_none_does_not_hide_another_fault() -> None:
    with pytest.raises(ValidationError, match="age"):
        load_record(simstore.AgentProfile, AGENT | {"mbti": None, "age": "old"})


@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_a_none_in_a_required_field_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        load_record(simstore.AgentProfile, AGENT | {field: None})


def test_fields_of_a_later_version_are_left_out() -> None:
    newer = load_record(simstore.AgentProfile, AGENT | {"pk": "1", "shoe_size": 39})
    assert newer == simstore.AgentProfile(pk="1", **AGENT)


class Open(Record, extra="allow"):
    name: str


def test_a_model_that_allows_more_keeps_more() -> None:
    loaded = load_record(Open, {"pk": "1", "name": "a", "shoe_size": 39})
    assert loaded.model_dump() == {"pk": "1", "name": "a", "shoe_size": 39}
