"""Primary keys: which are allowed, and how ULIDs are made."""

import itertools
import multiprocessing
import multiprocessing.connection
import threading
import time
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from simstore.domain import fields
from simstore.domain.errors import InvalidPkError
from simstore.domain.fields import MAX_PK_BYTES, Pk, check_pk, new_pk

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Keyed(BaseModel):
    pk: Pk


@pytest.mark.parametrize(
    "pk",
    ["a", " a ", "a b", "a:b", "a|b", "a.b", "...", "名前", "🍰", "{}", '"', "'", "%2F", "x" * 255],
)
def test_allowed(pk: str) -> None:
    assert check_pk(pk) == pk
    assert Keyed(pk=pk).pk == pk


@pytest.mark.parametrize(
    ("pk", "why"),
    [
        ("a/b", "holds '/'"),
        ("../a", "holds '/'"),
        ("a\\b", "slashes, backslashes and control characters are not allowed"),
        ("a\0", "holds '\\x00'"),
        ("a\nb", "holds '\\n'"),
        ("a\x7f", "holds '\\x7f'"),
        ("a\x85", "holds '\\x85'"),
        ("a\ud800", "holds '\\ud800'"),
        (".", "is a path, not a name"),
        ("..", "is a path, not a name"),
        ("x" * (MAX_PK_BYTES + 1), "is 256 bytes long; at most 255 are allowed"),
        ("é" * 128, "is 256 bytes long"),
        ("x" * 10_240, "is 10240 bytes long"),
    ],
)
def test_refused(pk: str, why: str) -> None:
    with pytest.raises(InvalidPkError) as raised:
        check_pk(pk)
    assert why in str(raised.value)
    assert len(str(raised.value)) < 200
    with pytest.raises(ValidationError, match="primary key"):
        Keyed(pk=pk)


@pytest.mark.parametrize("pk", ["", " ", "\t", "\u3000"])
def test_blank_is_refused_where_it_cannot_mean_assign_one(pk: str) -> None:
    with pytest.raises(InvalidPkError):
        check_pk(pk)


@pytest.mark.parametrize("pk", [None, 5, b"a"])
def test_other_types_are_refused(pk: object) -> None:
    with pytest.raises(InvalidPkError, match="a primary key is a str, not"):
        check_pk(pk)


@pytest.mark.parametrize("pk", ["", " ", "\n", "\u3000", None])
def test_blank_means_assign_one(pk: str | None) -> None:
    assert len(Keyed(pk=cast("str", pk)).pk) == 26


@given(st.text())
def test_a_key_is_kept_as_it_is_or_refused(pk: str) -> None:
    try:
        assert check_pk(pk) == pk
    except InvalidPkError:
        pass
    else:
        assert len(pk.encode()) <= MAX_PK_BYTES
        assert pk not in {"", ".", ".."}
        assert not set("/\\\0\n") & set(pk)


def milliseconds(ulid: str) -> int:
    number = 0
    for letter in ulid[:10]:
        number = number * 32 + CROCKFORD.index(letter)
    return number


def test_a_ulid_tells_its_time() -> None:
    before = time.time_ns() // 1_000_000
    ulid = new_pk()
    after = time.time_ns() // 1_000_000
    assert len(ulid) == 26
    assert set(ulid) <= set(CROCKFORD)
    assert before <= milliseconds(ulid) <= after + 1


def test_ulids_grow() -> None:
    made = [new_pk() for _ in range(20_000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(made))


def test_ulids_grow_while_the_clock_stands_or_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([5_000_000_000, 5_000_000_000, 4_000_000_000, 3_000_000_000, 6_000_000_000])
    monkeypatch.setattr(fields, "_source", fields._UlidSource())
    monkeypatch.setattr(fields.time, "time_ns", lambda: next(moments))  # type: ignore[attr-defined]
    made = [new_pk() for _ in range(5)]
    assert made == sorted(set(made))
    assert [milliseconds(ulid) for ulid in made] == [5000, 5000, 5000, 5000, 6000]


def test_ulids_grow_past_the_end_of_the_random_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_source", fields._UlidSource())
    monkeypatch.setattr(fields.os, "urandom", lambda size: b"\xff" * size)  # type: ignore[attr-defined]
    monkeypatch.setattr(fields.time, "time_ns", lambda: 5_000_000_000)  # type: ignore[attr-defined]
    made = [new_pk() for _ in range(3)]
    assert made == sorted(set(made))
    assert {len(ulid) for ulid in made} == {26}


def test_ulids_of_threads_are_distinct_and_grow_in_each() -> None:
    made: list[list[str]] = [[] for _ in range(8)]
    start = threading.Barrier(len(made))

    def make(mine: list[str]) -> None:
        start.wait()
        mine.extend(new_pk() for _ in range(2_000))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mine in made:
        assert mine == sorted(mine)
    assert len({ulid for mine in made for ulid in mine}) == 16_000


def _send_some(pipe: multiprocessing.connection.Connection) -> None:
    pipe.send([new_pk() for _ in range(200)])
    pipe.close()


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork"
)
def test_a_forked_child_makes_others(monkeypatch: pytest.MonkeyPatch) -> None:
    # Far in the future, so that both sides only count on from their last ULID.
    future = time.time_ns() + 10**15
    with monkeypatch.context() as patched:
        patched.setattr(fields.time, "time_ns", lambda: future)  # type: ignore[attr-defined]
        new_pk()
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    child = context.Process(target=_send_some, args=(sending,))
    child.start()
    sending.close()
    theirs = receiving.recv()
    child.join()
    ours = [new_pk() for _ in range(200)]
    assert not set(ours) & set(theirs)
    # So that other tests are not left in the future.
    fields._renew_source()
