"""What a hostile or unlucky user found out once: models, arguments and moments that broke it."""

import functools
import math
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, field_validator

import simstore
from simstore import AgentProfile, FullText, Indexed, Record, Store, field
from simstore.adapters.base_store import StorageStore
from simstore.adapters.memory import MANY_EXPIRIES, MemoryDatabase, MemoryStorage


@pytest.fixture(params=["memory://", "sqlite:///hostile.db"])
def store(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Store]:
    monkeypatch.chdir(tmp_path_factory.mktemp("hostile"))
    with simstore.connect(request.param) as opened:
        yield opened


def agent(pk: str = "a", **fields: Any) -> AgentProfile:
    return AgentProfile(pk=pk, first_name="Ada", last_name="L", **fields)


class Extras(BaseModel):
    model_config = ConfigDict(extra="allow")
    x: int = 0


class Part(BaseModel):
    labels: Annotated[list[str], Indexed()] = Field(default_factory=list)
    text: Annotated[str, FullText()] = ""


class Odd(Record):
    extras: Extras = Extras()
    skipped: SkipValidation[list[str]] = Field(default_factory=list)
    plain: list[str] = Field(default_factory=list)
    colours: Annotated[set[str], Indexed()] = Field(default_factory=set)
    parts: list[Part] = Field(default_factory=list)
    anything: Any = None
    mixed: Annotated[int | str, FullText()] = 0
    limit: int = 0

    @field_validator("plain", mode="plain")
    @classmethod
    def _as_it_is(cls, value: Any) -> Any:
        return value


def test_extras_of_an_embedded_model_are_kept(store: Store) -> None:
    odd = store.repository(Odd)
    odd.save(Odd(pk="a", extras=Extras(x=1, foo=2)))  # type: ignore[call-arg]  # extras
    assert odd.get("a").extras.model_extra == {"foo": 2}


def test_validators_that_return_their_input_leak_no_alias(store: Store) -> None:
    odd = store.repository(Odd)
    odd.save(Odd(pk="a", skipped=["q"], plain=["q"]))
    found = odd.get("a")
    found.skipped.append("leak")
    found.plain.append("leak")
    assert odd.get("a").skipped == odd.get("a").plain == ["q"]


def test_sets_are_equal_in_any_order(store: Store) -> None:
    odd = store.repository(Odd)
    odd.save(Odd(pk="a", colours={"x", "y", "z"}))
    assert odd.pks(colours=["z", "x", "y"]) == odd.pks(colours={"y", "z", "x"}) == ["a"]
    assert odd.pks(colours={"x", "y"}) == []
    with pytest.raises(simstore.QueryError, match="compare it with a list"):
        store.episodes.find(agents={"x"})


def test_lists_of_models_with_lists_are_found_by_reading(store: Store) -> None:
    odd = store.repository(Odd)
    odd.save(Odd(pk="a", parts=[Part(labels=["x"], text="two words")]))
    assert odd.get("a").parts[0].labels == ["x"]
    assert odd.pks(field("mixed").matches("words")) == []
    odd.save(Odd(pk="b", mixed="Words"))
    assert odd.pks(field("mixed").matches("words")) == ["b"]


class Grumpy(BaseModel):
    x: int = 0

    def __eq__(self, other: object) -> bool:
        return bool(self.x == other.x)  # type: ignore[attr-defined]  # as careless users write it

    __hash__ = None  # type: ignore[assignment]


class Holder(Record):
    grumpy: Grumpy | None = None
    careless: str = ""

    @field_validator("careless")
    @classmethod
    def _careless(cls, text: str) -> str:
        return text[0] if text == "short" else {"known": text}.get(text[:5], text)


def test_none_is_compared_by_identity(store: Store) -> None:
    holders = store.repository(Holder)
    holders.save_many([Holder(pk="a", grumpy=Grumpy()), Holder(pk="b")])
    assert holders.pks(grumpy=None) == ["b"]


def test_what_a_validator_raises_is_an_invalid_record(store: Store) -> None:
    holder = Holder(pk="a")
    holder.careless = 5  # type: ignore[assignment]  # and no str
    with pytest.raises(simstore.InvalidRecordError, match="careless"):
        store.repository(Holder).save(holder)


def test_depth_that_cannot_be_read_back_is_refused(store: Store) -> None:
    deep: list[Any] = [math.inf]
    for _ in range(240):
        deep = [deep]
    odd = store.repository(Odd)
    with pytest.raises(simstore.InvalidRecordError):
        odd.save(Odd(pk="a", anything=deep))
    assert odd.count() == 0


def test_deeply_nested_conditions(store: Store) -> None:
    store.agents.save(agent(age=3))

    def nested(depth: int) -> simstore.Condition:
        start: simstore.Condition = field("age") == 0
        return functools.reduce(lambda c, n: ~(c & (field("age") == n)), range(depth), start)

    assert store.agents.count(nested(19)) == 1
    for depth in (21, 200, 5_000):
        with pytest.raises(simstore.QueryError, match="nested more than"):
            store.agents.count(nested(depth))


def test_many_joined_conditions_are_planned_at_once(store: Store) -> None:
    condition: simstore.Condition = field("age") == 0
    for number in range(1, 3_000):
        condition = condition | (field("age") >= number)
    assert store.agents.count(condition) == 0
    assert store.agents.count(*[field("age") >= n for n in range(3_000)]) == 0


