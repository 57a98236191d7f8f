"""Forks: they wait until nobody is at work, so that a child inherits nothing half done."""

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What must not be forked while a thread is at work in it."""

    def before_fork(self) -> None:
        """Wait for the threads, and keep them out."""

    def after_fork(self) -> None:
        """Let threads in again: in the parent, and in the child, which has only this one."""


_forkables: WeakSet[Forkable] = WeakSet()
_waiting: list[Forkable] = []


def survive_forks(forkable: Forkable) -> None:
    """Call its methods around every fork, for as long as it lives."""
    _forkables.add(forkable)


def _before() -> None:
    for forkable in list(_forkables):
        forkable.before_fork()
        _waiting.append(forkable)


def _after() -> None:
    while _waiting:
        _waiting.pop().after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
