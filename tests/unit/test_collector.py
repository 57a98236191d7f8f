"""The garbage collector rests while records are decoded, and only then."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

import simstore
from simstore.adapters.collector import collector_paused


def test_it_rests_and_goes_on() -> None:
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(KeyError), collector_paused():
        raise KeyError
    assert gc.isenabled()


def test_it_stays_off_where_it_was() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_rests_until_the_last_of_several_threads_is_done() -> None:
    together = Barrier(4)

    def pause(_: int) -> bool:
        with collector_paused():
            together.wait(10)
            resting = not gc.isenabled()
            together.wait(10)
        return resting

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(pause, range(4)))
    assert gc.isenabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_has_it_though_it_rested_in_the_parent() -> None:
    with collector_paused():
        child = os.fork()
        if child == 0:
            os._exit(0 if gc.isenabled() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_code_between_records_runs_with_it() -> None:
    with simstore.connect("memory://") as store:
        store.annotators.save_many(
            simstore.Annotator(name=str(number), email="a@b") for number in range(250)
        )
        for _ in store.annotators.iterate():
            assert gc.isenabled()