@pytest.mark.parametrize("limit", [-1, 2**64, 1.0, True, "3"])
def test_limits_out_of_range(store: Store, limit: Any) -> None:
    for call in (store.agents.find, store.agents.pks):
        with pytest.raises(simstore.InvalidArgumentError, match="limit is an int"):
            call(limit=limit)


@pytest.mark.parametrize("ttl", [0, -1, math.nan, math.inf, True, "3", timedelta(0)])
def test_times_to_live_out_of_range(store: Store, ttl: Any) -> None:
    with pytest.raises(simstore.InvalidArgumentError, match="ttl is a positive number"):
        store.agents.save(agent(), ttl=ttl)
    assert store.agents.count() == 0


@pytest.mark.parametrize("ttl", [1e300, 10**400, timedelta.max])
def test_very_long_times_to_live(store: Store, ttl: Any) -> None:
    store.agents.save(agent(), ttl=ttl)
    assert store.agents.pks() == ["a"]


def test_fields_of_a_projection(store: Store) -> None:
    store.agents.save(agent(age=3))
    assert store.agents.project(name for name in ["age"]) == [{"age": 3}]  # type: ignore[arg-type]
    for fields in ("age", 5, [5], None):
        with pytest.raises(simstore.InvalidArgumentError, match="fields is a list"):
            store.agents.project(fields)  # type: ignore[arg-type]


def test_one_record_is_not_several(store: Store) -> None:
    calls: list[Callable[[Any], object]] = [
        store.agents.save_many,
        store.agents.get_many,
        store.agents.delete_many,
    ]
    for call in calls:
        with pytest.raises(simstore.InvalidArgumentError, match="a list of"):
            call(agent())
    for several in (None, 5, "text"):
        with pytest.raises(simstore.InvalidArgumentError, match="items is a list"):
            store.agents.save_many(several)  # type: ignore[arg-type]


def test_a_version_is_a_str(store: Store) -> None:
    store.agents.save(agent())
    with pytest.raises(simstore.InvalidArgumentError, match="get_versioned"):
        store.agents.save(agent(), if_version=store.agents.get_versioned("a"))  # type: ignore[arg-type]


def test_operators_of_a_bare_field_are_explained() -> None:
    for make in (
        lambda: field("age") > 1 & field("age"),
        lambda: ~field("age"),
        lambda: field("age") | (field("age") == 1),
        lambda: "x" in field("age"),
    ):
        with pytest.raises(simstore.QueryError, match="field"):
            make()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type aliases came with 3.12")
def test_a_type_within_itself(store: Store) -> None:
    namespace: dict[str, Any] = {"Record": Record}
    exec(  # noqa: S102 — syntax that 3.11 does not have
        "type Json = dict[str, Json] | list[Json] | str | int | None\n"
        "class Doc(Record):\n    body: Json = None\n",
        namespace,
    )
    doc = namespace["Doc"]
    docs = store.repository(doc)
    docs.save(doc(pk="a", body={"a": [1, "x"]}))
    assert docs.get("a").body == {"a": [1, "x"]}


def test_expiries_do_not_pile_up() -> None:
    database = MemoryDatabase()
    store = StorageStore("memory://", MemoryStorage(database))
    session = simstore.SessionTransaction(session_id="s", client_id="c", server_id="x")
    for _ in range(4 * MANY_EXPIRIES):
        store.sessions.save(session)
    assert len(database._expiries) <= 2 * MANY_EXPIRIES
    assert store.sessions.count() == 1


def test_an_interrupt_leaves_no_commit_half_done() -> None:
    """Interrupted at each line in turn, a transaction has happened or has not."""
    step = 0
    finished = False
    while not finished:
        step += 1
        with simstore.connect("memory://") as store:
            agents = store.agents
            agents.save_many([agent("a", age=1), agent("b", age=2)])
            assert agents.count(field("age") >= 0) == 2
            finished = not _interrupted(store, step)
            assert agents.pks() in (["a", "b"], ["a", "c"])
            done = agents.pks() == ["a", "c"]
            assert [item.age for item in agents.find()] == ([10, 3] if done else [1, 2])
            assert agents.count() == agents.count(field("age") >= 0) == 2
            assert agents.count(age=10) == done
            assert agents.count(age=1) == (not done)
    assert step > 50


def _interrupted(store: Store, step: int) -> bool:
    """Run a transaction, with an interrupt at its `step`-th line in the adapters."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        if "memory" not in frame.f_code.co_filename:
            return trace if "simstore" in frame.f_code.co_filename else None
        if event == "line":
            lines += 1
            if lines == step:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    previous = sys.gettrace()
    try:
        with store.transaction() as tx:
            tx.agents.save(agent("a", age=10))
            tx.agents.delete("b")
            tx.agents.add(agent("c", age=3))
            sys.settrace(trace)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(previous)
    return False


def test_closing_while_others_work(store: Store) -> None:
    faults: list[BaseException] = []
    started = threading.Event()

    def work() -> None:
        try:
            while True:
                store.agents.save(agent())
                store.agents.count(age=0)
                started.set()
        except simstore.StoreClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 — shown by the assertion below
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait(10)
    store.close()
    for thread in threads:
        thread.join(10)
    assert not faults


class Renamed(Record):
    __collection__ = "AgentProfile"
    name: str = Field(default="", exclude=True)


def test_a_field_that_is_not_stored_cannot_be_asked_for(store: Store) -> None:
    with pytest.raises(simstore.QueryError, match="exclude=True"):
        store.repository(Renamed).find(name="x")
