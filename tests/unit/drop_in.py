"""What the tests of `simstore.sotopia` share."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from simstore.sotopia import AgentProfile, binding
from simstore.sotopia.environment import Environment

VARIABLES = ("SIMSTORE_URL", "SOTOPIA_STORAGE_BACKEND", "REDIS_OM_URL")
"""Those that name the environment's store."""


@contextmanager
def no_store_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment that names no store, a context that has none bound, and none open before."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(binding, "_environment", Environment())
    monkeypatch.setattr(binding, "_current", contextvars.ContextVar("bound", default=None))
    yield
    binding._close_all()


def ada(tag: str = "") -> AgentProfile:
    """An agent."""
    return AgentProfile(pk="ada", first_name="Ada", last_name="Osei", tag=tag)
