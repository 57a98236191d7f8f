"""Whole stores copied from one backend to another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import simstore
from simstore import (
    AgentProfile,
    CorruptRecordError,
    EpisodeLog,
    InvalidArgumentError,
    ModelError,
    SessionTransaction,
    StoreClosedError,
    TransferError,
)
from simstore.domain.store import RECORD_MODELS, Store
from simstore.services.progress import Progress
from simstore.services.transfer import compare_stores, copy_store
from simstore.testing import identical
from simstore.testing.examples import example_records
from simstore.testing.records import RECORDS, REPOSITORIES
from simstore.testing.texts import HOSTILE_PKS, HOSTILE_TEXTS
from tests.unit.transfers import DIRECTIONS, Note, Pair, agents, damage, urls_of


@pytest.fixture(params=DIRECTIONS)
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    return urls_of(request.param, tmp_path)


@pytest.fixture
def stores(urls: tuple[str, str]) -> Iterator[Pair]:
    with simstore.connect(urls[0]) as source, simstore.connect(urls[1]) as target:
        yield Pair(source, target)


def everything(store: Store, models: Sequence[type[BaseModel]] = RECORD_MODELS) -> list[Any]:
    return [item for model in models for item in store.repository(model).find()]


def test_the_record_models_are_those_of_the_store_s_properties() -> None:
    properties = [name for name, value in vars(Store).items() if isinstance(value, property)]
    with simstore.connect("memory://") as store:
        found = [
            getattr(store, name).model
            for name in properties
            if name not in {"url", "lacks", "broker"}
        ]
    assert tuple(found) == RECORD_MODELS == tuple(REPOSITORIES.values()) == tuple(RECORDS)


class Case(NamedTuple):
    items: Mapping[type[BaseModel], list[Any]]

    def save(self, store: Store) -> None:
        for model, items in self.items.items():
            store.repository(model).save_many(items)


cases = st.fixed_dictionaries(
    {model: st.lists(records, max_size=2) for model, records in RECORDS.items()}
).map(Case)


@pytest.mark.parametrize("schemes", ["memory sqlite", "sqlite memory"])
@given(case=cases)
@settings(max_examples=10)
def test_every_record_is_in_the_copy_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, schemes: str, case: Case
) -> None:
    file = f"sqlite:///{tmp_path_factory.mktemp('copy')}/store.db?synchronous=normal"
    places = [file if scheme == "sqlite" else "memory://" for scheme in schemes.split()]
    with simstore.connect(places[0]) as source, simstore.connect(places[1]) as target:
        case.save(source)
        report = copy_store(source, target)
        assert identical(everything(target), everything(source))
        assert report.written == len(everything(source))
        assert report.equal
        assert compare_stores(source, target).equal
        assert copy_store(source, target).written == 0


def test_nothing_is_copied_of_an_empty_store(stores: Pair) -> None:
    report = copy_store(*stores)
    assert report.written == report.extra == 0
    assert report.equal
    assert [each.collection for each in report.collections] == [m.__name__ for m in RECORD_MODELS]
    assert stores.target.collections() == []


def test_hostile_pks_and_texts_are_copied(stores: Pair) -> None:
    source, target = stores
    source.agents.save_many(AgentProfile(pk=pk, first_name="x", last_name=pk) for pk in HOSTILE_PKS)
    source.annotators.save_many(
        simstore.Annotator(pk=f"{n}", name=text, email=text) for n, text in enumerate(HOSTILE_TEXTS)
    )
    assert copy_store(*stores).equal
    assert identical(everything(target), everything(source))
    assert target.agents.pks() == sorted(set(HOSTILE_PKS))


def test_infinities_are_copied(stores: Pair) -> None:
    rewards: list[Any] = [float("inf"), (float("-inf"), {"goal": float("inf")}), 0.0, -0.0]
    episode = EpisodeLog(environment="e", agents=["a"] * 4, messages=[], rewards=rewards)
    stores.source.episodes.save(episode)
    assert copy_store(*stores).equal
    assert identical(stores.target.episodes.get(episode.pk), episode)


def test_a_model_of_a_user_s_own_is_copied(stores: Pair) -> None:
    notes = [Note(pk=f"{n}", stars=n, words={f"w{i}" for i in range(n)}) for n in range(40)]
    stores.source.repository(Note).save_many(notes)
    report = copy_store(*stores, models=[*RECORD_MODELS, Note])
    assert report.equal
    assert stores.target.repository(Note).pks(stars=7) == ["7"]
    assert report.written == 40


def test_a_single_model_will_do(stores: Pair) -> None:
    stores.source.agents.save_many(agents(3))
    report = copy_store(*stores, models=AgentProfile)
    assert [each.collection for each in report.collections] == ["AgentProfile"]
    assert report.equal


def test_a_report_holds_the_comparison_of_a_collection_once(stores: Pair) -> None:
    stores.source.agents.save_many(agents(3))
    report = copy_store(*stores)
    compared = report.comparison.collections
    assert compared == tuple(each.comparison for each in report.collections)
    assert str(asdict(report)).count(compared[0].left.checksum) == 2  # on either side, once


def test_an_unknown_collection_is_refused_before_anything_is_written(stores: Pair) -> None:
    for item in example_records():
        stores.source.repository(type(item)).save(item)
    stores.source.repository(Note).save(Note())
    with pytest.raises(InvalidArgumentError) as caught:
        copy_store(*stores)
    assert str(caught.value) == (
        "the source also has records of Note; name their models, or leave them out (ignore_unknown)"
    )
    assert stores.target.collections() == []
    report = copy_store(*stores, ignore_unknown=True)
    assert report.unknown_source == report.comparison.unknown_left == ("Note",)
    assert report.unknown_target == report.comparison.unknown_right == ()
    assert not report.equal
    assert stores.target.collections() == sorted(model.__name__ for model in RECORD_MODELS)


def test_a_model_that_is_none_is_refused_before_anything_is_written(stores: Pair) -> None:
    class Nameless(BaseModel):
        text: str

    stores.source.agents.save_many(agents(3))
    with pytest.raises(ModelError):
        copy_store(*stores, models=[*RECORD_MODELS, Nameless])
    assert stores.target.collections() == []


@pytest.mark.parametrize(
    "arguments",
    [
        {"models": "AgentProfile"},
        {"models": ["AgentProfile"]},
        {"models": None},
        {"on_conflict": "ignore"},
        {"on_conflict": None},
        {"on_unreadable": "replace"},
    ],
    ids=repr,
)
def test_arguments_out_of_their_range(stores: Pair, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        copy_store(*stores, **arguments)


def test_a_store_is_not_copied_to_itself(urls: tuple[str, str], stores: Pair) -> None:
    with pytest.raises(InvalidArgumentError, match="same store"):
        copy_store(stores.source, stores.source)
    with simstore.connect(urls[0]) as again, pytest.raises(InvalidArgumentError, match="same"):
        copy_store(stores.source, again)
    with simstore.connect("memory://") as one, simstore.connect("memory://") as other:
        one.agents.save_many(agents(3))
        assert copy_store(one, other).written == 3


def test_a_store_is_copied_from_one_namespace_to_another(urls: tuple[str, str]) -> None:
    with (
        simstore.connect(urls[0]) as source,
        simstore.connect(f"{urls[0]}?namespace=other") as target,
    ):
        source.agents.save_many(agents(3))
        assert copy_store(source, target).equal
        assert source.agents.count() == target.agents.count() == 3


def test_a_closed_store_is_an_error(stores: Pair) -> None:
    stores.source.close()
    with pytest.raises(StoreClosedError):
        copy_store(*stores)


def test_a_target_without_its_folder_is_an_error_of_its_own(tmp_path: Path) -> None:
    with simstore.connect("memory://") as source:
        source.agents.save_many(agents(3))
        with pytest.raises(simstore.BackendUnavailableError):
            copy_store(source, simstore.connect(f"sqlite:///{tmp_path}/missing/store.db"))
        assert source.agents.count() == 3
    assert list(tmp_path.iterdir()) == []


def test_what_only_the_target_has_stays_and_is_reported(stores: Pair) -> None:
    stores.source.agents.save_many(agents(30))
    stores.target.agents.save_many(agents(40, start=20))
    report = copy_store(*stores)
    copied = next(each for each in report.collections if each.collection == "AgentProfile")
    assert (copied.copied, copied.unchanged, copied.replaced, copied.skipped) == (20, 10, 0, 0)
    assert report.extra == copied.comparison.only_right.count == 30
    assert copied.comparison.only_right.first[:2] == ("00030", "00031")
    assert not report.equal
    assert stores.target.agents.count() == 60


def test_a_conflict_ends_the_copy_and_changes_nothing(stores: Pair) -> None:
    stores.source.agents.save_many(agents(7, tag="new"))
    stores.target.agents.save_many(agents(6, tag="old"))
    with pytest.raises(TransferError, match=r"AgentProfile '00000', .* and 1 more: ") as e:
        copy_store(*stores)
    assert (e.value.pks[0], e.value.count, e.value.collection) == ("00000", 6, "AgentProfile")
    assert e.value.reason == (
        "the target has other contents; replace them or skip them (on_conflict)"
    )
    assert {agent.tag for agent in stores.target.agents.find()} == {"old"}


def test_conflicts_are_replaced_if_that_is_asked_for(stores: Pair) -> None:
    stores.source.agents.save_many(agents(7, tag="new"))
    stores.target.agents.save_many([*agents(3, tag="old"), *agents(2, start=3, tag="new")])
    report = copy_store(*stores, on_conflict="replace")
    copied = report.collections[0]
    assert (copied.copied, copied.unchanged, copied.replaced, copied.skipped) == (2, 2, 3, 0)
    assert report.written == 5
    assert report.equal
    assert stores.target.agents.count(tag="new") == 7


def test_conflicts_are_skipped_if_that_is_asked_for(stores: Pair) -> None:
    stores.source.agents.save_many(agents(7, tag="new"))
    stores.target.agents.save_many(agents(3, tag="old"))
    report = copy_store(*stores, on_conflict="skip")
    copied = report.collections[0]
    assert (copied.copied, copied.unchanged, copied.replaced, copied.skipped) == (4, 0, 0, 3)
    assert copied.comparison.different.count == 3
    assert copied.comparison.different.first[0] == ("00000", "tag")
    assert not report.equal
    assert stores.target.agents.count(tag="old") == 3


def test_a_record_that_cannot_be_read_is_named(urls: tuple[str, str], stores: Pair) -> None:
    source, target = stores.source.repository(Note), stores.target.repository(Note)
    source.save_many(Note(pk=f"{n:03}") for n in range(50))
    damage(urls[0], "020", "033")
    with pytest.raises(CorruptRecordError) as caught:
        copy_store(*stores, models=[Note])
    assert (caught.value.pk, caught.value.field) == ("020", "stars")
    assert target.pks() == [f"{n:03}" for n in range(16)]
    report = copy_store(*stores, models=[Note], on_unreadable="skip")
    assert target.count() == report.collections[0].copied + 16 == 48
    unreadable = report.collections[0].comparison.left.unreadable
    assert [(each.pk, each.field) for each in unreadable.first] == [
        ("020", "stars"),
        ("033", "stars"),
    ]
    assert not report.equal


def test_a_record_that_cannot_be_read_any_more_is_found_by_the_verification(
    urls: tuple[str, str], stores: Pair
) -> None:
    stores.source.repository(Note).save_many(Note(pk=pk) for pk in "abc")

    def on_progress(progress: Progress) -> None:
        if progress.step == "copy":
            damage(urls[0], "b")

    with pytest.raises(TransferError) as caught:
        copy_store(*stores, models=[Note], progress=on_progress)
    assert caught.value.pks == ("b",)
    assert stores.target.repository(Note).get("b") == Note(pk="b")


def test_a_record_that_cannot_be_read_in_the_target_is_a_conflict(
    urls: tuple[str, str], stores: Pair
) -> None:
    stores.source.repository(Note).save_many(Note(pk=pk) for pk in "abc")
    damage(urls[1], "b", "z")
    with pytest.raises(TransferError) as caught:
        copy_store(*stores, models=[Note])
    assert caught.value.pks == ("b",)
    assert copy_store(*stores, models=[Note], on_conflict="skip").collections[0].skipped == 1
    report = copy_store(*stores, models=[Note], on_conflict="replace")
    assert stores.target.repository(Note).get("b") == Note(pk="b")
    assert [each.pk for each in report.collections[0].comparison.right.unreadable.first] == ["z"]
    assert report.extra == 1


def test_expire_time_begins_anew_and_a_ttl_is_lost(stores: Pair) -> None:
    session = SessionTransaction(
        pk="a", session_id="s", client_id="c", server_id="s", expire_time=60
    )
    stores.source.sessions.save(session, ttl=3_600)
    stores.source.agents.save_many(agents(2), ttl=0.3)
    assert copy_store(*stores).written == 3
    assert stores.target.sessions.get("a") == session
    assert stores.target.agents.count() == 2


def test_what_has_expired_is_not_copied(stores: Pair) -> None:
    stores.source.agents.save_many(agents(20))
    stores.source.agents.save_many(agents(20, start=20), ttl=0.001)
    assert copy_store(*stores).written == stores.source.agents.count() == 20
