"""Which store the models of `simstore.sotopia` use: the one bound here, else the environment's."""

import atexit
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from weakref import WeakSet

from simstore.connection import connect
from simstore.domain.errors import InvalidArgumentError
from simstore.domain.store import Store
from simstore.sotopia.environment import Environment

_environment = Environment()


@dataclass(slots=True, eq=False)
class _Bound:
    """A store that is bound, and the one that was before. Those of a context are a chain.

    Blocks may end in any order, and in other contexts, as those of generators do: what has ended
    is passed over, and never bound again.
    """

    store: Store
    former: "_Bound | None"
    has_block: bool = False
    has_ended: bool = False

    def alive(self) -> "_Bound | None":
        """The first of the chain that has not ended."""
        bound: _Bound | None = self
        while bound is not None and bound.has_ended:
            bound = bound.former
        return bound


_current: ContextVar[_Bound | None] = ContextVar("simstore.sotopia", default=None)


def _alive() -> _Bound | None:
    bound = _current.get()
    return None if bound is None else bound.alive()


class Binding:
    """What `bind` returns: a context manager that gives its store and unbinds it at the end."""

    def __init__(self, store: Store, *, closes: bool) -> None:
        self.store = store
        self._closes = closes
        self._before = before = _alive()
        # Without a block it takes the place of another without one, which is not kept.
        follows = before.former if before is not None and not before.has_block else before
        self._bound = _Bound(store, follows)
        _current.set(self._bound)

    def __repr__(self) -> str:
        return f"<models of simstore.sotopia on {self.store.url}>"

    def __enter__(self) -> Store:
        without_block = self._bound
        if without_block.has_block:
            raise InvalidArgumentError("a binding has one block; call bind() again for another")
        now = _alive()
        former = self._before if now is without_block else now
        without_block.has_ended = True  # it may be further down in the chain
        self._bound = _Bound(self.store, former, has_block=True)
        _current.set(self._bound)
        return self.store

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        mine = self._bound
        above = _alive()
        mine.has_ended = True
        while above is not None and above is not mine and not above.has_block:
            above = above.former
        if above is mine:  # what was bound within the block ends with it
            _current.set(mine.alive())
        if self._closes:
            self.store.close()


def bind(store: str | Store) -> Binding:
    """Let the models of this thread and task use `store`, a store or the URL of one.

    ``bind(url)`` holds from here on; ``with bind(url) as store:`` until the block ends. Tasks that
    are started meanwhile have it too. Threads do not: each binds one itself, is started through
    ``contextvars.copy_context().run``, or uses the store that the environment names. A store of a
    URL is opened here and closed by the block or at the end of the program; one that is given is
    its owner's to close.

    Raises:
        StoreURLError: the URL is wrong.
        BackendUnavailableError: the backend cannot be reached or opened.
        MissingDependencyError: the backend needs an extra that is not installed.
        InvalidArgumentError: it is neither a URL nor a store.
    """
    if isinstance(store, str):
        opened = connect(store)
        _close_at_exit(opened)
        return Binding(opened, closes=True)
    if isinstance(store, type) or not callable(getattr(store, "repository", None)):
        raise InvalidArgumentError(f"bind() takes a store or the URL of one, not {store!r}")
    return Binding(store, closes=False)


def current_store() -> Store:
    """The store that the models use here: the bound one, else that of the environment.

    That is, the one of ``SIMSTORE_URL``, else Sotopia's own: its Redis at ``REDIS_OM_URL``, worked
    on in place, or if ``SOTOPIA_STORAGE_BACKEND`` is ``local``, an SQLite file beside its files,
    which begins as a copy of them. Such a store is opened when it is first used, once a process,
    and stays open until its end.

    Raises:
        NotBoundError: no store is bound, and the environment names none.
        StoreURLError: what the environment names is no store.
        ImportFileError: a file of Sotopia's makes no record.
        BackendUnavailableError: the store cannot be opened.
    """
    bound = _alive()
    return _environment.store(_close_at_exit) if bound is None else bound.store


_to_close: WeakSet[Store] = WeakSet()


def _close_at_exit(store: Store) -> None:
    """Close `store` at the end of the program, if it is still there: then nobody else does."""
    _to_close.add(store)
    atexit.unregister(_close_all)
    atexit.register(_close_all)


def _close_all() -> None:
    for store in list(_to_close):
        store.close()
